"""The problem: instances, legal request sequences and offline schedules (THEORY of ℓ-layer paging).

Pages of layer ``j`` carry the ids ``first_page[j] … first_page[j + 1] − 1``; request number ``t`` (from 0)
belongs to visit ``t // per_visit`` and that visit to layer ``visit mod layers``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from fractions import Fraction
from functools import cached_property
from itertools import islice, repeat
from typing import Any, Literal, NamedTuple, Self, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paging.arguments import array_of, checked
from paging.errors import (
    IllegalSequenceError,
    InfeasibleScheduleError,
    ModelError,
    UnsupportedModelError,
)
from paging.html import facts_table
from paging.weights import Weights, exact_weights

PageArray = NDArray[np.int32]
LabelArray = NDArray[np.int64]

SHOWN = 24
"""Requests that notebooks show of a sequence, a run or a film."""


class Entry(IntEnum):
    """What happened at a request where no single victim says it; a victim's entry is its page id ≥ 0.

    The first three make a schedule beside page ids, the next two are legal answers of policies that are not
    demand paging, and the last three say what is illegal about an answer.
    """

    FREE = -1
    """A fault into a free slot."""
    HIT = -2
    BYPASS = -3
    """A fault served without caching the page."""
    SEVERAL = -4
    """A fault on which several pages left."""
    LEFT_ON_HIT = -5
    """A hit on which pages left."""
    MISSING = -10
    """The requested page is not cached afterwards."""
    APPEARED = -11
    """A page that was not requested came into the cache."""
    TOO_MANY = -12
    """More than k pages are cached."""


# Compiled code takes plain integers for constants.
FREE, HIT, BYPASS, SEVERAL, LEFT_ON_HIT, MISSING, APPEARED, TOO_MANY = map(int, Entry)

MAX_PAGES = MAX_REQUESTS = 2**31 - 1
"""Most pages of an instance and requests of a sequence: ids and times are int32."""

MAX_LAYERS = 1_000_000
"""Most layers of an instance: what is kept of each fits the memory."""


NOTHING_HELD = np.zeros(0, dtype=np.bool_)


class Frame(NamedTuple):
    """What a policy's ``serve`` sees beside labels, page and slot (plain numbers, so that they compile).

    The numbers of the instance, and the prediction that came with the request; 0 where there is none.
    """

    layers: int
    cache: int
    per_visit: int
    layer_of: PageArray
    first_page: PageArray
    weights: NDArray[np.int64]
    """Cost of a fault on every page, as whole numbers over one denominator; all 1 at unit cost."""
    prediction: int = 0
    held: NDArray[np.bool_] = NOTHING_HELD
    """Per page whether the present atomic visit has asked for it, so that it may not leave; else empty."""

    def served_together(self) -> Frame:
        """Return the frame of an atomic visit that has asked for nothing yet."""
        return self._replace(held=np.zeros(len(self.layer_of), dtype=np.bool_))


Serve = Callable[[LabelArray, int, int, Frame], None]
"""The form of a policy's ``serve``: change the labels in place for (labels, page, slot, frame)."""

Kind = Literal["discard", "phase", "next-arrival"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""What may be predicted of a page with a request for it.

``discard``: a bit, 1 if an optimal run is believed to evict the page before its next request.
``phase``: a bit, 1 if the page is believed not to be requested in the next k-phase.
``next-arrival``: the number of the page's next request, counted from 0 as all are; T or more for never.
"""

NOTHING_PREDICTED = np.zeros(0, dtype=np.int64)
NOTHING_PREDICTED.flags.writeable = False


class Page(NamedTuple):
    """A page by layer and place inside the layer, both from 0."""

    layer: int
    place: int


def whole_number(value: object, name: str, low: int, high: int | None = None) -> int:
    """Return ``value`` as a plain int in ``low … high`` or raise a ModelError that names the range."""
    allowed = f"an integer ≥ {low}" if high is None else f"an integer in {low} … {high}"
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ModelError(f"{name} must be {allowed}, got {value!r}") from None
    if isinstance(value, bool) or number < low or (high is not None and number > high):
        raise ModelError(f"{name} must be {allowed}, got {value!r}")
    return number


def pages_text(pages: int | Sequence[int]) -> str:
    """Write pages per layer as text: one number, or one per layer as ``3/1``."""
    return str(pages) if isinstance(pages, int) else "/".join(map(str, pages))


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Return the generator that a seed ≥ 0 gives, or the one given.

    Raises
    ------
    ModelError
        The seed is negative or no whole number.
    """
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(whole_number(seed, "seed", 0))


@dataclass(frozen=True)
class LayeredInstance:
    """An instance of ℓ-layer paging: layers, pages per layer, one shared cache, and the model's variant.

    Parameters
    ----------
    layers : int
        Number of layers ℓ ≥ 1; ℓ = 1 is classical paging.
    pages : int or sequence of int
        Pages per layer n ≥ 1, or one number per layer.
    cache : int
        Cache size k ≥ 1 in pages, shared by all layers. It may exceed the number of pages.
    per_visit : int, default 1
        Pages g requested in one visit of a layer (top-g routing); they are distinct, so g ≤ n.
    visits : {"sequential", "atomic"}, default "sequential"
        Whether the g pages of a visit are served one after the other, or must all be cached together at
        the end of the visit (then k ≥ g is required).
    bypassing : bool, default False
        Whether a fault may be served without caching the page.
    names : sequence, optional
        Names of the pages by page id, for display only: instances that differ in nothing else are equal.
    weights : Weights or iterable of int, Fraction or str, optional
        Cost of a fault on every page by page id, positive and exact (see :func:`paging.exact_weights`).
        None, the default, is unit cost, and so are weights that are all 1.

    Raises
    ------
    ModelError
        A parameter is outside its range.

    Examples
    --------
    >>> instance = LayeredInstance(layers=2, pages=3, cache=4)
    >>> instance.total_pages, instance.page(1, 0), instance.page_name(3)
    (6, 3, '1.0')
    """

    layers: int
    pages: int | tuple[int, ...]
    cache: int
    per_visit: int = 1
    visits: Literal["sequential", "atomic"] = "sequential"
    bypassing: bool = False
    names: Sequence[object] | None = field(default=None, repr=False, compare=False)
    weights: Weights | None = field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        assign = object.__setattr__
        assign(self, "layers", whole_number(self.layers, "layers (ℓ)", 1, MAX_LAYERS))
        assign(self, "cache", whole_number(self.cache, "cache (k)", 1, MAX_PAGES))
        assign(self, "per_visit", whole_number(self.per_visit, "per_visit (g)", 1))
        if isinstance(self.pages, tuple | list):
            counts = tuple(
                whole_number(n, f"pages (n) of layer {j}", 1, MAX_PAGES) for j, n in enumerate(self.pages)
            )
            if len(counts) != self.layers:
                raise ModelError(f"pages lists {len(counts)} layers, but layers (ℓ) is {self.layers}")
            # One canonical form, so that equal instances compare equal.
            assign(self, "pages", counts[0] if len(set(counts)) == 1 else counts)
        else:
            assign(self, "pages", whole_number(self.pages, "pages (n)", 1, MAX_PAGES))
        if sum(self.pages_by_layer) > MAX_PAGES:
            raise ModelError(f"{sum(self.pages_by_layer)} pages in all, but at most {MAX_PAGES} fit int32")
        if self.per_visit > min(self.pages_by_layer):
            raise ModelError(
                f"per_visit (g) must be ≤ the pages of every layer ({min(self.pages_by_layer)}), "
                f"got {self.per_visit}: the pages of a visit are distinct"
            )
        if self.visits not in ("sequential", "atomic"):
            raise ModelError(f"visits must be 'sequential' or 'atomic', got {self.visits!r}")
        if self.visits == "atomic" and self.cache < self.per_visit:
            raise ModelError(f"atomic visits need cache (k) ≥ per_visit (g): {self.cache} < {self.per_visit}")
        if not isinstance(self.bypassing, bool):
            raise ModelError(f"bypassing must be True or False, got {self.bypassing!r}")
        if not isinstance(self.names, Sequence | np.ndarray | None):
            raise ModelError(f"names must be a sequence or None, got {self.names!r}")
        if self.names is not None and len(self.names) != self.total_pages:
            raise ModelError(f"names must name all {self.total_pages} pages, got {len(self.names)}")
        assign(self, "weights", self._exact_weights(self.weights))

    def _exact_weights(self, given: object) -> Weights | None:
        """Return weights in their one form, which for unit cost is None."""
        if given is None:
            return None
        if not isinstance(given, Weights):
            if not isinstance(given, Iterable) or isinstance(given, str | bytes):
                raise ModelError(f"weights must be one exact number per page, got {given!r:.60}")
            given = exact_weights(given)
        if len(given) != self.total_pages:
            raise ModelError(f"{len(given)} weights are given for {self.total_pages} pages")
        return None if given.unit else given

    @property
    def pages_by_layer(self) -> tuple[int, ...]:
        """Pages per layer as a tuple of length ``layers``."""
        return self.pages if isinstance(self.pages, tuple) else (self.pages,) * self.layers

    @property
    def pages_text(self) -> str:
        """Pages per layer as text: one number, or one per layer as ``3/1``."""
        return pages_text(self.pages)

    @cached_property
    def first_page(self) -> PageArray:
        """First page id of every layer, then the total: read-only int32 of length ``layers + 1``."""
        return _freeze(np.concatenate([[0], np.cumsum(self.pages_by_layer)]).astype(np.int32))

    @cached_property
    def layer_of(self) -> PageArray:
        """Layer of every page: read-only int32 of length ``total_pages``."""
        return _freeze(np.repeat(np.arange(self.layers, dtype=np.int32), self.pages_by_layer))

    @property
    def total_pages(self) -> int:
        """Number of pages of all layers together."""
        return sum(self.pages_by_layer)

    @property
    def round_length(self) -> int:
        """Requests in one round: ℓ·g."""
        return self.layers * self.per_visit

    @cached_property
    def frame(self) -> Frame:
        """The instance as policies see it."""
        costs = np.ones(self.total_pages, np.int64) if self.weights is None else self.weights.scaled
        costs.flags.writeable = False
        return Frame(self.layers, self.cache, self.per_visit, self.layer_of, self.first_page, costs)

    @property
    def service(self) -> Literal["forced", "bypassing"]:
        """Whether every fault loads its page, or it may be served past the cache."""
        return "bypassing" if self.bypassing else "forced"

    @property
    def model(self) -> dict[str, str | int]:
        """Labels of the model's variant, shown beside every number.

        >>> LayeredInstance(2, 3, 4).model
        {'service': 'forced', 'visits': 'sequential', 'start': 'cold', 'sharing': 'shared', 'per_visit': 1}
        >>> LayeredInstance(2, 1, 1, weights=[1, 4]).model["cost"]
        'weighted'
        """
        return {
            "service": self.service,
            "visits": self.visits,
            "start": "cold",
            "sharing": "shared",
            "per_visit": self.per_visit,
            **({} if self.weights is None else {"cost": "weighted"}),
        }

    @property
    def cost(self) -> Literal["unit", "weighted"]:
        """Whether every fault costs 1, or each page has a weight."""
        return "unit" if self.weights is None else "weighted"

    @property
    def plain(self) -> dict[str, object]:
        """The instance as plain values: its one form in JSON, certificates and saved files.

        >>> LayeredInstance(2, (3, 1), 2).plain["pages"], LayeredInstance(2, 3, 4).plain["service"]
        ([3, 1], 'forced')
        """
        return {
            "layers": self.layers,
            "pages": list(self.pages) if isinstance(self.pages, tuple) else self.pages,
            "cache": self.cache,
            "per_visit": self.per_visit,
            "visits": self.visits,
            "service": self.service,
            **({} if self.weights is None else {"weights": self.weights.plain}),
        }

    def require(
        self,
        what: str,
        *,
        service: Literal["forced"] | None = None,
        visits: Literal["sequential"] | None = None,
        per_visit: Literal[1] | None = None,
        cost: Literal["unit"] | None = None,
    ) -> None:
        """Raise UnsupportedModelError unless the instance is of the variant that something needs.

        Parameters
        ----------
        what : str
            Who needs it, as the message's subject in the singular.
        service, visits, per_visit, cost : optional
            What is needed; a part that is left out may be anything.

        Examples
        --------
        >>> LayeredInstance(2, 3, 4, per_visit=2).require("a marble", service="forced", per_visit=1)
        Traceback (most recent call last):
            ...
        paging.errors.UnsupportedModelError: a marble needs forced service and g = 1; this instance has g = 2
        """
        asked = {"service": service, "visits": visits, "per_visit": per_visit, "cost": cost}
        needed = {part: value for part, value in asked.items() if value is not None}
        model = {**self.model, "cost": self.cost}
        given = {part: model[part] for part, value in needed.items() if model[part] != value}
        if given:
            raise UnsupportedModelError(
                f"{what} needs {_variant(needed)}; this instance has {_variant(given)}"
            )

    def require_evictions(self) -> None:
        """Raise ModelError where all pages fit the cache, so that there is no ratio to compute."""
        if self.cache >= self.total_pages:
            raise ModelError(
                f"a competitive ratio needs k < number of pages; here k = {self.cache} and all "
                f"{self.total_pages} pages fit the cache"
            )

    @classmethod
    def from_plain(cls, shape: Mapping[str, Any]) -> LayeredInstance:
        """Return the instance that plain values state: the inverse of :attr:`plain`.

        Parameters
        ----------
        shape : mapping
            ``layers``, ``pages`` (a number, or a list of one per layer) and ``cache``; perhaps ``per_visit``,
            ``visits``, ``service`` and ``weights`` (a list of exact numbers, one per page).

        Raises
        ------
        ModelError
            A field is missing, unknown or outside its range.

        Examples
        --------
        >>> LayeredInstance.from_plain({"layers": 2, "pages": [3, 1], "cache": 2}).pages
        (3, 1)
        """
        if not isinstance(shape, Mapping):
            raise ModelError(f"an instance is given by its fields layers, pages, cache, …; got {shape!r}")
        sizes, variant = ("layers", "pages", "cache"), ("per_visit", "visits", "weights")
        missing = [name for name in sizes if name not in shape]
        unknown = [name for name in shape if name not in (*sizes, *variant, "service")]
        if missing or unknown:
            problem = f"lacks {missing}" if missing else f"has unknown fields {unknown[:9]}"
            raise ModelError(f"instance {problem}")
        service = shape.get("service", "forced")
        if service not in ("forced", "bypassing"):
            raise ModelError(f"service must be 'forced' or 'bypassing', got {service!r}")
        fields = {name: shape[name] for name in (*sizes, *variant) if name in shape}
        return cls(**fields, bypassing=service == "bypassing")

    def page(self, layer: int, index: int) -> int:
        """Return the page id of page ``index`` of ``layer``."""
        layer = whole_number(layer, "layer", 0, self.layers - 1)
        index = whole_number(index, f"index in layer {layer}", 0, self.pages_by_layer[layer] - 1)
        return int(self.first_page[layer]) + index

    def locate(self, page: int) -> Page:
        """Return layer and index of a page id."""
        page = whole_number(page, "page", 0, self.total_pages - 1)
        layer = int(self.layer_of[page])
        return Page(layer, page - int(self.first_page[layer]))

    def page_name(self, page: int) -> str:
        """Return the name of a page for display: its own, or ``layer.index``."""
        where = self.locate(page)
        return "{}.{}".format(*where) if self.names is None else str(self.names[page])

    def page_names(self, pages: Iterable[int], most: int | None = None) -> str:
        """Return the names of pages for display in one line, of many the first ones.

        >>> LayeredInstance(2, 3, 4).page_names([0, 4, 2, 3], most=3)
        '0.0 1.1 0.2 …'
        """
        names = [self.page_name(int(page)) for page in islice(pages, None if most is None else most + 1)]
        return " ".join(names[:most]) + " …" * (most is not None and len(names) > most)

    def layer_at(self, time: int) -> int:
        """Return the layer that request number ``time`` belongs to."""
        return time // self.per_visit % self.layers

    def pages_of(self, layer: int) -> range:
        """Return the page ids of a layer."""
        return range(int(self.first_page[layer]), int(self.first_page[layer + 1]))

    def __str__(self) -> str:
        """Return the instance as one line: sizes and variant of the model.

        >>> str(LayeredInstance(2, (3, 1), 2))
        'ℓ = 2, n = 3/1, k = 2, g = 1 · forced · sequential · cold start'
        """
        return (
            f"ℓ = {self.layers}, n = {self.pages_text}, k = {self.cache}, g = {self.per_visit} · "
            f"{self.service} · {self.visits} · cold start{'' if self.weights is None else ' · weighted'}"
        )

    def with_cache(self, cache: int) -> LayeredInstance:
        """Return the same instance with another cache size."""
        return replace(self, cache=cache)

    def with_weights(self, weights: Weights | Iterable[object] | None) -> LayeredInstance:
        """Return the same instance with other fault costs; None for unit cost."""
        return replace(self, weights=cast(Any, weights))

    def cost_of(self, pages: NDArray[np.integer[Any]]) -> int | Fraction:
        """Return what faults on these pages cost together, exactly: their number at unit cost.

        >>> LayeredInstance(1, 2, 1, weights=[1, "1/2"]).cost_of(np.array([0, 1, 1, 1]))
        Fraction(5, 2)
        """
        return len(pages) if self.weights is None else self.weights.cost_of(pages)

    def _repr_html_(self) -> str:
        facts = {"layers ℓ": self.layers, "pages": self.total_pages, "cache k": self.cache}
        return facts_table(str(self), facts)


def _variant(parts: Mapping[str, str | int]) -> str:
    """Write parts of :attr:`LayeredInstance.model` in words."""
    words = {"service": "{} service", "visits": "{} visits", "per_visit": "g = {}", "cost": "{} cost"}
    *most, last = (words[part].format(value) for part, value in parts.items())
    return f"{', '.join(most)} and {last}" if most else last


def _freeze(array: PageArray) -> PageArray:
    array.flags.writeable = False
    return array


def title_of(instance: Mapping[str, Any], cache: object = None) -> str:
    """Return ℓ, n and perhaps k of an instance given as plain data, for the title of a picture.

    What is not as usual is named too: g pages a visit, atomic visits, bypassing.

    >>> title_of({"layers": 2, "pages": [3, 4]}, 5)
    'ℓ = 2, n = 3/4, k = 5'
    >>> title_of({"layers": 1, "pages": 5, "per_visit": 2, "service": "bypassing"}, 4)
    'ℓ = 1, n = 5, k = 4, g = 2, bypassing'
    """
    pages = instance["pages"]
    shown = "/".join(map(str, pages)) if isinstance(pages, list | tuple) else pages
    size = f"ℓ = {instance['layers']}, n = {shown}" + ("" if cache is None else f", k = {cache}")
    if instance.get("per_visit", 1) > 1:
        size += f", g = {instance['per_visit']}"
    own = {instance.get("visits"), instance.get("service")}
    return ", ".join([size, *(word for word in ("atomic", "bypassing") if word in own)])


@dataclass(frozen=True, eq=False)
class RequestSequence:
    """A legal request sequence of an instance.

    Parameters
    ----------
    instance : LayeredInstance
        The instance the sequence belongs to.
    requests : array_like of int, shape (T,)
        Page ids; request ``t`` lies in layer ``t // per_visit mod layers``. Stored as read-only int32.
    places : array_like of int, shape (T,), optional
        Where some visits ask for fewer than g pages: the place every request would have if all visits were
        full, so that it belongs to visit ``places[t] // per_visit``. Strictly increasing; stored as read-only
        int64, the requests of a visit moved up to its first places. None where all visits are full.

    Raises
    ------
    IllegalSequenceError
        A page id is out of range or in the wrong layer, or a page comes twice in one visit.
    UnsupportedModelError
        Visits are atomic and some are shorter than g.
    ModelError
        The weights of so many requests add up to more than fits 62 bits.

    Examples
    --------
    >>> instance = LayeredInstance(layers=2, pages=3, cache=4)
    >>> sequence = RequestSequence(instance, [0, 3, 1, 4])
    >>> len(sequence), sequence.distinct_pages
    (4, 4)
    >>> RequestSequence(instance, [0, 1])
    Traceback (most recent call last):
        ...
    paging.errors.IllegalSequenceError: request 1: page 1 is in layer 0, but layer 1 is served (pages 3 … 5)
    >>> pairs = LayeredInstance(layers=2, pages=3, cache=4, per_visit=2)
    >>> RequestSequence(pairs, [0, 1, 4, 2, 3, 4], places=[0, 1, 2, 4, 6, 7]).visit_layers.tolist()
    [0, 0, 1, 0, 1, 1]
    """

    instance: LayeredInstance
    requests: PageArray = field(repr=False)
    places: NDArray[np.int64] | None = field(repr=False)

    @checked
    def __init__(
        self, instance: LayeredInstance, requests: ArrayLike, places: ArrayLike | None = None
    ) -> None:
        given = _integers(requests)
        if instance.weights is not None:
            instance.weights.require_sums(len(given))
        stored = None if places is None else _places(instance, places, len(given))
        assign = object.__setattr__
        assign(self, "instance", instance)
        assign(self, "requests", _freeze(_legal_requests(instance, given, stored)))
        assign(self, "places", stored)

    def __len__(self) -> int:
        return len(self.requests)

    def __iter__(self) -> Iterator[int]:
        return (int(page) for page in self.requests)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RequestSequence)
            and self.instance == other.instance
            and np.array_equal(self.requests, other.requests)
            and np.array_equal(self.slots, other.slots)
            and self.kind == other.kind
            and np.array_equal(self.predictions, other.predictions)
        )

    def __hash__(self) -> int:
        return hash((self.instance, self.requests.tobytes()))

    @property
    def kind(self) -> Kind | None:
        """What is predicted with every request, or None: see :class:`paging.PredictedSequence`."""
        return None

    @property
    def predictions(self) -> NDArray[np.int64]:
        """One prediction for every request, or none at all."""
        return NOTHING_PREDICTED

    @property
    def frames(self) -> Iterator[Frame]:
        """What a policy is told with every request beside page and slot."""
        return repeat(self.instance.frame, len(self))

    @property
    def distinct_pages(self) -> int:
        """Number of distinct pages: the compulsory faults of every algorithm."""
        return int(np.count_nonzero(np.bincount(self.requests, minlength=1)))

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "requests": len(self),
            "distinct pages": self.distinct_pages,
            "first" if len(self) > SHOWN else "all": self.instance.page_names(self, SHOWN),
        }
        return facts_table(f"requests on {self.instance}", facts)

    @property
    def plain(self) -> RequestSequence:
        """The requests without predictions."""
        return self

    def with_cache(self, cache: int) -> RequestSequence:
        """Return the same requests on the same instance with another cache size."""
        return self._sharing_requests(self.instance.with_cache(cache), self.requests, self.places)

    def with_weights(self, weights: Weights | Iterable[object] | None) -> RequestSequence:
        """Return the same requests with other fault costs, or at unit cost.

        Parameters
        ----------
        weights : Weights or iterable of int, Fraction or str, or None
            As for :class:`LayeredInstance`.

        Raises
        ------
        ModelError
            The weights are refused, or their sum over the requests does not fit 62 bits.

        Examples
        --------
        >>> sequence = RequestSequence(LayeredInstance(1, 2, 1), [0, 1, 0])
        >>> sequence.with_weights(["0.5", 2]).instance.plain["weights"]
        ['1/2', 2]
        """
        instance = self.instance.with_weights(weights)
        if instance.weights is not None:
            instance.weights.require_sums(len(self))
        return self._sharing_requests(instance, self.requests, self.places)

    def prefix(self, length: int) -> RequestSequence:
        """Return the first ``length`` ≥ 0 requests, or all of them."""
        length = whole_number(length, "length", 0)
        places = None if self.places is None else self.places[:length]
        return self._sharing_requests(self.instance, self.requests[:length], places)

    def of_layer(self, layer: int, cache: int) -> RequestSequence:
        """Return one layer's requests as a classical instance (ℓ = 1) of its own with ``cache`` slots."""
        own = self.instance.pages_of(layer)
        names = None if self.instance.names is None else self.instance.names[own.start : own.stop]
        weights = self.instance.weights
        costs = None if weights is None else weights.of_pages(slice(own.start, own.stop))
        alone = replace(
            self.instance, layers=1, pages=len(own), cache=cache, names=names, weights=cast(Any, costs)
        )
        group, length = self.instance.per_visit, self.instance.round_length
        places = None
        if self.places is None:  # whole rounds are rows of a matrix, and the layer a few columns of it
            whole = len(self.requests) // length * length
            rounds = self.requests[:whole].reshape(-1, length)
            columns = slice(layer * group, (layer + 1) * group)
            asked = np.concatenate([rounds[:, columns].ravel(), self.requests[whole:][columns]])
        else:
            mask = self.visit_layers == layer
            asked = self.requests[mask]
            visits = self.visits[mask] // self.instance.layers
            places = visits * group + self.places[mask] % group
        return self._sharing_requests(alone, asked - self.instance.first_page[layer], places)

    def picked(self, chosen: NDArray[np.bool_], cache: int) -> RequestSequence:
        """Return some of the requests, in visits that may be short, with another cache size."""
        places = (np.arange(len(self.requests)) if self.places is None else self.places)[chosen]
        stored = packed_places(places, self.instance.per_visit) if len(places) else None
        return self._sharing_requests(self.instance.with_cache(cache), self.requests[chosen], stored)

    @property
    def visits(self) -> NDArray[np.int64]:
        """Number of the visit that every request belongs to, shape (T,)."""
        places = np.arange(len(self.requests)) if self.places is None else self.places
        return places // self.instance.per_visit

    @property
    def visit_layers(self) -> NDArray[np.int64]:
        """Layer of every request, shape (T,)."""
        return self.visits % self.instance.layers

    @property
    def slots(self) -> NDArray[np.int64]:
        """Place of every request in its round, ``0 … layers·per_visit − 1``, shape (T,)."""
        places = np.arange(len(self.requests)) if self.places is None else self.places
        return places % self.instance.round_length

    def requests_of_rounds(self, rounds: int) -> int:
        """Return how many requests the first rounds have, at most all."""
        end = whole_number(rounds, "rounds", 0) * self.instance.round_length
        return min(end, len(self)) if self.places is None else int(np.searchsorted(self.places, end))

    def require_full_visits(self, what: str) -> None:
        """Raise UnsupportedModelError if some visit asks for fewer than g pages; ``what`` needs full ones."""
        if self.places is not None:
            raise UnsupportedModelError(
                f"{what} needs full visits of g = {self.instance.per_visit} pages; "
                f"some visits of these requests have fewer"
            )

    @classmethod
    def _sharing_requests(
        cls, instance: LayeredInstance, requests: PageArray, places: NDArray[np.int64] | None = None
    ) -> Self:
        # The requests are known to be legal: checking a million of them again would only cost time.
        sequence = object.__new__(cls)
        object.__setattr__(sequence, "instance", instance)
        object.__setattr__(sequence, "requests", _freeze(requests.view()))
        object.__setattr__(sequence, "places", places)
        return sequence


def _integers(requests: ArrayLike) -> NDArray[np.integer[Any]]:
    given = array_of(requests, "requests")
    if given.size == 0:
        return np.zeros(0, dtype=np.int32)
    if given.ndim != 1:
        raise IllegalSequenceError(f"requests must be one-dimensional, got shape {given.shape}")
    if given.dtype.kind not in "iu":
        raise IllegalSequenceError(f"requests must be integer page ids, got dtype {given.dtype}")
    if len(given) > MAX_REQUESTS:
        raise IllegalSequenceError(f"{len(given)} requests are too many: at most {MAX_REQUESTS} fit int32")
    return given


def _places(instance: LayeredInstance, places: ArrayLike, length: int) -> NDArray[np.int64] | None:
    """Check the places of requests; the requests of a visit take its first ones. None if all are full."""
    given = np.asarray(places)
    if given.shape != (length,) or (length and given.dtype.kind not in "iu"):
        raise IllegalSequenceError(f"places must be {length} integers, one for each request")
    if not length:
        return None
    wide = given.astype(np.int64)
    if wide[0] < 0 or (np.diff(wide) <= 0).any():
        raise IllegalSequenceError("places must be ≥ 0 and strictly increasing")
    if instance.visits == "atomic":
        raise UnsupportedModelError(
            "atomic visits must all ask for g pages; some visits of these requests have fewer: serve them "
            "sequentially"
        )
    return packed_places(wide, instance.per_visit)


def packed_places(places: NDArray[np.int64], group: int) -> NDArray[np.int64] | None:
    """Move the requests of every visit up to its first places; None if all visits but the last are full."""
    visits, length = places // group, len(places)
    begins = np.concatenate([[0], np.flatnonzero(np.diff(visits)) + 1])
    rank = np.arange(length) - np.repeat(begins, np.diff(np.append(begins, length)))
    packed: NDArray[np.int64] = visits * group + rank
    if packed[-1] == length - 1:
        return None
    packed.flags.writeable = False
    return packed


def _legal_requests(
    instance: LayeredInstance, given: NDArray[np.integer[Any]], places: NDArray[np.int64] | None
) -> PageArray:
    outside = (given < 0) | (given >= instance.total_pages)
    if outside.any():
        t = int(outside.argmax())
        raise IllegalSequenceError(
            f"request {t}: page {given[t]} is out of range 0 … {instance.total_pages - 1}"
        )
    pages = given.astype(np.int32)
    visits = (np.arange(len(pages)) if places is None else places) // instance.per_visit
    served = (visits % instance.layers).astype(np.int32)
    wrong = instance.layer_of[pages] != served
    if wrong.any():
        t = int(wrong.argmax())
        own, layer = int(instance.layer_of[pages[t]]), int(served[t])
        allowed = instance.pages_of(layer)
        raise IllegalSequenceError(
            f"request {t}: page {pages[t]} is in layer {own}, but layer {layer} is served "
            f"(pages {allowed.start} … {allowed.stop - 1})"
        )
    for offset in range(1, instance.per_visit):
        same = (pages[offset:] == pages[:-offset]) & (visits[offset:] == visits[:-offset])
        if same.any():
            t = int(same.argmax()) + offset
            raise IllegalSequenceError(f"request {t}: page {pages[t]} comes twice in visit {visits[t]}")
    return pages


class Step(NamedTuple):
    """One served request, as the step iterators show it.

    Attributes
    ----------
    time, page : int
        The request.
    entry : int
        What a schedule says of it: the page that left, or an :class:`Entry`.
    victims : tuple of int
        The pages that left: several at once only where the policy is not demand paging.
    cache : frozenset of int
        The pages cached afterwards.
    labels : tuple of int
        The policy's labels afterwards; none where a schedule was carried out.
    prediction : int
        What was predicted with the request; 0 where nothing was.
    """

    time: int
    page: int
    entry: int
    victims: tuple[int, ...]
    cache: frozenset[int]
    labels: tuple[int, ...] = ()
    prediction: int = 0

    @property
    def hit(self) -> bool:
        """Whether the page was cached."""
        return self.entry in (HIT, LEFT_ON_HIT)


@dataclass(frozen=True, eq=False)
class Schedule:
    """What an algorithm did on a sequence: one entry per request, checked to be feasible when asked.

    Parameters
    ----------
    sequence : RequestSequence
        The requests that were served.
    entries : array_like of int, shape (T,)
        Per request the page that leaves on a fault, or an :class:`Entry`: ``HIT``, ``FREE`` (a fault into a
        free slot) or ``BYPASS`` (a fault served without caching, only in the bypassing model).

    Notes
    -----
    A schedule is demand paging: nothing moves on a hit and at most one page leaves on a fault.
    """

    sequence: RequestSequence
    entries: PageArray = field(repr=False)

    @checked
    def __init__(self, sequence: RequestSequence, entries: ArrayLike) -> None:
        given = array_of(entries, "entries")
        if given.shape != sequence.requests.shape:
            raise InfeasibleScheduleError(
                f"a schedule of {len(sequence)} requests has one entry each, got shape {given.shape}"
            )
        if given.size and given.dtype.kind not in "iu":
            raise InfeasibleScheduleError(f"entries must be integers, got dtype {given.dtype}")
        if given.size and not (min(Entry) <= given.min() and given.max() <= MAX_PAGES):
            raise InfeasibleScheduleError(
                f"entries must be in {min(Entry):d} … {MAX_PAGES}, got {given.min()} … {given.max()}"
            )
        object.__setattr__(self, "sequence", sequence)
        object.__setattr__(self, "entries", _freeze(given.astype(np.int32)))

    @property
    def faults(self) -> int:
        """Number of faults."""
        return int(np.count_nonzero(self.entries != HIT))

    @property
    def cost(self) -> int | Fraction:
        """What its faults cost together, exactly: their number at unit cost."""
        return self.sequence.instance.cost_of(self.sequence.requests[self.entries != HIT])

    @cached_property
    def fault_counts(self) -> NDArray[np.int64]:
        """Faults after every request, shape (T,)."""
        return np.cumsum(self.entries != HIT)

    def check(self) -> None:
        """Raise InfeasibleScheduleError unless the schedule can be carried out from a cold cache."""
        for _ in self._carried_out():
            pass

    def steps(self) -> Iterator[Step]:
        """Yield every request served from a cold cache, with no labels.

        Raises
        ------
        InfeasibleScheduleError
            The schedule cannot be carried out; the steps before that request have been yielded.

        Examples
        --------
        >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0])
        >>> [sorted(step.cache) for step in Schedule(sequence, [FREE, FREE, 1, HIT]).steps()]
        [[0], [0, 1], [0, 2], [0, 2]]
        """
        for frame, (time, page, entry, cache) in zip(self.sequence.frames, self._carried_out(), strict=True):
            victims = (entry,) if entry >= 0 else ()
            yield Step(time, page, entry, victims, frozenset(cache), prediction=frame.prediction)

    def _carried_out(self) -> Iterator[tuple[int, int, int, set[int]]]:
        """Yield time, page, entry and the cache after every request, one set that goes on changing."""
        instance = self.sequence.instance
        cache: set[int] = set()
        visit: set[int] = set()
        group = instance.per_visit
        for t, (page, entry) in enumerate(
            zip(self.sequence.requests.tolist(), self.entries.tolist(), strict=True)
        ):
            problem = _entry_problem(entry, page, cache, instance)
            if problem:
                raise InfeasibleScheduleError(f"request {t} (page {page}): {problem}; cache {sorted(cache)}")
            if entry >= 0:
                cache.discard(entry)
            if entry != BYPASS:
                cache.add(page)
            visit.add(page)
            if (t + 1) % group == 0 or t + 1 == len(self.sequence):
                if instance.visits == "atomic" and not visit <= cache:
                    raise InfeasibleScheduleError(
                        f"request {t}: an atomic visit ends without its pages {sorted(visit - cache)}"
                    )
                visit.clear()
            yield t, page, entry, cache


def _entry_problem(entry: int, page: int, cache: set[int], instance: LayeredInstance) -> str:
    """Say what forbids this schedule entry, or return the empty string."""
    if entry == HIT:
        return "" if page in cache else "a hit is claimed, but the page is not cached"
    if page in cache:
        return "a fault is claimed, but the page is cached"
    if entry == BYPASS:
        return "" if instance.bypassing else "bypassing in the forced model"
    if entry == FREE:
        return "" if len(cache) < instance.cache else f"no free slot among {instance.cache}"
    return "" if entry in cache else f"the victim {entry} is not cached"

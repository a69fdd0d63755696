"""What a policy is: labels on pages, declared traits, and the registry of built-in and outside policies.

A policy's state is one integer label per page: positive means cached; 0 means not cached, and so does a
negative one, by which a policy remembers something of the page. Serving a request turns one label vector into
the next. Faults and victims are derived from the two vectors by the engine
(:mod:`paging.simulate`), so a policy never counts and never owns the cache.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, ClassVar, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from paging.docstrings import sections
from paging.errors import ModelError, UnknownNameError, UnsupportedModelError
from paging.html import facts_table
from paging.model import Frame, Kind, LabelArray, LayeredInstance, PageArray, RequestSequence
from paging.outside import from_outside
from paging.spec import parse_spec, value_text

Outcomes = list[tuple[Fraction, LabelArray]]

TRAITS = {
    "deterministic": "the next labels are a function of labels, page and slot",
    "online": "the same prefix of requests leads to the same decisions",
    "demand": "nothing moves on a hit; on a fault at most one page leaves, and only when the cache is full",
    "conservative": "at most k faults on any consecutive requests to at most k distinct pages",
    "marking": "a page requested in the current k-phase is never evicted before the phase ends",
    "stack": "inclusion: the cache of size k is part of the cache of size k + 1 after every request",
    "symmetric": "renaming pages inside a layer changes no fault (one page per visit)",
    "finite-state": "only finitely many label vectors are reachable",
    "atomic": "evicts no page that the present atomic visit has asked for; allows atomic visits",
}
"""What a policy may claim of itself, each with its meaning."""


FAMILIES = (
    "recency",
    "frequency",
    "weighted",
    "queues",
    "engines",
    "marking",
    "layered",
    "wrappers",
    "zrc",
    "randomized",
    "equitable",
    "predictions",
    "robust",
)
"""Modules of the built-in policies in the order of every table; others follow by name."""


OPT_NAMES = ("opt", "belady", "min", "optimal", "farthest-in-future")
"""What people call the offline optimum. It is no policy; what shows it takes any of these for ``opt``."""


def plain_name(name: str) -> str:
    """Return the text of a policy with the optimum under one name, ``opt``, however it is called.

    Examples
    --------
    >>> plain_name("Belady"), plain_name("OPT"), plain_name("LRU"), plain_name("Compulsory")
    ('opt', 'opt', 'LRU', 'compulsory')
    """
    folded = name.strip().lower()
    if folded in OPT_NAMES:
        return "opt"
    return folded if folded == "compulsory" else name


CAPITALS = re.compile(
    r"\b(2q|arc|clock|equitable|fifo|fwf|hobbit|lfru|lfu|lifo|llru|lru|mark|mru|random|s3|sieve|slru|zrc)\b"
)
"""Words of ids that the field writes in capitals."""


def spoken_name(id: str) -> str:
    """Return the id of a policy as text and pictures write it: LRU is a name, *perfect* a word.

    Examples
    --------
    >>> spoken_name("lru"), spoken_name("lfu-perfect"), spoken_name("mark-fifo"), spoken_name("landlord")
    ('LRU', 'LFU-perfect', 'MARK-FIFO', 'landlord')
    """
    return CAPITALS.sub(lambda word: word[0].upper(), id)


@dataclass(frozen=True, eq=False)
class Criterion:
    """A number of every cached page by which a policy chooses who leaves, and the reason in words.

    Attributes
    ----------
    values : ndarray of int64, shape (total pages,)
        The numbers; those of pages that are not cached mean nothing.
    leaves : {"largest", "smallest", ""}
        Whose page leaves; empty where the number is shown but no order among the pages follows from it.
    name : str
        What the number is, such as ``recency rank``.
    words : str
        Why that page leaves. ``{value}``, ``{last}`` and ``{loaded}`` stand for its number, its last request
        and the one that loaded it. Empty: the number itself is the reason, where it decides.
    shown : bool
        Whether the number stands in the cells of a picture.
    text : callable
        How a number is written.
    """

    values: LabelArray
    leaves: Literal["largest", "smallest", ""]
    name: str
    words: str = ""
    shown: bool = True
    text: Callable[[int], str] = str

    def among(self, pages: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return those of some cached pages, at least one, that may leave by this number."""
        if not self.leaves:
            return pages
        values = self.values[pages]
        extreme = values.max() if self.leaves == "largest" else values.min()
        return pages[np.flatnonzero(values == extreme)]


class Policy:
    """A paging policy. Subclass it, give it an ``id`` and ``traits``, and define ``serve``.

    Attributes
    ----------
    id : str
        Lower-case name in the registry and in every table.
    title : str
        Name in the field's words.
    traits : frozenset of str
        Declared properties out of :data:`TRAITS`; the trait battery of :mod:`paging.testing` checks them.
    per_layer : bool
        Whether every layer has slots of its own instead of a part in one shared cache.
    counts_visits : bool
        Whether the rule counts visits when their first page is served, so that no visit may be empty.
    atomic_kernel : bool
        Whether ``kernel`` serves atomic visits, too.
    predictions : str or None
        The kind of prediction (:data:`paging.model.KINDS`) that it is told with every request, as
        ``frame.prediction``; None for a policy that takes none. It serves sequences of this kind alone.
    separable : bool
        Whether the labels of some pages without those of others are a state of it, too, with fewer slots.
    in_order : bool
        Whether a spec may give its parameters without their keys, in their order.

    Examples
    --------
    >>> class Newest(Policy):
    ...     id, title = "newest", "evict the page with the highest id"
    ...     traits = frozenset({"deterministic", "online", "demand", "finite-state"})
    ...
    ...     @staticmethod
    ...     def serve(labels, page, slot, frame):
    ...         if labels[page] == 0 and labels.sum() == frame.cache:
    ...             labels[labels.nonzero()[0][-1]] = 0
    ...         labels[page] = 1
    >>> from paging import simulate
    >>> instance = LayeredInstance(layers=1, pages=3, cache=2)
    >>> simulate(Newest, RequestSequence(instance, [0, 1, 2, 0])).faults
    3
    """

    id: ClassVar[str] = ""
    title: ClassVar[str] = ""
    traits: frozenset[str] = frozenset()
    per_layer: ClassVar[bool] = False
    counts_visits: ClassVar[bool] = False
    atomic_kernel: ClassVar[bool] = False
    predictions: Kind | None = None
    separable: ClassVar[bool] = False
    in_order: ClassVar[bool] = False

    @staticmethod
    def serve(labels: LabelArray, page: int, slot: int, frame: Frame) -> None:
        """Turn the label vector into the next one, in place.

        Parameters
        ----------
        labels : ndarray of int64, shape (total pages,)
            One label per page; cached pages have labels > 0, all start with 0. Changed in place.
        page : int
            The requested page.
        slot : int
            Position of the request in its round, ``0 … layers·per_visit − 1``. A policy is not told the
            time: what it remembers it keeps in its labels.
        frame : Frame
            The numbers of the instance: ``layers, cache, per_visit, layer_of, first_page``;
            ``prediction``, what came with the request, for a policy that takes :attr:`predictions`; and
            ``held``, the pages that the present atomic visit has asked for and that may not leave; ask
            ``paging.kernels.visits.may_leave(frame.held, page)``.
        """
        raise TypeError("a policy defines serve (deterministic) or outcomes (randomised)")

    @property
    def name(self) -> str:
        """The id, with parameters where they differ from the defaults and a spec can write them.

        Examples
        --------
        >>> get_policy("slru:segments=4").name, get_policy("slru:segments=2").name
        ('slru', 'slru:segments=2')
        """
        changed = []
        for key, default in _parameters(cast(Any, type(self))).items():
            value = getattr(self, key, default)
            plain = value.spec if isinstance(value, Policy) else value
            if isinstance(plain, int | float | str | tuple) and plain != default:
                changed.append(f"{key}={value_text(plain)}")
        return ":".join(filter(None, [self.id, ",".join(changed)]))

    def _repr_html_(self) -> str:
        said = sections(type(self))
        facts: dict[str, object] = {"traits": ", ".join(name for name in TRAITS if name in self.traits)}
        facts |= {
            name: " ".join(said[name].replace("``", "").split())
            for name in ("Label", "Guarantee", "Bad for")
            if name in said
        }
        return facts_table(f"{self.name}: {self.title}", facts)

    @property
    def spec(self) -> str:
        """The text that makes it: ``get_policy(policy.spec)`` is the same policy again.

        Of a class that no registry knows it is ``module:Class``, without parameters.

        Examples
        --------
        >>> get_policy("partitioned:shares=2/1,policy=fifo").spec
        'partitioned:policy=fifo,shares=2/1'
        """
        own = type(self)
        return (
            self.name if registered_policies().get(self.id) is own else f"{own.__module__}:{own.__qualname__}"
        )

    @property
    def randomized(self) -> bool:
        """Whether decisions are random."""
        return "deterministic" not in self.traits

    def check(self, instance: LayeredInstance) -> None:
        """Raise UnsupportedModelError when the policy does not serve this variant of the model."""
        if instance.visits == "atomic" and "atomic" not in self.traits:
            raise UnsupportedModelError(
                f"policy {self.name} does not keep the pages of an atomic visit together; "
                f"use sequential visits or a policy with the trait 'atomic'"
            )

    def check_requests(self, sequence: RequestSequence) -> None:
        """Raise UnsupportedModelError when the policy does not serve these requests or their variant."""
        self.check(sequence.instance)
        self.check_predictions(sequence.kind)
        if (
            self.counts_visits
            and sequence.places is not None
            and (np.diff(sequence.visits, prepend=-1) > 1).any()
        ):
            sequence.require_full_visits(f"policy {self.name}, which counts visits,")

    def check_predictions(self, kind: Kind | None) -> None:
        """Raise UnsupportedModelError unless it takes predictions of this kind, or none for None."""
        if kind != self.predictions:
            takes = f"needs {self.predictions} predictions" if self.predictions else "takes no predictions"
            have = f"have {kind} predictions" if kind else "have none"
            raise UnsupportedModelError(f"policy {self.name} {takes}; these requests {have}")

    def outcomes(self, labels: LabelArray, page: int, slot: int, frame: Frame) -> Outcomes:
        """Return the exact distribution of the next label vector as (probability, labels) pairs."""
        following = labels.copy()
        self.serve(following, page, slot, frame)
        return [(Fraction(1), following)]

    def criteria(
        self, labels: LabelArray, page: int | None, slot: int, frame: Frame
    ) -> tuple[Criterion, ...]:
        """Return the numbers by which a page is chosen to leave, each deciding the ties of those before it.

        Pictures of a run show them and say the reason for every eviction; nothing else depends on them.

        Parameters
        ----------
        labels, slot, frame
            As for :meth:`serve`; the labels are those before the request.
        page : int or None
            The requested page; None for the numbers as they stand before a request is known.

        Returns
        -------
        tuple of Criterion
            By default the labels themselves, with no word about their meaning. A randomised policy need not
            order the pages: the chance of a victim comes from :meth:`outcomes`.
        """
        return (Criterion(labels, "", "label"),)

    def kernel(self, sequence: RequestSequence, entries: PageArray, rng: np.random.Generator) -> int | None:
        """Serve a whole sequence with compiled code and return the faults, or None if there is no kernel.

        Parameters
        ----------
        sequence : RequestSequence
            Sequential visits only, unless ``atomic_kernel``.
        entries : ndarray of int32
            Of length T to be filled with schedule entries, or of length 0 to record nothing.
        rng : numpy.random.Generator
            Source of randomness of a randomised policy.
        """
        return None

    def scans(self, instance: LayeredInstance) -> bool:
        """Say whether its fastest route looks at all pages at a request; as a rule, without a kernel."""
        return type(self).kernel is Policy.kernel

    def parts(self, instance: LayeredInstance, rng: np.random.Generator) -> InParts | None:
        """Return the policy at work on requests that come in parts, or None if it needs them all at once.

        Its memory depends on the pages and k alone. Sequential, full visits only.
        """
        return None


class InParts(Protocol):
    """A policy at work on requests that come in parts."""

    faults: int
    """Faults so far."""

    def serve(self, requests: PageArray, entries: PageArray = ...) -> int:
        """Serve the next requests and return their faults.

        Parameters
        ----------
        requests : ndarray of int32, shape (T,)
            Legal requests that follow those served before; T may be 0.
        entries : ndarray of int32, shape (T,) or (0,)
            Receives the schedule entries, either in all parts or in none; by default none.
        """
        ...


def takes_parts(policy: type[Policy]) -> bool:
    """Say whether a policy serves requests that come in parts."""
    return policy.parts is not Policy.parts


def served_in_parts(name: str, *given: object) -> InParts:
    """Return a class of :mod:`paging.kernels.parts`, which is imported only now, at work."""
    made: InParts = getattr(importlib.import_module("paging.kernels.parts"), name)(*given)
    return made


def refuse_told(policy: Policy, who: str) -> None:
    """Raise ModelError if a policy takes predictions, which are made of all requests and the whole cache."""
    if policy.predictions:
        raise ModelError(f"{who} does not go around policy {policy.name}, which takes predictions")


def run_kernel(name: str, sequence: RequestSequence, entries: PageArray, *more: object) -> int:
    """Serve a sequence with a kernel of :mod:`paging.kernels`, which is imported only now."""
    kernel = getattr(importlib.import_module("paging.kernels"), name)
    instance = sequence.instance
    return int(kernel(sequence.requests, instance.total_pages, instance.cache, entries, *more))


def get_policy(policy: str | Policy | type[Policy]) -> Policy:
    """Return a policy object for a registry name, ``name:key=value,…``, ``module:Class``, class or object.

    Of some policies the parameters may stand without their keys, in their order: ``guard:blind-oracle``.

    Raises
    ------
    UnknownNameError
        No such name; near misses are listed.
    ModelError
        A parameter the policy does not have, or a value outside its range.

    Examples
    --------
    >>> get_policy("lru").title
    'least recently used'
    >>> get_policy("partitioned:policy=fifo").name
    'partitioned:policy=fifo'
    """
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, type) and issubclass(policy, Policy):
        return _made(policy)
    if not isinstance(policy, str):
        raise ModelError(f"a policy is a name, a Policy class or a Policy object, got {policy!r}")
    known = registered_policies()
    if ":" in policy and "=" not in policy and policy.partition(":")[0] not in known:
        return _made(import_policy(policy))
    name = policy.partition(":")[0].strip()
    if name.lower() in OPT_NAMES:
        raise UnknownNameError(
            "policy", name, known, hint="the offline optimum is no policy, 'paging run' shows it"
        )
    if name.lower() not in known:
        raise UnknownNameError("policy", name, known)
    cls = known[name.lower()]
    allowed = _parameters(cast(Any, cls))  # a class is hashable, whatever its instances are
    inner = policy.partition(":")[2]
    if inner.isidentifier() and inner not in allowed and not cls.in_order:
        raise ModelError(
            f"{policy!r}: {name} is a policy itself, with parameters written {name}:key=value; "
            f"a class of one's own in {name}.py needs another name of the file"
        )
    _, parameters = parse_spec(policy, tuple(allowed) if cls.in_order else ())
    for key in parameters:
        if key not in allowed:
            has = f"its parameters are {', '.join(allowed)}" if allowed else "it has none"
            raise ModelError(f"policy {name} has no parameter {key!r}: {has}")
    return _made(cls, **parameters)


def _made(cls: type[Policy], **parameters: Any) -> Policy:
    """Return an object of a policy class, or say in one line why there is none."""
    if cls.serve is Policy.serve and cls.outcomes is Policy.outcomes:
        raise ModelError(f"{cls.__qualname__} is no policy: it defines neither serve nor outcomes")
    try:
        return cls(**parameters)
    except TypeError as error:
        raise ModelError(f"policy {cls.id or cls.__qualname__} cannot be made: {error}") from error


@cache
def _parameters(cls: Any) -> dict[str, Any]:
    """Return the parameters of a policy with their defaults."""
    given = inspect.signature(cls).parameters.items()
    return {name: parameter.default for name, parameter in given if name not in ("args", "kwargs")}


def is_registered(policy: str) -> bool:
    """Say whether a text names a registered policy, and no module to be imported.

    Parameters are those of a built-in policy, and name no module either.

    Examples
    --------
    >>> is_registered("partitioned:policy=fifo"), is_registered("mypackage:Mine")
    (True, False)
    >>> is_registered("partitioned:policy=mypackage:Mine")
    False
    """
    name, colon, parameters = policy.partition(":")
    known = _built_in() if colon else registered_policies()
    return name.lower() in known and ":" not in parameters


def import_policy(path: str) -> type[Policy]:
    """Import a policy class from ``module:Class``."""
    module, _, attribute = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # a name may be none, and somebody's module may fail in any way
        raise ModelError(
            f"policy {path!r} cannot be imported: {str(error) or type(error).__name__}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Policy)):
        raise ModelError(f"{path!r} is not a subclass of paging.Policy")
    _imported.add(module)
    return found


_imported: set[str] = set()
"""Modules that users named, whose policies may fail in any way."""


def failed_policy(error: BaseException) -> str | None:
    """Say where a policy of a module that a user named has failed; None if the error came from elsewhere."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    named = [frame for frame in frames if frame.f_globals.get("__name__") in _imported]
    if not named:
        return None
    code = named[-1].f_code
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"a policy of {named[-1].f_globals['__name__']} failed in {code.co_qualname}: {what}"


def registered_policies() -> dict[str, type[Policy]]:
    """Return all registered policies by id: built-in ones first, then outside ones.

    Outside packages register theirs under the entry-point group ``paging.policies``.
    """
    return {**_built_in(), **_outside()}


@cache
def _built_in() -> dict[str, type[Policy]]:
    import paging.policies

    found: dict[str, type[Policy]] = {}
    names = sorted(info.name for info in pkgutil.iter_modules(paging.policies.__path__))
    for name in sorted(names, key=lambda name: FAMILIES.index(name) if name in FAMILIES else len(FAMILIES)):
        module = importlib.import_module(f"paging.policies.{name}")
        for cls in vars(module).values():
            if (
                isinstance(cls, type)
                and issubclass(cls, Policy)
                and cls.__module__ == module.__name__
                and cls.id
            ):
                found[cls.id] = cls
    return found


@cache
def _outside() -> dict[str, type[Policy]]:
    def fits(found: object) -> bool:
        return isinstance(found, type) and issubclass(found, Policy)

    return from_outside("paging.policies", "a subclass of paging.Policy", fits, _built_in())

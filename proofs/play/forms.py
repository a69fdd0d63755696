"""From what a page sends to a game: every field is checked before anything is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

from adversary import constructions, get_construction
from paging import (
    LayeredInstance,
    LimitError,
    ModelError,
    Policy,
    RequestSequence,
    Trace,
    UnknownNameError,
    UnsupportedModelError,
    get_policy,
    predict,
)
from paging.model import Kind, whole_number
from paging.policy import registered_policies
from paging.predictors import get_predictor
from paging.viewer.film import MAX_CELLS
from paging.workloads import WORKLOADS, describe_workloads, generate
from proofs.play.games import MAX_LIVE_PAGES, MAX_LIVE_REQUESTS, AdversaryGame, AlgorithmGame, LiveGame, watch
from proofs.play.opponents import OPPONENTS
from proofs.play.scenes import SCENES

MAX_LAYERS, MAX_PAGES, MAX_CACHE, MAX_REQUESTS, MAX_SEED = 32, 256, 256, 2000, 2**31 - 1
"""Largest film of a construction or workload. Traces bring their own layers and pages."""

MAX_BUILT_LAYERS, MAX_BUILT_PAGES = 6, 40
"""Largest construction: the exact limits of the random ones take a second at this size and hours beyond."""

MAX_TYPED = 12_000
"""Characters of typed requests; a page's name has at most seven, and a form holds no more."""

LARGEST = 10**9
"""Largest parameter of a workload that is even looked at."""

PAGE = re.compile(r"(?:(\d{1,6})\.)?(\d{1,6})", re.ASCII)
GOAL = re.compile(r"\d{1,3}(?:\.\d{1,3}|/[1-9]\d{0,2})?", re.ASCII)


class FormError(ModelError):
    """A field is missing, unknown, or of the wrong type."""


PREDICTIONS: dict[str, str] = {
    "discard": "discard bits, all true",
    "discard:p0=0.2,p1=0.2": "discard bits, one in five wrong",
    "discard:p0=1,p1=1": "discard bits, all wrong",
    "phase": "phase bits, all true",
    "phase:p0=0.2,p1=0.2": "phase bits, one in five wrong",
    "phase:p0=1,p1=1": "phase bits, all wrong",
    "next-arrival": "next requests, all true",
    "next-arrival:sigma=1": "next requests, their distances off by a factor of about e",
    "frequency": "next requests, learnt by counting on the first half",
}
"""What can be predicted in a film, by the spec of the predictor."""


@cache
def _serving() -> tuple[str, ...]:
    """Return the registered policies that need neither bypassing nor a parameter."""
    return tuple(name for name in registered_policies() if _serves(get_policy(name)))


def _serves(policy: Policy) -> bool:
    try:
        policy.check(LayeredInstance(2, 2, 3))
    except UnsupportedModelError:
        return False
    return True


@dataclass(frozen=True)
class Catalogue:
    """What can be chosen on the page; nothing that the page sends is imported, opened or evaluated.

    Attributes
    ----------
    policies : tuple of str
        Policies named at the start of the server, beside the registered ones.
    traces : dict of str to Trace
        Traces read at the start of the server.
    """

    policies: tuple[str, ...] = ()
    traces: Mapping[str, Trace] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The policies that may be chosen: those named, and registered ones that serve as they are."""
        return tuple(dict.fromkeys((*self.policies, *_serving())))

    def policy(self, name: str) -> Policy:
        """Return a policy that may be chosen."""
        known = self.names
        if name not in known:
            raise UnknownNameError("policy", name[:60], known)
        return get_policy(name)

    def describe(self) -> dict[str, Any]:
        """Return everything the forms of the page offer, as plain data."""
        return {
            "policies": [
                {"id": name, "title": policy.title, "told": policy.predictions}
                for name, policy in zip(self.names, map(get_policy, self.names), strict=True)
            ],
            "predictions": [
                {"id": spec, "title": title, "kind": get_predictor(spec).kind}
                for spec, title in PREDICTIONS.items()
            ],
            "constructions": [
                {
                    "id": made.id,
                    "title": made.title,
                    "bad_for": made.bad_for,
                    "victims": list(made.victims),
                    "layers": made.demo.layers,
                    "pages": min(made.demo.pages_by_layer),
                    "cache": made.demo.cache,
                    "told": made.told,
                }
                for made in constructions().values()
                if made.demo.per_visit == 1  # what the forms ask for
            ],
            "workloads": describe_workloads(),
            "traces": [
                {"id": name, "layers": trace.layers, "pages": trace.pages, "per_visit": trace.per_visit}
                for name, trace in self.traces.items()
            ],
            "opponents": [{"id": made.id, "title": made.title} for made in OPPONENTS.values()],
            "scenes": [scene._asdict() for scene in SCENES],
            "limits": {
                "layers": MAX_LAYERS,
                "pages": MAX_PAGES,
                "cache": MAX_CACHE,
                "requests": MAX_REQUESTS,
                "cells": MAX_CELLS,
                "live_pages": MAX_LIVE_PAGES,
                "live_requests": MAX_LIVE_REQUESTS,
            },
        }

    def start(self, data: object) -> LiveGame:
        """Build the game that a form asks for, after the moves in it.

        Raises
        ------
        FormError
            The form is not one of the page's.
        LayeredPagingError
            A value is out of range, or the choice does not go together; the message says why.
        """
        form = Form(data)
        mode = form.text("mode")
        if mode not in _STARTS:
            raise FormError(f"mode must be one of {', '.join(_STARTS)}")
        moves = form.whole_numbers("moves", MAX_LIVE_REQUESTS)
        game = _STARTS[mode](self, form)
        for page in moves:
            game.move(page, len(game.film.frames))
        assert isinstance(data, dict)  # otherwise Form has refused it
        game.form = {key: value for key, value in data.items() if key != "moves"}
        return game

    def sequence(self, form: Form, policy: Policy, seed: int) -> tuple[RequestSequence, int, str]:
        """Return the requests that a form asks for, OPT's cache size, and where they come from."""
        kind, _, name = form.text("source").partition(":")
        if kind == "trace":
            return self._from_trace(form, name)
        if kind == "workload":
            return _from_workload(form, name, seed)
        if kind == "construction":
            return _from_construction(form, name, policy, seed)
        if kind == "typed":
            return _from_typed(form)
        raise FormError("source must be construction:NAME, workload:NAME, trace:NAME or typed")

    def _from_trace(self, form: Form, name: str) -> tuple[RequestSequence, int, str]:
        if name not in self.traces:
            raise UnknownNameError("trace", name[:60], self.traces)
        sequence = self.traces[name].sequence(form.number("cache", 1, MAX_CACHE))
        rounds = form.number("rounds", 1, MAX_REQUESTS)
        form.ignore("layers", "pages")
        length = min(rounds * sequence.instance.round_length, MAX_REQUESTS)
        return sequence.prefix(length), sequence.instance.cache, f"requests: trace {name}"


class Form:
    """The fields of a JSON object, each taken once by type and range."""

    def __init__(self, data: object) -> None:
        if not isinstance(data, dict):
            raise FormError("a form is a JSON object")
        self._fields: dict[str, object] = dict(data)

    def text(self, name: str, most: int = 200) -> str:
        """Take a short text."""
        value = self._take(name)
        if not isinstance(value, str) or len(value) > most:
            raise FormError(f"{name} must be a text of at most {most:,} characters")
        return value

    def has(self, name: str) -> bool:
        """Whether a field is there that may be left out, as it is when its text is empty."""
        if self._fields.get(name, "") == "":
            self.ignore(name)
        return name in self._fields

    def number(self, name: str, low: int, high: int) -> int:
        """Take a whole number in a range."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise FormError(f"{name} must be a whole number in {low} … {high}")
        return whole_number(value, name, low, high)

    def numbers(self, name: str) -> dict[str, float]:
        """Take an object of numbers, empty when absent."""
        value = self._fields.pop(name, {})
        if not isinstance(value, dict) or len(value) > 20:
            raise FormError(f"{name} must be an object of at most 20 numbers")
        for key, number in value.items():
            plain = isinstance(number, int | float) and not isinstance(number, bool) and len(key) <= 40
            if not plain or not -LARGEST <= number <= LARGEST:
                raise FormError(f"{name} must hold numbers in ±{LARGEST:,} only")
        return {key: float(number) for key, number in value.items()}

    def whole_numbers(self, name: str, most: int) -> list[int]:
        """Take a list of whole numbers, empty when absent."""
        value = self._fields.pop(name, [])
        if not isinstance(value, list) or len(value) > most or not all(type(part) is int for part in value):
            raise FormError(f"{name} must be a list of at most {most} whole numbers")
        return value

    def ignore(self, *names: str) -> None:
        """Drop fields that do not matter for this choice."""
        for name in names:
            self._fields.pop(name, None)

    def done(self) -> None:
        """Raise FormError when fields are left over."""
        if self._fields:
            raise FormError(f"unknown field {min(self._fields)[:40]!r}")

    def _take(self, name: str) -> object:
        if name not in self._fields:
            raise FormError(f"the field {name} is missing")
        return self._fields.pop(name)


def _instance(form: Form) -> LayeredInstance:
    layers = form.number("layers", 1, MAX_LAYERS)
    pages = form.number("pages", 1, MAX_PAGES)
    if layers * pages > MAX_PAGES:
        raise ModelError(f"ℓ·n = {layers * pages} pages, but at most {MAX_PAGES} are shown")
    return LayeredInstance(layers, pages, form.number("cache", 1, MAX_CACHE))


def _rounds(form: Form, instance: LayeredInstance) -> int:
    return form.number("rounds", 1, MAX_REQUESTS // instance.layers)


def _seed(form: Form) -> int:
    return form.number("seed", 0, MAX_SEED)


def _from_workload(form: Form, name: str, seed: int) -> tuple[RequestSequence, int, str]:
    if name not in WORKLOADS:
        raise UnknownNameError("workload", name[:60], WORKLOADS)
    instance = _instance(form)
    drawn = WORKLOADS[name].with_values(**form.numbers("parameters"))
    sequence = generate(drawn, instance, rounds=_rounds(form, instance), seed=seed)
    return sequence, instance.cache, f"requests: workload {name}"


def _from_construction(form: Form, name: str, policy: Policy, seed: int) -> tuple[RequestSequence, int, str]:
    found = get_construction(name[:60])
    instance = _instance(form)
    if instance.layers > MAX_BUILT_LAYERS or instance.total_pages > MAX_BUILT_PAGES:
        raise LimitError(
            f"constructions are built here for at most {MAX_BUILT_LAYERS} layers and {MAX_BUILT_PAGES} "
            f"pages, got {instance.layers} and {instance.total_pages}; 'paging show' takes larger ones"
        )
    rounds = _rounds(form, instance)
    against = policy if found.kind == "adaptive" else None
    made = found(instance, rounds=rounds, policy=against, seed=seed)
    return made.sequence, made.offline.sequence.instance.cache, f"requests: construction {found.id}"


def _from_typed(form: Form) -> tuple[RequestSequence, int, str]:
    instance = _instance(form)
    form.ignore("rounds")
    return typed_requests(form.text("requests", MAX_TYPED), instance), instance.cache, "requests: as typed"


def typed_requests(text: str, instance: LayeredInstance) -> RequestSequence:
    """Read requests as a person types them: ``0.1 1.2`` for layers and pages, or plain page ids.

    Examples
    --------
    >>> list(typed_requests("0.1, 1.0 0.2", LayeredInstance(2, 3, 2)))
    [1, 3, 2]
    >>> list(typed_requests("0 3 1", LayeredInstance(2, 3, 2)))
    [0, 3, 1]
    """
    words = text.replace(",", " ").split()
    if not 1 <= len(words) <= MAX_REQUESTS:
        raise ModelError(f"type 1 … {MAX_REQUESTS:,} requests such as 0.0 1.2 0.1, got {len(words):,}")
    pages = []
    for time, word in enumerate(words):
        match = PAGE.fullmatch(word)
        where = f"request {time + 1}, {word[:20]!r}"
        if not match:
            raise ModelError(f"{where}: a page is layer.number such as 0.1, or a plain id such as 5")
        layer, number = match.groups()
        if layer is None:
            page = whole_number(int(number), f"{where}: a page id", 0, instance.total_pages - 1)
        else:
            whole_number(int(layer), f"{where}: the layer", 0, instance.layers - 1)
            highest = instance.pages_by_layer[int(layer)] - 1
            page = instance.page(int(layer), whole_number(int(number), f"{where}: the page", 0, highest))
        served = instance.layer_at(time)
        if page not in instance.pages_of(served):
            allowed = instance.pages_of(served)
            least, most = instance.page_name(allowed[0]), instance.page_name(allowed[-1])
            raise ModelError(
                f"{where}: layer {served} is served then, so ask for one of {least} … {most}, by id "
                f"{allowed[0]} … {allowed[-1]}"
            )
        pages.append(page)
    return RequestSequence(instance, pages)


def _start_watch(catalogue: Catalogue, form: Form) -> LiveGame:
    policy, seed = catalogue.policy(form.text("policy")), _seed(form)
    beside = catalogue.policy(form.text("beside")) if form.has("beside") else None
    cache = form.number("beside_cache", 1, MAX_CACHE) if form.has("beside_cache") else None
    sequence, opt_cache, remark = catalogue.sequence(form, policy, seed)
    kind = policy.predictions or (beside.predictions if beside else None)
    sequence, remark = _predicted(form, kind, sequence, seed, remark)
    form.ignore("parameters", "requests")
    form.done()
    return watch(
        policy,
        sequence,
        seed=seed,
        opt_cache=opt_cache,
        remark=remark,
        beside=beside,
        beside_cache=cache,
    )


def _predicted(
    form: Form, kind: Kind | None, sequence: RequestSequence, seed: int, remark: str
) -> tuple[RequestSequence, str]:
    """Return the requests with what a form predicts of them, where a policy is told predictions of a kind."""
    given = form.text("predictions") if form.has("predictions") else None
    if given is not None and kind is None:
        raise UnsupportedModelError(f"what is shown takes no predictions, but {given[:60]!r} is chosen")
    if given is not None and sequence.kind is not None:
        raise ModelError("these requests bring predictions of their own")
    if kind is None or sequence.kind is not None:
        return sequence, remark
    spec = given or kind
    if spec not in PREDICTIONS:
        raise UnknownNameError("prediction", spec[:60], PREDICTIONS)
    return predict(sequence, spec, seed=seed), f"{remark}; {PREDICTIONS[spec]}"


def _start_adversary(catalogue: Catalogue, form: Form) -> LiveGame:
    policy, instance = catalogue.policy(form.text("policy")), _instance(form)
    rounds, seed, goal = _rounds(form, instance), _seed(form), _goal(form)
    form.done()
    policy.check_predictions(None)  # a person asks for pages and predicts nothing
    return AdversaryGame(policy, instance, rounds, goal, seed)


def _start_algorithm(_: Catalogue, form: Form) -> LiveGame:
    name, instance = form.text("opponent"), _instance(form)
    if name not in OPPONENTS:
        raise UnknownNameError("opponent", name[:60], OPPONENTS)
    rounds, seed = _rounds(form, instance), _seed(form)
    form.done()
    return AlgorithmGame(OPPONENTS[name], instance, rounds, seed)


def _goal(form: Form) -> Fraction:
    text = form.text("goal")
    if not GOAL.fullmatch(text) or Fraction(text) <= 1:
        raise ModelError(f"the goal is a ratio above 1 such as 2, 1.5 or 7/3, got {text[:20]!r}")
    return Fraction(text)


_STARTS: dict[str, Callable[[Catalogue, Form], LiveGame]] = {
    "watch": _start_watch,
    "adversary": _start_adversary,
    "algorithm": _start_algorithm,
}

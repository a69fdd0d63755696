"""What an adversary returns: a sequence, an explicit offline schedule, and a promise that can be checked.

:func:`construction` registers the function that builds one; the registry checks what is the same for all and
fills in who it is, so that a builder holds nothing but its requests and its schedule.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property, lru_cache
from typing import Any

import numpy as np
import sympy

from adversary.formulas import Formula, formula
from paging.arguments import checked
from paging.docstrings import sections
from paging.errors import LayeredPagingError, ModelError, UnknownNameError
from paging.html import facts_table
from paging.model import HIT, Kind, LayeredInstance, RequestSequence, Schedule
from paging.outside import from_outside
from paging.policy import Policy, get_policy
from paging.predicted import PredictedSequence
from paging.run import Run
from paging.simulate import simulate
from paging.spec import parse_spec

l, n, k, h, g, m = sympy.symbols("ell n k h g m", integer=True, positive=True)  # noqa: E741
"""Symbols of closed forms: layers, pages per layer, cache, OPT's cache, pages a visit, a construction's m."""


LONGEST_FORM = 80
"""Characters of a closed form that a sentence holds."""


class BrokenPromiseError(LayeredPagingError, RuntimeError):
    """A construction did not do what it promises: a bug in it, or a policy it does not speak about."""


class ConditionError(ModelError):
    """An instance or policy that a construction does not cover; the condition it violates is named."""

    def __init__(self, condition: str, instance: LayeredInstance, subject: str = "the construction") -> None:
        fits = f", where all {instance.total_pages:,} pages fit into the cache"
        super().__init__(
            f"{subject} needs {condition}; here {instance}{fits * (instance.cache >= instance.total_pages)}"
        )
        self.condition = condition


@dataclass(frozen=True)
class Promise:
    """What a construction forces in every period, in closed form.

    Attributes
    ----------
    period : str
        What a period is, in words.
    online : sympy.Expr
        The online algorithm faults at least this often in a period.
    offline : sympy.Expr
        The offline schedule faults at most this often in a period.
    start : sympy.Expr
        The offline schedule's faults before the first period, at most.
    in_expectation : bool
        Whether the promise is about expected numbers (oblivious random sequences); ``online`` and
        ``offline`` are then rates that hold in the long run.
    wrong : tuple of sympy.Expr
        Where requests come with discard bits: wrong bits 0 and wrong bits 1 of a period, by the offline
        schedule, at most.
    besides : tuple of sympy.Expr
        What a period may hold any number of times besides: faults of the online algorithm, at least, and of
        the offline schedule, wrong bits 0 and 1, at most. None of it, where that is empty.
    """

    period: str
    online: sympy.Expr
    offline: sympy.Expr
    start: sympy.Expr
    in_expectation: bool = False
    wrong: tuple[sympy.Expr, sympy.Expr] = (sympy.S.Zero, sympy.S.Zero)
    besides: tuple[sympy.Expr, ...] = ()

    @property
    def words(self) -> str:
        """What is promised per period, written out but for the period."""
        names = ("online ≥", "offline ≤", "wrong bits 0 ≤", "wrong bits 1 ≤")

        def listed(forms: Iterable[sympy.Expr]) -> str:
            shown = enumerate(zip(names, forms, strict=True))
            return ", ".join(
                f"{name} {short_formula(form)}" for at, (name, form) in shown if at < 2 or form != 0
            )

        text = listed((self.online, self.offline, *self.wrong))
        return text + (f"; besides any number of times {listed(self.besides)}" if self.besides else "")

    @cached_property
    def limit(self) -> sympy.Expr:
        """The ratio forced by growing sequences: derived from the two rates, never typed."""
        return _ratio(self.online, self.offline)


def short_formula(form: sympy.Expr) -> str:
    """Return a closed form as text, a number with very many digits as a decimal."""
    text = formula(form)
    return text if len(text) <= LONGEST_FORM else f"≈ {form.evalf(8)}"


@cache
def _ratio(online: sympy.Expr, offline: sympy.Expr) -> sympy.Expr:
    """Return the ratio of two closed forms, simplified once for all constructions that promise it."""
    return sympy.oo if offline == 0 else sympy.simplify(online / offline)


@lru_cache(maxsize=4096)
def _at(form: sympy.Expr, values: tuple[tuple[str, int], ...]) -> Fraction | float:
    """Evaluate a closed form at numbers for its symbols."""
    numbers = dict(values)
    number = form.subs({s: numbers[s.name] for s in form.free_symbols})
    if number == sympy.oo:
        return float("inf")
    if not number.is_Rational:
        number = sympy.nsimplify(number)
    return Fraction(int(number.p), int(number.q))


@dataclass(frozen=True, eq=False)
class Construction:
    """A hard input for online algorithms, with the evidence that OPT is cheap on it.

    Attributes
    ----------
    sequence : RequestSequence
        The requests, legal for the online instance.
    offline : Schedule
        A feasible offline schedule of the same requests; its instance may have a smaller cache.
    promise : Promise
        Closed forms per period.
    boundaries : tuple of int
        Period i is the requests ``boundaries[i] … boundaries[i + 1] − 1``; what comes before the first
        boundary is the start, what follows the last is an unfinished period.
    values : dict of str to int
        The numbers to put for the symbols of the closed forms.
    id, bound : str
        The construction, and the bound it proves; the registry fills them in, and what follows.
    policy : str or None
        Whom it was built against; None where that does not matter.
    seed : int or None
        Seed of a random one.
    """

    sequence: RequestSequence
    offline: Schedule
    promise: Promise
    boundaries: tuple[int, ...]
    values: dict[str, int] = field(default_factory=dict)
    id: str = ""
    bound: str = ""
    policy: str | None = None
    seed: int | None = None

    @property
    def periods(self) -> int:
        """Number of complete periods."""
        return max(0, len(self.boundaries) - 1)

    def value(self, form: sympy.Expr) -> Fraction | float:
        """Evaluate a closed form at this construction's parameters: a Fraction, or ``inf``."""
        return _at(sympy.sympify(form), tuple(self.values.items()))

    @property
    def limit(self) -> Fraction | float:
        """The ratio this construction forces in the limit."""
        return self.value(self.promise.limit)

    def run(self, policy: str | Policy | None = None, *, seed: int = 0) -> Run:
        """Serve the sequence with a policy (default: the one it was built against) and record the run."""
        return simulate(self.named(policy), self.sequence, record=True, seed=seed)

    def named(self, policy: str | Policy | None) -> str | Policy:
        """Return the policy to run: by default the one this was built against."""
        answer = policy if policy is not None else self.policy
        if answer is None:
            raise ModelError(f"construction {self.id} is oblivious: name the policy to run")
        return answer

    def check(self, run: Run | None = None) -> None:
        """Verify the promise: offline schedule feasible, its cost and the online cost period by period.

        Parameters
        ----------
        run : Run, optional
            A recorded run of an algorithm the construction speaks about. Without it only the offline side
            is checked. A promise in expectation is checked for the offline side's feasibility alone; rates
            are a matter of statistics.

        Raises
        ------
        InfeasibleScheduleError
            The offline schedule cannot be carried out.
        BrokenPromiseError
            A period in which the online side pays too little or the offline side too much.
        """
        self.offline.check()
        if not np.array_equal(self.offline.sequence.requests, self.sequence.requests):
            raise BrokenPromiseError(f"{self.id}: the offline schedule serves another sequence")
        if self.promise.in_expectation:
            return
        start = self._faults(self.offline.fault_counts, 0, self.boundaries[0] if self.boundaries else 0)
        if start > self.value(self.promise.start):
            raise BrokenPromiseError(
                f"{self.id}: the offline start costs {start} > {formula(self.promise.start)}"
            )
        online = self.value(self.promise.online)
        allowed = [self.value(form) for form in (self.promise.offline, *self.promise.wrong)]
        more = [self.value(form) for form in self.promise.besides]
        counted = zip(("pays", "has wrong bits 0:", "has wrong bits 1:"), self._offline_counts, strict=True)
        totals = list(counted)
        for begin, end in zip(self.boundaries, self.boundaries[1:], strict=False):
            times: Fraction | float = 0
            if run is not None:
                paid = self._faults(run.fault_counts, begin, end)
                if paid < online:
                    raise BrokenPromiseError(
                        f"{self.id}: {run.policy} pays {paid} < {online} in requests {begin} … {end - 1}"
                    )
                times = (paid - online) // more[0] if more else 0
            elif more:
                continue  # how often more was asked for, the online side says
            for (does, counts), most, extra in zip(totals, allowed, more[1:] or [0, 0, 0], strict=True):
                spent = self._faults(counts, begin, end)
                if spent > most + times * extra:
                    raise BrokenPromiseError(
                        f"{self.id}: offline {does} {spent} > {most + times * extra} in {begin} … {end - 1}"
                    )

    @property
    def _offline_counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Faults, wrong bits 0 and wrong bits 1 of the offline schedule, added up over the requests."""
        zeros, ones = np.zeros((2, len(self.sequence)), dtype=np.int64)
        if isinstance(self.sequence, PredictedSequence):
            bits = np.zeros(self.sequence.instance.total_pages, dtype=np.int64)
            entries, told = self.offline.entries.tolist(), self.sequence.predictions.tolist()
            for time, (page, entry, bit) in enumerate(zip(self.sequence, entries, told, strict=True)):
                if entry >= 0:
                    zeros[time] = 1 - bits[entry]
                elif entry == HIT:
                    ones[time] = bits[page]
                bits[page] = bit
        return self.offline.fault_counts, np.cumsum(zeros), np.cumsum(ones)

    def _repr_html_(self) -> str:
        promise = self.promise
        facts: dict[str, object] = {
            "instance": str(self.sequence.instance),
            "requests": len(self.sequence),
            "proves": self.bound,
            "built against": self.policy,
            "seed": None if self.seed is None else str(self.seed),
            "in": promise.period,
            "online at least": Formula(promise.online),
            "offline at most": Formula(promise.offline),
            "faults of the offline schedule": self.offline.faults,
            "forces in the limit": Formula(promise.limit),
            "here": self.limit,
        }
        return facts_table(f"construction {self.id}", facts)

    @staticmethod
    def _faults(counts: np.ndarray, begin: int, end: int) -> int:
        before = int(counts[begin - 1]) if begin else 0
        return (int(counts[end - 1]) if end else 0) - before


@cache
def _parameters_of(build: Callable[..., Construction]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(build).parameters


@dataclass(frozen=True)
class Adversary:
    """A registered construction.

    Attributes
    ----------
    id, title : str
        Name in the registry, and what it does in one line.
    bound : str
        Id of the bound it proves.
    bad_for : str
        Whom it hurts, in words.
    source : str
        Whose construction it is. The bound's own source stands with the bound.
    status : str
        Where its promise is proved.
    victims : tuple of str
        Policies to demonstrate it on, the first one by default.
    kind : str
        ``cyclic`` (fixed), ``adaptive`` (plays against the policy) or ``random`` (oblivious, seeded).
    build : callable
        The function that makes it: it takes ``instance``, what it needs of ``rounds``, ``policy`` (an object)
        and ``seed``, and its own options.
    demo : LayeredInstance
        A small instance it works on.
    split_only : bool
        Whether it is aimed at fixed splits of the cache alone (``Policy.per_layer``), being an easy input for
        all others.
    told : {"discard", "phase", "next-arrival"} or None
        The kind of predictions that its requests come with; None for none.
    """

    id: str
    title: str
    bound: str
    bad_for: str
    source: str
    status: str
    victims: tuple[str, ...]
    kind: str
    build: Callable[..., Construction]
    demo: LayeredInstance
    split_only: bool = False
    told: Kind | None = None

    @property
    def sections(self) -> dict[str, str]:
        """The docstring of ``build`` by its headings; what stands before the first one under ``""``."""
        return sections(self.build)

    @property
    def options(self) -> dict[str, object]:
        """Further keywords of ``build`` with their defaults."""
        common = {"instance", "rounds", "policy", "seed"}
        return {name: p.default for name, p in self._parameters.items() if name not in common}

    @property
    def against_policy(self) -> bool:
        """Whether its requests depend on the policy it is built against."""
        return "policy" in self._parameters

    @property
    def smaller_opt(self) -> bool:
        """Whether it has the option ``opt_cache``: OPT's cache size h, which may be smaller than k."""
        return "opt_cache" in self.options

    @property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return _parameters_of(self.build)

    def instance(
        self,
        layers: int | None = None,
        pages: int | tuple[int, ...] | None = None,
        cache: int | None = None,
        per_visit: int | None = None,
    ) -> LayeredInstance:
        """Return the instance asked for; what is not given is as in ``demo``.

        Examples
        --------
        >>> found = get_construction("cyclic")
        >>> found.instance(layers=3) == LayeredInstance(3, found.demo.pages, found.demo.cache)
        True
        """
        if layers is None and isinstance(pages, tuple):
            layers = len(pages)
        given = {"layers": layers, "pages": pages, "cache": cache, "per_visit": per_visit}
        parts: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return replace(self.demo, **parts)

    def __call__(
        self,
        instance: LayeredInstance | None = None,
        *,
        rounds: int = 1000,
        policy: str | Policy | None = None,
        seed: int = 0,
        **options: object,
    ) -> Construction:
        """Build the construction.

        Parameters
        ----------
        instance : LayeredInstance, optional
            Forced service and one page per visit, unless ``demo`` has bypassing or more. Default: ``demo``.
        rounds : int, default 1000
            Length of the sequence in rounds of ℓ requests.
        policy : str or Policy, optional
            Whom an adaptive construction plays against; default the first of ``victims``.
        seed : int, default 0
            Used by random constructions alone.

        Raises
        ------
        ModelError
            The instance violates a condition of the construction, which is named, or an option is unknown.
        """
        target = self.demo if instance is None else instance
        self.refuse_unknown(options)
        answer = self.victims[0] if policy is None else policy
        offered: dict[str, Any] = {"instance": target, "rounds": rounds, "policy": answer, "seed": seed}
        given = {name: value for name, value in offered.items() if name in self._parameters}
        try:
            several = self.demo.per_visit > 1
            require(
                target,
                ("forced service", self.demo.bypassing or not target.bypassing),
                ("one page per visit (g = 1)", several or target.per_visit == 1),
            )
            if "policy" in given:
                given["policy"] = self._victim(target, given["policy"])
            built = self.build(**given, **options)
        except ConditionError as unmet:
            raise ConditionError(unmet.condition, target, f"construction {self.id}") from None
        against = given["policy"].name if "policy" in given else None
        return replace(built, id=self.id, bound=self.bound, policy=against, seed=given.get("seed"))

    def read_options(self, texts: Iterable[str]) -> dict[str, Any]:
        """Return the options that ``key=value`` texts give, as ``--option`` takes them.

        Raises
        ------
        ModelError
            A text is no ``key=value``, or the construction does not have the option.
        """
        options: dict[str, Any] = parse_spec(f"{self.id}:{','.join(texts)}")[1]
        self.refuse_unknown(options)
        return options

    def refuse_unknown(self, options: Iterable[str]) -> None:
        """Raise ModelError for an option that the construction does not have."""
        for name in options:
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise ModelError(f"construction {self.id} has no option {name!r}; its options: {known}")

    def _victim(self, instance: LayeredInstance, policy: str | Policy) -> Policy:
        """Return the policy that it plays against, or refuse it."""
        answer = get_policy(policy)
        adaptive = self.kind == "adaptive"
        require(
            instance,
            (f"a fixed split (partitioned…), not {answer.name}", answer.per_layer or not self.split_only),
            (f"a deterministic policy ({answer.name} is randomised)", not (adaptive and answer.randomized)),
            (
                f"a policy that is told {self.told or 'no'} predictions, not {answer.name}",
                not adaptive or answer.predictions == self.told,
            ),
        )
        return answer


def require(instance: LayeredInstance, *conditions: tuple[str, bool]) -> None:
    """Raise ConditionError for the first violated condition, given as (text, holds) pairs."""
    for text, holds in conditions:
        if not holds:
            raise ConditionError(text, instance)


def constructions() -> dict[str, Adversary]:
    """Return all constructions by id: those of ``adversary.catalogue``, one module each, then outside ones.

    Outside packages register theirs under the entry-point group ``paging.constructions``.
    """
    return {**_built_in(), **_outside()}


@cache
def _outside() -> dict[str, Adversary]:
    def fits(found: object) -> bool:
        return isinstance(found, Adversary)

    return from_outside("paging.constructions", "a construction (@adversary.construction)", fits, _built_in())


@cache
def _built_in() -> dict[str, Adversary]:
    import adversary.catalogue as package

    found = []
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        found += [value for value in vars(module).values() if isinstance(value, Adversary)]
    return {adversary.id: adversary for adversary in sorted(found, key=lambda a: a.id)}


@checked
def get_construction(name: str) -> Adversary:
    """Return a construction by id; near misses are listed when it is unknown.

    Examples
    --------
    >>> get_construction("cyclic").bound
    'L3'
    """
    known = constructions()
    if name.lower() not in known:
        raise UnknownNameError("construction", name, known)
    return known[name.lower()]


def construction(
    *,
    id: str,
    title: str,
    bound: str,
    bad_for: str,
    source: str,
    status: str,
    victims: tuple[str, ...],
    kind: str,
    demo: LayeredInstance,
    split_only: bool = False,
    told: Kind | None = None,
) -> Callable[[Callable[..., Construction]], Adversary]:
    """Register a build function as a construction (decorator); see :class:`Adversary`."""

    def register(build: Callable[..., Construction]) -> Adversary:
        return Adversary(
            id, title, bound, bad_for, source, status, victims, kind, build, demo, split_only, told
        )

    return register

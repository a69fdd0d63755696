"""What a bound is: whom it is about, where it speaks, and its value; closed forms evaluated and written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

import sympy

from adversary.formulas import Formula, formula
from paging.bibliography import SOURCES
from paging.html import facts_table
from paging.model import Kind as Predicted
from paging.model import LayeredInstance
from paging.policy import Policy, get_policy, registered_policies, spoken_name
from paging.predictors import Errors

l, n, k, h, g = sympy.symbols("ell n k h g", integer=True, positive=True)  # noqa: E741
OPT, eta0, eta1, eta = sympy.symbols("OPT eta0 eta1 eta", integer=True, nonnegative=True)
beta, gamma = sympy.symbols("beta gamma", nonnegative=True)
"""Factors of η0 and η1 in what a policy may pay."""

ROUNDED = 10**9
"""What is no rational number, a root, is rounded up to a multiple of 1/ROUNDED."""

Half = Literal["upper", "lower"]
Kind = Literal["upper", "lower", "tight"]
Measure = Literal["deterministic", "oblivious", "fractional"]
Origin = Literal["classical", "paper", "reported", "our reading", "ours"]
Status = Literal["proved in the source", "reported as proved", "folklore", "ours", "conjecture"]
Condition = tuple[str, Callable[[LayeredInstance], bool]]


@dataclass(frozen=True, kw_only=True)
class Range:
    """The variants of the model that a theorem is about; it says nothing of any other.

    Attributes
    ----------
    service, visits : tuple of str
        The kinds of service and of visits, as :attr:`paging.LayeredInstance.model` names them.
    per_visit : int or None
        Pages g of a visit; None: any number.
    start, cost : str
        The cache at the start, and what a fault costs: ``unit``, or ``any`` weights. Every run
        here is cold.
    fewer : int
        By how many slots OPT's cache may be smaller where something is forced.
    """

    service: tuple[str, ...]
    visits: tuple[str, ...]
    per_visit: int | None
    start: str = "cold"
    cost: str = "unit"
    fewer: int = 0

    def excluded(self, instance: LayeredInstance) -> str | None:
        """Return what an instance would have to be to lie in the range, or None if it does."""
        model = instance.model
        if model["service"] not in self.service:
            return f"{' or '.join(self.service)} service"
        if model["visits"] not in self.visits:
            return f"{' or '.join(self.visits)} visits"
        if model["start"] != self.start:
            return f"a {self.start} start"
        if self.cost == "unit" and instance.cost != "unit":
            return "unit cost"
        if self.per_visit not in (None, instance.per_visit):
            return f"g = {self.per_visit}"
        return None

    def __str__(self) -> str:
        visit = "any g" if self.per_visit is None else f"g = {self.per_visit}"
        service, visits = " or ".join(self.service), " or ".join(self.visits)
        return f"{visit}, {service}, {visits}, {self.start} start, {self.cost} cost"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whom a theorem is about: named policies, or all that have certain traits.

    Attributes
    ----------
    names : tuple of str
        Registry ids.
    told : {"discard", "phase", "next-arrival"} or None
        The predictions that the members of the classes are told; None for policies that are told none.
    any_parameters : bool
        Whether it holds of the named policies with all parameters; else with their defaults alone.
    traits : tuple of tuple of str
        Classes of policies, each by the traits (:data:`paging.policy.TRAITS`) its members have; a policy in
        any of them is meant. The trait ``online`` stands for a policy as such.
    algorithm : str
        Name of an algorithm that is no policy (``proofs.bounds.measuring.ALGORITHMS``) whose cost it bounds.
    exists : bool
        The theorem says that some randomised policy does it, and names none: nothing here can be measured.

    Examples
    --------
    >>> Subject(traits=(("online", "deterministic"),)).words, Subject(names=("lru", "zrc")).words
    ('every deterministic policy', 'LRU, ZRC')
    """

    names: tuple[str, ...] = ()
    traits: tuple[tuple[str, ...], ...] = ()
    algorithm: str = ""
    exists: bool = False
    any_parameters: bool = False
    told: Predicted | None = None

    def includes(self, policy: Policy) -> bool:
        """Tell whether the theorem is about a policy.

        Classes are those of policies that are told nothing of the future, or all the same: what is forced on
        all of them is not forced on one that is told something else.
        """
        name = policy.id if self.any_parameters else policy.name
        return name in self.names or (
            policy.predictions == self.told
            and any(policy.traits.issuperset(needed) for needed in self.traits)
        )

    @property
    def policies(self) -> tuple[str, ...]:
        """The registered policies it is about, with their default parameters."""
        return self.names or tuple(id for id in registered_policies() if self.includes(get_policy(id)))

    @property
    def words(self) -> str:
        """The subject in words."""
        if self.exists:
            return "some randomised policy"
        if self.algorithm:
            return f"{self.algorithm} paging"
        if self.names:
            return ", ".join(map(spoken_name, self.names))
        classes = (" ".join(trait for trait in needed if trait != "online") for needed in self.traits)
        told = f" told {self.told} bits" if self.told else ""
        return f"every {' or '.join(filter(None, classes))} policy{told}".replace("  ", " ")


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A theorem about competitive ratios, of a policy with predictions about its cost in their errors too.

    Attributes
    ----------
    id : str
        Short name; tables, docstrings and certificates refer to it.
    kind : {"upper", "lower", "tight"}
        Upper: online ≤ value·OPT + errors + additive on every run. Lower: the constructions force value.
        Tight: both.
    measure : {"deterministic", "oblivious", "fractional"}
        Whether the cost is a number, an expectation against an oblivious adversary, or that of caching pages
        in parts.
    subject : Subject
        Whom it is about.
    value : sympy.Expr
        The ratio in ℓ, n, k, h, g; ``oo`` for "not competitive".
    errors : sympy.Expr
        What wrong predictions may add, in η0, η1, η (:class:`paging.Errors`), OPT and ℓ, n, k; 0 for a bound
        on the ratio. With it, ``value`` is what the policy pays per fault of OPT where all predictions are
        true: its consistency. In a lower bound what β and γ save: faults ≤ α·R + β·η0 + γ·η1 + a constant for
        every schedule R needs α ≥ value + errors.
    range : Range
        The variants of the model it is about.
    statement : str
        One sentence.
    source, locator : str
        Key into the bibliography, or a reference in full, and where in it.
    origin : str
        Whose statement this is: classical literature, the paper's own text, reported by third parties, our
        reading (statement reported, proof rebuilt by us), or ours.
    status : str
        Proved in the source, folklore, ours (proof in docs/bounds.md), or conjecture.
    evidence : str
        What stands behind it here.
    additive : sympy.Expr or None
        The additive constant from a cold start; None where the source leaves it open.
    conditions : tuple of (text, predicate)
        What it asks of the numbers ℓ, n, k of an instance.
    constructions : tuple of str
        Ids of the constructions that force a lower or tight bound.
    measured : tuple of str
        Policies it is checked on here, where these are not all that the subject takes in.
    machine_checked : str
        The theorems of docs/formal.md that Coq has checked, and for which part of the bound if not for all.
    """

    id: str
    kind: Kind
    measure: Measure
    subject: Subject
    value: Any
    range: Range
    statement: str
    source: str
    locator: str
    origin: Origin
    status: Status
    evidence: str
    additive: Any = None
    errors: Any = sympy.S.Zero
    conditions: tuple[Condition, ...] = ()
    constructions: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    machine_checked: str = ""

    @property
    def standing(self) -> str:
        """The status, and what of it a proof assistant has checked."""
        return (
            f"{self.status}; machine-checked: {self.machine_checked}" if self.machine_checked else self.status
        )

    @property
    def proof(self) -> str:
        """Where the proof is: a page of docs/ for our own, the source for others'; what Coq checked."""
        if self.source == "here":
            where = self.locator
        elif self.status == "ours":
            page = re.search(r"docs/\S+\.md", self.locator)
            where = page[0] if page else "docs/bounds.md"
        elif self.status == "reported as proved":
            where = "reported to be in the source; not read"
        else:
            where = "in the source"
        if not self.machine_checked:
            return where
        return f"{where}; machine-checked: theorem {self.machine_checked}, docs/formal.md"

    def excluded(
        self, instance: LayeredInstance, opt_cache: int | None = None, half: Half | None = None
    ) -> str | None:
        """Return what is missing for the bound to speak, or None where it speaks.

        The range comes first, then OPT's cache, then the conditions. An OPT with fewer slots pays at least as
        much, so what holds from above against k slots holds against h ≤ k; what is forced against k slots
        need not be forced against fewer, unless the value is stated in h.

        Parameters
        ----------
        instance : LayeredInstance
        opt_cache : int, optional
            OPT's cache h; default k.
        half : {"upper", "lower"}, optional
            The half of a tight bound that is asked for; default all that the bound says.

        Examples
        --------
        >>> from proofs import get_bound
        >>> get_bound("marking-upper").excluded(LayeredInstance(1, 3, 2, bypassing=True))
        'forced service'
        """
        outside = self.range.excluded(instance)
        if outside is not None:
            return outside
        small = instance.cache if opt_cache is None else opt_cache
        if small > instance.cache:
            return "h ≤ k"
        forces = (half or self.kind) != "upper" and not self.against_fewer
        if forces and small < instance.cache - self.range.fewer:
            return self._opt_text
        return next((text for text, holds in self.conditions if not holds(instance)), None)

    def at(self, instance: LayeredInstance, opt_cache: int | None = None) -> Fraction | float:
        """Return the value at an instance, exactly: a Fraction, or ``inf``; with a logarithm its decimals."""
        return evaluate(self.value, instance, opt_cache)

    @property
    def form(self) -> Any:
        """What stands on the right: the ratio, or with errors the whole sum, or what α needs."""
        if self.errors and self.kind == "lower":
            return self.value + self.errors
        return self.value * OPT + self.errors if self.errors else self.value

    @property
    def coefficients(self) -> tuple[Any, Any, Any] | None:
        """The factors (α, β, γ) of OPT, η0 and η1; None unless the errors are multiples of η0 and η1.

        >>> from proofs import get_bound
        >>> get_bound("flush-when-kept-upper").coefficients
        (1, k - 1, 1)
        """
        factors = self.errors.expand().coeff(eta0), self.errors.expand().coeff(eta1)
        linear = sympy.simplify(self.errors - factors[0] * eta0 - factors[1] * eta1) == 0
        return (self.value, *factors) if self.errors and linear else None

    def beside(self, instance: LayeredInstance, optimum: int | Fraction, errors: Errors) -> Fraction:
        """Return what so many errors may add on an instance where OPT pays so much; roots are rounded up."""
        known = {"eta0": eta0, "eta1": eta1, "eta": eta}
        numbers = {known[name]: sympy.Integer(number) for name, number in errors.given.items()}
        numbers[OPT] = sympy.Rational(*optimum.as_integer_ratio())
        return _rational(_with_numbers(_sized(self.errors, instance), numbers))

    def additive_at(self, instance: LayeredInstance, opt_cache: int | None = None) -> Fraction | None:
        """Return the additive constant at an instance, or None where it is not known."""
        if self.additive is None:
            return None
        number = evaluate(self.additive, instance, opt_cache)
        assert isinstance(number, Fraction)
        return number

    @property
    def policies(self) -> tuple[str, ...]:
        """Specs of the policies it is checked on here."""
        return self.measured or self.subject.policies

    @property
    def against_fewer(self) -> bool:
        """Whether the value is stated for an OPT with h ≤ k slots."""
        return h in self.value.free_symbols

    @property
    def condition_text(self) -> str:
        """All conditions in one phrase."""
        return ", ".join(text for text, _ in self.conditions) or "none"

    @property
    def range_text(self) -> str:
        """The range in one phrase, with what OPT's cache may be."""
        return f"{self.range}, {self._opt_text}"

    @property
    def _opt_text(self) -> str:
        if self.kind == "upper" or self.against_fewer:
            return "h ≤ k"
        return f"h ≥ k − {self.range.fewer}" if self.range.fewer else "h = k"

    def _repr_html_(self) -> str:
        keys = (
            "kind",
            "subject",
            "value",
            "additive",
            "conditions",
            "range",
            "reference",
            "origin",
            "status",
            "evidence",
        )
        facts = describe(self)
        shown = {key: facts[key] for key in keys} | {"value": Formula(self.form)}
        return facts_table(f"{self.id}: {self.statement}", shown)


@lru_cache(maxsize=4096)
def evaluate(form: Any, instance: LayeredInstance, opt_cache: int | None = None) -> Fraction | float:
    """Evaluate a closed form in ℓ, n, k, h, g at an instance (n: the smallest layer)."""
    number = sympy.sympify(form).subs(_sizes(instance, opt_cache))
    if number == sympy.oo:
        return float("inf")
    return _rational(number) if number.is_Rational else float(number)


@lru_cache(maxsize=4096)
def _sized(form: Any, instance: LayeredInstance) -> Any:
    """Return a closed form with the numbers of an instance put in; many errors are put into it afterwards."""
    return sympy.sympify(form).subs(_sizes(instance))


def _sizes(instance: LayeredInstance, opt_cache: int | None = None) -> dict[Any, int]:
    return {
        l: instance.layers,
        n: min(instance.pages_by_layer),
        k: instance.cache,
        h: instance.cache if opt_cache is None else opt_cache,
        g: instance.per_visit,
    }


def _with_numbers(form: Any, numbers: dict[Any, Any]) -> Any:
    """Return a closed form with numbers for all its symbols, as ``subs`` does but in a tenth of its time."""
    if form.is_Symbol:
        return numbers[form]
    if form.is_Atom:
        return form
    parts = [_with_numbers(part, numbers) for part in form.args]
    if isinstance(form, sympy.Min | sympy.Max) and all(part.is_Rational for part in parts):
        return (min if isinstance(form, sympy.Min) else max)(parts)
    return form.func(*parts)


def _rational(number: Any) -> Fraction:
    """Return an exact number, or a multiple of 1/ROUNDED above one that is irrational."""
    if number.is_Rational:
        return Fraction(int(number.p), int(number.q))
    return Fraction(int(sympy.floor((number * ROUNDED).evalf(40))) + 1, ROUNDED)


def source_text(bound: Bound) -> str:
    """Return the full reference of a bound."""
    return f"{SOURCES.get(bound.source, bound.source)}; {bound.locator}"


def _value_here(bound: Bound, instance: LayeredInstance, opt_cache: int | None) -> Fraction | float | str:
    if not bound.errors:
        return bound.at(instance, opt_cache)
    return formula(bound.form.subs(_sizes(instance, opt_cache)))


def describe(
    bound: Bound, instance: LayeredInstance | None = None, opt_cache: int | None = None
) -> dict[str, object]:
    """Return a bound as plain values, for tables and JSON; with its value, or why it has none there."""
    facts: dict[str, object] = {
        "id": bound.id,
        "kind": bound.kind,
        "measure": bound.measure,
        "subject": bound.subject.words,
        "policies": bound.policies,
        "value": formula(bound.form),
        "additive": None if bound.additive is None else formula(bound.additive),
        "conditions": bound.condition_text,
        "range": bound.range_text,
        "statement": bound.statement,
        "reference": source_text(bound),
        "origin": bound.origin,
        "status": bound.status,
        "proof": None if bound.status == "conjecture" else bound.proof,
        "machine_checked": bound.machine_checked or None,
        "evidence": bound.evidence,
        "constructions": bound.constructions,
    }
    if instance is not None:
        missing = bound.excluded(instance, opt_cache)
        facts["value_here"] = _value_here(bound, instance, opt_cache) if missing is None else None
        facts["silent_here"] = None if missing is None else f"needs {missing}"
    return facts

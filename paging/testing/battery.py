"""Putting one policy through the invariants, with the smallest counterexample to each that is broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from paging.arguments import checked
from paging.errors import LimitError, ModelError, UnknownNameError, UnsupportedModelError
from paging.model import LayeredInstance, RequestSequence, whole_number
from paging.policy import TRAITS, Policy, get_policy
from paging.testing.branches import UnjudgedError, cached, levels, pages_text
from paging.testing.invariants import INVARIANTS, Invariant
from paging.testing.strategies import places_of, request_sequence, told

LONGEST_TABLE = 24

MOST_EXAMPLES = 10_000_000
"""Most sequences tried for one invariant."""


@dataclass(frozen=True)
class Finding:
    """What came out of checking one invariant.

    Attributes
    ----------
    invariant : Invariant
    policy : Policy
    verdict : {"holds", "broken", "unjudged"}
        ``unjudged``: no sequence was drawn that the invariant says anything about.
    sequence : RequestSequence or None
        The smallest counterexample found.
    problem : str
        What went wrong on it.
    """

    invariant: Invariant
    policy: Policy
    verdict: Literal["holds", "broken", "unjudged"]
    sequence: RequestSequence | None = None
    problem: str = ""

    def __str__(self) -> str:
        name, policy = self.invariant.name, self.policy.name or type(self.policy).__name__
        if self.sequence is None:
            return f"policy {policy}: {name} {self.verdict}"
        instance, requests = self.sequence.instance, self.sequence.requests.tolist()
        kind = self.sequence.kind
        lines = [
            f"policy {policy} breaks {name!r}: {self.invariant.statement}",
            f"  {self.problem}",
            f"  on RequestSequence({instance!r}, {requests})",
            *([f"  with {kind} predictions {self.sequence.predictions.tolist()}"] if kind else []),
            *_table(self.policy, self.sequence),
        ]
        return "\n".join(lines)


def _table(policy: Policy, sequence: RequestSequence) -> list[str]:
    """Show the run, request by request (of a randomised policy one branch)."""
    instance = sequence.instance
    lines: list[str] = []
    try:
        for level in levels(policy, sequence):
            move = next(level.moves)
            left = f", {pages_text(instance, move.left)} left" if move.left else ""
            lines.append(
                f"    {level.time:>3}  page {instance.page_name(level.page):<5}"
                f" {'hit' if move.before[level.page] > 0 else 'fault'}{left}"
                f" → cache {pages_text(instance, cached(move.after))}"
            )
    except AssertionError as error:
        lines.append(f"         {error}")
    if len(lines) > LONGEST_TABLE:
        lines[1 : 1 - LONGEST_TABLE] = ["    …"]
    kind = "one branch of what happened:" if policy.randomized else "what happened:"
    return [f"  {kind}", *lines] if lines else []


@dataclass(frozen=True)
class Report:
    """The findings about one policy, in the order of :data:`~paging.testing.INVARIANTS`."""

    policy: Policy
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> dict[str, Finding]:
        """The invariants that are broken, by name."""
        return {f.invariant.name: f for f in self.findings if f.verdict == "broken"}

    def __str__(self) -> str:
        name = self.policy.name or type(self.policy).__name__
        held = sum(finding.verdict == "holds" for finding in self.findings)
        lines = [f"policy {name}: {held} of {len(self.findings)} invariants hold"]
        lines += [f"  {f.invariant.name:<18}  {f.verdict}".rstrip() for f in self.findings]
        return "\n".join([*lines, *(f"\n{finding}" for finding in self.broken.values())])


class PolicyCheckError(AssertionError):
    """A policy breaks an invariant it claims. The message is the report, with counterexamples."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report) if len(report.findings) > 1 else str(report.findings[0]))
        self.report = report


@checked
def applicable(policy: str | Policy | type[Policy]) -> list[str]:
    """Return the names of the invariants that a policy claims: those about all policies, and its traits.

    Raises
    ------
    ModelError
        The policy declares a trait that does not exist.

    Examples
    --------
    >>> applicable("fifo")[-3:]
    ['symmetric', 'finite-state', 'atomic']
    """
    answer = get_policy(policy)
    unknown = sorted(set(answer.traits) - set(TRAITS))
    if unknown:
        raise ModelError(
            f"policy {answer.name or type(answer).__name__} declares unknown traits {', '.join(unknown)}; "
            f"known are {', '.join(TRAITS)}"
        )
    return [invariant.name for invariant in INVARIANTS.values() if invariant.applies(answer)]


@checked
def check_policy(
    policy: str | Policy | type[Policy],
    invariants: Iterable[str] | None = None,
    *,
    examples: int = 100,
    sequences: SearchStrategy[RequestSequence] | None = None,
    seed: int = 0,
) -> Report:
    """Check a policy against every invariant it claims, on random request sequences.

    Parameters
    ----------
    policy : str, Policy or Policy class
        A registry name, ``module:Class``, a class or an object.
    invariants : iterable of str, optional
        Names from :data:`~paging.testing.INVARIANTS`, claimed or not; default :func:`applicable`.
    examples : int, default 100
        Request sequences tried per invariant.
    sequences : hypothesis strategy of RequestSequence, optional
        Where to draw them from; default small ones that suit the invariant. Where the policy takes
        predictions and they have none, some of its kind are added.
    seed : int, default 0
        The same seed tries the same sequences.

    Returns
    -------
    Report

    Raises
    ------
    PolicyCheckError
        An invariant is broken; the message shows the smallest counterexample found to each.
    ModelError, UnknownNameError
        The policy declares an unknown trait, or there is no such policy or invariant.

    Examples
    --------
    >>> from paging import Policy
    >>> class Forgetful(Policy):
    ...     id, title = "forgetful", "keeps nothing but the requested page"
    ...     traits = frozenset({"deterministic", "online", "demand"})
    ...
    ...     @staticmethod
    ...     def serve(labels, page, slot, frame):
    ...         labels[:] = 0
    ...         labels[page] = 1
    >>> check_policy(Forgetful, ["demand"])
    Traceback (most recent call last):
        ...
    paging.testing.battery.PolicyCheckError: policy forgetful breaks 'demand': nothing moves on a hit; \
on a fault at most one page leaves, and only when the cache is full
      request 1 (page 0.1): {0.0} left with 1 free slots
      on RequestSequence(LayeredInstance(layers=1, pages=2, cache=2, per_visit=1, visits='sequential', \
bypassing=False), [0, 1])
      what happened:
          0  page 0.0   fault → cache {0.0}
          1  page 0.1   fault, {0.0} left → cache {0.1}
    """
    answer = get_policy(policy)
    names = applicable(answer) if invariants is None else list(invariants)
    for name in names:
        _refuse_unknown(name)
    found = [
        find_counterexample(answer, name, examples=examples, sequences=sequences, seed=seed) for name in names
    ]
    report = Report(answer, tuple(found))
    if report.broken:
        raise PolicyCheckError(report)
    return report


@checked
def find_counterexample(
    policy: str | Policy | type[Policy],
    invariant: str,
    *,
    examples: int = 100,
    sequences: SearchStrategy[RequestSequence] | None = None,
    seed: int = 0,
) -> Finding:
    """Look for the smallest sequence on which a policy breaks one invariant; as :func:`check_policy`.

    Examples
    --------
    >>> find_counterexample("fifo", "stack", examples=1000).verdict
    'broken'
    """
    _refuse_unknown(invariant)
    examples = whole_number(examples, "examples", 1, MOST_EXAMPLES)
    seed = whole_number(seed, "seed", 0)
    answer, claim = get_policy(policy), INVARIANTS[invariant]
    source = claim.cases() if sequences is None else sequences
    search = _Search(answer, claim)
    verdict = search.run(source, examples, seed)
    return Finding(claim, answer, verdict, search.smallest, search.problem)


def _refuse_unknown(name: object) -> None:
    if not isinstance(name, str) or name not in INVARIANTS:
        raise UnknownNameError("invariant", str(name), INVARIANTS)


class _Search:
    """One search with hypothesis: tries sequences, remembers the smallest that breaks the invariant."""

    def __init__(self, policy: Policy, invariant: Invariant) -> None:
        self.policy, self.invariant = policy, invariant
        self.judged = 0
        self.smallest: RequestSequence | None = None
        self.problem = ""

    def run(
        self, source: SearchStrategy[RequestSequence], examples: int, number: int
    ) -> Literal["holds", "broken", "unjudged"]:
        attempt = seed(number)(
            settings(
                max_examples=examples,
                database=None,
                deadline=None,
                derandomize=False,
                phases=(Phase.generate, Phase.shrink),
                print_blob=False,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
                verbosity=Verbosity.quiet,
            )(given(source)(self.attempt))
        )
        try:
            attempt()
        except (AssertionError, Flaky):
            # Flaky: a policy with hidden state need not fail twice. One failure is enough.
            if self.smallest is None:
                raise
            self.shorten(self.smallest)
            return "broken"
        return "holds" if self.judged else "unjudged"

    def shorten(self, sequence: RequestSequence) -> None:
        """Make the instance smaller, drop requests and lower places as long as the invariant stays broken."""
        for shorter in _simpler(sequence):
            try:
                self.attempt(shorter)
            except AssertionError:
                self.shorten(shorter)
                return

    def attempt(self, plain: RequestSequence) -> None:
        sequence = told(plain, self.policy.predictions)
        try:
            self.policy.check(sequence.instance)
            self.invariant.check(self.policy, sequence)
        except (UnjudgedError, UnsupportedModelError, LimitError):
            return
        except AssertionError as error:
            if self.smallest is None or _size(sequence) <= _size(self.smallest):
                self.smallest, self.problem = sequence, str(error)
            raise
        self.judged += 1


def _simpler(sequence: RequestSequence) -> Iterator[RequestSequence]:
    """Yield sequences that differ in one thing and are simpler in it."""
    places, instance = places_of(sequence), sequence.instance
    for smaller in _smaller(instance):
        yield request_sequence(smaller, places)
    if instance.per_visit > 1:
        yield request_sequence(replace(instance, per_visit=1), [instance.locate(p).place for p in sequence])
    for size in sorted({instance.round_length, instance.per_visit, 1}, reverse=True):
        for start in range(len(places) - size, -1, -1):
            yield request_sequence(instance, [*places[:start], *places[start + size :]])
    for time, place in enumerate(places):
        for lower in range(place):
            yield request_sequence(instance, [*places[:time], lower, *places[time + 1 :]])


def _smaller(instance: LayeredInstance) -> Iterator[LayeredInstance]:
    pages, least = instance.pages_by_layer, instance.per_visit
    if instance.layers > 1:
        yield replace(instance, layers=instance.layers - 1, pages=pages[:-1])
    if max(pages) > least:
        yield replace(instance, pages=tuple(max(least, n - 1) for n in pages))
    if instance.cache > (least if instance.visits == "atomic" else 1):
        yield instance.with_cache(instance.cache - 1)


def _size(sequence: RequestSequence) -> tuple[int, int, int, int]:
    instance = sequence.instance
    return len(sequence), instance.total_pages, instance.cache, sum(sequence)

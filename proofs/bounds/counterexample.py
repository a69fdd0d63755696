"""A run that contradicts an upper bound, as a file that holds everything needed to repeat it."""

from __future__ import annotations

import importlib.metadata
import shlex
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from adversary.formulas import formula
from paging.certificate import CertificateError
from paging.errors import LayeredPagingError
from paging.files import atomic_write
from paging.model import LayeredInstance, RequestSequence
from paging.numbers import exact_text, json_text, number
from paging.policy import get_policy
from paging.predicted import PredictedSequence
from paging.predictors import Errors, prediction_errors
from proofs.bounds.bound import Bound
from proofs.bounds.measuring import ALGORITHMS, LEVEL, RUNS, Cost, online_cost, optimum
from proofs.bounds.registry import BOUNDS
from proofs.certificates.reading import plain_predictions, read_certificate, read_sequence
from proofs.checker import Incomplete, members
from proofs.checker.reading import rational, whole

FORMAT = "layered-paging counterexample"

COMPUTED_BY = ("layered-paging", "numpy", "numba")
"""Packages whose versions are written beside the numbers."""

FIELDS = (
    "format", "replay", "bound", "statement", "value", "ratio", "additive", "policy", "input", "instance",
    "opt_cache", "measure", "seed", "runs", "confidence", "online", "half_width", "opt", "predictions",
    "errors", "beside", "requests", "versions",
)  # fmt: skip
"""What the file says, in this order; no field may be missing and no other stand beside them."""


@dataclass(frozen=True, eq=False)
class Case:
    """One input to judge an upper bound on."""

    label: str
    sequence: RequestSequence
    opt_cache: int

    @cached_property
    def errors(self) -> Errors:
        """Errors of the predictions, if there are any."""
        return prediction_errors(self.sequence) if isinstance(self.sequence, PredictedSequence) else Errors()


def replay_command(path: Path) -> str:
    """Return the command line that repeats a counterexample."""
    return shlex.join(["paging", "bounds", "--counterexample", str(path)])


def save_counterexample(
    bound: Bound, policy: str, case: Case, cost: Cost, paid: int | Fraction, seed: int, directory: Path
) -> Path:
    """Write everything needed to repeat a violation to a JSON file and return its path."""
    instance = case.sequence.instance
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in f"{bound.id}-{policy}")
    sizes = f"{instance.layers}-{instance.total_pages}-{instance.cache}-{case.opt_cache}"
    path = directory / f"counterexample-{safe}-{sizes}.json"
    additive = bound.additive_at(instance, case.opt_cache)
    facts: dict[str, object] = {
        "format": FORMAT,
        "replay": replay_command(Path(path.name)),
        "bound": bound.id,
        "statement": bound.statement,
        "value": formula(bound.form),
        "ratio": number(Fraction(bound.at(instance, case.opt_cache))),
        "additive": number(additive or Fraction(0)),
        "policy": policy,
        "input": case.label,
        "instance": instance.plain,
        "opt_cache": case.opt_cache,
        "measure": cost.measure,
        "seed": seed,
        "runs": RUNS,
        "confidence": str(LEVEL),
        "online": number(Fraction(cost.value)),
        "half_width": number(Fraction(cost.half_width)),
        "opt": number(paid),
        "predictions": plain_predictions(case.sequence),
        "errors": case.errors.given,
        "beside": number(bound.beside(instance, paid, case.errors)),
        "requests": case.sequence.requests.tolist(),
        "versions": {name: importlib.metadata.version(name) for name in COMPUTED_BY},
    }
    directory.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as stream:
        stream.write(json_text(facts) + "\n")
    return path


@dataclass(frozen=True)
class Replay:
    """A counterexample served again.

    Attributes
    ----------
    violated : bool
        Whether the run contradicts the saved claim again.
    reason : str
        The numbers in one line.
    remark : str
        What the registry says today of the same bound at this instance.
    """

    violated: bool
    reason: str
    remark: str


def replay_counterexample(path: str | Path) -> Replay:
    """Serve a saved counterexample again, recount OPT and compare with the saved claim.

    Raises
    ------
    CertificateError
        The file is no counterexample that can be served.
    """
    try:
        facts = members(read_certificate(path), "the counterexample", FIELDS)
        if facts["format"] != FORMAT:
            raise Incomplete(f"format must be {FORMAT!r}")
        for field in ("bound", "statement", "policy"):
            if not isinstance(facts[field], str):
                raise Incomplete(f"{field} is not text")
        claim, additive, beside = (rational(facts[field], field) for field in ("ratio", "additive", "beside"))
        sequence = read_sequence(path)
        instance = sequence.instance
        opt_cache = whole(facts["opt_cache"], "opt_cache", 1, instance.cache)
        seed, runs = whole(facts["seed"], "seed", 0), whole(facts["runs"], "runs", 2)
        cost = online_cost(facts["policy"], sequence, seed=seed, runs=runs, opt_cache=opt_cache)
        saved = [rational(facts[field], field) for field in ("online", "half_width")]
        saved.append(rational(facts["opt"], "opt"))
    except CertificateError:
        raise
    except (Incomplete, LayeredPagingError) as error:  # also: instance, requests or policy that do not exist
        raise CertificateError(f"{path}: {error}") from error
    best = optimum(sequence, opt_cache)
    violated = cost.at_least > claim * best + beside + additive
    sign = ">" if violated else "≤"
    errors = Case("", sequence, opt_cache).errors
    told = f" + {beside} for {errors}" if errors.given else ""
    spread = f" − {cost.half_width:.4g}" if cost.half_width else ""
    reason = (
        f"{facts['policy']} pays {cost.value}{spread} {sign} {claim}·{best}{told} + {additive} "
        f"({cost.measure}; {instance}; h = {opt_cache}; {len(sequence):,} requests)"
    )
    remark = _today(facts["bound"], facts["policy"], instance, opt_cache)
    counted = [Fraction(cost.value), Fraction(cost.half_width), best]
    if saved != counted or facts["errors"] != errors.given:
        remark += "; the numbers in the file differ from those counted now"
    return Replay(violated, reason, remark)


def speaks_of(bound: Bound, policy: str) -> bool:
    """Tell whether a bound is about a policy, or an algorithm that is none, of this name."""
    if policy in ALGORITHMS:
        return bound.subject.algorithm == policy
    return bound.subject.includes(get_policy(policy))


def _today(name: str, policy: str, instance: LayeredInstance, opt_cache: int) -> str:
    """Return what the registry says today of a bound at this instance."""
    bound = BOUNDS.get(name)
    if bound is None:
        return f"no bound is called {name!r} today"
    if bound.kind == "lower" or not speaks_of(bound, policy):
        return f"{bound.id} today does not bound {policy} from above"
    missing = bound.excluded(instance, opt_cache, "upper")
    return f"{bound.id} today " + (
        f"claims {exact_text(bound.at(instance, opt_cache))}" if missing is None else f"needs {missing}"
    )

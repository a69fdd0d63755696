"""Bounds as objects, and verdicts by kind."""

import json
import re
import shlex
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sympy

from adversary import constructions, get_construction
from adversary.formulas import Formula, formula, formula_latex
from paging import (
    LayeredInstance,
    Policy,
    RequestSequence,
    UnknownNameError,
    generate,
    get_policy,
    phase_starts,
    registered_policies,
    simulate,
)
from paging.bibliography import SOURCES
from paging.cli.main import run
from paging.markdown import block
from proofs.bounds.bound import Range, describe
from proofs.bounds.counterexample import replay_counterexample
from proofs.bounds.docs import bounds_table
from proofs.bounds.known import Known, TheoremViolationError, known_ratio, known_value
from proofs.bounds.registry import BOUNDS, get_bound
from proofs.bounds.verdicts import (
    BoundViolationError,
    Case,
    check_lower,
    check_upper,
    growth,
    judge,
    pairs,
    upper_cases,
    verdict_on,
)

ROOT = Path(__file__).parents[2]

BYPASSING = Range(service=("bypassing",), visits=("sequential",), per_visit=None)


def test_every_bound_is_complete() -> None:
    for name, bound in BOUNDS.items():
        assert name == bound.id
        assert bound.source in SOURCES
        assert bound.statement.endswith(".")
        assert set(bound.constructions) <= set(constructions())
        assert (bound.kind == "upper") or bound.constructions, name
        for policy in bound.policies:
            get_policy(policy)


def test_bounds_are_measured_on_policies_they_are_about() -> None:
    for bound in BOUNDS.values():
        unnamed = bound.subject.exists or bool(bound.subject.algorithm)  # no policy could be measured
        assert bool(bound.policies) != unnamed
        assert all(bound.subject.includes(get_policy(policy)) for policy in bound.policies), bound.id


def test_a_class_of_policies_is_known_by_its_traits() -> None:
    class Own(Policy):
        id, traits = "own", frozenset({"deterministic", "online", "marking"})

    about = {id for id, bound in BOUNDS.items() if bound.subject.includes(Own())}
    assert {"L2", "L4", "marking-upper", "augmentation-upper"} <= about
    assert not about & {"L3", "conservative-upper", "mark-upper", "fifo-tight"}
    assert get_bound("marking-upper").policies == ("lru", "fwf", "mark-lru", "mark-fifo", "mark-layer")
    assert get_bound("conservative-upper").policies == ("lru", "fifo", "clock", "mark-lru")
    assert not get_bound("marking-upper").subject.includes(get_policy("mark"))
    assert get_bound("L1").subject.includes(get_policy("partitioned:policy=fwf"))


def test_a_theorem_about_a_policy_is_about_its_default_parameters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # With one segment SLRU is LRU: its ratio is k, whatever is proved of four segments.
    assert get_bound("slru-unbounded").subject.includes(get_policy("slru:segments=4"))
    assert not get_bound("slru-unbounded").subject.includes(get_policy("slru:segments=1"))
    assert run(["exact", "slru:segments=1", "-l", "1", "-n", "4", "-k", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ratio"] == "3"


def test_constructions_and_policies_refer_to_bounds_that_exist() -> None:
    for adversary in constructions().values():
        assert adversary.id in get_bound(adversary.bound).constructions
    names = {*BOUNDS, *constructions()}
    for cls in registered_policies().values():
        quoted = set((cls.__doc__ or "").split("``")[1::2])
        unknown = quoted - names - set(registered_policies())
        assert not unknown, f"{cls.id} refers to {unknown}"


@pytest.mark.parametrize(
    ("name", "instance", "value"),
    [
        ("L2", LayeredInstance(3, 4, 8), 6),
        ("L3", LayeredInstance(2, 4, 7), 7),
        ("L4", LayeredInstance(2, 2, 3), Fraction(3, 2)),
        ("L5", LayeredInstance(3, 4, 8), 10),
        ("mark-upper", LayeredInstance(1, 4, 3), Fraction(8, 3)),
        ("mark-small", LayeredInstance(1, 4, 3), Fraction(11, 6)),
        ("L1", LayeredInstance(2, 4, 4), float("inf")),
    ],
)
def test_values_at_instances(name: str, instance: LayeredInstance, value: Fraction) -> None:
    assert get_bound(name).at(instance) == value


def test_augmentation_depends_on_h() -> None:
    bound = get_bound("augmentation-upper")
    assert bound.at(LayeredInstance(1, 12, 6), 3) == Fraction(3, 2)
    assert bound.at(LayeredInstance(1, 12, 6)) == 6
    assert bound.excluded(LayeredInstance(1, 12, 6), 7) == "h ≤ k"


def test_conditions_are_named() -> None:
    assert get_bound("L3").excluded(LayeredInstance(2, 4, 6)) == "ℓ divides k + 1"
    assert get_bound("L2").excluded(LayeredInstance(2, 2, 4)) == "k < number of pages"
    assert get_bound("L2").excluded(LayeredInstance(2, 2, 3)) is None


def test_unknown_bound() -> None:
    with pytest.raises(UnknownNameError, match="did you mean"):
        get_bound("mark-uper")
    assert get_bound("l2") is get_bound("L2")


def test_formulas_read_like_the_field() -> None:
    assert [formula(get_bound(name).value) for name in ("L2", "L5", "augmentation-upper", "L1")] == [
        "k − ℓ + 1",
        "k + ℓ − 1",
        "k/(k − h + 1)",
        "unbounded",
    ]


def test_no_closed_form_shows_how_sympy_writes() -> None:
    built = [found(rounds=20).promise for found in constructions().values()]
    forms = [form for bound in BOUNDS.values() for form in (bound.value, bound.additive) if form is not None]
    forms += [form for p in built for form in (p.online, p.offline, p.start, p.limit)]
    letters = r"min|max|ln|unbounded|[kℓnghmH]|[0-9 ()/,·+−{}_]"
    commands = {"ell", "frac", "operatorname", "left", "right", "cdot", "infty"}
    for form in forms:
        text, markup, latex = formula(form), Formula(form).__html__(), formula_latex(form)
        assert re.sub(letters, "", text) == "", text
        assert not text.startswith("−"), text
        assert re.sub(r"<[^>]*>", "", markup) == re.sub(r"_(\{(.*?)\}|(.))", r"\2\3", text)
        assert set(re.findall(r"\\(\w+)", latex)) <= commands, latex
        assert "ℓ" not in latex
        assert "harmonic" not in latex


def test_docs_table_is_generated_from_the_registry() -> None:
    text = (ROOT / "docs" / "bounds.md").read_text(encoding="utf-8")
    assert block(text, "table") == bounds_table(), (
        "python -m proofs.bounds.docs docs/bounds.md writes it anew"
    )


def test_describe_says_why_a_bound_does_not_apply() -> None:
    facts = describe(get_bound("L3"), LayeredInstance(2, 4, 6))
    assert (facts["value_here"], facts["silent_here"]) == (None, "needs ℓ divides k + 1")


@pytest.mark.slow
def test_every_bound_gets_its_verdict(tmp_path: Path) -> None:
    verdicts = [verdict_on(bound, policy, rounds=200, directory=tmp_path) for bound, policy in pairs()]
    outcomes = {(v.bound.id, v.policy): v.outcome for v in verdicts}
    for (name, policy), outcome in outcomes.items():
        expected = {"upper": "holds", "lower": "reached", "tight": "holds and reached"}[BOUNDS[name].kind]
        expected = "not checked" if BOUNDS[name].subject.exists else expected
        assert outcome == expected, (name, policy)
    assert {v.bound.id for v in verdicts} == set(BOUNDS)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_upper_verdict_on_lru_is_tight_on_the_cyclic_sequence() -> None:
    verdict = judge(get_bound("L3-tight"), "lru", rounds=400)
    assert verdict.outcome == "holds and reached"
    assert verdict.limit == verdict.claim
    assert verdict.ratio is not None
    assert verdict.ratio <= verdict.claim


def test_a_false_upper_bound_is_caught_and_saved(tmp_path: Path) -> None:
    # LLRU is not k-competitive by this bound's claim once the value is lowered to k/2.
    lie = replace(get_bound("L5"), id="lie", value=sympy.Symbol("k", integer=True, positive=True) / 2)
    with pytest.raises(BoundViolationError) as caught:
        check_upper(lie, "llru", upper_cases("llru", rounds=300, seed=0), directory=tmp_path)
    assert f"paging bounds --counterexample {caught.value.path}" in str(caught.value)
    assert replay_counterexample(caught.value.path).remark == "no bound is called 'lie' today"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A true counterexample: with bypassing LRU is not k-competitive."""
    false = replace(get_bound("marking-upper"), range=BYPASSING)
    instance = LayeredInstance(layers=1, pages=3, cache=2, bypassing=True)
    case = Case("cyclic", RequestSequence(instance, [0, 1, 2] * 100), 2)
    with pytest.raises(BoundViolationError) as caught:
        check_upper(false, "lru", [case], seed=7, directory=tmp_path)
    return caught.value.path


def test_a_counterexample_says_everything_and_is_repeated(
    saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = json.loads(saved.read_text())
    assert facts["instance"] == LayeredInstance(1, 3, 2, bypassing=True).plain
    assert (facts["policy"], facts["seed"], facts["opt_cache"], facts["online"]) == ("lru", 7, 2, 300)
    assert set(facts["versions"]) == {"layered-paging", "numpy", "numba"}
    assert facts["replay"] == f"paging bounds --counterexample {saved.name}"
    assert run(shlex.split(facts["replay"].replace(saved.name, str(saved)))[1:]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"VIOLATED: lru pays 300 > 2·{facts['opt']} + 0 (counted; ")
    assert "bypassing" in said
    assert "marking-upper today needs forced service" in said


def test_a_counterexample_that_is_none_is_not_repeated(
    saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved.write_text(json.dumps(json.loads(saved.read_text()) | {"ratio": 3}))
    assert run(["bounds", "--counterexample", str(saved)]) == 0
    assert capsys.readouterr().out.startswith("NOT REPEATED: lru pays 300 ≤ 3·")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": "x"}, "format"),
        ({"ratio": "2,5"}, "ratio"),
        ({"ratio": 1.5}, "float"),
        ({"opt_cache": 3}, "opt_cache"),
        ({"seed": -1}, "seed"),
        ({"policy": "lrv"}, "unknown policy"),
        ({"policy": 1}, "policy is not text"),
        ({"requests": [0, 3]}, "request 1"),
        ({"instance": {"layers": 1}}, "instance"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_no_counterexample_is_refused_in_one_line(
    saved: Path, change: dict[str, object], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    saved.write_text(json.dumps(json.loads(saved.read_text()) | change))
    assert run(["bounds", "--counterexample", str(saved)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(saved) in said
    assert problem in said


def test_a_sampled_counterexample_is_repeated_with_its_seed(tmp_path: Path) -> None:
    instance = LayeredInstance(1, 12, 6)
    lie = replace(get_bound("mark-fiat"), value=sympy.Rational(6, 5))
    case = Case("uniform", generate("uniform", instance, rounds=2000, seed=0), 6)
    with pytest.raises(BoundViolationError) as caught:
        check_upper(lie, "mark", [case], seed=3, directory=tmp_path)
    facts = json.loads(caught.value.path.read_text())
    assert (facts["measure"], facts["seed"], facts["runs"]) == ("sampled", 3, 30)
    replay = replay_counterexample(caught.value.path)
    assert replay.violated
    assert f"pays {float(Fraction(facts['online']))} −" in replay.reason


def test_a_false_oblivious_bound_is_caught_exactly(tmp_path: Path) -> None:
    instance = LayeredInstance(1, 4, 3)
    lie = replace(get_bound("mark-fiat"), value=sympy.Rational(6, 5))
    built = get_construction("uniform")(instance, rounds=300)
    case = Case("uniform", built.sequence, 3)
    with pytest.raises(BoundViolationError):
        check_upper(lie, "mark", [case], directory=tmp_path)


def test_unknown_additive_constant_leaves_a_run_open(tmp_path: Path) -> None:
    weak = replace(get_bound("mark-upper"), value=sympy.Integer(1))
    case = Case("uniform", get_construction("uniform")(LayeredInstance(1, 4, 3), rounds=200).sequence, 3)
    assert check_upper(weak, "mark", [case], directory=tmp_path).outcome == "open"
    assert not list(tmp_path.iterdir())


def test_a_lower_bound_beyond_the_construction_is_not_reached() -> None:
    lie = replace(get_bound("L2"), value=get_bound("L2").value + 1)
    built = get_construction("missing-page")(rounds=100, policy="lru")
    verdict = check_lower(lie, "lru", built)
    assert verdict.outcome == "not reached"
    assert not verdict.good


def test_bounds_that_do_not_apply_do_not_speak() -> None:
    cases = [Case("x", generate("uniform", LayeredInstance(2, 4, 6), rounds=10, seed=0), 6)]
    assert check_upper(get_bound("mark-small"), "mark", cases).outcome == "does not speak here"


def test_growth_tends_to_the_limit() -> None:
    built = get_construction("cyclic")(LayeredInstance(2, 4, 7), rounds=4000)
    ratios = [point.ratio for point in growth(built, "lru")]
    assert ratios == sorted(ratios)
    assert 6.9 < ratios[-1] <= 7


def test_l5_needs_one_page_a_visit() -> None:
    # A phase of two pages with three LLRU faults: with g = 2 the pages of a visit tie.
    instance = LayeredInstance(1, 3, 2, per_visit=2)
    run = simulate("llru", RequestSequence(instance, [0, 1, 0, 2, 1, 0, 2, 0]), record=True)
    starts = [*phase_starts(run.sequence, 2), len(run.sequence)]
    most = max(int(np.diff(run.fault_counts[[a - 1, b - 1]])[0]) for a, b in pairwise(starts) if a)
    assert most == 3 > instance.cache + instance.layers - 1
    assert get_bound("L5").excluded(instance) == "g = 1"


def test_a_bound_does_not_speak_of_a_policy_that_it_is_not_about(tmp_path: Path) -> None:
    sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, *[1, 2] * 100])
    case = Case("LIFO is no marking policy", sequence, 2)
    for name in (
        "marking-upper",
        "not-competitive",
    ):  # another class of policies; a lower bound
        found = check_upper(get_bound(name), "lifo", [case], directory=tmp_path)
        assert found.outcome == "does not speak here"
    assert list(tmp_path.iterdir()) == []


def test_a_replay_says_when_the_saved_numbers_are_others(tmp_path: Path) -> None:
    lie = replace(get_bound("marking-upper"), id="lie", value=sympy.Integer(1), additive=sympy.Integer(0))
    case = Case("a loop", RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2] * 10), 2)
    with pytest.raises(BoundViolationError) as caught:
        check_upper(lie, "lru", [case], directory=tmp_path)
    assert "differ" not in replay_counterexample(caught.value.path).remark
    text = caught.value.path.read_text(encoding="utf-8")
    changed = json.loads(text) | {"opt": 3}
    caught.value.path.write_text(json.dumps(changed), encoding="utf-8")
    again = replay_counterexample(caught.value.path)
    assert again.violated
    assert again.remark.endswith("the numbers in the file differ from those counted now")


def test_theorems_close_intervals_and_conjectures_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = LayeredInstance(3, 3, 4)
    known = known_value("deterministic", instance)
    assert (known.lower, known.upper) == (2, Fraction(5, 2))
    guess = replace(get_bound("zrc-next"), id="guess", value=sympy.Integer(2), status="conjecture")
    monkeypatch.setitem(BOUNDS, "guess", guess)
    assert known_value("deterministic", instance) == known
    monkeypatch.setitem(BOUNDS, "guess", replace(guess, status="ours"))
    assert known_value("deterministic", instance).value == 2


def test_what_theorems_say_of_a_policy() -> None:
    assert known_ratio("lru", LayeredInstance(8, 8, 32)).value == 32
    assert known_ratio("sieve", LayeredInstance(1, 9, 4)).value == float("inf")
    outside = known_ratio("lru", LayeredInstance(1, 3, 2, bypassing=True))
    assert (outside.lower, outside.upper, outside.above) == (1, 3, get_bound("bypassing-upper"))
    outside = known_ratio("mark-layer", LayeredInstance(1, 3, 2, bypassing=True))
    assert (outside.lower, outside.upper) == (1, float("inf"))
    smaller = known_ratio("lru", LayeredInstance(1, 12, 6), 3)
    assert smaller.value == Fraction(3, 2)
    assert known_value("randomized", LayeredInstance(1, 9, 3)).value == Fraction(11, 6)


def test_a_computation_narrows_and_contradicts_theorems() -> None:
    known = known_ratio("llru", LayeredInstance(3, 4, 8))
    assert (known.lower, known.upper) == (Fraction(17, 2), 10)
    narrowed = known.narrowed(Fraction(9), None)
    assert (narrowed.lower, narrowed.upper, narrowed.below) == (9, 10, None)
    assert known.narrowed(Fraction(9), Fraction(9)).plain == {"lower": None, "upper": None}
    with pytest.raises(TheoremViolationError, match="L5"):
        known.narrowed(Fraction(11), None)
    assert Known().narrowed(Fraction(2), None).upper == float("inf")


def test_what_is_machine_checked_is_named_as_in_its_table() -> None:
    table = (ROOT / "docs" / "formal.md").read_text(encoding="utf-8")
    named = {
        bound.id: re.findall(r"[A-Z]\w+\.\w+", bound.machine_checked)
        for bound in BOUNDS.values()
        if bound.machine_checked
    }
    assert {"L2", "marking-upper", "zrc-tight"} <= set(named)
    for id, theorems in named.items():
        for theorem in theorems:
            row = next(line for line in table.splitlines() if line.startswith(f"| `{theorem}` |"))
            assert f"`{id}`" in row, row
    assert describe(BOUNDS["L2"])["machine_checked"] == "Lower.L2"

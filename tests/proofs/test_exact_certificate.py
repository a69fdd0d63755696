"""Certificates of types ``potential`` and ``exact``: files, named lies, mutations judged by brute force."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from paging import LayeredInstance, WorkFunction, get_policy, registered_policies
from paging.errors import LayeredPagingError
from paging.work_function import update_work_function, update_work_function_of_visit
from proofs import checker
from proofs.certificates.reading import read_certificate
from proofs.certificates.replay import replay
from proofs.checker import INCOMPLETE, REFUTED, VERIFIED, verify, verify_file
from proofs.ratio.deterministic import exact_ratio
from tests.helpers.certificates import FOLDER, files, mutants

VALID = files("valid", "exact", "potential")


def unpacked(document: dict) -> dict:
    """The same certificate with plain lists."""
    plain = copy.deepcopy(document)
    upper = upper_of(plain)
    for field in {"labels", "work", "marks", "layers", "potential"} & set(upper):
        upper[field] = list(checker.integers(upper[field], field))
    return plain


def upper_of(document: dict) -> dict:
    """The evidence of the potential."""
    return document["evidence"]["potential"] if document["type"] == "exact" else document["evidence"]


@cache
def best(policy: str, instance: LayeredInstance, h: int) -> tuple[object, object]:
    """Ratio and least constant, without symmetries."""
    found = exact_ratio(policy, instance, opt_cache=h, symmetric=False)
    return found.ratio, found.additive


def truth(claim: dict) -> tuple[object, object]:
    return best(claim["policy"], LayeredInstance.from_plain(claim["instance"]), claim["opt_cache"])


@pytest.mark.parametrize("path", VALID)
def test_valid(path: Path) -> None:
    document = read_certificate(path)
    verdict = verify_file(str(path))
    assert verdict.status == VERIFIED
    assert "cold start" in verdict.assumptions
    assert any("theorem in docs/exact.md" in text for text in verdict.assumptions)
    claim = document["claim"]
    assert truth(claim) == (Fraction(claim["ratio"]), Fraction(claim["additive"]))
    assert replay(document, verdict).status == VERIFIED


@pytest.mark.slow
@pytest.mark.parametrize("path", VALID)
def test_no_mutant_proves_a_false_claim(path: Path) -> None:
    document = read_certificate(path)
    verdicts: Counter[str] = Counter()
    for place, mutant in mutants(document):
        verdict = verify(mutant)
        verdicts[verdict.status] += 1
        if verdict.status != VERIFIED:
            assert verdict.reason
            continue
        claim = mutant["claim"]
        if claim["policy"] not in {*registered_policies(), document["claim"]["policy"]}:
            continue  # nobody else than a replay could know
        try:
            if replay(mutant, verdict).status == REFUTED:
                continue
        except LayeredPagingError:
            continue
        ratio, additive = truth(claim)
        stated = Fraction(claim["ratio"])
        assert stated == ratio if mutant["type"] == "exact" else stated >= ratio, place  # type: ignore[operator]
        assert stated > ratio or Fraction(claim["additive"]) >= additive, place  # type: ignore[operator]
    assert verdicts[REFUTED] > 50
    assert verdicts[INCOMPLETE] > 50


def holds(document: dict) -> bool:
    """Whether a potential proves its claim, decided with the policy itself and without the checker."""
    claim, evidence = document["claim"], upper_of(document)
    instance, h = LayeredInstance.from_plain(claim["instance"]), claim["opt_cache"]
    group, atomic = instance.per_visit, instance.visits == "atomic" and instance.per_visit > 1
    policy, ratio = get_policy(claim["policy"]), Fraction(claim["ratio"])
    count, states = instance.total_pages, len(evidence["layers"])

    def canonical(labels: list[int], work: list[int], marks: list[int], layer: int) -> tuple[object, ...]:
        triples = list(zip(labels, work, marks, strict=True))
        parts = [[triples[q] for q in instance.pages_of(j)] for j in range(instance.layers)]
        if "pages" in evidence["alike"]:
            parts = [sorted(part) for part in parts]
        if "layers" in evidence["alike"]:
            parts, layer = [parts[(layer + j) % len(parts)] for j in range(len(parts))], 0
        return (str(parts), layer)

    listed = {}
    unmarked = [0] * (count * states)
    for s in range(states):
        columns = (evidence["labels"], evidence["work"], evidence.get("marks", unmarked))
        labels, work, marks = (column[s * count : (s + 1) * count] for column in columns)
        if any(not 0 <= label <= h for label in work):
            return False
        state = (labels, work, marks, evidence["layers"][s])
        if canonical(*state) in listed:
            return False
        listed[canonical(*state)] = (state, evidence["potential"][s])
    start = canonical([0] * count, [0] * count, [0] * count, 0)
    if start not in listed:
        return False
    reached, waiting = {start}, [start]
    while waiting:
        (labels, work, marks, layer), here = listed[waiting.pop()]
        for page in instance.pages_of(layer):
            if marks[page] != 0:
                continue
            asked = marks.count(1)
            after, following = np.array(labels), np.array(work)
            frame = instance.frame
            if atomic:
                frame = frame._replace(held=np.array(marks) == 1)
            policy.serve(after, page, layer * group + asked, frame)
            paid = update_work_function(following, page, h)
            fault = labels[page] <= 0
            visit = [q for q in range(count) if marks[q] == 1] + [page]
            if len(visit) == group:
                then, now = (layer + 1) % instance.layers, [0] * count
                if atomic:
                    update_work_function_of_visit(following, np.array(visit), h)
            else:
                # What hit comes first: after a fault what was cached before the request is too late.
                then, own = layer, instance.pages_of(layer)
                late = [q for q in own if atomic and fault and labels[q] > 0]
                now = [1 if q in visit else 2 if q in late else marks[q] for q in range(count)]
            target = canonical(after.tolist(), following.tolist(), now, then)
            if (
                target not in listed
                or fault + (listed[target][1] - here) / Fraction(ratio.denominator) > ratio * paid
            ):
                return False
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    lowest = min(value for _, value in listed.values())
    constant = Fraction(listed[start][1] - lowest, ratio.denominator)
    return len(reached) == states and constant == Fraction(claim["additive"])


@pytest.mark.slow
@pytest.mark.parametrize("path", [p for p in VALID if "moves" not in str(p.id)])
def test_changed_values_are_refused_where_brute_force_says_so(path: Path) -> None:
    document = unpacked(read_certificate(path))
    assert holds(document)
    verdicts: Counter[bool] = Counter()
    for field in ("potential", "labels", "work", *(("marks",) if "marks" in upper_of(document) else ())):
        values = upper_of(document)[field]
        for place in range(0, len(values), 1 + len(values) // 60):
            value = values[place]
            for new in {value - 2, value - 1, value + 1, value + 2, 0} - {value}:
                mutant = copy.deepcopy(document)
                upper_of(mutant)[field][place] = new
                expected = holds(mutant)
                verdicts[expected] += 1
                assert (verify(mutant).status == VERIFIED) == expected, (field, place, new)
    assert verdicts[False] > 10


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["lru", "fifo", "clock", "fwf", "llru", "mark-fifo", "zrc"])
def test_a_ratio_lowered_by_a_thousandth_is_refused(policy: str) -> None:
    for shape in ((1, 4, 3), (2, 2, 3), (2, 3, 3)):
        document = json.loads(
            json.dumps(exact_ratio(policy, LayeredInstance(*shape)).potential_certificate())
        )
        assert verify(document).status == VERIFIED
        ratio = Fraction(document["claim"]["ratio"])
        lowered = ratio - Fraction(1, 1000)
        document["claim"]["ratio"] = str(lowered)
        assert verify(document).status == REFUTED
        # Nor does it help to scale the potential along.
        scale = lowered.denominator // ratio.denominator
        evidence = document["evidence"]
        evidence["potential"] = [scale * int(v) for v in checker.integers(evidence["potential"], "")]
        assert "breaks the potential" in verify(document).reason


def test_ties_by_page_number_may_matter_to_a_smaller_opt() -> None:
    """Pages alike to ZRC that are not alike to OPT: what a list up to renaming would hide is refused."""
    from proofs.checker.states import Likeness
    from proofs.checker.walk import tied

    alike = Likeness((0, 3), True, True)
    # Labels after the request decide: page 0 (label 2 before) and page 1 (label 3) would both have c = 2.
    assert tied([2, 3, 0], [-2, 3, 4], 2, (), alike, staying=True) == [(0, [0, 1])]
    assert tied([3, 3, 0], [-2, 3, 4], 2, (), alike, staying=True) == [(0, [0, 1])]
    assert tied([3, 3, 0], [3, 3, 4], 2, (), alike, staying=True) == []  # neither leaves
    assert tied([3, 3, 0], [-1, 3, 4], 2, (), alike, staying=True) == []  # the rule tells them apart
    assert tied([3, 3, 0], [0, 3, 4], 2, (), alike, staying=False) == [(0, [0, 1])]
    assert tied([2, 3, 0], [0, 3, 4], 2, (), alike, staying=False) == []


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("exact/valid/lru-layered", 0, "VERIFIED: policy lru: the competitive ratio is exactly 3/2"),
        (
            "potential/conditional/plain-lru-moves",
            3,
            "CONDITIONAL: policy tests.proofs.test_exact:PlainLRU: faults ≤ 2·OPT + 0",
        ),
        ("potential/invalid/ratio-lowered-by-a-thousandth", 1, "REFUTED: state"),
        ("exact/malformed/no-cycle", 2, "INCOMPLETE: evidence lacks"),
    ],
)
def test_the_checker_runs_with_the_standard_library_alone(name: str, code: int, word: str) -> None:
    command = [sys.executable, "-I", "-S", str(Path(checker.__file__).parent), str(FOLDER / f"{name}.json")]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert run.returncode == code
    assert run.stdout.startswith(word)
    assert run.stderr == ""


def test_the_checker_and_the_engine_have_the_same_work_function() -> None:
    from proofs.checker.work_function import update

    rng = np.random.default_rng(5)
    for h in (1, 2, 3, 5):
        work, labels = WorkFunction(LayeredInstance(1, 6, 5), h), [0] * 6
        for page in rng.integers(6, size=500).tolist():
            assert update(labels, page, h) == work.serve(page)
            assert tuple(labels) == work.labels

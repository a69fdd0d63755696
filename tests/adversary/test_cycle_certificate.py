"""Certificates of type ``cycle``: files, lies, mutations, and replaying the policy."""

import copy
import json
import sys
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from adversary.cycles.cycle import cycle_certificate, literal
from adversary.cycles.product_graph import ProductGraph
from adversary.cycles.search import Search
from paging import (
    LayeredInstance,
    LayeredPagingError,
    RequestSequence,
    get_policy,
    steps,
)
from paging.certificate import write_certificate
from paging.cli.main import run as paging_run
from paging.policies.recency import LRU
from proofs import checker
from proofs.certificates.reading import read_certificate
from proofs.certificates.replay import ReplayError, replay
from proofs.checker import CONDITIONAL, REFUTED, VERIFIED, verify, verify_file
from proofs.checker.rules import RULES
from tests.helpers.certificates import FOLDER, files, mutants

Capture = pytest.CaptureFixture[str]


VALID = files("valid", "cycle")


@cache
def exact(policy: str, instance: LayeredInstance, opt_cache: int) -> Fraction | float:
    graph = ProductGraph(policy, instance, opt_cache=opt_cache)
    graph.explore()
    found = graph.best_cycle()
    return Fraction(0) if found is None else found.ratio


def exact_ratio(claim: dict) -> Fraction | float:
    return exact(claim["policy"], LayeredInstance.from_plain(claim["instance"]), claim["opt_cache"])


def stated(claim: dict) -> Fraction | float:
    return float("inf") if claim["ratio"] == "unbounded" else Fraction(claim["ratio"])


@pytest.mark.parametrize("path", VALID)
def test_valid(path: Path) -> None:
    document = read_certificate(path)
    verdict = verify_file(str(path))
    assert verdict.status == VERIFIED
    assert not verdict.conditions
    assert stated(document["claim"]) == exact_ratio(document["claim"])
    played = replay(document, verdict)
    assert played.status == VERIFIED
    assert "it was replayed" in played.assumptions[-1]


@pytest.mark.slow
@pytest.mark.parametrize("path", VALID)
def test_no_mutant_proves_a_false_claim(path: Path) -> None:
    document = read_certificate(path)
    passed = 0
    for place, mutant in mutants(document):
        verdict = verify(mutant)
        if verdict.status != VERIFIED:
            assert verdict.reason
            continue
        passed += 1
        try:
            played = replay(mutant, verdict)
        except LayeredPagingError:
            continue
        assert played.status == REFUTED or stated(mutant["claim"]) <= exact_ratio(mutant["claim"]), place
    assert passed


def test_a_replay_notices_other_decisions() -> None:
    document = read_certificate(FOLDER / "cycle" / "valid" / "lru-layered.json")
    verdict = verify(document)
    for name in ("fifo", "fwf", "mark-lru", "llru", "mru", "sieve", "random"):
        lie = copy.deepcopy(document)
        lie["claim"]["policy"] = name
        ruled = VERIFIED if decides_alike(name, document) else REFUTED
        assert verify(lie).status == (ruled if name in RULES else CONDITIONAL)
        assert replay(lie, verdict).status == (VERIFIED if decides_alike(name, document) else REFUTED)
    lie["claim"]["policy"] = "no-such-policy"
    with pytest.raises(LayeredPagingError, match="unknown policy"):
        replay(lie, verdict)


def decides_alike(name: str, document: dict) -> bool:
    if get_policy(name).randomized:
        return False
    claim = document["claim"]
    sequence = RequestSequence(LayeredInstance(2, 2, 3), claim["prefix"] + claim["cycle"])
    seen = list(steps(name, sequence))
    left = [page for step in seen for page in step.victims]
    before = seen[len(claim["prefix"]) - 1].labels
    return left == document["evidence"]["left"] and before == seen[-1].labels


def test_a_replay_notices_a_state_that_does_not_return() -> None:
    # LRU's cache returns after these requests, the order of its pages does not.
    document = read_certificate(FOLDER / "cycle" / "valid" / "fifo-one-slot.json")
    document["claim"] |= {
        "instance": document["claim"]["instance"] | {"pages": 3, "cache": 2},
        "policy": "lru",
        "opt_cache": 2,
        "prefix": [0, 1],
        "cycle": [2, 1, 0],
    }
    document["evidence"] = {
        "leaving": [0, 0, 1, 0, 1],
        "left": [0, 2],
        "start": [0, 1],
        "periods": 1,
        "schedule": [0, -2, 2],
    }
    assert verify(document) == (REFUTED, "the state of lru after the cycle is not the one before", (), ())
    document["claim"]["policy"] = "tests.adversary.test_cycle_certificate:Unknown"
    verdict = verify(document)
    assert verdict.status == CONDITIONAL
    played = replay(document, verdict)
    assert played.status == REFUTED
    assert "its state after the cycle is not the one before" in played.reason


class Unknown(LRU):
    """LRU under a name that the checker has no rule for."""

    id = "unknown"


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy", ["lru", "fifo", "clock", "sieve", "llru", "llru-token", "mark-fifo", "fwf", "mru"]
)
def test_certificates_of_a_search(policy: str, tmp_path: Path) -> None:
    search = Search(policy, LayeredInstance(2, 3, 4))
    search.run(steps=200)
    document = search.certificate()
    assert document is not None
    path = tmp_path / "cycle.json.gz"
    write_certificate(document, path)
    verdict = verify_file(str(path))
    assert verdict.status == VERIFIED
    assert replay(read_certificate(path), verdict).status == VERIFIED


def test_certificate_of_a_long_cycle() -> None:
    graph = ProductGraph("llru", LayeredInstance(2, 4, 7))
    graph.explore()
    found = graph.best_cycle()
    assert found is not None
    document = cycle_certificate(literal(graph, found))
    verdict = verify(json.loads(json.dumps(document)))
    assert verdict.reason.startswith("policy llru: the ratio is at least 8;")
    assert replay(document, verdict).status == VERIFIED


def test_verify_replay_on_the_command_line(capsys: Capture) -> None:
    path = str(FOLDER / "cycle" / "valid" / "lifo-unbounded.json")
    assert paging_run(["verify", path]) == 0
    assert "it was replayed" in capsys.readouterr().out
    assert paging_run(["verify", path, "--no-replay"]) == 0
    assert "it was replayed" not in capsys.readouterr().out
    assert paging_run(["verify", str(FOLDER / "cycle" / "invalid" / "ratio-too-large.json")]) == 1
    other = FOLDER / "optimum" / "valid" / "three-pages.json"
    assert paging_run(["verify", str(other)]) == 0
    assert paging_run(["verify", str(other), "--policy", "lru"]) == 2
    assert "is about no named policy (type optimum), not lru" in capsys.readouterr().err
    with pytest.raises(ReplayError):
        replay(read_certificate(other), verify_file(str(other)))


def test_a_certificate_names_no_code_to_be_run(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "planted.py").write_text("raise SystemExit('run')")
    document = read_certificate(FOLDER / "cycle" / "valid" / "lifo-unbounded.json")
    for name in ("planted:Policy", "partitioned:policy=planted:Policy", ".planted:Policy", "LIFO:x=1"):
        document["claim"]["policy"] = name
        (tmp_path / "c.json").write_text(json.dumps(document))
        assert paging_run(["verify", str(tmp_path / "c.json")]) == 3, name
        assert f"provided that {name} decides as listed" in capsys.readouterr().out
    assert "planted" not in sys.modules


def test_the_writer_uses_the_checkers_format() -> None:
    document = read_certificate(FOLDER / "cycle" / "valid" / "fifo-one-slot.json")
    assert (document["format"], document["version"]) == (checker.FORMAT, checker.VERSION)

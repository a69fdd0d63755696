"""Writing certificates, and the commands ``opt`` and ``verify``."""

import json
from fractions import Fraction
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

import paging.cli.main
from lp import gaps_of, optimum
from lp.certificate import dual_certificate, optimum_certificate, schedule_certificate
from paging import (
    IllegalSequenceError,
    LayeredInstance,
    ModelError,
    RequestSequence,
    exact_weights,
    simulate,
)
from paging.certificate import FORMAT, ITEM_TYPES, VERSION, CertificateError, packed, write_certificate
from proofs import checker
from proofs.certificates.reading import read_certificate, read_sequence
from proofs.checker import VERIFIED, integers, verify, verify_file
from tests.helpers.certificates import FOLDER
from tests.helpers.offline import random_problem, zipf_sequence

VARIANTS = ("forced", "bypassing", "atomic", "split")


def test_writer_and_checker_state_the_same_format():
    assert (FORMAT, VERSION) == (checker.FORMAT, checker.VERSION)
    assert tuple(checker.ITEM) == ITEM_TYPES


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_optimum_is_certified(variant, weighted):
    for seed in range(60):
        sequence, weights, shares = random_problem(seed, variant, weighted=weighted)
        found = optimum(sequence, weights=weights, shares=shares)
        document = json.loads(json.dumps(optimum_certificate(found)))
        verdict = verify(document)
        assert verdict.status == VERIFIED, verdict
        assert verdict.reason.startswith(f"OPT = {found.value}:")


def test_one_side_alone():
    sequence = zipf_sequence(2_000, 4, 4, 6)
    weights = exact_weights([f"{1 + p % 5}/3" for p in range(16)])
    for cost in (None, weights):
        found = optimum(sequence, weights=cost)
        run = simulate("lru", sequence, record=True)
        above = schedule_certificate(run.schedule, weights=cost)
        below = dual_certificate(gaps_of(sequence, cost), found.dual)
        assert verify(above).status == verify(below).status == VERIFIED
        assert verify(below).reason == f"OPT ≥ {found.value}"
        if cost is None:
            assert verify(above).reason == f"OPT ≤ {run.faults}"


def test_an_interval_is_certified_as_one():
    sequence = zipf_sequence(3_000, 8, 8, 20)
    found = optimum(sequence, weights=[1 + p % 7 for p in range(64)], route="lp", time_limit=1e-3)
    verdict = verify(optimum_certificate(found))
    assert verdict.status == VERIFIED
    assert found.exact or verdict.reason == f"{found.lower} ≤ OPT ≤ {found.upper}"


@pytest.mark.parametrize("name", ["c.json", "c.json.gz"])
def test_files(name, tmp_path):
    sequence = zipf_sequence(20_000, 8, 8, 24)
    document = optimum_certificate(optimum(sequence), {"made by": "a test", "share": 0.5})
    first, second = tmp_path / name, tmp_path / f"again-{name}"
    write_certificate(document, first)
    write_certificate(document, second)
    assert first.read_bytes() == second.read_bytes()
    assert read_certificate(first)["claim"] == document["claim"]
    assert verify_file(str(first)).status == VERIFIED
    assert read_sequence(first) == sequence
    assert read_sequence(first, cache=30) == sequence.with_cache(30)


def test_a_float_in_the_provenance_does_not_make_the_file_unreadable(tmp_path):
    document = optimum_certificate(optimum(zipf_sequence(10, 2, 2, 2)), {"seconds": 0.25})
    write_certificate(document, tmp_path / "c.json")
    assert verify_file(str(tmp_path / "c.json")).status == VERIFIED
    assert read_certificate(tmp_path / "c.json")["provenance"] == {"seconds": "0.25"}


@pytest.mark.slow
def test_a_million_requests(tmp_path):
    found = optimum(zipf_sequence(1_000_000, 32, 8, 40))
    path = tmp_path / "c.json.gz"
    write_certificate(optimum_certificate(found), path)
    assert verify_file(str(path)).status == VERIFIED
    assert path.stat().st_size < 3_000_000


@pytest.mark.parametrize("low", [-3, -(2**20), -(2**40)])
def test_packed_arrays_come_back(low):
    for high in (100, 2**15, 2**31, 2**62):
        values = np.random.default_rng(0).integers(low, high, 500)
        assert list(integers(packed(values), "")) == values.tolist()
    assert packed(np.zeros(0, dtype=np.int32)) == []


def test_bad_files(tmp_path):
    document = optimum_certificate(optimum(zipf_sequence(10, 2, 2, 2)))
    with pytest.raises(CertificateError, match=r"ends in \.json"):
        write_certificate(document, tmp_path / "c.txt")
    with pytest.raises(CertificateError, match="there is no folder"):
        write_certificate(document, tmp_path / "absent" / "c.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(CertificateError, match="JSON object"):
        read_certificate(tmp_path / "list.json")
    with pytest.raises(CertificateError, match="cannot be read"):
        read_certificate(tmp_path / "absent.json")


GOOD = {"instance": {"layers": 2, "pages": [2, 1], "cache": 2}, "requests": [0, 2, 1]}


def test_the_cycle_of_a_certificate_is_a_sequence(tmp_path):
    path = tmp_path / "c.json"
    instance = ["-l", "1", "-n", "3", "-k", "2"]
    assert paging.cli.main.run(["exact", "lru", *instance, "--certificate", str(path)]) == 0
    found = read_sequence(path)
    evidence = read_certificate(path)["evidence"]["cycle"]
    prefix, cycle = (integers(evidence[part], part) for part in ("prefix", "cycle"))
    assert found.requests.tolist() == [*prefix, *cycle, *cycle, *cycle, *cycle]
    assert simulate("lru", found).faults == len(found)


def test_sequence_files(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(json.dumps(GOOD))
    assert read_sequence(path) == RequestSequence(LayeredInstance(2, (2, 1), 2), [0, 2, 1])
    bad = [
        ({"requests": [0]}, CertificateError, "needs the fields"),
        ({**GOOD, "instance": {"layers": 2, "pages": 1}}, ModelError, "lacks"),
        ({**GOOD, "instance": {**GOOD["instance"], "k": 1}}, ModelError, "unknown fields"),
        ({**GOOD, "instance": {**GOOD["instance"], "cache": 0}}, ModelError, "cache"),
        ({**GOOD, "instance": {**GOOD["instance"], "visits": []}}, ModelError, "visits"),
        ({**GOOD, "instance": {**GOOD["instance"], "service": "free"}}, ModelError, "service"),
        ({**GOOD, "instance": 3}, CertificateError, "needs the fields"),
        ({**GOOD, "requests": [0, 1]}, IllegalSequenceError, "request 1"),
        ({**GOOD, "requests": "0 1"}, CertificateError, "requests"),
        ({**GOOD, "requests": 3}, CertificateError, "requests"),
    ]
    for content, error, message in bad:
        path.write_text(json.dumps(content))
        with pytest.raises(error, match=message):
            read_sequence(path)


# The command line


@pytest.fixture
def call(monkeypatch, capsys):
    """Run ``paging …`` and return exit code, standard output and standard error."""
    points = dict(paging.cli.main._points())
    for name in ("opt", "verify"):
        points[name] = EntryPoint(name, f"proofs.commands.{name}:{name}", paging.cli.main.GROUP)
    monkeypatch.setattr(paging.cli.main, "_points", lambda: points)

    def run(*arguments):
        code = paging.cli.main.run([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def sequence_file(tmp_path) -> Path:
    path = tmp_path / "s.json"
    path.write_text(
        json.dumps({"instance": {"layers": 1, "pages": 3, "cache": 2}, "requests": [0, 1, 2] * 9})
    )
    return path


def test_opt_and_verify(call, tmp_path, sequence_file):
    target = tmp_path / "c.json.gz"
    code, out, err = call("opt", "--sequence", sequence_file, "--certificate", target, "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["lower"] == answer["upper"] == 15
    assert (answer["route"], answer["status"]) == ("farthest", "optimal")
    assert f"paging verify {target}" in err
    code, out, err = call("verify", target)
    assert (code, err) == (0, "")
    assert out.startswith("VERIFIED: OPT = 15")
    code, out, _ = call("verify", target, "--json")
    assert json.loads(out)["status"] == "VERIFIED"


def test_verify_exit_codes(call):
    assert call("verify", FOLDER / "optimum" / "invalid" / "upper-too-small.json")[0] == 1
    assert call("verify", FOLDER / "any" / "malformed" / "float.json")[0] == 2
    assert call("verify", FOLDER / "absent.json")[0] == 2


def test_opt_as_a_table_from_every_source(call, sequence_file, tmp_path):
    workload = ("--workload", "zipf:alpha=1,requests=60", "-l", "2", "-n", "3", "-k", "3")
    for arguments in (("--sequence", sequence_file), ("--sequence", sequence_file, "-k", "1"), workload):
        code, out, err = call("opt", *arguments)
        assert (code, err) == (0, "")
        assert "farthest" in out
        assert "forced · sequential · cold · shared" in out
    code, out, _ = call("opt", *workload, "--shares", "2/1")
    assert code == 0
    assert "split 2/1" in out


def test_opt_with_weights(call, sequence_file, tmp_path):
    weights = tmp_path / "w.json"
    weights.write_text('[0.5, "1/3", "9/7"]')
    target = tmp_path / "c.json"
    code, out, _ = call(
        "opt", "--sequence", sequence_file, "--weights", weights, "--json", "--certificate", target
    )
    answer = json.loads(out)
    assert code == 0
    assert answer["lower"] == answer["upper"]
    assert Fraction(answer["lower"]).denominator > 1
    assert call("verify", target)[0] == 0


def test_a_time_limit_that_strikes_is_no_error(call, tmp_path):
    weights = tmp_path / "w.json"
    weights.write_text(json.dumps([1 + p % 7 for p in range(64)]))
    code, out, err = call(
        *("opt", "--workload", "zipf:alpha=1,requests=3000", "-l", "8", "-n", "8", "-k", "20"),
        *("--weights", weights, "--time-limit", "0.001", "--json"),
    )
    answer = json.loads(out)
    assert code == 0
    assert answer["lower"] <= answer["upper"]
    assert "the time limit of 0.001 s struck" in answer["status"]
    assert "the time limit of 0.001 s struck" in err


def test_bad_input_is_one_line_and_exit_code_2(call, sequence_file, tmp_path):
    weights = tmp_path / "w.json"
    weights.write_text("[1, 1, -1]")
    illegal = tmp_path / "illegal.json"
    illegal.write_text(json.dumps({**GOOD, "requests": [0, 0]}))
    here = ("--sequence", sequence_file)
    cases = [
        ((), "none is given"),
        ((*here, "--trace", "x.npz"), "but --trace and --sequence are given"),
        (("--trace", "absent.npz"), "--cache (-k)"),
        (("--trace", tmp_path / "absent.npz", "-k", "2"), "absent.npz"),
        ((*here, "-k", "0"), "cache"),
        ((*here, "-l", "2"), "states its instance itself"),
        ((*here, "--visits", "atomic"), "states its instance itself"),
        ((*here, "--weights", weights), "weight of page 2: -1 is not positive"),
        ((*here, "--weights", tmp_path / "absent.json"), "No such file"),
        ((*here, "--route", "magic"), "unknown route 'magic'"),
        ((*here, "--route", "flow", "--time-limit", "1"), "cannot be stopped"),
        ((*here, "--time-limit", "-1"), "not in the range x>0"),
        ((*here, "--shares", "two"), "one whole number per layer"),
        ((*here, "--shares", "3"), "add up to 3"),
        ((*here, "--certificate", tmp_path / "c.txt"), "ends in .json"),
        ((*here, "--certificate", tmp_path / "absent" / "c.json"), "there is no folder"),
        (("--sequence", illegal), "request 1: page 0 is in layer 0, but layer 1 is served"),
        (("--sequence", tmp_path / "absent.json"), "cannot be read"),
    ]
    for arguments, message in cases:
        code, out, err = call("opt", *arguments)
        assert (code, out) == (2, ""), (arguments, out)
        assert err.count("\n") == 1
        assert message in err

"""The checker against lies: folders of certificates, and mutations of every valid one."""

import copy
import gzip
import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from paging import LayeredPagingError
from paging.markdown import block
from proofs import checker
from proofs.certificates.reading import read_certificate, read_sequence
from proofs.checker import INCOMPLETE, REFUTED, VERIFIED, verify, verify_file
from tests.helpers.certificates import FOLDER, files, mutants
from tests.helpers.offline import brute_force
from tests.helpers.trusted import trusted_table

DOCS = Path(__file__).parents[2] / "docs" / "certificates.md"


OFFLINE = files("valid", "schedule", "dual", "optimum")


def true_claim(document, path):
    """Whether the claim is true, by brute force: nothing of the evidence is looked at."""
    path.write_text(json.dumps({**document, "provenance": None}))
    sequence = read_sequence(path)
    claim = document["claim"]
    weights = claim.get("weights")
    costs = None if weights is None else [Fraction(w) for w in weights]
    best = brute_force(sequence, costs, claim["instance"].get("shares"))
    return Fraction(claim.get("lower", 0)) <= best <= Fraction(claim.get("upper", 10**9))


@pytest.mark.parametrize("path", OFFLINE)
def test_valid(path, tmp_path):
    verdict = verify_file(str(path))
    assert (verdict.status, verdict.exit_code) == (VERIFIED, 0)
    assert verdict.reason.startswith(("OPT", "3 ≤ OPT"))
    assert "cold start" in verdict.assumptions
    assert true_claim(read_certificate(path), tmp_path / "claim.json")


@pytest.mark.parametrize("path", OFFLINE)
def test_no_mutant_proves_a_false_claim(path, tmp_path):
    document = read_certificate(path)
    count = 0
    for place, mutant in mutants(document):
        count += 1
        verdict = verify(mutant)
        assert verdict.status in (VERIFIED, REFUTED, INCOMPLETE)
        if verdict.status != VERIFIED:
            assert verdict.reason
            continue
        # Only another true claim, or other evidence for the same claim, may pass.
        assert place[0] in ("claim", "evidence"), (place, mutant)
        assert place[-1] not in ("upper", "lower"), (place, mutant)
        assert true_claim(mutant, tmp_path / "claim.json"), (place, mutant)
    assert count > 200


def test_mutants_of_a_real_run_are_all_refused():
    from lp import optimum
    from lp.certificate import optimum_certificate
    from tests.helpers.offline import zipf_sequence

    found = optimum(zipf_sequence(150, 3, 4, 5))
    document = json.loads(json.dumps(optimum_certificate(found)))
    assert verify(document).status == VERIFIED
    schedule, dual = document["evidence"]["schedule"], document["evidence"]["dual"]
    for t, entry in enumerate(schedule):
        for new in {-3, -2, -1, entry + 1} - {entry}:
            mutant = copy.deepcopy(document)
            mutant["evidence"]["schedule"][t] = new
            if verify(mutant).status == VERIFIED:
                # Another victim of the same cost: it must be one that is really there.
                assert new >= 0
                assert entry >= 0
    for i, _ in enumerate(dual["steps"]):
        mutant = copy.deepcopy(document)
        del mutant["evidence"]["dual"]["steps"][i], mutant["evidence"]["dual"]["values"][i]
        assert verify(mutant).status == REFUTED
        mutant = copy.deepcopy(document)
        mutant["evidence"]["dual"]["values"][i] += 1
        assert verify(mutant).status == REFUTED


@pytest.mark.slow
@pytest.mark.parametrize("name", ["packed.json", "gzipped.json.gz"])
def test_no_changed_byte_is_swallowed(name, tmp_path):
    """Flip one bit, or cut off the end: the file is refused, or still says the same."""
    content = (FOLDER / "optimum" / "valid" / name).read_bytes()
    before = read_certificate(FOLDER / "optimum" / "valid" / name)
    path = tmp_path / name
    for i in range(len(content)):
        for damaged in (content[:i], content[:i] + bytes([content[i] ^ 1 << i % 8]) + content[i + 1 :]):
            path.write_bytes(damaged)
            verdict = verify_file(str(path))
            if verdict.status == VERIFIED:
                after = read_certificate(path)
                before.pop("provenance", None)
                after.pop("provenance", None)
                assert after == before or true_claim(unpacked(after), tmp_path / "claim.json")


def unpacked(document):
    """The same certificate with plain lists."""
    claim = document["claim"]
    return {**document, "claim": {**claim, "requests": list(checker.integers(claim["requests"], ""))}}


@pytest.mark.slow
def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b" " * 10**8))
    assert "the file's text: more memory than this checker's limit" in verify_file(str(path)).reason
    assert "cannot be read" in verify_file(str(path), limit=10).reason


def test_provenance_is_never_read():
    document = read_certificate(FOLDER / "optimum" / "valid" / "three-pages.json")

    class Untouchable(dict):
        def __getattribute__(self, name):
            raise AssertionError(f"the checker looked at the provenance: {name}")

    document["provenance"] = Untouchable()
    assert verify(document).status == VERIFIED


def test_absent_file_and_folder(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path):
        verdict = verify_file(str(path))
        assert verdict.status == INCOMPLETE
        assert "cannot be read" in verdict.reason


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("optimum/valid/three-pages.json", 0, "VERIFIED: OPT = 4"),
        ("optimum/invalid/upper-too-small.json", 1, "REFUTED: the claim says upper = 3"),
        ("any/malformed/unknown-type.json", 2, "INCOMPLETE: type must be one of"),
    ],
)
def test_the_checker_runs_by_itself(name, code, word):
    command = [sys.executable, "-I", "-S", str(Path(checker.__file__).parent), str(FOLDER / name)]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert run.returncode == code
    assert run.stdout.startswith(word)
    assert run.stderr == ""


def test_the_checker_says_how_it_is_called(capsys):
    assert checker.main([]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.slow
def test_what_must_be_trusted_is_what_the_documentation_says():
    """When it is out of date: make tables."""
    assert block(DOCS.read_text(encoding="utf-8"), "trusted") == trusted_table()


def test_the_envelope_lists_every_type():
    row = re.search(r"^\| `type` \| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r'"([a-z-]+)"', row[1]) == list(checker.CHECKS)


def test_examples_in_the_documentation():
    blocks = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    packed, *certificates = map(json.loads, blocks)
    assert list(checker.integers(packed, "")) == [0, 1, 2]
    assert [verify(document).status for document in certificates] == [VERIFIED] * 5


def test_errors_of_reading_are_ours(tmp_path):
    for path in sorted(FOLDER.glob("*/malformed/*")):
        try:
            read_sequence(path)
        except LayeredPagingError:
            continue

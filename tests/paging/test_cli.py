"""The command line: what it prints, its one-line errors and exit codes, and that its help stays true."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import paging.cli.main
from paging import Comparison, LayeredInstance, registered_policies
from paging.cli.commands.compare import compare
from paging.cli.commands.policies import policies as policies_command
from paging.cli.commands.run import run
from paging.cli.commands.trace import trace
from paging.cli.commands.workloads import workloads as workloads_command
from paging.cli.docs import commands_table, exits_table
from paging.cli.exits import MEANINGS, Exit
from paging.cli.main import GROUP, root
from paging.cli.main import run as paging_run
from paging.cli.options import Real, RealIn, Whole, WholeIn
from paging.cli.terminal import write_table
from paging.files import atomic_write
from paging.markdown import block
from paging.numbers import cell, exact_text, jsonable, number, read_exact
from proofs.checker import CONDITIONAL, EXIT_CODES, INCOMPLETE, REFUTED, VERIFIED
from tests.helpers.policies import PLAIN, TOLD

PROGRAM = Path(sys.executable).with_name("paging")
HERE = Path(__file__).resolve().parents[1]
TRACE = HERE.parents[1] / "shared" / "traces" / "mixtral-8x7b-instruct-fp8.npz"
MANUAL = HERE.parent / "docs" / "cli.md"
ZIPF = ("--workload", "zipf:requests=600", "-l", "3", "-n", "4")
SMALL = ("--workload", "zipf:requests=200", "-l", "2", "-n", "3")
OURS = {
    "run": run,
    "compare": compare,
    "trace": trace,
    "policies": policies_command,
    "workloads": workloads_command,
}

Capture = pytest.CaptureFixture[str]


def installed(*args: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), *args], capture_output=True, text=True, encoding="utf-8", check=False, **settings
    )


@pytest.mark.slow
def test_a_command_that_compiles_for_long_says_so_once(tmp_path: Path) -> None:
    words = ["exact", "lru", "-l", "1", "-n", "3", "-k", "2"]
    fresh = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (installed(*words, env=fresh) for _ in range(2))
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout
    assert first.stderr.count("note: compiling functions for the first use here") == 1
    assert "compiling" not in second.stderr


def call(capsys: Capture, *args: str) -> tuple[int, str, str]:
    """Run a command line in this process; return exit code, standard output and standard error."""
    code = paging_run(args)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def answer(capsys: Capture, *args: str) -> Any:
    code, out, err = call(capsys, *args, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def one_line(err: str) -> str:
    assert err.startswith("paging: error: ")
    assert err.count("\n") == 1
    return err


# The installed command


def test_help_lists_every_command_with_a_line() -> None:
    done = installed("--help")
    assert done.returncode == 0
    for point in entry_points(group=GROUP):
        assert re.search(rf"^  {point.name} +\S", done.stdout, re.MULTILINE), point.name
    assert installed().stdout == done.stdout


def test_help_imports_nothing_heavy() -> None:
    heavy = {"numba", "scipy", "matplotlib", "sympy", "networkx", "pulp", "jinja2", "rich", "proofs", "lp"}
    script = (
        "import sys; from paging.cli.main import run; code = run(['--help']);"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "[]")


@pytest.mark.slow
def test_a_run_imports_no_solver_and_no_plots() -> None:
    # numba itself looks for scipy.linalg; the rest of scipy stays out.
    heavy = {"scipy.special", "scipy.optimize", "matplotlib", "sympy", "networkx", "pulp", "jinja2", "rich"}
    args = ["run", "lru", *ZIPF, "-k", "6", "--json"]
    script = (
        f"import sys; from paging.cli.main import run; code = run({args!r});"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "[]")


@pytest.mark.slow
def test_run_through_the_installed_command() -> None:
    done = installed("run", "lru", "mark", *ZIPF, "-k", "6", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert [row["policy"] for row in result["rows"]] == ["lru", "mark", "opt", "compulsory"]
    assert installed("run", "lru", "mark", *ZIPF, "-k", "6", "--json").stdout == done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["runn"], "did you mean run?"),
        (["run", "lruu", *ZIPF, "-k", "6"], "did you mean lru"),
        (["run", "lru", *ZIPF, "-k", "0"], "cache (k) must be an integer in 1"),
        (["run", "lru", "--trace", "missing.npz", "-k", "6"], "missing.npz"),
        (
            ["compare", "-k", "6"],
            "one of --trace, --requests, --workload, --sequence, --construction, but none is given",
        ),
    ],
)
def test_errors_of_the_installed_command(args: list[str], says: str, tmp_path: Path) -> None:
    done = installed(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in one_line(done.stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, "policies", "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert "No space left" in one_line(done.stderr)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that closes what it hands over")
@pytest.mark.parametrize(
    ("file", "code"), [("valid/bypassing.json", 0), ("invalid/forced-claimed-for-bypassing.json", 1)]
)
@pytest.mark.parametrize("program", [f"{PROGRAM} verify", f"{sys.executable} proofs/checker"])
def test_a_closed_output_leaves_the_exit_code(program: str, file: str, code: int) -> None:
    command = f"{program} tests/certificates/dual/{file} >&-"
    done = subprocess.run(["sh", "-c", command], cwd=HERE.parent, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, "")


def test_a_reader_that_goes_away_is_no_error() -> None:
    child = subprocess.Popen([PROGRAM, "policies", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    assert (child.stderr.read(), child.wait()) == (b"", 141)


def test_an_interrupt_is_one_line(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        sys.modules[Comparison.__module__], "compare", interrupted
    )  # the module, not the function
    assert call(capsys, "run", "lru", *ZIPF, "-k", "6") == (130, "", "paging: interrupted\n")


# run


def test_run_rows_follow_the_contract(capsys: Capture) -> None:
    policies = ("lru", "partitioned:policy=fifo", "random")
    result = answer(capsys, "run", *policies, *ZIPF, "-k", "6", "--runs", "5")
    assert list(result) == ["model", "instance", "rows", "skipped", "provenance"]
    assert result["model"]["service"] == "forced"
    assert result["instance"] == LayeredInstance(3, 4, 6).plain
    assert result["provenance"]["workload"] == "zipf:requests=600"
    lru, split, random, opt, compulsory = result["rows"]
    assert (lru["policy"], lru["k"], lru["requests"]) == ("lru", 6, 600)
    assert isinstance(lru["faults"], int)
    assert lru["vs_opt"] == lru["faults"] / opt["faults"]
    assert (split["policy"], split["sharing"]) == ("partitioned:policy=fifo", "per-layer")
    assert (random["measure"], random["runs"]) == ("sampled", 5)
    assert (compulsory["policy"], compulsory["faults"]) == ("compulsory", 12)


def test_opt_can_be_named_and_left_out(capsys: Capture) -> None:
    def names(*args: str) -> list[str]:
        return [row["policy"] for row in answer(capsys, "run", *args, *ZIPF, "-k", "6")["rows"]]

    assert names("opt") == ["opt", "compulsory"]
    assert names("lru", "--no-opt") == ["lru", "compulsory"]


def test_run_on_page_ids_in_a_text_file(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "pages.txt"
    file.write_text("0 3 1 4 2 5 0 3\n")
    rows = answer(capsys, "run", "lru", "--trace", str(file), "-l", "2", "-n", "3", "-k", "4")["rows"]
    assert [(row["policy"], row["faults"]) for row in rows] == [("lru", 8), ("opt", 6), ("compulsory", 6)]


def test_the_table_names_the_variant_and_keeps_every_column(capsys: Capture) -> None:
    code, out, err = call(capsys, "run", "lru", "mark", *ZIPF, "-k", "6")
    assert (code, err) == (0, "")
    title, _, header, lru, *_ = out.splitlines()
    assert "600 requests" in title
    assert "forced · sequential · cold" in title
    assert re.split(r" {2,}", header) == [
        "policy",
        "faults",
        "±",
        "fault rate",
        "ratio to opt",
        "saving over lru",
    ]
    assert lru.split()[0] == "lru"
    assert "observed" in out
    assert "mean of 10 sampled runs" in out


def test_atomic_visits_have_an_optimum_but_after_a_warm_up_it_is_left_out(capsys: Capture) -> None:
    args = ("run", "lru", *ZIPF, "-g", "2", "--visits", "atomic", "-k", "6")
    assert [row["policy"] for row in answer(capsys, *args)["rows"]] == ["lru", "opt", "compulsory"]
    args = (*args, "--warm-up", "5")
    result = answer(capsys, *args)
    assert [row["policy"] for row in result["rows"]] == ["lru", "compulsory"]
    assert result["skipped"][0]["policy"] == "opt"
    assert "left out: opt for k = 6: " in call(capsys, *args)[1]


# compare


@pytest.mark.slow
def test_compare_has_a_row_for_every_policy_and_size(capsys: Capture) -> None:
    result = answer(capsys, "compare", *ZIPF, "-k", "2,4:8:2")
    found = {(row["policy"], row["k"]) for row in result["rows"]}
    names = {*PLAIN, "opt", "compulsory"}
    assert found == {(p, k) for p in names for k in (2, 4, 6, 8)} - {("partitioned", 2)}
    need_more = {(p, k) for p in {*registered_policies()} - {*PLAIN, *TOLD} for k in (2, 4, 6, 8)}
    assert {(skip["policy"], skip["k"]) for skip in result["skipped"]} == {("partitioned", 2), *need_more}


def test_compare_table_is_sorted_or_as_asked(capsys: Capture) -> None:
    def first_column(*args: str) -> list[str]:
        _, out, _ = call(capsys, "compare", *SMALL, "-k", "3,4", *args)
        return [line.split()[0] for line in out.split("\n\n")[1].splitlines()]

    assert first_column()[:3] == ["policy", "compulsory", "opt"]
    assert first_column("-p", "mru", "-p", "lru") == ["policy", "mru", "lru", "opt", "compulsory"]


@pytest.mark.parametrize("show", ["faults", "rate", "ratio", "saving"])
def test_compare_shows_what_is_asked(capsys: Capture, show: str) -> None:
    code, out, _ = call(capsys, "compare", *ZIPF, "-k", "6", "-p", "lru", "--show", show)
    result = answer(capsys, "run", "lru", *ZIPF, "-k", "6")["rows"][0]
    shown = {
        "faults": f"{result['faults']:,}",
        "rate": f"{result['fault_rate']:.4f}",
        "ratio": f"{result['vs_opt']:.4f}",
        "saving": "0.00 %",
    }
    assert code == 0
    assert re.search(rf"^lru +{re.escape(shown[show])}$", out, re.MULTILINE)


@pytest.mark.slow
def test_compare_on_a_real_trace(capsys: Capture) -> None:
    if not TRACE.exists():
        pytest.skip(f"{TRACE.name} is not beside this checkout")
    result = answer(capsys, "compare", "--trace", str(TRACE), "-k", "64,96,128,160")
    faults = {(row["policy"], row["k"]): row["faults"] for row in result["rows"]}
    everywhere = set(PLAIN) - {"game-optimal"}
    assert {policy for policy, _ in faults} == {*everywhere, "opt", "compulsory"}
    assert result["provenance"]["digest"]
    for k in (64, 96, 128, 160):
        assert faults["opt", k] == min(faults[p, k] for p in {*everywhere, "opt"})
        assert faults["mark-lru", k] == faults["lru", k]
    for k in (96, 128, 160):
        assert 0.84 < faults["llru", k] / faults["lru", k] < 0.96
        assert 0.83 < faults["llru-lazy", k] / faults["lru", k] < 0.93


# trace, policies, workloads


def test_trace_convert_and_info(capsys: Capture, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[[0, 1], [2, 0]], [[1, 2], [0, 1]]], dtype=np.int16))
    code, out, err = call(capsys, "trace", "convert", str(tmp_path / "a.npy"), str(tmp_path / "b.jsonl.gz"))
    assert (code, out) == (0, "")
    assert err.startswith("paging: note: ")
    first = answer(capsys, "trace", "info", str(tmp_path / "a.npy"))
    second = answer(capsys, "trace", "info", str(tmp_path / "b.jsonl.gz"))
    assert first["digest"] == second["digest"]
    assert (first["tokens"], first["layers"], first["pages"], first["top_k"]) == (2, 2, 3, 2)
    code, out, _ = call(capsys, "trace", "info", str(tmp_path / "a.npy"))
    assert code == 0
    assert first["digest"] in out


def test_a_failed_conversion_leaves_nothing(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY broken")
    code, _, err = call(capsys, "trace", "convert", str(tmp_path / "a.npy"), str(tmp_path / "b.npz"))
    assert code == 2
    assert "a.npy" in one_line(err)
    assert [file.name for file in tmp_path.iterdir()] == ["a.npy"]


def test_policies_are_listed_and_explained(capsys: Capture) -> None:
    with click.Context(policies_command):
        policies_command.main(["--json"], standalone_mode=False)
        listed = json.loads(capsys.readouterr().out)["policies"]
        policies_command.main(["llru"], standalone_mode=False)
        explained = capsys.readouterr().out
    assert [policy["id"] for policy in listed] == list(registered_policies())
    lru = next(policy for policy in listed if policy["id"] == "lru")
    assert lru["guarantee"].startswith("k-competitive")
    assert "conservative" in lru["traits"]
    assert "oldest in rounds first" in explained


def test_workloads_are_listed(capsys: Capture) -> None:
    workloads_command.main(["--json"], standalone_mode=False)
    names = {workload["id"] for workload in json.loads(capsys.readouterr().out)["workloads"]}
    assert {"uniform", "zipf"} <= names


# Errors


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["run", "-k", "6", *ZIPF], "Missing argument 'POLICY...'"),
        (["run", "lru", *ZIPF], "--cache (-k)"),
        (["run", "lru", *ZIPF, "-k", "six"], "'six'"),
        (["compare", *ZIPF, "-k", "3,,4"], "part 2 of the list '3,,4' is empty"),
        (["run", "lru", *ZIPF, "-k", "6", "--tarce", "x"], "--trace"),
        (["run", "lru", *ZIPF, "--trace", "x.npz", "-k", "6"], "but --trace and --workload are given"),
        (["run", "lru", "--workload", "zipf", "-k", "6"], "--layers (-l) and --pages (-n)"),
        (["run", "lru", "--workload", "zipff", "-l", "2", "-n", "3", "-k", "6"], "zipf"),
        (["run", "lru", "--workload", "zipf:alpha", "-l", "2", "-n", "3", "-k", "6"], "key=value"),
        (["run", "lru", "--workload", "zipf", "-l", "2", "-n", "3,x", "-k", "6"], "3,x"),
        (["run", "lru", "--workload", "zipf", "-l", "2", "-n", "3,4,5", "-k", "6"], "3 layers"),
        (["run", "lru:x=1", *ZIPF, "-k", "6"], "no parameter"),
        (["run", "no.such:Policy", *ZIPF, "-k", "6"], "cannot be imported"),
        (["run", "zrc", *ZIPF, "-g", "2", "--visits", "atomic", "-k", "6"], "atomic"),
        (["run", "partitioned", *ZIPF, "-g", "2", "--visits", "atomic", "-k", "5"], "k ≥ 6 in equal parts"),
        (["run", "partitioned", *ZIPF, "-k", "2"], "k ≥ 3"),
        (["run", "lru", *ZIPF, "-g", "5", "-k", "6"], "per_visit"),
        (["run", "mark", *ZIPF, "-k", "6", "--runs", "1"], "--runs"),
        (["run", "lru", *ZIPF, "-k", "6", "--seed", "-1"], "--seed"),
        (["compare", *ZIPF, "-k", "8:4"], "the range '8:4' is empty: 4 is less than 8"),
        (["compare", *ZIPF, "-k", "1:7:0"], "'1:7:0' has the step 0, which must be at least 1"),
        (["run", "lru", *ZIPF, "-k", "4", "--rounds", "7"], "--rounds is about a --construction"),
        (["opt", *ZIPF, "-k", "4", "--time-limit", "nan"], "--time-limit"),
        (["opt", *ZIPF, "-k", "4", "--time-limit", "0"], "--time-limit"),
        (["show", "lru", "--construction", "cyclic", "-o", "none/a.html"], "there is no folder none"),
        (["adversary", "cyclic", "-o", "none/a.txt"], "there is no folder none"),
        (
            ["adversary", "search", "lru", "-l", "1", "-n", "3", "-k", "2", "--checkpoint", "none/a"],
            "there is no folder none",
        ),
        (["run", ".x:Y", *ZIPF, "-k", "4"], "'.x:Y' cannot be imported"),
        (["compare", *ZIPF, "-k", "1:99999999"], "more than 10,000"),
        (["compare", *ZIPF, "-k", "4,0"], "cache (k)"),
        (["compare", *ZIPF, "-k", "2", "-p", "partitioned"], "k ≥ 3"),
        (["compare", *ZIPF, "-k", "2", "--show", "all"], "--show"),
        (["run", "lru", *ZIPF, "-k", "6", "--show", "--as", "csv"], "what --show draws is no table"),
        (["policies", "lru", "--as", "latex"], "no table to be written as latex"),
        (["run", "lru", *ZIPF, "-k", "1_0"], "'1_0' is no number in the digits 0 … 9"),
        (["compare", *ZIPF, "-k", "٢"], "'٢' is neither a whole number nor"),
        (["run", "lru", "--workload", "zipf", "-l", "2", "-n", "1_0", "-k", "4"], "'1_0' is neither"),
        (["run", "lru", "--workload", "zipf:requests=١", "-l", "2", "-n", "3", "-k", "4"], "got '١'"),
        (
            ["run", "lru", "--workload", "zipf:requests=9,alpha=0_1.5", "-l", "2", "-n", "3", "-k", "4"],
            "got '0_1.5'",
        ),
        (["trace", "info", "x.npz", "--drop-layers", "1_0"], "'1_0' is no list of whole numbers"),
        (["trace", "inof", "x"], "inof"),
        (["trace", "info", "x.xyz"], ".xyz"),
        (["trace", "convert", "x.npz"], "TO"),
    ],
)
def test_bad_input_is_one_line(capsys: Capture, args: list[str], says: str) -> None:
    code, out, err = call(capsys, *args)
    assert (code, out) == (2, "")
    assert says in one_line(err)


def test_a_table_as_csv_and_latex(capsys: Capture) -> None:
    code, text, notes = call(capsys, "exact", "lru", "-l", "2", "-n", "3", "-k", "3", "--as", "csv")
    assert (code, list(csv.reader(text.splitlines()))) == (
        0,
        [
            ["policy", "ratio", "OPT's cache", "states", "edges", "this is"],
            ["lru", "3", "3", "24", "58", "exact"],
        ],
    )
    assert "paging: note: Every sequence: faults ≤ 3·OPT + 0" in notes
    instance = ("-l", "2", "-n", "4", "-k", "7")
    _, text, notes = call(
        capsys, "bounds", "L2", "L4-spread", "not-competitive-layered", *instance, "--as", "latex"
    )
    assert notes == ""
    rows = [line.rstrip(" \\").split(" & ") for line in text.splitlines() if line.endswith(r"\\")]
    assert [row[3:5] for row in rows] == [
        ["value", "here"],
        [r"$k - \ell + 1$", "6"],
        [r"$H_{\operatorname{min}\left(n - 1, k - \ell + 1\right)}$", "$11/6$"],
        [r"$\infty$", r"$\infty$"],
    ]
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 1
    assert not set("ℓ≥≤−·…–&") & set(re.sub(r"^%.*| & ", "", text, flags=re.MULTILINE))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("columns", ["60", "100"])
def test_a_narrow_terminal_breaks_no_word(columns: str) -> None:
    main, terminal = os.openpty()
    environment = {**os.environ, "COLUMNS": columns, "NO_COLOR": "1", "TERM": "xterm"}
    command = [str(PROGRAM), "bounds", "-l", "1", "-n", "3", "-k", "1"]
    with subprocess.Popen(command, stdout=terminal, env=environment) as child:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the end of what Linux gives of a terminal that is closed
            while part := os.read(main, 1 << 16):
                shown += part
    os.close(main)
    assert child.returncode == 0
    lines = re.sub("\x1b\\[[0-9;]*m", "", shown.decode()).splitlines()
    table = [line for line in lines if line.startswith(" ")]
    assert max(map(len, table)) <= int(columns)
    words = " ".join(table).split()
    assert {"deterministic", "sequential,", "visits-lower-one-layer"} <= set(words)


def test_several_tables_are_parted_by_a_line(capsys: Capture) -> None:
    line = ["diagnose", "sample:tiny-mixtral", "-k", "20,30"]
    code, text, notes = call(capsys, *line, "--as", "csv")
    tables = [list(csv.reader(part.splitlines())) for part in text.split("\n\n")]
    assert code == 0
    assert [table[0][0] for table in tables] == ["", "k", "layer", ""]
    assert all(len({len(row) for row in table}) == 1 for table in tables)
    assert "paging: note: layers and time are shown for k = 20" in notes
    _, text, notes = call(capsys, *line, "--as", "latex")
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 4
    assert call(capsys, *line)[1].count("\n\n\n") == 0


def test_standard_output_holds_one_form(capsys: Capture) -> None:
    for line in (["--as", "csv", "--json"], ["--json", "--as", "latex"]):
        code, out, error = call(capsys, "workloads", *line)
        assert (code, out) == (2, "")
        assert "--json and --as" in error


def test_a_json_error_stays_text_on_standard_error(capsys: Capture) -> None:
    code, out, err = call(capsys, "run", "lruu", *ZIPF, "-k", "6", "--json")
    assert (code, out) == (2, "")
    one_line(err)


def test_a_command_that_cannot_be_loaded_is_named(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("broken", "no_such_package.commands:broken", GROUP)
    monkeypatch.setattr(paging.cli.main, "_points", lambda: {"broken": point})
    code, _, err = call(capsys, "broken")
    assert code == 2
    assert "no_such_package.commands:broken" in one_line(err)
    assert call(capsys, "--help")[0] == 0


# Help


def commands() -> Iterator[tuple[str, click.Command]]:
    for name, command in OURS.items():
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", child) for inner, child in command.commands.items())


def test_the_list_shows_the_first_sentence_of_the_help() -> None:
    for point in entry_points(group=GROUP):
        try:
            command = point.load()
        except ImportError:
            continue
        assert paging.cli.main._summary(point) == (command.help or "").partition("\n")[0].rstrip("."), (
            point.name
        )


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_shows_examples_that_parse(name: str, command: click.Command) -> None:
    lines = re.findall(r"^ *paging (.+)$", command.help or "", re.MULTILINE)
    assert lines, f"paging {name} shows no example"
    for line in lines:
        words = shlex.split(line)
        parsed: click.Command = root
        if words[0] in OURS:
            parsed = OURS[words.pop(0)]
        while isinstance(parsed, click.Group):
            parsed = parsed.commands[words.pop(0)] if parsed is not root else parsed
        parsed.make_context(name, words)


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_numbers_of_options_have_digits_that_everyone_can_read(name: str, command: click.Command) -> None:
    ours = (Whole, WholeIn, Real, RealIn)
    numbers = click.types.IntParamType | click.types.FloatParamType
    for parameter in command.params:
        assert isinstance(parameter.type, ours) or not isinstance(parameter.type, numbers), parameter.name


# When it is out of date: make tables
def test_the_manual_lists_every_command_and_exit_code() -> None:
    manual = MANUAL.read_text(encoding="utf-8")
    assert (block(manual, "commands"), block(manual, "exits")) == (commands_table(), exits_table())
    assert set(re.findall(r"^\| `paging ([\w-]+)` \|", manual, re.MULTILINE)) >= {"exact", "atlas", *OURS}
    assert all(f"| {code:d} | {MEANINGS[code]} |" in manual for code in Exit)


def test_the_checker_ends_as_the_commands_do() -> None:
    assert EXIT_CODES == {
        VERIFIED: Exit.DONE,
        REFUTED: Exit.REFUTED,
        INCOMPLETE: Exit.FAILED,
        CONDITIONAL: Exit.CONDITIONAL,
    }


def test_the_manual_names_every_command_and_option() -> None:
    manual = MANUAL.read_text(encoding="utf-8")
    for name, command in commands():
        assert f"paging {name}" in manual
        for parameter in command.params:
            for spelling in [*parameter.opts, *parameter.secondary_opts]:
                if spelling.startswith("--"):
                    assert f"`{spelling}" in manual or f" {spelling}" in manual, f"paging {name}: {spelling}"


# Output


def test_jsonable_keeps_numbers_plain() -> None:
    plain = jsonable({"a": np.int64(3), "c": np.arange(2), 4: {2, 1}, "e": Path("x"), "f": np.True_})
    assert plain == {"a": 3, "c": [0, 1], "4": [1, 2], "e": "x", "f": True}
    assert type(plain["a"]) is int
    assert type(plain["f"]) is bool


def test_numbers_that_are_none_or_without_end_are_written_all_the_same() -> None:
    odd = [float("nan"), float("-inf"), float("inf")]
    assert jsonable(odd) == [None, "-unbounded", "unbounded"]
    assert [cell(number) for number in odd] == ["–", "-unbounded", "unbounded"]
    assert read_exact(exact_text(float("-inf"))) == float("-inf")
    assert number(float("-inf")) == "-unbounded"


def test_a_construction_may_be_asked_for_one_page_a_visit(capsys: Capture) -> None:
    plain = answer(capsys, "run", "lru", "--construction", "cyclic", "--rounds", "9")
    assert answer(capsys, "run", "lru", "--construction", "cyclic", "--rounds", "9", "-g", "1") == plain


def test_tables_line_up(capsys: Capture) -> None:
    write_table("title", ["policy", "faults"], [["lru", 1234], ["a-long-name", None]], notes=["note"])
    assert capsys.readouterr().out == (
        "title\n\npolicy       faults\nlru           1,234\na-long-name       –\n\nnote\n"
    )


def test_atomic_write_leaves_the_old_file_on_failure(tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    target.write_text("old")
    with pytest.raises(TypeError), atomic_write(target) as stream:
        stream.writelines(["half", None])
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"]
    assert target.read_text() == "old"
    with atomic_write(target, "wb") as stream:
        stream.write(os.fsencode("new"))
    assert target.read_text() == "new"


@pytest.mark.slow
def test_a_policy_of_ones_own_is_found_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "mymodule.py").write_text(
        "from paging import Policy\n"
        "class MyPolicy(Policy):\n"
        "    id, title, traits = 'my', 'keeps one page', frozenset({'deterministic'})\n"
        "    @staticmethod\n"
        "    def serve(labels, page, slot, frame):\n"
        "        labels[:] = 0\n"
        "        labels[page] = 1\n"
    )
    command = [
        Path(sys.executable).with_name("paging"),
        "run",
        "mymodule:MyPolicy",
        *ZIPF,
        "-k",
        "3",
        "--json",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["rows"][0]["policy"] == "my"


@pytest.mark.parametrize(
    ("failing", "said"),
    [("raise KeyError('boom')", "KeyError: 'boom'"), ("raise SystemExit(0)", "SystemExit: 0")],
)
def test_a_policy_that_fails_is_one_line(
    failing: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = f"fails{len(failing)}"
    (tmp_path / f"{name}.py").write_text(
        "from paging import Policy\n\n\nclass Mine(Policy):\n    id = 'mine'\n"
        "    traits = frozenset({'deterministic', 'online'})\n\n    @staticmethod\n"
        f"    def serve(labels, page, slot, frame):\n        {failing}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert paging_run(["run", f"{name}:Mine", "--requests", "1 2 1", "-k", "1"]) == 2
    assert capsys.readouterr().err == f"paging: error: a policy of {name} failed in Mine.serve: {said}\n"

"""The registry: names, parameters, own classes, and policies of outside packages."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import paging.outside
import paging.policy
from paging import (
    LayeredInstance,
    LayeredPagingError,
    ModelError,
    Policy,
    UnknownNameError,
    UnsupportedModelError,
    get_policy,
    registered_policies,
)
from paging.outside import Registry
from paging.policies.layered import Partitioned
from paging.policies.recency import LRU
from paging.workloads import WORKLOADS, Workload

MAIN = "from paging.cli.main import main; main()"
TOY = Path(__file__).parents[1] / "toy_package"


class Mine(LRU):
    id = "mine"


def test_a_policy_is_found_by_name_class_object_and_path() -> None:
    assert type(get_policy("lru")) is LRU
    assert type(get_policy(" LRU ")) is LRU
    assert type(get_policy(LRU)) is LRU
    chosen = LRU()
    assert get_policy(chosen) is chosen
    assert type(get_policy("paging.policies.recency:LRU")) is LRU


def test_parameters_reach_the_policy_and_its_name() -> None:
    policy = get_policy("partitioned:policy=fifo,shares=3/2")
    assert isinstance(policy, Partitioned)
    assert (policy.policy.name, policy.shares) == ("fifo", (3, 2))
    assert policy.name == "partitioned:policy=fifo,shares=3/2"
    assert get_policy(policy.name).name == policy.name
    assert get_policy("partitioned").name == "partitioned"


class Newest(LRU):
    """A policy that no registry knows, though its id is that of one that is known."""


@pytest.mark.parametrize(
    "spec",
    [
        *registered_policies(),
        "partitioned:policy=fifo,shares=2/1",
        "partitioned:shares=1/2/3",
        "game-optimal:max_pages=5",
        "tests.paging.test_policy:Newest",
        "partitioned:policy=tests.paging.test_policy:Newest",
    ],
)
def test_a_policy_knows_the_text_that_makes_it(spec: str) -> None:
    policy = get_policy(spec)
    assert policy.spec == spec
    again = get_policy(policy.spec)
    assert (type(again), again.name, again.spec) == (type(policy), policy.name, spec)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("lur", UnknownNameError, "unknown policy 'lur': did you mean lru"),
        ("", UnknownNameError, "unknown policy ''"),
        ("lru:k=3", ModelError, "policy lru has no parameter 'k': it has none"),
        ("partitioned:share=3", ModelError, "no parameter 'share': its parameters are policy, shares"),
        ("partitioned:shares", ModelError, "expected key=value after the colon, got 'shares'"),
        ("partitioned:shares=a/b", ModelError, "share of layer 0 must be an integer ≥ 1, got 'a/b'"),
        ("partitioned:policy=partitioned", ModelError, "a split of a split is not supported"),
        ("partitioned:policy=lur", UnknownNameError, "did you mean lru"),
        ("slru:Second", ModelError, "a class of one's own in slru.py needs another name of the file"),
        (".x:Y", ModelError, "'.x:Y' cannot be imported"),
        (":X", ModelError, "':X' cannot be imported"),
        ("partitioned:policy=:", ModelError, "':' cannot be imported"),
        ("paging.policy:Policy", ModelError, "Policy is no policy: it defines neither serve nor outcomes"),
        ("no.such.module:Policy", ModelError, "'no.such.module:Policy' cannot be imported: No module named"),
        ("paging.policy:Nothing", ModelError, "has no attribute 'Nothing'"),
        ("paging.policy:Path", ModelError, "has no attribute 'Path'"),
        ("pathlib:Path", ModelError, "'pathlib:Path' is not a subclass of paging.Policy"),
        (3, ModelError, "a policy is a name, a Policy class or a Policy object, got 3"),
        (int, ModelError, "a policy is a name, a Policy class or a Policy object"),
    ],
)
def test_what_is_no_policy_is_refused(given: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        get_policy(given)  # type: ignore[arg-type]


def test_a_policy_without_serve_says_what_to_define() -> None:
    with pytest.raises(TypeError, match="a policy defines serve"):
        Policy().serve(None, 0, 0, None)  # type: ignore[arg-type]


def test_own_subclasses_are_not_registered_by_being_defined() -> None:
    assert "mine" not in registered_policies()
    assert get_policy(Mine).name == "mine"


@pytest.mark.parametrize("policy", registered_policies())
def test_atomic_visits_are_for_policies_with_the_trait(policy: str) -> None:
    answer = get_policy(policy)
    atomic = LayeredInstance(2, 3, 4, per_visit=2, visits="atomic")
    if "atomic" in answer.traits:
        answer.check(atomic)
    else:
        with pytest.raises(UnsupportedModelError, match=f"policy {policy} does not keep the pages"):
            answer.check(atomic)


# Outside packages


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "paging.policies")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            point("gone", "no_such_module:Policy"),
            "entry point gone = no_such_module:Policy .* cannot be loaded",
        ),
        (
            point("gone", "paging.policy:Nothing"),
            "entry point gone = paging.policy:Nothing .* cannot be load",
        ),
        (point("path", "pathlib:Path"), "entry point path = pathlib:Path .* is not a subclass of paging.Po"),
        (point("lru", "paging.policies.recency:LRU"), "the id 'lru'; it must equal the name and be new"),
        (
            point("other", "paging.policies.recency:LRU"),
            "the id 'lru'; it must equal the name and be new",
        ),
    ],
)
def test_a_broken_entry_point_is_named_in_one_error(
    monkeypatch: pytest.MonkeyPatch, entry: EntryPoint, message: str
) -> None:
    monkeypatch.setattr(paging.outside, "entry_points", lambda group: [entry])
    with pytest.raises(LayeredPagingError, match=message) as caught:
        paging.policy._outside.__wrapped__()
    assert "\n" not in str(caught.value)


def test_a_registry_takes_what_is_of_its_kind_and_new(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {id: WORKLOADS[id] for id in ("zipf", "uniform")}
    points: list[EntryPoint] = []
    monkeypatch.setattr(paging.outside, "entry_points", lambda group: points)

    def registry(name: str, value: str) -> list[str]:
        points[:] = [EntryPoint(name, f"paging.workloads.laws:{value}", "paging.workloads")]
        return list(Registry("paging.workloads", Workload, ours.values()))

    assert registry("sticky", "sticky") == ["zipf", "uniform", "sticky"]
    for name, value, message in (
        ("zipf", "zipf", "must equal the name and be new"),
        ("other", "sticky", "must equal the name and be new"),
        ("sticky", "_images", "is not a paging Workload"),
    ):
        with pytest.raises(LayeredPagingError, match=message):
            registry(name, value)


def in_environment(site: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=site, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the toy package for real, into a folder of its own."""
    pytest.importorskip("pip", reason="the virtual environment has no pip")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for file in TOY.iterdir():
        if file.is_file():
            (source / file.name).write_text(file.read_text())
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(target)]
    done = in_environment(target, "-m", "pip", "install", *options, str(source))
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.mark.slow
def test_an_installed_package_adds_its_policy(site: Path) -> None:
    code = (
        "from paging import LayeredInstance, RequestSequence, get_policy, registered_policies, simulate\n"
        "sequence = RequestSequence(LayeredInstance(1, 3, 2), [0, 1, 2, 0])\n"
        "print(get_policy('toy-policy').title, 'toy-policy' in registered_policies())\n"
        "print(simulate('toy-policy', sequence).faults)"
    )
    done = in_environment(site, "-c", code)
    # 0 and 1 fill the cache; 2 evicts 0, the page requested last but one; so 0 faults again.
    assert done.stdout == "a policy from outside True\n4\n", done.stderr


@pytest.mark.slow
def test_an_installed_policy_runs_from_the_command_line_and_through_the_battery(site: Path) -> None:
    line = "run toy-policy lru --workload uniform:requests=100 -l 2 -n 3 -k 3"
    done = in_environment(site, "-c", MAIN, *line.split())
    assert done.returncode == 0, done.stderr
    assert "toy-policy" in done.stdout
    checked = in_environment(
        site,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--paging-policy",
        "toy-policy",
        "--paging-examples",
        "10",
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.slow
def test_an_installed_package_adds_bounds_constructions_and_workloads(site: Path) -> None:
    lines = (
        "adversary toy-cycle --rounds 60",
        "adversary toy-cycle --help",
        "adversary --help",
        "bounds toy-lower -l 1 -n 3 -k 2 --as csv",
        "run toy-policy --workload toy-sweep:rounds=8 -l 2 -n 3 -k 2 --as csv --no-opt",
        "run lru --construction toy-cycle --as csv --no-opt",
    )
    code = (
        "from paging.cli.main import run\n"
        f"print(*(run(line.split()) for line in {lines}))\n"
        "from proofs.bounds.registry import BOUNDS\n"
        "from proofs.bounds.verdicts import judge\n"
        "print(list(BOUNDS)[-1], judge(BOUNDS['toy-lower'], 'toy-policy', rounds=30).outcome)\n"
    )
    done = in_environment(site, "-c", code)
    assert "0 0 0 0 0 0\ntoy-lower reached\n" in done.stdout, done.stdout + done.stderr
    assert "toy-lower,lower,toy-policy,k,2," in done.stdout
    # 16 requests to 2 layers, in each the pages 0, 1, 2, 0, …: with two slots every request is a fault
    assert "\ntoy-policy,16," in done.stdout


def test_a_broken_package_gives_one_clear_line(tmp_path: Path) -> None:
    info = tmp_path / "broken-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[paging.policies]\nbroken = broken_module:Broken\n")
    line = "run lru --workload uniform:requests=10 -l 1 -n 3 -k 2"
    done = in_environment(tmp_path, "-c", MAIN, *line.split())
    assert done.returncode == 2
    assert "entry point broken = broken_module:Broken (group paging.policies) cannot be loaded" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1

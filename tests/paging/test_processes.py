"""Processes that are killed or interrupted: nothing goes on for good, nothing half-written stays."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from paging import signals
from paging.files import atomic_write, unfinished
from paging.parallel import LostWorkerError, Pool, each
from paging.signals import Count, StoppedError, Watch, stoppable


def state_of(process: int) -> str | None:
    """Return what Linux says of a process, None when it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


# ---------------------------------------------------------------- workers


def test_a_lost_worker_is_one_error_of_ours() -> None:
    with pytest.raises(LostWorkerError, match="a worker process was killed"), Pool(1) as pool:
        list(pool.in_order(os._exit, [9]))


@pytest.mark.slow
def test_workers_that_cannot_start_are_not_started_for_ever() -> None:
    code = (
        "from paging.parallel import Pool\n"
        "with Pool(1) as pool:\n"
        "    list(pool.as_finished(abs, range(9), lambda: False))\n"
    )
    run = subprocess.run([sys.executable], input=code, capture_output=True, text=True)
    assert "WorkerStartError: worker processes cannot be started" in run.stderr
    assert run.stderr.count("No such file or directory: ") <= 2  # that of the script, which is no file


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_with_the_process_that_was_killed() -> None:
    code = (
        "import time\n"
        "from paging.parallel import Pool\n"
        "if __name__ == '__main__':\n"
        "    with Pool(2) as pool:\n"
        "        found = pool.in_order(time.sleep, [0, 0, 3600, 3600])\n"
        "        next(found), next(found)\n"
        "        print(*pool._executor._processes, flush=True)\n"
        "        next(found)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        assert [state_of(worker) for worker in workers] != [None, None]
        parent.kill()
    deadline = time.monotonic() + 60
    while any(state_of(worker) not in (None, "Z") for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived the process that it works for"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches a group of processes")
def test_ctrl_c_is_not_heard_by_workers_that_still_import(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import time\n"
        "from paging.parallel import Pool, each\n"
        "from paging.signals import StoppedError, Watch, stoppable\n"
        "if __name__ == '__main__':\n"
        "    try:\n"
        "        with stoppable() as stop, Pool(2) as pool:\n"
        "            pool.prepare('paging')\n"
        "            print('begun', flush=True)\n"
        "            list(each(pool, time.sleep, [3600], Watch(stop=stop)))\n"
        "    except StoppedError:\n"
        "        print('stopped')\n"
        "else:\n"
        "    time.sleep(1)  # what a worker imports\n"
    )
    command = [sys.executable, str(script)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, start_new_session=True, **pipes) as child:  # type: ignore[call-overload]
        assert child.stdout.readline() == "begun\n"
        time.sleep(0.5)
        os.killpg(child.pid, signal.SIGINT)
        said, complained = child.communicate(timeout=60)
    assert (said, complained) == ("stopped\n", "")


def test_a_pool_that_is_left_by_an_error_ends_its_workers_in_the_middle() -> None:
    begun = time.monotonic()
    with pytest.raises(StoppedError), Pool(1) as pool:
        list(each(pool, time.sleep, [3600], Watch(stop=lambda: time.monotonic() > begun + 0.1)))


def test_each_asks_whether_to_stop_after_every_job() -> None:
    told: list[Count] = []
    watch = Watch(told.append, lambda: len(told) > 2)
    with pytest.raises(StoppedError):
        list(each(None, abs, range(9), watch))
    assert [news.done for news in told] == [0, 1, 2]


# ---------------------------------------------------------------- signals


def test_the_first_signal_is_collected_and_the_second_one_stops() -> None:
    with stoppable() as stop:
        assert not stop()
        signal.raise_signal(signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_work_that_does_not_ask_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "STOP_AFTER", 0.01)
    monkeypatch.setattr(signals, "LEAVE_AFTER", 3600.0)

    def work() -> None:
        with stoppable():
            signal.raise_signal(signal.SIGINT)
            while True:
                pass

    with pytest.raises(StoppedError):
        work()


@pytest.mark.slow
def test_a_process_inside_compiled_code_is_left_with_its_last_news() -> None:
    code = (
        "import hashlib, signal\n"
        "from threading import Timer\n"
        "from paging.signals import stoppable\n"
        "with stoppable() as stop:\n"
        "    stop.news = '7 of 9'\n"
        "    Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()\n"
        "    hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (130, "paging: interrupted; known so far: 7 of 9\n")


@pytest.mark.slow
def test_a_signal_that_is_lost_in_a_callback_comes_once_more() -> None:
    code = (
        "import ctypes, signal, time\n"
        "from paging.signals import interruptible\n"
        "inside = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))\n"
        "begun = time.monotonic()\n"
        "try:\n"
        "    with interruptible():\n"
        "        inside()\n"
        "        print('lost', flush=True)\n"
        "        while True:\n"
        "            time.sleep(0.1)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', time.monotonic() - begun < 4)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("lost\ninterrupted True\n", "")


@pytest.mark.parametrize("number", signals.ENDING)
def test_a_signal_interrupts_with_everything_cleaned_up(number: int, tmp_path: Path) -> None:
    before = [signal.getsignal(ending) for ending in signals.ENDING]
    with pytest.raises(KeyboardInterrupt), signals.interruptible(), unfinished(tmp_path / "a"):
        signal.raise_signal(number)
    assert list(tmp_path.iterdir()) == []
    assert [signal.getsignal(ending) for ending in signals.ENDING] == before


def test_outside_the_main_thread_nothing_is_collected() -> None:
    answers: list[bool] = []

    def work() -> None:
        with stoppable() as stop:
            answers.append(stop())

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert answers == [False]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "begun", "shown"),
    [
        ("exact lru -l 1 -n 3000 -k 2 --max-states 1000000", "", ""),
        ("exact llru -l 3 -n 5 -k 8", "states", ""),
        ("compare --workload zipf:rounds=20000 -l 2 -n 6 -k 6 -p game-optimal -p lru", "", ""),
        ("reproduce --quick -o {folder}", "", "nothing was written"),
    ],
)
def test_ctrl_c_ends_a_command_in_one_line(arguments: str, begun: str, shown: str, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    # Begun is what collects signals already: a moment before, Ctrl-C is answered without news.
    code = (
        "from contextlib import contextmanager\n"
        "import paging.signals as signals\n"
        "stoppable = signals.stoppable\n"
        "@contextmanager\n"
        "def told():\n"
        "    with stoppable() as stop:\n"
        "        print('begun', flush=True)\n"
        "        yield stop\n"
        "signals.stoppable = told\n"
        "from paging.cli.main import main\n"
        "main()\n"
    )
    words = arguments.format(folder=folder).split()
    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "begun\n"
        while begun not in (line := child.stderr.readline() if begun else ""):
            assert line  # compiling is told of first, where nothing is compiled yet
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()
    assert child.returncode == 130
    assert "Traceback" not in err
    assert out or err  # what is known so far, or that it was interrupted
    assert shown in err
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- temporary files


def abandoned(target: Path) -> Path:
    return target.with_name(f".{target.name}.0123abcd.tmp")


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    target = tmp_path / "a[1].csv"
    abandoned(target).write_text("half")
    kept = [tmp_path / ".other.csv.0123abcd.tmp", tmp_path / ".a[1].csv.mine.tmp"]
    for path in kept:
        path.write_text("")
    with atomic_write(target) as stream:
        stream.write("whole")
        assert len(list(tmp_path.iterdir())) == 3
    assert sorted(tmp_path.iterdir()) == sorted([target, *kept])


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    with abandoned(target).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with atomic_write(target) as stream:
            stream.write("whole")
    assert abandoned(target).exists()
    with atomic_write(target) as first, atomic_write(target) as second:
        second.write("2")
        first.write("1")
    assert target.read_text() == "1"
    assert list(tmp_path.iterdir()) == [target]


def test_folders_are_removed_with_what_is_in_them(tmp_path: Path) -> None:
    target = tmp_path / "report"
    abandoned(target).mkdir()
    (abandoned(target) / "page").write_text("")
    with unfinished(target, folder=True) as building:
        (building / "page").write_text("")
        building.rename(target)
    assert [path.name for path in tmp_path.rglob("*")] == ["report", "page"]

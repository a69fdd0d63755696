"""Files that may be read, and those that would block."""

import os
import subprocess
import sys

import pytest

from paging.files import regular_file


def test_what_can_be_read_to_its_end_is_taken(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("")
    (tmp_path / "b.txt").symlink_to(path)
    assert regular_file(path) == path
    assert regular_file(str(tmp_path / "b.txt")).read_text() == ""


def test_what_may_block_is_refused_and_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"neither a regular file nor standard input.*pipe"):
        regular_file(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        regular_file(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"absent\.txt"):
        regular_file(tmp_path / "absent.txt")


def test_a_pipe_that_is_standard_input_is_taken():
    code = "from paging.files import regular_file; print(regular_file('/dev/stdin').read_text())"
    run = subprocess.run([sys.executable, "-c", code], input="text", capture_output=True, text=True)
    assert run.stdout == "text\n", run.stderr

"""Files: written completely or not at all, and read only where reading comes to an end."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

if sys.platform != "win32":
    import fcntl


TOKEN = re.compile("[0-9a-f]{8}")
"""What makes the name of a temporary file its own."""

LONGEST_SLUG = 60
"""Characters of a slug at most; file systems allow about 255 for a name with all that is put around it."""


def regular_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that can be read to its end; refuse what may block or never end.

    Standard input is taken, whatever it is connected to: ``/dev/stdin`` works at the end of a pipe.

    Raises
    ------
    OSError
        There is no such file, or it is a folder, a named pipe, a socket or a device.

    Examples
    --------
    >>> regular_file("/dev/zero")
    Traceback (most recent call last):
    OSError: [Errno 22] neither a regular file nor standard input: '/dev/zero'
    """
    found = Path(path).stat()
    if not stat.S_ISREG(found.st_mode):
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not _is_standard_input(found):
            raise OSError(errno.EINVAL, "neither a regular file nor standard input", str(path))
    return Path(path)


def _is_standard_input(found: os.stat_result) -> bool:
    try:
        return os.path.samestat(found, os.fstat(0))
    except OSError:  # closed
        return False


def slug(text: str) -> str:
    """Return a text as part of a file's name or of an identifier: letters, digits and ``-._`` only.

    A long one is cut and gets a digest of the whole text behind it.

    Examples
    --------
    >>> slug("partitioned:policy=fifo,shares=1/2"), slug("org/model"), slug("../<b>")
    ('partitioned-policy-fifo-shares-1-2', 'org-model', 'b')
    >>> slug("長い"), len(slug("x" * 300))
    ('unnamed', 60)
    """
    clean = re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.") or "unnamed"
    if len(clean) <= LONGEST_SLUG:
        return clean
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{clean[: LONGEST_SLUG - 9]}-{digest}"


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file for writing that takes its name only when it is complete; on an error nothing changes.

    Parameters
    ----------
    path : path
        The file to create or replace. It is written under a temporary name in the same folder.
    mode : {"w", "wb"}, default "w"
        Text (UTF-8, line ends as given, ``?`` for the bytes of a file's name that are no text) or bytes.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rows.csv"
    >>> with atomic_write(path) as stream:
    ...     _ = stream.write("policy,faults")
    >>> path.read_text(), len(list(path.parent.iterdir()))
    ('policy,faults', 1)
    """
    target = Path(path)
    text = {} if "b" in mode else {"encoding": "utf-8", "errors": "replace", "newline": ""}
    with unfinished(target) as temporary:
        try:
            with temporary.open(mode, **text) as stream:  # type: ignore[call-overload]
                yield stream
            temporary.replace(target)
        except OSError as error:
            if error.filename != str(temporary):
                raise
            raise OSError(error.errno, error.strerror, str(target)) from error


@contextmanager
def unfinished(target: Path, *, folder: bool = False) -> Iterator[Path]:
    """Make a temporary file or folder beside its future place; gone in the end unless it was renamed.

    What a killed process left behind for the same place is removed first: nobody holds its lock any more.

    Parameters
    ----------
    target : Path
        The future place. Its folder must exist.
    folder : bool, default False
        Whether to make a folder.

    Examples
    --------
    >>> import tempfile
    >>> with unfinished(Path(tempfile.mkdtemp()) / "report", folder=True) as building:
    ...     building.is_dir(), building.suffix
    (True, '.tmp')
    """
    for left in _leftovers(target):
        _remove_abandoned(left)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        if folder:
            temporary.mkdir()
        else:
            temporary.touch(exist_ok=False)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error  # the name that the caller knows
    lock = _lock(temporary)
    try:
        yield temporary
    finally:
        _remove(temporary)
        if lock is not None:
            os.close(lock)


def _leftovers(target: Path) -> list[Path]:
    """Return the temporary files and folders for a place, quickly: this is asked for every file."""
    before, after = f".{target.name}.", ".tmp"
    try:
        with os.scandir(target.parent) as entries:
            names = [entry.name for entry in entries]
    except OSError:  # whoever writes there will be told
        return []
    found = [name for name in names if name.startswith(before) and name.endswith(after)]
    return [target.with_name(name) for name in found if TOKEN.fullmatch(name[len(before) : -len(after)])]


def _lock(path: Path) -> int | None:
    """Mark a file or folder as in use by this process while it lives; None where that cannot be done.

    Raises
    ------
    BlockingIOError
        Another process uses it.
    """
    if sys.platform == "win32":
        return None
    try:
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(opened)
        if isinstance(error, BlockingIOError):
            raise
        return None  # a file system without locks
    return opened


def _remove_abandoned(path: Path) -> None:
    try:
        lock = _lock(path)
    except BlockingIOError:
        return
    if lock is not None:  # without locks nobody knows whether it is in use
        _remove(path)
        os.close(lock)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object of JSON, or raise ValueError if a key comes twice."""
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} comes twice")
    return record

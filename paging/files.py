"""Files: written completely or not at all, and read only where reading comes to an end."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


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


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file for writing that takes its name only when it is complete; on an error nothing changes.

    Parameters
    ----------
    path : path
        The file to create or replace. It is written under a temporary name in the same folder.
    mode : {"w", "wb"}, default "w"
        Text (UTF-8, line ends as given) or bytes.

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
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    try:
        with temporary.open(mode.replace("w", "x"), **text) as stream:  # type: ignore[call-overload]
            yield stream
        temporary.replace(target)
    except OSError as error:
        if error.filename != str(temporary):
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error  # the name that the caller knows
    finally:
        temporary.unlink(missing_ok=True)

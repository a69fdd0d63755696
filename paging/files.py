"""Files that are complete or not there."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

LONGEST_SLUG = 60
"""Characters of a slug at most; file systems allow about 255 for a name with all that is put around it."""


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

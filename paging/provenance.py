"""Which code computed a number, so that it is known again."""

from __future__ import annotations

import hashlib
import inspect
import sys
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGES = ("paging", "adversary", "lp", "proofs")
"""The packages of this distribution."""


@cache
def release() -> str:
    """Return the version of this distribution."""
    return version("layered-paging")


@cache
def code() -> str:
    """Return which code this is: the version, and the beginning of a digest of all source files.

    Two installations with the same text compute the same numbers; the version alone does not say that of a
    checkout.
    """
    state = hashlib.sha256()
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        for path in sorted(folder.rglob("*.py")):
            state.update(path.relative_to(folder.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{release()}+{state.hexdigest()[:12]}"


def source_of(thing: Any) -> str | None:
    """Return a digest of the file that defines a class or function; None if it is one of ours.

    >>> import json
    >>> source_of(code) is None, source_of(json.JSONDecoder) is None
    (True, False)
    """
    module = inspect.getmodule(thing)
    if module is None or module.__name__.partition(".")[0] in PACKAGES:
        return None
    file = getattr(sys.modules[module.__name__], "__file__", None)
    content = Path(file).read_bytes() if file else repr(thing).encode()
    return hashlib.sha256(content).hexdigest()

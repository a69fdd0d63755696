"""Writing certificates: the envelope of a claim with its evidence, and long arrays packed.

The format is specified in docs/certificates.md; :mod:`proofs.checker` reads and judges it.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import LayeredPagingError
from paging.files import atomic_write
from paging.numbers import jsonable, number

FORMAT, VERSION = "layered-paging certificate", 1
"""What every certificate says of itself. The checker, which imports nothing, states both too."""

ITEM_TYPES = ("int8", "int16", "int32", "int64")
"""Types of packed arrays, smallest first; stated in the checker too."""

Certificate = dict[str, Any]


PACK_FROM = 200
"""Arrays of this length or more are packed; shorter ones stay readable."""


class CertificateError(LayeredPagingError, ValueError):
    """A certificate cannot be read or written."""


class NoCertificateError(LayeredPagingError, RuntimeError):
    """There is nothing to certify."""


def certificate(
    kind: str,
    claim: Mapping[str, object],
    evidence: Mapping[str, object],
    provenance: Mapping[str, object] | None = None,
) -> Certificate:
    """Return the common envelope of all certificates."""
    built: Certificate = {
        "format": FORMAT,
        "version": VERSION,
        "type": kind,
        "claim": dict(claim),
        "evidence": dict(evidence),
    }
    if provenance is not None:
        built["provenance"] = _without_floats(jsonable(provenance))
    return built


def certificate_of_bounds(
    kind: str,
    claim: Mapping[str, object],
    lower: tuple[Fraction | float, object] | None,
    upper: tuple[Fraction | float, object] | None,
    provenance: Mapping[str, object] | None = None,
) -> Certificate:
    """Return a certificate of a number with whatever is proved of it: bounds, each with its evidence.

    Raises
    ------
    NoCertificateError
        Neither bound is given.
    """
    bounds = {name: bound for name, bound in (("lower", lower), ("upper", upper)) if bound is not None}
    if not bounds:
        raise NoCertificateError("neither bound is proved yet")
    claimed = {name: number(value) for name, (value, _) in bounds.items()}
    evidence = {name: proof for name, (_, proof) in bounds.items()}
    return certificate(kind, {**claim, **claimed}, evidence, provenance)


def _without_floats(value: Any) -> Any:
    """Turn floats into text: a certificate holds none, not even where nobody looks."""
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_floats(item) for item in value]
    return str(value) if isinstance(value, float) else value


def packed(
    numbers: Sequence[int] | NDArray[np.integer[Any]], effort: int = 6
) -> list[int] | dict[str, object]:
    """Return integers as a JSON list, or packed if there are many; ``effort`` is zlib's, 1 to 9.

    >>> packed(np.array([1, 2]))
    [1, 2]
    """
    values = np.asarray(numbers)
    if values.dtype.kind not in "iu":  # nothing at all, or truth values
        values = values.astype(np.int64)
    if len(values) < PACK_FROM:
        plain: list[int] = values.tolist()
        return plain
    low, high = int(values.min()), int(values.max())
    kind = next(name for name in ITEM_TYPES if np.iinfo(name).min <= low and high <= np.iinfo(name).max)
    content = values.astype(np.dtype(kind).newbyteorder("<")).tobytes()
    text = base64.b64encode(zlib.compress(content, effort)).decode("ascii")
    return {"type": kind, "length": len(values), "zlib": text}


WHOLE, IN_LINES = (".json", ".json.gz"), (".jsonl",)
"""Endings of the names of certificates: one document, and one whose evidence stands on lines of its own."""


def check_name(path: str | Path, endings: tuple[str, ...] = WHOLE) -> None:
    """Raise CertificateError unless a certificate can be written under this name; for asking beforehand.

    Raises
    ------
    CertificateError
        The name has another ending, or its folder does not exist.
    """
    if not Path(path).name.endswith(endings):
        raise CertificateError(f"{path}: a certificate's name ends in {' or '.join(endings)}")
    if not Path(path).absolute().parent.is_dir():
        raise CertificateError(f"{path}: there is no folder {Path(path).parent}")


def certificate_bytes(document: Certificate, *, packed: bool) -> bytes:
    """Return a certificate as its file holds it; equal documents give equal bytes."""
    content = (json.dumps(document, allow_nan=False) + "\n").encode("ascii")
    # The arrays are compressed already; no time stamp, so that equal content stays equal.
    return gzip.compress(content, compresslevel=1, mtime=0) if packed else content


def write_certificate(document: Certificate, path: str | Path) -> None:
    """Write a certificate as JSON, gzipped if the name ends in ``.gz``; equal documents give equal bytes.

    Raises
    ------
    CertificateError
        The name ends in neither ``.json`` nor ``.json.gz``, or the file cannot be written.
    """
    check_name(path)
    target = Path(path)
    try:
        with atomic_write(target, "wb") as stream:
            stream.write(certificate_bytes(document, packed=target.suffix == ".gz"))
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror or error}") from error


def write_in_lines(head: Certificate, evidence: Iterable[Mapping[str, object]], path: str | Path) -> None:
    """Write a certificate whose evidence is a list, item by item: a line without it, then a line an item.

    Raises
    ------
    CertificateError
        The name does not end in ``.jsonl``, or the file cannot be written.
    """
    check_name(path, IN_LINES)
    try:
        with atomic_write(path, "wb") as stream:
            for line in chain(({**head, "evidence": []},), evidence):
                stream.write((json.dumps(line, allow_nan=False) + "\n").encode("ascii"))
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror or error}") from error

"""Writing certificates: claims about the offline optimum with evidence that :mod:`proofs.checker` can judge.

The format is specified in docs/certificates.md.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp.dual import Dual
from lp.gaps import Gaps, gaps_of
from lp.result import Optimum
from lp.weights import Weights
from paging.errors import LayeredPagingError
from paging.model import LayeredInstance, RequestSequence, Schedule
from paging.output import atomic_write, jsonable
from proofs import checker

Certificate = dict[str, Any]

PACK_FROM = 200
"""Arrays of this length or more are packed; shorter ones stay readable."""


class CertificateError(LayeredPagingError, ValueError):
    """A certificate cannot be read or written."""


class NoCertificateError(LayeredPagingError, RuntimeError):
    """There is nothing to certify."""


def optimum_certificate(found: Optimum, provenance: Mapping[str, object] | None = None) -> Certificate:
    """Return a certificate of type ``optimum``: a schedule of cost ``upper`` and a dual for ``lower``.

    Parameters
    ----------
    found : Optimum
        From :func:`lp.optimum`; an interval is certified as an interval.
    provenance : mapping, optional
        Where the numbers come from. For the reader only: no checker looks at it.

    Examples
    --------
    >>> from lp import optimum
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> certificate = optimum_certificate(optimum(sequence))
    >>> certificate["claim"]["lower"], certificate["claim"]["upper"]
    (4, 4)
    >>> checker.verify(certificate).reason
    'OPT = 4: a schedule has this cost, and no schedule has less'
    """
    claim = {**_problem(found.gaps), "upper": number(found.upper), "lower": number(found.lower)}
    evidence = {
        "schedule": packed(found.schedule.victims),
        "dual": _dual(found.gaps, found.dual),
    }
    return certificate("optimum", claim, evidence, provenance)


def schedule_certificate(
    schedule: Schedule,
    *,
    weights: Weights | None = None,
    shares: Sequence[int] | None = None,
    provenance: Mapping[str, object] | None = None,
) -> Certificate:
    """Return a certificate of type ``schedule``: OPT is at most the cost of this schedule."""
    gaps = gaps_of(schedule.sequence, weights, shares)
    claim = {**_problem(gaps), "upper": number(Fraction(gaps.cost(schedule), gaps.scale))}
    return certificate("schedule", claim, {"schedule": packed(schedule.victims)}, provenance)


def dual_certificate(gaps: Gaps, dual: Dual, provenance: Mapping[str, object] | None = None) -> Certificate:
    """Return a certificate of type ``dual``: OPT is at least what this dual proves."""
    claim = {**_problem(gaps), "lower": number(Fraction(dual.bound(gaps), gaps.scale))}
    return certificate("dual", claim, {"dual": _dual(gaps, dual)}, provenance)


def certificate(
    kind: str,
    claim: Mapping[str, object],
    evidence: Mapping[str, object],
    provenance: Mapping[str, object] | None = None,
) -> Certificate:
    """Return the common envelope of all certificates."""
    built: Certificate = {
        "format": checker.FORMAT,
        "version": checker.VERSION,
        "type": kind,
        "claim": dict(claim),
        "evidence": dict(evidence),
    }
    if provenance is not None:
        built["provenance"] = _without_floats(jsonable(provenance))
    return built


def _without_floats(value: Any) -> Any:
    """Turn floats into text: a certificate holds none, not even where nobody looks."""
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_floats(item) for item in value]
    return str(value) if isinstance(value, float) else value


def number(value: int | Fraction) -> int | str:
    """Return a whole number as it is and a fraction as ``"p/q"`` in lowest terms.

    >>> number(Fraction(6, 4)), number(Fraction(4, 2))
    ('3/2', 2)
    """
    exact = Fraction(value)
    return exact.numerator if exact.denominator == 1 else f"{exact.numerator}/{exact.denominator}"


def ratio_text(value: int | Fraction | float | None) -> str | None:
    """Return a ratio for tables and JSON: ``"p/q"``, ``"unbounded"``, or None where it is not known.

    >>> ratio_text(Fraction(13, 4)), ratio_text(float("inf")), ratio_text(None)
    ('13/4', 'unbounded', None)
    """
    return "unbounded" if value == float("inf") else None if value is None else str(value)


def packed(values: NDArray[np.integer[Any]]) -> list[int] | dict[str, object]:
    """Return an array of integers as a JSON list, or packed if it is long.

    >>> packed(np.array([1, 2]))
    [1, 2]
    """
    if len(values) < PACK_FROM:
        plain: list[int] = values.tolist()
        return plain
    low, high = int(values.min()), int(values.max())
    kind = next(name for name in checker.ITEM if np.iinfo(name).min <= low and high <= np.iinfo(name).max)
    content = values.astype(np.dtype(kind).newbyteorder("<")).tobytes()
    text = base64.b64encode(zlib.compress(content, 6)).decode("ascii")
    return {"type": kind, "length": len(values), "zlib": text}


def check_name(path: str | Path) -> None:
    """Raise CertificateError unless a certificate can be written under this name; for asking beforehand.

    Raises
    ------
    CertificateError
        The name ends in neither ``.json`` nor ``.json.gz``, or its folder does not exist.
    """
    if not Path(path).name.endswith((".json", ".json.gz")):
        raise CertificateError(f"{path}: a certificate's name ends in .json or .json.gz")
    if not Path(path).absolute().parent.is_dir():
        raise CertificateError(f"{path}: there is no folder {Path(path).parent}")


def write_certificate(document: Certificate, path: str | Path) -> None:
    """Write a certificate as JSON, gzipped if the name ends in ``.gz``; equal documents give equal bytes.

    Raises
    ------
    CertificateError
        The name ends in neither ``.json`` nor ``.json.gz``, or the file cannot be written.
    """
    check_name(path)
    target = Path(path)
    content = (json.dumps(document, allow_nan=False) + "\n").encode("ascii")
    try:
        if target.suffix == ".gz":
            # The arrays are compressed already; no time stamp, so that equal content stays equal.
            content = gzip.compress(content, compresslevel=1, mtime=0)
        with atomic_write(target, "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror or error}") from error


def read_certificate(path: str | Path) -> Certificate:
    """Read a certificate strictly, without judging it.

    Raises
    ------
    CertificateError
        The file cannot be read, or is not strict JSON.
    """
    try:
        document = checker.load(str(path))
    except checker.Incomplete as error:
        raise CertificateError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise CertificateError(f"{path}: a certificate is a JSON object")
    return document


def read_sequence(path: str | Path, cache: int | None = None) -> RequestSequence:
    """Read requests from a JSON file ``{"instance": {…}, "requests": […]}``, or from a certificate's claim.

    Parameters
    ----------
    path : str or Path
        JSON or gzipped JSON. The instance has the fields ``layers``, ``pages``, ``cache`` and perhaps
        ``per_visit``, ``visits`` and ``service``, as in a certificate (docs/certificates.md).
    cache : int, optional
        Cache size k; default the file's.

    Raises
    ------
    CertificateError
        The file is not of this form.
    ModelError, IllegalSequenceError
        The instance is outside its range, or the requests do not fit it.
    """
    document = read_certificate(path)
    try:
        problem = document.get("claim", document)
        shape = checker.members(
            problem["instance"],
            "instance",
            ("layers", "pages") + (("cache",) if cache is None else ()),
            ("cache", "per_visit", "visits", "service", "shares"),
        )
        requests = checker.integers(problem["requests"], "requests")
        service = checker.choice(shape.get("service", "forced"), "service", "forced", "bypassing")
    except (KeyError, TypeError) as error:
        raise CertificateError(
            f"{path}: a request sequence needs the fields instance and requests"
        ) from error
    except checker.Incomplete as error:
        raise CertificateError(f"{path}: {error}") from error
    instance = LayeredInstance(
        shape["layers"],
        tuple(shape["pages"]) if isinstance(shape["pages"], list) else shape["pages"],
        shape["cache"] if cache is None else cache,
        shape.get("per_visit", 1),
        shape.get("visits", "sequential"),
        service == "bypassing",
    )
    return RequestSequence(instance, np.array(requests, dtype=np.int64))


def _problem(gaps: Gaps) -> dict[str, object]:
    instance = gaps.sequence.instance
    shape = instance.plain
    if gaps.shares is not None:
        shape["shares"] = list(gaps.shares)
    problem: dict[str, object] = {"instance": shape, "requests": packed(gaps.sequence.requests)}
    if gaps.weights is not None:
        problem["weights"] = _rationals(gaps.weights.scaled, gaps.scale)
    return problem


def _dual(gaps: Gaps, dual: Dual) -> dict[str, object]:
    steps, values = dual.steps, dual.values
    if gaps.shares is not None:
        # Inside, the layers of a split lie one after the other; a certificate numbers requests as they come.
        order = np.argsort(gaps.sequence.visit_layers, kind="stable")
        place = np.argsort(order[steps])
        steps, values = order[steps][place], values[place]
    return {"steps": packed(steps), "values": _rationals(values, gaps.scale)}


def _rationals(scaled: NDArray[np.int64], scale: int) -> object:
    if scale == 1:
        return packed(scaled)
    return [number(Fraction(value, scale)) for value in scaled.tolist()]

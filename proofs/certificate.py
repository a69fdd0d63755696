"""Writing certificates: claims about the offline optimum with evidence that :mod:`proofs.checker` can judge.

The format is specified in docs/certificates.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from paging.certificate import Certificate, CertificateError
from paging.model import LayeredInstance, RequestSequence
from proofs import checker


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

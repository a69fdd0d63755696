"""Writing certificates: claims about the offline optimum with evidence that :mod:`proofs.checker` can judge.

The format is specified in docs/certificates.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from paging.certificate import Certificate, CertificateError
from paging.model import LayeredInstance, RequestSequence
from paging.predicted import PredictedSequence
from proofs import checker
from proofs.checker.reading import rationals


def read_certificate(path: str | Path) -> Certificate:
    """Read a certificate strictly, without judging it.

    Raises
    ------
    CertificateError
        The file cannot be read, or is not strict JSON.
    """
    try:
        document, _ = checker.load(str(path))
    except checker.Incomplete as error:
        raise CertificateError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise CertificateError(f"{path}: a certificate is a JSON object")
    return document


def read_sequence(path: str | Path, cache: int | None = None) -> RequestSequence:
    """Read requests from a JSON file ``{"instance": {…}, "requests": […]}``, or from a certificate.

    Of a certificate they are those of its claim, or its cycle: what leads to it, and it :data:`TURNS` times.

    Requests with predictions have ``"predictions": {"kind": "discard", "values": […]}`` beside them.

    Parameters
    ----------
    path : str or Path
        JSON or gzipped JSON. The instance is as :meth:`paging.LayeredInstance.from_plain` reads it.
    cache : int, optional
        Cache size k; default the file's.

    Raises
    ------
    CertificateError
        The file is not of this form.
    ModelError, IllegalSequenceError
        The instance is not of its form or outside its range, or the requests do not fit it.
    """
    document = read_certificate(path)
    try:
        problem = document.get("claim", document)
        # The split of a certificate belongs to its claim, not to the requests.
        shape = {name: value for name, value in problem["instance"].items() if name != "shares"}
        if "weights" in problem:  # beside the instance in a claim
            shape["weights"] = rationals(problem["weights"], "weights")
        cycle = _cycle_of(document)
        requests = checker.integers(problem["requests"], "requests") if cycle is None else cycle
        told = problem.get("predictions")
        values = [] if told is None else checker.integers(told["values"], "predictions")
    except (KeyError, TypeError, AttributeError) as error:
        raise CertificateError(
            f"{path}: a request sequence needs the fields instance and requests, and predictions have the "
            "fields kind and values"
        ) from error
    except checker.Incomplete as error:
        raise CertificateError(f"{path}: {error}") from error
    instance = LayeredInstance.from_plain(shape if cache is None else {**shape, "cache": cache})
    sequence = RequestSequence(instance, np.array(requests, dtype=np.int64))
    return sequence if told is None else PredictedSequence(sequence, told["kind"], values)


TURNS = 4
"""How often a certificate's cycle is shown: it is the same for ever."""


def _cycle_of(document: dict[str, Any]) -> list[int] | None:
    """Return the requests of a certificate's cycle, or None where it has none."""
    evidence = document.get("evidence", {})
    found = evidence.get("cycle")
    if isinstance(found, dict):  # beside a potential
        evidence, found = found, found["cycle"]
    if found is None or "requests" in document["claim"]:
        return None
    once = checker.integers(evidence["prefix"], "prefix")
    return [*once, *TURNS * checker.integers(found, "cycle")]


def plain_predictions(sequence: RequestSequence) -> dict[str, object] | None:
    """Return the predictions of requests as plain values, as :func:`read_sequence` reads them."""
    if sequence.kind is None:
        return None
    return {"kind": sequence.kind, "values": sequence.predictions.tolist()}

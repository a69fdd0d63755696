"""The sweep over subjects and instances: what is there already is not computed twice.

Every value is one job. A job gives a value and its certificate, which lands first; a sweep that was killed
goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from paging.certificate import certificate_bytes
from paging.jobs import Tally, address_of, carry_out
from paging.numbers import exact_text
from paging.parallel import Engine, Here, stopped
from paging.signals import UNWATCHED, Watch
from proofs.atlas.files import certificate_name, read_value, store_certificate, store_value, value_file
from proofs.atlas.shapes import Shape
from proofs.atlas.subjects import solver_of
from proofs.atlas.values import Value

IN_WORKER = Watch(stop=stopped)
"""A worker gives up when the sweep does."""


class ValueJob(NamedTuple):
    """A value to be computed: whose, where, and with how many states at most."""

    subject: str
    shape: Shape
    max_states: int

    def __str__(self) -> str:
        return f"{self.subject} at {self.shape}"


class ProvedValue(NamedTuple):
    """A value, and the file of its certificate."""

    value: Value
    certificate: bytes | None


def compute(job: ValueJob) -> ProvedValue | None:
    """Compute one value; return None when stopped before it was known."""
    subject, shape, max_states = job
    found = solver_of(subject)(shape.instance, max_states, IN_WORKER)
    if stopped() and found.value is None:
        return None
    certificate = None
    if found.value is not None and found.certificate is not None:
        certificate = certificate_bytes(found.certificate, packed=True)
    value = Value(
        subject,
        *shape[:3],
        exact_text(found.value),
        exact_text(found.lower),
        exact_text(found.additive),
        found.states,
        max_states,
        None if certificate is None else certificate_name(subject, shape),
        *shape[3:],
    )
    return ProvedValue(value, certificate)


def sweep(
    folder: str | Path,
    subjects: Sequence[str],
    over: Sequence[Shape],
    *,
    max_states: int,
    engine: Engine | None = None,
    watch: Watch = UNWATCHED,
) -> Tally[ValueJob]:
    """Compute every value that is not there yet.

    Where a budget did not suffice for n pages a layer it is not tried for more: the smaller graph is part of
    the larger one.

    Parameters
    ----------
    folder : path
        An atlas (:func:`open_atlas`).
    subjects, over
        Whom and where, with the smaller instances first.
    max_states : int
        Budget of one value; values that failed with a smaller one are tried again.
    engine : Engine, optional
        Who computes; default this process. The atlas is the same to the byte.
    watch : Watch
        Told how many of the values are done; asked to stop, what is under way is given up.
    """
    jobs = [ValueJob(subject, shape, max_states) for shape, subject in product(over, subjects)]
    ledger = _Atlas(Path(folder))
    tally: Tally[ValueJob] = carry_out(jobs, compute, ledger, engine or Here(), watch, len(jobs))
    ledger.drop_beyond()
    return tally


class _Atlas:
    """The values of an atlas, and from how many pages a layer on the budget does not suffice."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._beyond: dict[tuple[str, Shape], int] = {}
        self._landed: list[Value] = []

    def address(self, job: ValueJob) -> str:
        return address_of([job.subject, *job.shape.numbers])

    def known(self, job: ValueJob) -> bool:
        """Say whether a value is there, or would not be found with this budget."""
        path = value_file(self.root, job.subject, job.shape)
        if path.exists():
            value = read_value(path)
            if value.value is not None or value.max_states >= job.max_states:
                self._note(value)
                return True
        return self._is_beyond(job.subject, job.shape)

    def land(self, job: ValueJob, result: ProvedValue) -> None:
        if result.certificate is not None:
            store_certificate(self.root, certificate_name(job.subject, job.shape), result.certificate)
        store_value(self.root, result.value)
        self._note(result.value)

    def drop_beyond(self) -> None:
        """Forget the failures that would not have been tried had the smaller ones been known.

        Which those are depends on how many workers there were; what an atlas holds does not.
        """
        for value in self._landed:
            if value.value is None and self._is_beyond(value.subject, value.shape):
                value_file(self.root, value.subject, value.shape).unlink(missing_ok=True)

    def _is_beyond(self, subject: str, shape: Shape) -> bool:
        return shape.pages > self._beyond.get((subject, shape._replace(pages=0)), shape.pages)

    def _note(self, value: Value) -> None:
        """Remember from how many pages a layer on the budget does not suffice."""
        self._landed.append(value)
        if value.value is None:
            key = (value.subject, value.shape._replace(pages=0))
            self._beyond[key] = min(value.pages, self._beyond.get(key, value.pages))

"""``--workers`` and ``--scheduler``: by whom the jobs of a command are done."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from paging.cli.options import WholeIn
from paging.cli.terminal import complain, remark

if TYPE_CHECKING:
    from paging.parallel import Engine

F = TypeVar("F", bound=Callable[..., object])

SHOWN_FAILURES = 5
"""Failed jobs that a command tells one by one."""


class EngineChoice(NamedTuple):
    """What the command line says about who does the jobs."""

    workers: int | None
    scheduler: str | None

    @contextmanager
    def opened(self) -> Iterator[Engine]:
        """Yield processes of this machine, or a cluster.

        Raises
        ------
        ClusterError
            There is none that these jobs may run on.
        """
        if self.scheduler is None:
            from paging.parallel import Pool, cores

            with Pool(self.workers or cores()) as pool:
                yield pool
            return
        from paging.cluster import Cluster

        with Cluster(self.scheduler, remark) as cluster:
            remark(
                f"cluster {self.scheduler}: {cluster.threads:,} jobs at a time; dashboard {cluster.dashboard}"
            )
            yield cluster


def engine_options(command: F) -> F:
    """Give a command ``--workers`` and ``--scheduler``, gathered as ``engine: EngineChoice``."""

    @functools.wraps(command)
    def gathered(workers: int | None, scheduler: str | None, **given: Any) -> object:
        if workers is not None and scheduler is not None:
            raise click.UsageError(
                "--workers and --scheduler: the workers of a cluster are started there",
                click.get_current_context(),
            )
        return command(engine=EngineChoice(workers, scheduler), **given)

    scheduled = click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Let a running Dask cluster do the jobs, named by its scheduler: tcp://HOST:8786.",
    )
    spread = click.option(
        "--workers", type=WholeIn(min=1), metavar="W", help="Processes.  [default: one per core]"
    )
    return spread(scheduled(gathered))  # type: ignore[return-value]


def tell_failures(failed: list[tuple[str, str]]) -> None:
    """Tell which jobs gave no result, and why, in a line each."""
    for name, reason in failed[:SHOWN_FAILURES]:
        complain(f"{name}: {reason}")
    if failed[SHOWN_FAILURES:]:
        complain(f"{len(failed) - SHOWN_FAILURES} more jobs gave no result")

"""A heatmap of runs: cache sizes against pages per layer, or policies against workloads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from paging.compare import compare
from paging.errors import ModelError
from paging.model import LayeredInstance
from paging.policy import get_policy
from paging.signals import UNWATCHED, Count, Watch
from paging.workloads import generate
from proofs.plots.document import SHOWN, Document
from proofs.plots.heatmap import heatmap


def heatmap_of_runs(
    policies: Sequence[str],
    workloads: Sequence[str],
    layers: int,
    pages: Sequence[int],
    caches: Sequence[int],
    *,
    show: str = "ratio",
    runs: int = 10,
    seed: int = 0,
    watch: Watch = UNWATCHED,
) -> Document:
    """Serve every workload with every policy.

    Parameters
    ----------
    policies, workloads : sequence of str
        One of each, drawn over all k and n; or several, at one k and one n.
    layers : int
        ℓ.
    pages, caches : sequence of int
        Pages per layer n, and cache sizes k.
    show : {"faults", "rate", "ratio", "saving"}, default "ratio"
        What a cell holds; it is empty where the policy cannot serve.
    runs, seed : int
        Of randomised policies; the seed is that of the workloads too.
    watch : Watch
        Told how much is done.

    Raises
    ------
    ModelError
        Several of both kinds, which no plane shows.

    Examples
    --------
    >>> heatmap_of_runs(["lru"], ["zipf:requests=20"], 1, [2, 3], [1, 3], show="faults")["values"]
    [[13, 15], [2, 3]]
    """
    sizes = len(policies) == len(workloads) == 1
    if not sizes and not len(pages) == len(caches) == 1:
        raise ModelError(
            "a heatmap shows one policy and one workload over k and n, or policies and workloads at one k "
            f"and one n; got {len(policies)} policies, {len(workloads)} workloads, "
            f"{len(caches)} k, {len(pages)} n"
        )
    names = [get_policy(policy).name for policy in policies]
    served = _served(policies, workloads, layers, pages, caches, show, runs, seed, watch)
    found = {(policy, spec, n, k): number for policy, spec, n, k, number in served}
    value = SHOWN[show][2]
    if sizes:
        return heatmap(
            {(str(k), str(n)): found.get((names[0], workloads[0], n, k)) for k in caches for n in pages},
            rows="cache size k (pages)",
            columns="pages per layer n",
            value=value,
            title=f"{policies[0]}, {workloads[0]}, ℓ = {layers}",
        )
    n, k = pages[0], caches[0]
    return heatmap(
        {(name, spec): found.get((name, spec, n, k)) for name in names for spec in workloads},
        rows="policy",
        columns="workload",
        value=value,
        title=f"ℓ = {layers}, n = {n}, k = {k}",
    )


def _served(
    policies: Sequence[str],
    workloads: Sequence[str],
    layers: int,
    pages: Sequence[int],
    caches: Sequence[int],
    show: str,
    runs: int,
    seed: int,
    watch: Watch,
) -> Iterator[tuple[str, str, int, int, float | None]]:
    """Yield policy, workload, n, k and what is shown; LRU is served too, for savings."""
    key, factor, _ = SHOWN[show]
    inputs = [(spec, n) for spec in workloads for n in pages]
    for done, (spec, n) in enumerate(inputs):
        watch.tell(Count(done, len(inputs)))
        sequence = generate(spec, LayeredInstance(layers, n, caches[0]), seed=seed)
        for row in compare(sequence, caches, [*policies, "lru"], runs=runs, seed=seed).rows:
            number = row.as_dict()[key]
            shown = factor * number if isinstance(number, int | float) else None
            yield row.policy, spec, n, row.cache, shown

"""The workloads: one builder each. Adding one means adding a builder here.

Only ``Generator.random`` is drawn from, so a seed means the same numbers in every numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paging.model import LayeredInstance, PageArray
from paging.workloads.registry import Fill, Floats, Parameter, workload

Law = tuple[PageArray, Floats, PageArray, PageArray]
"""first_page, cdf, page_at, rank_of, as `paging.workloads.kernels` describes them."""

ALPHA = Parameter("alpha", 0.0, 0.0, 10.0, "exponent of the popularity r^−alpha of fresh pages; 0 is uniform")


@workload("uniform", "every page of a layer equally likely")
def uniform(instance: LayeredInstance, rng: np.random.Generator) -> Fill:
    """Every visit draws g pages of its layer uniformly at random without replacement."""
    return _fresh(_identity_law(instance))


@workload(
    "zipf",
    "Zipf popularity, another order in every layer",
    Parameter("alpha", 1.0, 0.0, 10.0, "exponent: the r-th most popular page has probability ∝ r^−alpha"),
)
def zipf(instance: LayeredInstance, rng: np.random.Generator, alpha: Floats) -> Fill:
    """The r-th most popular page of a layer is requested with probability ∝ r^−alpha, independently.

    Which page is how popular is a random permutation, drawn once for every layer. With g > 1 the pages of a
    visit are drawn one after the other, each in proportion to its probability among those not yet in it.
    """
    return _fresh(_popularity_law(instance, alpha, rng))


@workload(
    "sticky",
    "a layer likes to repeat its last pages",
    Parameter("p", 0.5, 0.0, 1.0, "probability of keeping a page of the layer's last visit"),
    ALPHA,
    uniforms=2,
)
def sticky(instance: LayeredInstance, rng: np.random.Generator, p: Floats, alpha: Floats) -> Fill:
    """A layer keeps each page of its last visit with probability p and draws the others afresh.

    This is a Markov chain. Fresh pages come from the Zipf law with exponent alpha (0: uniform) and may happen
    to be the old ones. With g > 1 every slot keeps its page on its own; the other slots are then filled one
    after the other with pages that are not yet in the visit.
    """
    from paging.workloads import kernels

    law = _popularity_law(instance, alpha, rng)
    last = np.full((instance.layers, instance.per_visit), kernels.NONE, dtype=np.int32)

    def fill(requests: PageArray, uniforms: tuple[Floats, ...]) -> None:
        kernels.sticky(requests, uniforms[1], *law, uniforms[0] < p[:, np.newaxis], last)

    return fill


@workload(
    "correlated",
    "a layer's page decides the next layer's page",
    Parameter("c", 0.5, 0.0, 1.0, "probability that a layer follows the one before (layer 0 never does)"),
    ALPHA,
    uniforms=2,
)
def correlated(instance: LayeredInstance, rng: np.random.Generator, c: Floats, alpha: Floats) -> Fill:
    """With probability c the page in a slot is a fixed image of the page in that slot one layer before.

    The images are drawn once, as evenly as the numbers of pages allow: a bijection where they are equal.
    Otherwise, and always in layer 0, the page is drawn afresh from the Zipf law with exponent alpha (0:
    uniform). With g > 1 no page is taken twice: a slot whose image is already in the visit, and every slot
    that does not follow, is drawn afresh among the pages that are not yet in the visit.
    """
    from paging.workloads import kernels

    law = _popularity_law(instance, alpha, rng)
    image = _images(instance, rng)

    def fill(requests: PageArray, uniforms: tuple[Floats, ...]) -> None:
        kernels.correlated(requests, uniforms[1], *law, uniforms[0] < c[:, np.newaxis], image)

    return fill


@workload(
    "stack-distance",
    "LRU stack model: recently requested pages of a layer come back",
    Parameter("alpha", 1.0, 0.0, 10.0, "Zipf exponent: depth d has weight ratio^d · d^−alpha"),
    Parameter("ratio", 1.0, 0.001, 1.0, "geometric ratio; alpha=0 makes the law geometric, ratio=1 Zipf"),
)
def stack_distance(instance: LayeredInstance, rng: np.random.Generator, alpha: Floats, ratio: Floats) -> Fill:
    """A visit requests the page at depth d of its layer's LRU stack, with weight ratio^d · d^−alpha.

    Depths run from 1, the layer's last requested page, to n. At the start all pages are on the stack, in
    random order. With g > 1 a visit draws g different depths of the stack as it stands when the visit begins,
    one after the other, each in proportion to its weight among those left; the pages then move to the front
    in the order they are requested. A request takes time in proportion to its depth.
    """
    from paging.workloads import kernels

    depths = _ranks(instance)
    weights = [depth * np.log(ratio[j]) - alpha[j] * np.log(depth) for j, depth in enumerate(depths)]
    law = _law(instance, weights, _permuted_pages(instance, rng))

    def fill(requests: PageArray, uniforms: tuple[Floats, ...]) -> None:
        kernels.stack_distance(requests, uniforms[0], *law)

    return fill


def _fresh(law: Law) -> Fill:
    from paging.workloads import kernels

    return lambda requests, uniforms: kernels.fresh(requests, uniforms[0], *law)


def _identity_law(instance: LayeredInstance) -> Law:
    weights = [np.zeros(n) for n in instance.pages_by_layer]
    return _law(instance, weights, np.arange(instance.total_pages, dtype=np.int32))


def _popularity_law(instance: LayeredInstance, alpha: Floats, rng: np.random.Generator) -> Law:
    weights = [-alpha[j] * np.log(rank) for j, rank in enumerate(_ranks(instance))]
    return _law(instance, weights, _permuted_pages(instance, rng))


def _law(instance: LayeredInstance, log_weights: list[Floats], page_at: PageArray) -> Law:
    """Make the tables of a law from the logarithms of its weights, one array a layer."""
    rank_of = np.empty_like(page_at)
    rank_of[page_at] = np.concatenate([np.arange(n, dtype=np.int32) for n in instance.pages_by_layer])
    tables = []
    for weights in log_weights:
        sums = np.cumsum(np.exp(weights - weights.max()))
        tables.append(np.concatenate([[0.0], sums[:-1] / sums[-1], [1.0]]))
    return instance.first_page, np.concatenate(tables), page_at, rank_of


def _ranks(instance: LayeredInstance) -> list[NDArray[np.int64]]:
    return [np.arange(1, n + 1) for n in instance.pages_by_layer]


def _permuted_pages(instance: LayeredInstance, rng: np.random.Generator) -> PageArray:
    """Page ids with those of each layer in random order."""
    orders = [np.argsort(rng.random(n), kind="stable") for n in instance.pages_by_layer]
    starts = instance.first_page[:-1]
    return np.concatenate([order + start for order, start in zip(orders, starts, strict=True)]).astype(
        np.int32
    )


def _images(instance: LayeredInstance, rng: np.random.Generator) -> PageArray:
    """For every page a page of the next layer (round the end), each equally often up to one."""
    orders = np.split(_permuted_pages(instance, rng), instance.first_page[1:-1])
    following = orders[1:] + orders[:1]
    images = [np.resize(pages, n) for pages, n in zip(following, instance.pages_by_layer, strict=True)]
    return np.concatenate(images)

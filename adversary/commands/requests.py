"""Requests of a construction, wherever a command asks for requests (entry-point group ``paging.sources``)."""

from __future__ import annotations

from collections.abc import Sequence

from adversary.construction import Construction, get_construction
from paging.cli.options import Source
from paging.errors import ModelError


def constructed(source: Source, cache: int | None, policies: Sequence[str]) -> Construction:
    """Build the construction that a command line asks for.

    Parameters
    ----------
    source : Source
        With a construction's name.
    cache : int or None
        Cache size k; what is not given of the instance is as in the construction's demonstration.
    policies : sequence of str
        Who will serve the requests; none for the policy that the construction is demonstrated on.

    Raises
    ------
    ModelError
        The construction plays against one policy and several are named, or does not speak of the instance.
    """
    source.check()
    found = get_construction(source.construction or "")
    if found.kind == "adaptive" and len(policies) > 1:
        raise ModelError(
            f"construction {found.id} plays against one policy, but {len(policies)} are named: "
            f"{', '.join(policies)}"
        )
    return found(
        found.instance(source.layers, source.pages, cache, source.per_visit),
        rounds=source.rounds,
        policy=policies[0] if policies else None,
        seed=source.seed,
        **found.read_options(source.options),
    )

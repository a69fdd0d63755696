"""The growth of the constructions: what each forces as it gets longer, beside what it promises."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from adversary import Construction, constructions, get_construction
from adversary.formulas import formula_latex
from paging.numbers import jsonable
from paging.policy import get_policy
from proofs.bounds.verdicts import growth


def sharing_of(policy: str) -> str:
    """Return how a policy uses the cache, as the rows of the report say it."""
    return "per-layer" if get_policy(policy).per_layer else "shared"


def growth_panels(requests: int, seed: int) -> list[dict[str, Any]]:
    """Return the growth of every construction as the document of the report holds it."""
    panels: list[dict[str, Any]] = jsonable(panels_of([grow(job) for job in growth_jobs(requests, seed)]))
    return panels


def growth_jobs(requests: int, seed: int) -> Iterator[tuple[str, str, dict[str, Any], int, int]]:
    """Every construction on its demonstration instance for its victims; with h < k too where it can."""
    for found in constructions().values():
        variants: list[dict[str, Any]] = [{}]
        if found.smaller_opt:
            variants.append({"opt_cache": (found.demo.cache + 1) // 2})
        rounds = max(1, requests // found.demo.layers)
        for options in variants:
            for policy in found.victims:
                yield found.id, policy, options, rounds, seed


def grow(job: tuple[str, str, dict[str, Any], int, int]) -> dict[str, Any]:
    """Build a construction, and return its promise and the curve of one policy on it."""
    id, policy, options, rounds, seed = job
    found = get_construction(id)
    built = found(rounds=rounds, policy=policy, seed=seed, **options)
    built.offline.check()
    instance = built.sequence.instance
    randomized = get_policy(policy).randomized
    return {
        "construction": id,
        "title": found.title,
        "bound": built.bound,
        "kind": found.kind,
        "told": found.told,
        "policy": policy,
        "sharing": sharing_of(policy),
        "layers": instance.layers,
        "pages": instance.pages,
        **{key: instance.plain[key] for key in ("per_visit", "visits", "service")},
        "k": instance.cache,
        "h": built.offline.sequence.instance.cache,
        "seed": seed if randomized or built.seed is not None else None,
        "measure": "one sampled run" if randomized else "counted",
        "offline_is": "construction's schedule",
        "limit": built.limit,
        "limit_form": _limit_form(built),
        "promise": _promise(built),
        "points": _points(built, policy, seed),
    }


def _limit_form(built: Construction) -> str | None:
    """The closed form of the limit for display as mathematics, where it has symbols."""
    form = built.promise.limit
    if built.promise.in_expectation or not getattr(form, "free_symbols", None):
        return None
    return formula_latex(form)


def _promise(built: Construction) -> dict[str, Any]:
    promise = built.promise
    return {
        "period": promise.period,
        "online_at_least": built.value(promise.online),
        "offline_at_most": built.value(promise.offline),
        "offline_start_at_most": built.value(promise.start),
        "in_expectation": promise.in_expectation,
    }


def _points(built: Construction, policy: str, seed: int) -> list[dict[str, Any]]:
    periods = np.array(built.boundaries)
    rows = []
    for point in growth(built, policy, seed=seed):
        complete = max(0, int(np.searchsorted(periods, point.requests, side="right")) - 1)
        rows.append(
            {
                "requests": point.requests,
                "online": point.online,
                "offline": point.offline,
                "ratio": point.ratio,
                "promised": None if built.promise.in_expectation else _promised(built, complete),
            }
        )
    return rows


def _promised(built: Construction, periods: int) -> Fraction:
    """The ratio that the promise guarantees after so many complete periods."""
    online, offline, start = (
        Fraction(built.value(form))
        for form in (built.promise.online, built.promise.offline, built.promise.start)
    )
    return periods * online / (start + periods * offline)


def panels_of(grown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gather the curves of one construction at one h: what they share, then one curve a policy."""
    own = ("policy", "sharing", "seed", "measure", "points")
    panels: dict[tuple[str, int], dict[str, Any]] = {}
    for row in grown:
        shared = {key: value for key, value in row.items() if key not in own}
        panel = panels.setdefault((row["construction"], row["h"]), {**shared, "curves": []})
        panel["curves"].append({key: row[key] for key in own})
    for (id, small), panel in panels.items():
        alone = sum(other == id for other, _ in panels) == 1
        panel["id"] = id if alone else f"{id}-h{small}"
    return list(panels.values())

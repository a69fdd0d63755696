"""A run as text: time across, pages down, and no colour needed to read it."""

from __future__ import annotations

from itertools import islice

from paging.errors import ModelError
from paging.model import RequestSequence, Step
from paging.offline import farthest_in_future
from paging.policy import Policy, get_policy, plain_name
from paging.simulate import steps

FAULT, HELD, CACHED, LEFT, ABSENT = "F", "H", "-", "x", " "
"""Marks of a page: requested and missing, requested and cached, cached, evicted just now, absent."""

LEGEND = f"{FAULT} fault, {HELD} hit, {CACHED} cached, {LEFT} evicted"

NARROWEST = 10
"""Fewest requests that are worth a picture."""


def _mark(page: int, step: Step) -> str:
    if page == step.page:
        return HELD if step.hit else FAULT
    if page in step.victims:
        return LEFT
    return CACHED if page in step.cache else ABSENT


def cache_timeline(
    policy: str | Policy | type[Policy], sequence: RequestSequence, *, width: int = 80, seed: int = 0
) -> str:
    """Draw which pages are cached when, as lines of text.

    Parameters
    ----------
    policy : str, Policy or Policy class
        Whom to watch; ``"opt"`` is the offline optimum.
    sequence : RequestSequence
        Sequential visits. As many requests are drawn as fit; the first line says if that is not all.
    width : int, default 80
        Columns of the screen.
    seed : int, default 0
        Of a randomised policy, which is shown in one run.

    Returns
    -------
    str
        A title, the layers served, a row for each page that is requested, and the count.

    Raises
    ------
    ModelError
        The screen is too narrow for ten requests.
    UnsupportedModelError
        Visits are atomic: those are no single steps.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> sequence = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    >>> print(cache_timeline("lru", sequence))
    lru: F fault, H hit, - cached, x evicted
    time   0
    layer  000000
    0.0    F-xF-x
    0.1     F-xF-
    0.2      F-xF
    6 faults in 6 requests
    """
    policy = plain_name(policy) if isinstance(policy, str) else policy
    names = [sequence.instance.page_name(page) for page in range(sequence.instance.total_pages)]
    margin = max(len("layer"), *map(len, names)) + 2
    room = width - margin
    if room < NARROWEST:
        raise ModelError(f"a timeline needs at least {margin + NARROWEST} columns, the screen has {width}")
    shown = sequence.prefix(room)
    if policy == "opt":  # it knows the whole sequence, of which the picture shows a part
        served = list(islice(farthest_in_future(sequence, record=True).schedule.steps(), room))
    else:
        served = list(steps(policy, shown, seed=seed))
    faults = sum(not step.hit for step in served)
    part = "" if len(shown) == len(sequence) else f"the first {len(shown)} of {len(sequence):,} requests; "
    layers = "".join(str(layer % 10) for layer in shown.visit_layers.tolist())
    lines = [
        f"{_name(policy, seed)}: {part}{LEGEND}",
        "time".ljust(margin) + _ruler(len(shown)),
        "layer".ljust(margin) + layers,
    ]
    lines += [
        names[page].ljust(margin) + "".join(_mark(page, step) for step in served)
        for page in sorted({step.page for step in served})
    ]
    lines.append(f"{faults:,} faults in {len(shown):,} requests")
    return "\n".join(line.rstrip() for line in lines)


def _name(policy: str | Policy | type[Policy], seed: int) -> str:
    if policy == "opt":
        return "opt"
    answer = get_policy(policy)
    return f"{answer.name}, one run with seed {seed}" if answer.randomized else answer.name


def _ruler(length: int) -> str:
    """Write every tenth time at its place.

    >>> _ruler(12)
    '0         10'
    """
    return "".join(str(t).ljust(10) for t in range(0, length, 10))[: length + 2].rstrip()

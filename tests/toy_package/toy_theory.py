"""A lower bound on the toy policy, and the construction that forces it."""

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, k, require
from adversary.phases import phase_schedule
from paging import LayeredInstance, RequestSequence
from proofs.bounds.bound import Bound, Range, Subject


@construction(
    id="toy-cycle",
    title="cycle through three pages with two slots",
    bound="toy-lower",
    bad_for="the toy policy",
    source="this package",
    status="proved in this docstring",
    victims=("toy-policy",),
    kind="cyclic",
    demo=LayeredInstance(layers=1, pages=3, cache=2),
)
def cycle(instance: LayeredInstance, rounds: int) -> Construction:
    """Request pages 0, 1, 2, 0, 1, 2 and so on.

    Bad for whom
    ------------
    The toy policy evicts the page requested last but one, which is the next one to come but one.

    Promise
    -------
    Every request is a fault; a k-phase has two requests, and the offline schedule faults once in it.
    """
    require(instance, ("ℓ = 1", instance.layers == 1), ("k = 2", instance.cache == 2))
    require(instance, ("n ≥ 3", instance.total_pages >= 3))
    sequence = RequestSequence(instance, np.arange(rounds) % 3)
    offline, starts = phase_schedule(sequence)
    promise = Promise("a k-phase", k, sympy.Integer(1), k)
    return Construction(sequence, offline, promise, starts[1:], {"k": instance.cache})


LOWER = Bound(
    id="toy-lower",
    kind="lower",
    measure="deterministic",
    subject=Subject(names=("toy-policy",)),
    value=k,
    range=Range(service=("forced",), visits=("sequential",), per_visit=1),
    conditions=(
        ("ℓ = 1", lambda instance: instance.layers == 1),
        ("k = 2", lambda instance: instance.cache == 2),
        ("n ≥ 3", lambda instance: instance.total_pages >= 3),
    ),
    statement="The toy policy has competitive ratio at least k for k = 2.",
    source="A. Toymaker: On toys",
    locator="this file",
    origin="ours",
    status="ours",
    evidence="The construction toy-cycle.",
    constructions=("toy-cycle",),
)

"""The table of bounds: every theorem this project carries, in the order of every list."""

from __future__ import annotations

from dataclasses import replace

import sympy

from adversary.catalogue.missing_pair import TWO_NEW_PAGES, two_are_new
from paging.arguments import checked
from paging.errors import UnknownNameError
from paging.outside import Registry
from proofs.bounds.bound import (
    OPT,
    Bound,
    Condition,
    Range,
    Subject,
    beta,
    eta,
    eta0,
    eta1,
    g,
    gamma,
    h,
    k,
    l,
    n,
)  # fmt: skip

ONE_A_VISIT = Range(service=("forced",), visits=("sequential",), per_visit=1)
"""The layered model of the source: the order of layers is what the proof uses."""

ANY_NUMBER = Range(service=("forced",), visits=("sequential",), per_visit=None)
"""Requests served one after the other, any number of pages a visit; conditions say more."""

ANY_WEIGHTS = replace(ANY_NUMBER, cost="any")
"""As before, and every page may cost what it will."""

ONE_SLOT_FEWER = replace(ONE_A_VISIT, fewer=1)
"""As before, also against an OPT that has one slot fewer."""

ATOMIC = Range(service=("forced",), visits=("atomic",), per_visit=None)
"""Visits whose pages must all be cached together."""

ANY = Subject(traits=(("online",),))
ANY_DETERMINISTIC = Subject(traits=(("online", "deterministic"),))
MARKING = Subject(traits=(("deterministic", "marking"),))
TOLD_TO_DISCARD = Subject(traits=(("online", "deterministic"),), told="discard")
CONSERVATIVE = Subject(traits=(("conservative",),))
DEMAND_OR_MARKING = Subject(traits=(("demand",), ("marking",)))
MARKING_OR_CONSERVATIVE = Subject(traits=(("deterministic", "marking"), ("conservative",)))

DETERMINISTIC = (
    "lru", "fifo", "lifo", "mru", "clock", "sieve", "lfu", "lfu-capped", "fwf", "mark-lru", "mark-fifo",
    "mark-layer", "llru", "llru-lazy", "llru-token", "zrc",
)  # fmt: skip
"""The policies that bounds about any deterministic one are measured on."""

SEVERAL_A_VISIT = ("lru", "fifo", "clock", "llru", "far-lab")
"""The policies that bounds about several pages a visit are measured on."""

H = sympy.harmonic
ZERO = sympy.Integer(0)
_share = (k + 1) / l

LAYERED: Condition = ("ℓ ≥ 2", lambda i: i.layers >= 2)
CLASSICAL: Condition = ("ℓ = 1", lambda i: i.layers == 1)
ROOM: Condition = ("n ≥ k + 1", lambda i: min(i.pages_by_layer) >= i.cache + 1)
EVEN: Condition = ("ℓ divides k + 1", lambda i: (i.cache + 1) % i.layers == 0)
EVEN_ROOM: Condition = ("n ≥ (k + 1)/ℓ", lambda i: min(i.pages_by_layer) * i.layers >= i.cache + 1)
A_SLOT_EACH: Condition = ("k ≥ ℓ", lambda i: i.cache >= i.layers)
A_SLOT_MORE: Condition = ("k ≥ ℓ + 1", lambda i: i.cache > i.layers)
ONE_SLOT_MORE: Condition = ("k = ℓ + 1", lambda i: i.cache == i.layers + 1)
BEYOND_CACHE: Condition = ("k < number of pages", lambda i: i.cache < i.total_pages)
ALL_FIT: Condition = ("k ≥ number of pages", lambda i: i.cache >= i.total_pages)
TWO_EACH: Condition = ("n ≥ 2", lambda i: min(i.pages_by_layer) >= 2)

SEVERAL: Condition = ("g ≥ 2", lambda i: i.per_visit >= 2)
A_VISIT_EACH: Condition = ("k ≥ ℓg", lambda i: i.cache >= i.round_length)
ONE_HOLDS_ALL: Condition = (
    "a layer has k + 1 − (ℓ − 1)g pages",
    lambda i: max(i.pages_by_layer) >= i.cache + 1 - (i.layers - 1) * i.per_visit,
)

LLRU_BEATEN = {(2, 6): 4, (2, 7): 4, (2, 8): 5, (2, 9): 5, (3, 7): 3, (3, 8): 3}
"""(ℓ, k) where a cycle with more than k LLRU faults per OPT fault is known, and the n it needs."""


def named(*policies: str) -> Subject:
    """Return the subject of a bound about these policies alone."""
    return Subject(names=policies)


TABLE = (
    Bound(
        id="L1",
        kind="lower",
        measure="deterministic",
        subject=Subject(names=("partitioned",), any_parameters=True),
        measured=("partitioned", "partitioned:policy=fifo", "partitioned:policy=lfu"),
        value=sympy.oo,
        range=ONE_A_VISIT,
        conditions=(
            LAYERED,
            A_SLOT_MORE,
            ("n > k/ℓ", lambda i: min(i.pages_by_layer) * i.layers > i.cache),
        ),
        statement="No fixed split k_1 + … + k_ℓ ≤ k of the cache has a bounded competitive ratio.",
        source="AMOS2025",
        locator="Theorem 1",
        origin="our reading",
        status="ours",
        evidence=(
            "Statement: the start of Theorem 1; conditions and proof: ours. A layer with k_i ≤ ⌊k/ℓ⌋ is "
            "asked for k_i + 1 pages while every other layer repeats one page."
        ),
        constructions=("fixed-split", "fixed-split-cyclic"),
    ),
    Bound(
        id="L2",
        kind="lower",
        measure="deterministic",
        subject=ANY_DETERMINISTIC,
        measured=DETERMINISTIC,
        value=k - l + 1,
        range=ONE_A_VISIT,
        conditions=(A_SLOT_EACH, BEYOND_CACHE),
        statement="Every deterministic policy has competitive ratio at least k − ℓ + 1.",
        source="AMOS2025",
        locator="reported by third parties",
        origin="our reading",
        status="ours",
        evidence=(
            "Bound reported, construction and proof ours: k + 1 pages, the missing one is requested when its "
            "layer is served."
        ),
        constructions=("missing-page", "cruel"),
        machine_checked="Lower.L2",
    ),
    Bound(
        id="L3",
        kind="lower",
        measure="deterministic",
        subject=named("lru"),
        value=k,
        range=ONE_A_VISIT,
        conditions=(EVEN, EVEN_ROOM),
        statement="LRU has competitive ratio at least k when ℓ divides k + 1.",
        source="AMOS2025",
        locator="reported by third parties",
        origin="our reading",
        status="ours",
        evidence=(
            "The cyclic sequence over (k + 1)/ℓ pages per layer. The condition is sufficient, not necessary."
        ),
        constructions=("cyclic",),
    ),
    Bound(
        id="L3-tight",
        kind="tight",
        measure="deterministic",
        subject=named("lru", "mark-lru"),
        value=k,
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(
            BEYOND_CACHE,
            (
                "k = 1, k = ℓ − 1 or k ≥ 2ℓ − 1",
                lambda i: i.cache in (1, i.layers - 1) or i.cache >= 2 * i.layers - 1,
            ),
            ("n ≥ 2 or k < ℓ", lambda i: min(i.pages_by_layer) >= 2 or i.cache < i.layers),
        ),
        statement=(
            "LRU has competitive ratio exactly k for these (ℓ, n, k); for all others with k < ℓn it has a "
            "smaller one."
        ),
        source="here",
        locator="docs/bounds.md",
        origin="ours",
        status="ours",
        evidence="From below, k + 1 pages in the order in which LRU evicts them; marking-upper from above.",
        constructions=("rehearsed", "cyclic", "one-page-each"),
    ),
    Bound(
        id="lru-layered-upper",
        kind="upper",
        measure="deterministic",
        subject=named("lru", "mark-lru"),
        value=sympy.Min(k, 2 * (k - l) + 1),
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(A_SLOT_MORE,),
        statement="LRU is min(k, 2(k − ℓ) + 1)-competitive.",
        source="here",
        locator="docs/zrc.md, Theorem 5",
        origin="ours",
        status="ours",
        evidence="A page requested in the last round never leaves; windows of ℓ requests after an OPT fault.",
        machine_checked="Latest.lru_doubled",
    ),
    Bound(
        id="lru-layered-lower",
        kind="lower",
        measure="deterministic",
        subject=named("lru", "mark-lru"),
        value=2 * (k - l) + 1,
        range=ONE_A_VISIT,
        conditions=(
            ("ℓ + 1 ≤ k ≤ 2ℓ − 1", lambda i: i.layers < i.cache < 2 * i.layers),
            TWO_EACH,
        ),
        statement="LRU has competitive ratio at least 2(k − ℓ) + 1, hence exactly this.",
        source="here",
        locator="docs/zrc.md, Theorem 5",
        origin="ours",
        status="ours",
        evidence="k − ℓ + 1 layers alternate between two pages.",
        constructions=("two-faces",),
        machine_checked="Latest.lru_doubled_tight",
    ),
    Bound(
        id="one-slot-each-upper",
        kind="upper",
        measure="deterministic",
        subject=named("lru", "mark-lru", "zrc"),
        value=2 - 1 / l,
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(("k = ℓ", lambda i: i.cache == i.layers),),
        statement=(
            "With as many slots as layers LRU and ZRC have competitive ratio at most 2 − 1/ℓ, and exactly "
            "that if every layer has two pages."
        ),
        source="here",
        locator="docs/zrc.md, Theorem 4",
        origin="ours",
        status="ours",
        evidence="They keep the last page of every layer.",
        machine_checked="Latest.one_slot_each",
    ),
    Bound(
        id="zrc-tight",
        kind="tight",
        measure="deterministic",
        subject=named("zrc"),
        value=k - l + 1,
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(
            ("k ≥ min(2ℓ − 1, ℓ + 3)", lambda i: i.cache >= min(2 * i.layers - 1, i.layers + 3)),
            BEYOND_CACHE,
        ),
        statement="ZRC has competitive ratio exactly k − ℓ + 1, by L2 the best of any deterministic policy.",
        source="here",
        locator="docs/zrc.md, Theorems 1 and 2",
        origin="ours",
        status="ours",
        evidence="From below L2, whose construction this is. For smaller k see zrc-near and zrc-next.",
        constructions=("missing-page",),
        machine_checked="Zrc.zrc_upper (from above, for k ≥ 2ℓ − 1)",
    ),
    Bound(
        id="zrc-near",
        kind="upper",
        measure="deterministic",
        subject=named("zrc"),
        value=sympy.Rational(10, 3),
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(("k = ℓ + 2", lambda i: i.cache == i.layers + 2),),
        statement="For k = ℓ + 2 ZRC is 10/3-competitive (and 3 is the best possible).",
        source="here",
        locator="docs/zrc.md, Theorem 3",
        origin="ours",
        status="ours",
        evidence="Conjectured: exactly 3.",
    ),
    Bound(
        id="zrc-next",
        kind="upper",
        measure="deterministic",
        subject=named("zrc"),
        value=sympy.Rational(5, 2),
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(ONE_SLOT_MORE,),
        statement=(
            "For k = ℓ + 1 ZRC is 5/2-competitive (and 2 is a lower bound for every deterministic policy)."
        ),
        source="here",
        locator="docs/zrc.md, Theorem 3",
        origin="ours",
        status="ours",
        evidence="The ratio is 7/3 at (ℓ, n, k) = (3, 3, 4).",
    ),
    Bound(
        id="small-cache",
        kind="tight",
        measure="deterministic",
        subject=named("lru", "fifo", "clock", "fwf", "mark-lru", "mark-fifo"),
        value=(l - 1) / (l - k),
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(("k < ℓ", lambda i: i.cache < i.layers),),
        statement=(
            "With fewer slots than layers these policies have competitive ratio exactly (ℓ − 1)/(ℓ − k), and "
            "no policy has a larger one."
        ),
        source="here",
        locator="docs/bounds.md",
        origin="ours",
        status="ours",
        evidence=(
            "One page per layer from below; from above, at most k − 1 of the ℓ − 1 requests after another "
            "one are hits."
        ),
        constructions=("one-page-each",),
    ),
    Bound(
        id="visits-lower",
        kind="lower",
        measure="deterministic",
        subject=ANY_DETERMINISTIC,
        measured=SEVERAL_A_VISIT,
        value=k - l * g + 2,
        range=ANY_NUMBER,
        conditions=(SEVERAL, A_VISIT_EACH, BEYOND_CACHE),
        statement=(
            "With g ≥ 2 pages a visit, served one by one, every deterministic policy has competitive ratio "
            "at least k − ℓg + 2."
        ),
        source="here",
        locator="docs/visits.md, Theorem 2",
        origin="ours",
        status="ours",
        evidence="k + 1 pages, the new one in the first place of a visit.",
        constructions=("missing-in-visit",),
    ),
    Bound(
        id="visits-lower-late",
        kind="lower",
        measure="deterministic",
        subject=ANY_DETERMINISTIC,
        measured=SEVERAL_A_VISIT,
        value=k - l * g + 3,
        range=ANY_NUMBER,
        conditions=(
            LAYERED,
            ("g ≥ 3", lambda i: i.per_visit >= 3),
            A_VISIT_EACH,
            BEYOND_CACHE,
            ONE_HOLDS_ALL,
        ),
        statement=(
            "With g ≥ 3 pages a visit, served one by one, and a layer that holds the whole excess, every "
            "deterministic policy has competitive ratio at least k − ℓg + 3."
        ),
        source="here",
        locator="docs/visits.md, Theorem 3",
        origin="ours",
        status="ours",
        evidence="k + 1 pages, the new one in the last place of a visit.",
        constructions=("missing-in-visit",),
    ),
    Bound(
        id="visits-lower-one-layer",
        kind="lower",
        measure="deterministic",
        subject=ANY_DETERMINISTIC,
        measured=SEVERAL_A_VISIT,
        value=k - g + sympy.Min(g, 4),
        range=ANY_NUMBER,
        conditions=(CLASSICAL, SEVERAL, A_VISIT_EACH, BEYOND_CACHE),
        statement=(
            "With one layer and g ≥ 2 distinct pages a visit every deterministic policy has competitive "
            "ratio at least k − g + min(g, 4): up to g = 4 that is k."
        ),
        source="here",
        locator="docs/visits.md, Theorem 4",
        origin="ours",
        status="ours",
        evidence="k + 1 pages, the new one in the last place of a visit (in the first if g = 2); LRU has k.",
        constructions=("missing-in-visit",),
    ),
    Bound(
        id="atomic-lower",
        kind="lower",
        measure="deterministic",
        subject=ANY_DETERMINISTIC,
        measured=("lru", "mark-lru", "zrc-atomic"),
        value=k - l * g + 1,
        range=ATOMIC,
        conditions=(A_VISIT_EACH, BEYOND_CACHE),
        statement="In atomic visits every deterministic policy has competitive ratio at least k − ℓg + 1.",
        source="here",
        locator="docs/visits.md, Theorem 5",
        origin="ours",
        status="ours",
        evidence="k + 1 pages, the missing one is requested when its layer is served; g = 1 is L2.",
        constructions=("missing-in-atomic-visit",),
    ),
    Bound(
        id="zrc-atomic",
        kind="tight",
        measure="deterministic",
        subject=named("zrc-atomic"),
        value=k - l * g + 1,
        additive=k,
        range=ATOMIC,
        conditions=(
            ("k ≥ (2ℓ − 1)g", lambda i: i.cache >= (2 * i.layers - 1) * i.per_visit),
            BEYOND_CACHE,
        ),
        statement=(
            "In atomic visits ZRC-ATOMIC has competitive ratio exactly k − ℓg + 1, by atomic-lower the best "
            "of any deterministic policy."
        ),
        source="here",
        locator="docs/visits.md, Theorem 6",
        origin="ours",
        status="ours",
        evidence="The proof of ZRC for k ≥ 2ℓ − 1, with visits for requests; constant 0 for whole visits.",
        constructions=("missing-in-atomic-visit",),
    ),
    Bound(
        id="zrc-atomic-half",
        kind="upper",
        measure="deterministic",
        subject=named("zrc-atomic"),
        value=sympy.Max(k - l * g + 1, k / 2 + 1),
        additive=k,
        range=ATOMIC,
        conditions=(A_VISIT_EACH,),
        statement="In atomic visits ZRC-ATOMIC is max(k − ℓg + 1, k/2 + 1)-competitive; proved for ⌊k/2⌋.",
        source="here",
        locator="docs/visits.md, Theorem 6",
        origin="ours",
        status="ours",
        evidence="The same proof; conjectured for k ≥ ℓg + 2: k − ℓg + 1.",
    ),
    Bound(
        id="L4",
        kind="lower",
        measure="oblivious",
        subject=ANY,
        measured=("mark", "random", "lru", "llru"),
        value=H(_share),
        range=ONE_A_VISIT,
        conditions=(LAYERED, EVEN, EVEN_ROOM),
        statement=(
            "Every randomised policy has competitive ratio at least H_m, m = (k + 1)/ℓ; for k = ℓn − 1 that "
            "is H_n."
        ),
        source="AMOS2025",
        locator="reported by third parties",
        origin="our reading",
        status="ours",
        evidence=(
            "Reported as max(H_n, log ℓ/(6n)). Rebuilt: independent uniform requests in each layer; the "
            "construction's own exact limit, from a rational sum, is at least this closed form."
        ),
        constructions=("uniform",),
    ),
    Bound(
        id="L4-layers",
        kind="lower",
        measure="oblivious",
        subject=ANY,
        measured=("mark", "random", "lru", "llru"),
        value=((_share - 1) * H(l - 1) - 1) / _share,
        range=ONE_A_VISIT,
        conditions=(LAYERED, EVEN, EVEN_ROOM),
        statement=(
            "Every randomised policy has competitive ratio at least ((m − 1)·H_{ℓ−1} − 1)/m, m = (k + 1)/ℓ, "
            "which grows with ℓ."
        ),
        source="AMOS2025",
        locator="reported by third parties",
        origin="our reading",
        status="ours",
        evidence="The same uniform construction; the last of ℓ collectors finishes late.",
        constructions=("uniform",),
    ),
    Bound(
        id="L4-spread",
        kind="lower",
        measure="oblivious",
        subject=ANY,
        measured=("mark", "random", "lru", "llru"),
        value=H(sympy.Min(n - 1, k - l + 1)),
        range=ONE_A_VISIT,
        conditions=(A_SLOT_EACH, BEYOND_CACHE),
        statement="Every randomised policy has competitive ratio at least H_{m−1}, m = min(n, k − ℓ + 2).",
        source="here",
        locator="docs/adversaries.md",
        origin="ours",
        status="ours",
        evidence=(
            "Independent uniform requests to k + 1 pages, m of them in one layer; the construction's own "
            "exact limit, from a rational sum, is at least this closed form."
        ),
        constructions=("uniform-spread",),
    ),
    Bound(
        id="L5",
        kind="upper",
        measure="deterministic",
        subject=named("llru"),
        value=k + l - 1,
        additive=ZERO,
        range=ONE_A_VISIT,
        statement="LLRU faults at most k + ℓ − 1 times in a k-phase, hence is (k + ℓ − 1)-competitive.",
        source="here",
        locator="docs/bounds.md",
        origin="ours",
        status="ours",
        evidence="About our reading of LLRU.",
    ),
    Bound(
        id="llru-lower",
        kind="lower",
        measure="deterministic",
        subject=named("llru"),
        value=k + sympy.Rational(1, 2),
        range=ONE_A_VISIT,
        conditions=(
            ("(ℓ, k) one of (2, 6 … 9), (3, 7), (3, 8)", lambda i: (i.layers, i.cache) in LLRU_BEATEN),
            (
                "n ≥ 4 (k ≤ 7), 5 (k ≥ 8) for ℓ = 2, 3 for ℓ = 3",
                lambda i: min(i.pages_by_layer) >= LLRU_BEATEN.get((i.layers, i.cache), 0),
            ),
        ),
        statement="LLRU is not k-competitive: on these instances its ratio is at least k + 1/2.",
        source="here",
        locator="exhaustive search of the product graph",
        origin="ours",
        status="ours",
        evidence=(
            "Cycles with ratio 13/2 at (2, 6), 15/2 at (3, 7), 9 at (3, 8), and k + ℓ − 1 at (2, 7), (2, 8), "
            "(2, 9), where L5 is therefore tight."
        ),
        constructions=("llru-cycles",),
    ),
    Bound(
        id="everything-fits",
        kind="upper",
        measure="deterministic",
        subject=DEMAND_OR_MARKING,
        value=sympy.Integer(1),
        additive=ZERO,
        range=ANY_NUMBER,
        conditions=(ALL_FIT,),
        statement="Where all pages fit the cache, a policy that evicts only when it is full has ratio 1.",
        source="here",
        locator="this table",
        origin="classical",
        status="folklore",
        evidence="Every page faults once, which OPT cannot avoid; all pages fit into one k-phase.",
        measured=("lru", "zrc", "mark"),
    ),
    Bound(
        id="marking-upper",
        kind="upper",
        measure="deterministic",
        subject=MARKING,
        value=k,
        additive=ZERO,
        range=ANY_NUMBER,
        statement="Every marking algorithm is k-competitive.",
        source="BorodinElYaniv1998",
        locator="chapter on deterministic paging",
        origin="classical",
        status="proved in the source",
        evidence="At most k faults in a k-phase; OPT pays k in the first and 1 for each further one.",
        machine_checked="Marking.marking_upper (one page a visit)",
    ),
    Bound(
        id="marking-lower",
        kind="lower",
        measure="deterministic",
        subject=MARKING,
        value=sympy.Rational(5, 2),
        range=ONE_A_VISIT,
        conditions=(
            ("ℓ ≥ 3", lambda i: i.layers >= 3),
            ONE_SLOT_MORE,
            TWO_EACH,
        ),
        statement="With k = ℓ + 1 every deterministic marking algorithm has competitive ratio at least 5/2.",
        source="here",
        locator="docs/bounds.md",
        origin="ours",
        status="ours",
        evidence=(
            "Two k-phases with 5 faults against 2; L2 gives 2. Marked pages are kept, and OPT can drop them."
        ),
        constructions=("marking-trap",),
    ),
    Bound(
        id="mark-layer-small",
        kind="tight",
        measure="deterministic",
        subject=named("mark-layer"),
        value=k - l + 1,
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(
            ("k = number of pages − 1", lambda i: i.cache == i.total_pages - 1),
            TWO_EACH,
        ),
        statement=(
            "When only k + 1 pages exist, at least two per layer, this marking algorithm has competitive "
            "ratio exactly k − ℓ + 1, and no deterministic policy has a smaller one."
        ),
        source="here",
        locator="docs/bounds.md",
        origin="ours",
        status="ours",
        evidence="In the first round of a k-phase ℓ − 1 pages come in without a fault; L2 from below.",
        constructions=("missing-page",),
    ),
    Bound(
        id="conservative-upper",
        kind="upper",
        measure="deterministic",
        subject=CONSERVATIVE,
        value=k,
        additive=ZERO,
        range=ANY_NUMBER,
        statement="Every conservative algorithm (LRU, FIFO, CLOCK) is k-competitive.",
        source="BorodinElYaniv1998",
        locator="chapter on deterministic paging",
        origin="classical",
        status="proved in the source",
        evidence="At most k faults in a k-phase; OPT pays k in the first and 1 for each further one.",
        machine_checked="Conservative.conservative_upper (one page a visit)",
    ),
    Bound(
        id="fifo-tight",
        kind="tight",
        measure="deterministic",
        subject=named("fifo"),
        value=k,
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(A_SLOT_EACH, BEYOND_CACHE, TWO_EACH),
        statement="FIFO has competitive ratio exactly k, also where LRU has a smaller one.",
        source="here",
        locator="docs/bounds.md",
        origin="ours",
        status="ours",
        evidence=(
            "One new page pushes out the oldest page, which pushes out the next, through the whole queue; "
            "conservative-upper from above."
        ),
        constructions=("domino",),
        machine_checked="Conservative.fifo_upper (from above)",
    ),
    Bound(
        id="augmentation-upper",
        kind="upper",
        measure="deterministic",
        subject=MARKING_OR_CONSERVATIVE,
        value=k / (k - h + 1),
        additive=ZERO,
        range=ANY_NUMBER,
        statement="With k pages against OPT's h ≤ k they are k/(k − h + 1)-competitive.",
        source="SleatorTarjan1985",
        locator="section on paging, upper bound",
        origin="classical",
        status="proved in the source",
        evidence="OPT with h pages pays at least k − h + 1 per k-phase; additive constant 0 ours.",
        machine_checked="Marking.marking_upper, Conservative.conservative_upper (one page a visit)",
    ),
    Bound(
        id="landlord-upper",
        kind="upper",
        measure="deterministic",
        subject=named("landlord", "landlord-fifo"),
        value=k / (k - h + 1),
        additive=ZERO,
        range=ANY_WEIGHTS,
        statement="With k pages against OPT's h ≤ k Landlord is k/(k − h + 1)-competitive with any weights.",
        source="Young2002",
        locator="analysis of Landlord, pages of size 1",
        origin="classical",
        status="proved in the source",
        evidence=("The potential (h − 1)·Σ credit of cached pages + k·Σ (weight − credit) of OPT's pages."),
    ),
    Bound(
        id="fractional-upper",
        kind="upper",
        measure="fractional",
        subject=Subject(algorithm="fractional"),
        value=2 * sympy.log(1 + k),
        additive=ZERO,
        range=ANY_WEIGHTS,
        statement="Caching pages in parts, the primal–dual algorithm pays at most 2 ln(1 + k) times OPT.",
        source="BBN2012",
        locator="fractional algorithm for weighted paging",
        origin="classical",
        status="proved in the source",
        evidence="Its dual, a lower bound on OPT known online, is counted exactly for every run.",
    ),
    Bound(
        id="fractional-augmented",
        kind="upper",
        measure="fractional",
        subject=Subject(algorithm="fractional"),
        value=2 * sympy.log(1 + k / (k - h + 1)),
        additive=ZERO,
        range=ANY_WEIGHTS,
        statement="With η = (k − h + 1)/k it pays at most 2 ln(1 + k/(k − h + 1)) times OPT with h slots.",
        source="BBN2012",
        locator="the order, in its abstract; this constant and its proof in docs/weights.md",
        origin="our reading",
        status="ours",
        evidence="While fractions rise, the cost rises at most 2 ln(1 + 1/η) times as fast as the dual.",
    ),
    Bound(
        id="unknown-weights-upper",
        kind="upper",
        measure="fractional",
        subject=Subject(algorithm="fractional unknown-weights"),
        value=2 * sympy.log(1 + k),
        range=ANY_WEIGHTS,
        statement=(
            "With unknown weights in (0, 1], at upper confidence bounds, fractional paging pays at most "
            "2 ln(1 + k)·OPT + 2√(2nT ln(4n³T³)) + 2n ln(1 + k) with probability 1 − 1/(nT); these terms "
            "are multiplied by the largest weight where it is another."
        ),
        source="LTR2024",
        locator="analysis of the fractional algorithm, its constants",
        origin="paper",
        status="proved in the source",
        evidence="The second and third term, which depend on T, are allowed to every run that is judged.",
    ),
    Bound(
        id="deterministic-lower",
        kind="lower",
        measure="deterministic",
        subject=ANY_DETERMINISTIC,
        measured=DETERMINISTIC,
        value=k,
        range=ONE_A_VISIT,
        conditions=(CLASSICAL, ROOM),
        statement="Every deterministic policy has competitive ratio at least k.",
        source="SleatorTarjan1985",
        locator="section on paging, lower bound with h = k",
        origin="classical",
        status="proved in the source",
        evidence="Always request the missing page out of k + 1.",
        constructions=("missing-page", "cruel", "sleator-tarjan"),
        machine_checked="Lower.sleator_tarjan_lower",
    ),
    Bound(
        id="augmentation-lower",
        kind="lower",
        measure="deterministic",
        subject=ANY_DETERMINISTIC,
        measured=DETERMINISTIC,
        value=k / (k - h + 1),
        range=ONE_A_VISIT,
        conditions=(
            CLASSICAL,
            ("n ≥ 2k", lambda i: min(i.pages_by_layer) >= 2 * i.cache),
        ),
        statement=(
            "With k pages against OPT's h ≤ k every deterministic policy has ratio at least k/(k − h + 1)."
        ),
        source="SleatorTarjan1985",
        locator="section on paging, lower bound",
        origin="classical",
        status="proved in the source",
        evidence="The condition n ≥ 2k is what our construction uses; the source assumes enough pages.",
        constructions=("sleator-tarjan",),
    ),
    Bound(
        id="not-competitive",
        kind="lower",
        measure="deterministic",
        subject=named("lifo", "mru", "lfu", "lfu-capped"),
        value=sympy.oo,
        range=ONE_A_VISIT,
        conditions=(
            CLASSICAL,
            ROOM,
            ("k ≥ 2", lambda i: i.cache >= 2),
        ),
        statement="LIFO, MRU and LFU (with counts capped at k, too) have no bounded competitive ratio.",
        source="BorodinElYaniv1998",
        locator="chapter on deterministic paging",
        origin="classical",
        status="folklore",
        evidence="Two pages in turn.",
        constructions=("alternating",),
    ),
    Bound(
        id="not-competitive-layered",
        kind="lower",
        measure="deterministic",
        subject=named("lifo", "mru", "lfu", "lfu-capped"),
        value=sympy.oo,
        range=ONE_A_VISIT,
        conditions=(
            LAYERED,
            A_SLOT_MORE,
            BEYOND_CACHE,
            ("n ≥ 3 in some layer", lambda i: max(i.pages_by_layer) >= 3),
        ),
        statement=(
            "With several layers, too, LIFO, MRU and LFU (capped or not) have no bounded competitive ratio."
        ),
        source="here",
        locator="docs/adversaries.md",
        origin="ours",
        status="ours",
        evidence="Two pages of one layer in turn, one page in every other layer.",
        constructions=("alternating-layered",),
    ),
    Bound(
        id="popular-unbounded",
        kind="lower",
        measure="deterministic",
        subject=named("lfu-perfect", "lfru", "heat-lru", "hobbit"),
        value=sympy.oo,
        range=ONE_A_VISIT,
        conditions=(CLASSICAL, ROOM, ("k ≥ 2", lambda i: i.cache >= 2)),
        statement="LFU with a memory, LFRU, heat-lru and HOBBIT's sum have no bounded competitive ratio.",
        source="here",
        locator="docs/production.md",
        origin="ours",
        status="ours",
        evidence="Two new pages in turn beside k − 1 that were popular.",
        constructions=("popular",),
    ),
    Bound(
        id="slru-unbounded",
        kind="lower",
        measure="deterministic",
        subject=named("slru"),
        value=sympy.oo,
        range=ONE_A_VISIT,
        conditions=(CLASSICAL, ROOM, ("k ≥ 2", lambda i: i.cache >= 2)),
        statement="Segmented LRU has no bounded competitive ratio.",
        source="here",
        locator="docs/production.md",
        origin="ours",
        status="ours",
        evidence="A cycle one page longer than the lowest segment.",
        constructions=("protected",),
    ),
    Bound(
        id="2q-unbounded",
        kind="lower",
        measure="deterministic",
        subject=named("2q"),
        value=sympy.oo,
        range=ONE_A_VISIT,
        conditions=(
            CLASSICAL,
            ("k ≥ 5", lambda i: i.cache >= 5),
            ("n ≥ 2k + 1", lambda i: i.total_pages > 2 * i.cache),
        ),
        statement="2Q has no bounded competitive ratio.",
        source="here",
        locator="docs/production.md",
        origin="ours",
        status="ours",
        evidence="A cycle that A1in and A1out together cannot hold.",
        constructions=("outrun-ghosts",),
    ),
    Bound(
        id="s3-fifo-unbounded",
        kind="lower",
        measure="deterministic",
        subject=named("s3-fifo"),
        value=sympy.oo,
        range=ONE_A_VISIT,
        conditions=(
            CLASSICAL,
            ("k > 10", lambda i: i.cache > 10),
            ("10 does not divide k", lambda i: i.cache % 10 != 0),
            ("n ≥ 2k", lambda i: i.total_pages >= 2 * i.cache),
        ),
        statement="S3-FIFO with queues rounded down has no bounded competitive ratio for these k.",
        source="here",
        locator="docs/production.md",
        origin="ours",
        status="ours",
        evidence="A cycle of k pages: small queue and ghosts hold k − 1.",
        constructions=("outrun-sieve",),
    ),
    Bound(
        id="sieve-unbounded",
        kind="lower",
        measure="deterministic",
        subject=named("sieve"),
        value=sympy.oo,
        range=ONE_A_VISIT,
        conditions=(
            CLASSICAL,
            ROOM,
            ("k ≥ 3", lambda i: i.cache >= 3),
        ),
        statement="SIEVE has no bounded competitive ratio.",
        source="here",
        locator="docs/adversaries.md",
        origin="ours",
        status="ours",
        evidence=(
            "A page behind the hand is never looked at again; the other k − 1 slots serve k pages in turn."
        ),
        constructions=("stuck-hand",),
    ),
    Bound(
        id="fifo-anomaly",
        kind="lower",
        measure="deterministic",
        subject=named("fifo"),
        value=sympy.Integer(2),
        range=ONE_SLOT_FEWER,
        conditions=(
            CLASSICAL,
            ("k = 4", lambda i: i.cache == 4),
            ("n ≥ 5", lambda i: i.total_pages >= 5),
        ),
        statement=(
            "There are sequences on which FIFO with 4 slots faults twice for every fault of FIFO with 3."
        ),
        source="here",
        locator="docs/adversaries.md",
        origin="ours",
        status="ours",
        evidence="Belady's anomaly without end: the cycle through five pages, entered out of step.",
        constructions=("belady-anomaly",),
    ),
    Bound(
        id="random-upper",
        kind="upper",
        measure="oblivious",
        subject=named("random"),
        value=k,
        additive=ZERO,
        range=ANY_NUMBER,
        statement="RANDOM is k-competitive.",
        source="RaghavanSnir1994",
        locator="paging with equal weights",
        origin="classical",
        status="proved in the source",
        evidence="Potential k·|OPT's cache minus RANDOM's|, which starts at 0.",
    ),
    Bound(
        id="random-lower",
        kind="lower",
        measure="oblivious",
        subject=named("random"),
        value=k,
        range=ONE_A_VISIT,
        conditions=(A_SLOT_EACH, BEYOND_CACHE),
        statement="RANDOM has competitive ratio at least k for ℓ ≤ k; hence exactly k.",
        source="here",
        locator="docs/bounds.md; for one layer RaghavanSnir1994",
        origin="ours",
        status="ours",
        evidence="Two pages take turns; RANDOM rids itself of the useless one after k faults on average.",
        constructions=("taking-turns",),
    ),
    Bound(
        id="mark-fiat",
        kind="upper",
        measure="oblivious",
        subject=named("mark"),
        value=2 * H(k),
        additive=ZERO,
        range=ANY_NUMBER,
        statement="MARK is 2·H_k-competitive.",
        source="FKLMSY1991",
        locator="the marking algorithm",
        origin="classical",
        status="proved in the source",
        evidence="A phase with m new pages costs at most m·H_k; OPT pays at least k + (sum of the m)/2.",
    ),
    Bound(
        id="mark-upper",
        kind="upper",
        measure="oblivious",
        subject=named("mark"),
        value=2 * H(k) - 1,
        range=ANY_NUMBER,
        statement="MARK is (2·H_k − 1)-competitive.",
        source="ACN2000",
        locator="analysis of MARK",
        origin="classical",
        status="proved in the source",
        evidence="Exact value of MARK; the additive constant is left open here, so runs only observe it.",
    ),
    Bound(
        id="mark-lower",
        kind="lower",
        measure="oblivious",
        subject=named("mark"),
        value=2 * H(k) - 1,
        range=ONE_A_VISIT,
        conditions=((TWO_NEW_PAGES, two_are_new),),
        statement="MARK has competitive ratio at least 2·H_k − 1, hence exactly this.",
        source="here",
        locator="docs/randomized.md, Theorem 3; for one layer ACN2000",
        origin="ours",
        status="ours",
        evidence="A fixed sequence on which every phase costs MARK exactly that, and OPT one fault.",
        constructions=("missing-pair",),
    ),
    Bound(
        id="mark-small",
        kind="tight",
        measure="oblivious",
        subject=named("mark"),
        value=H(k),
        additive=ZERO,
        range=ONE_A_VISIT,
        conditions=(
            CLASSICAL,
            ("n = k + 1", lambda i: i.total_pages == i.cache + 1),
        ),
        statement="When only k + 1 pages exist MARK has competitive ratio exactly H_k.",
        source="FKLMSY1991",
        locator="the marking algorithm with k + 1 pages",
        origin="classical",
        status="proved in the source",
        evidence="Uniform requests from below; one new page a phase from above.",
        constructions=("uniform",),
    ),
    Bound(
        id="randomized-lower",
        kind="lower",
        measure="oblivious",
        subject=ANY,
        measured=("mark", "random", "lru"),
        value=H(k),
        range=ONE_A_VISIT,
        conditions=(CLASSICAL, ROOM),
        statement="Every randomised policy has competitive ratio at least H_k.",
        source="FKLMSY1991",
        locator="lower bound for randomised paging",
        origin="classical",
        status="proved in the source",
        evidence="Yao's principle: uniform requests over k + 1 pages, or random new pages between sweeps.",
        constructions=("uniform", "marking-tree"),
    ),
    Bound(
        id="equitable-upper",
        kind="upper",
        measure="oblivious",
        subject=named("equitable"),
        value=H(k),
        range=ANY_NUMBER,
        statement="PARTITION and EQUITABLE are H_k-competitive.",
        source="ACN2000",
        locator="EQUITABLE; PARTITION: McGeoch and Sleator 1991",
        origin="classical",
        status="proved in the source",
        evidence="EQUITABLE is implemented here, PARTITION is not; exact values in docs/randomized.md.",
    ),
    Bound(
        id="two-by-two",
        kind="upper",
        measure="oblivious",
        subject=Subject(exists=True),
        value=sympy.Rational(4, 3),
        range=ONE_A_VISIT,
        conditions=(("ℓ = 2", lambda i: i.layers == 2), ("k = 2", lambda i: i.cache == 2)),
        statement="With two layers and two slots some randomised policy is 4/3-competitive, for any pages.",
        source="here",
        locator="docs/randomized.md, Theorem 2",
        origin="ours",
        status="ours",
        additive=sympy.Integer(0),
        evidence="The proof writes the chances out; from below 5/4 is certified.",
    ),
    Bound(
        id="flush-when-kept-upper",
        kind="upper",
        measure="deterministic",
        subject=named("flush-when-kept", "flush-when-kept-lazy"),
        value=sympy.Integer(1),
        errors=(k - 1) * eta0 + eta1,
        additive=ZERO,
        range=ANY_NUMBER,
        statement="FLUSH-WHEN-KEPT and its lazy twin have at most OPT + (k − 1)·η0 + η1 faults.",
        source="AntoniadisEtAl2023",
        locator="as third parties report it; proof in docs/predictions.md",
        origin="our reading",
        status="ours",
        evidence="A flush proves one bit 0 wrong, which pays for k − 1 faults.",
    ),
    Bound(
        id="wrong-bits-phases",
        kind="lower",
        measure="deterministic",
        subject=TOLD_TO_DISCARD,
        value=k - l + 1,
        errors=-beta,
        range=ONE_A_VISIT,
        conditions=(A_SLOT_EACH, BEYOND_CACHE),
        statement="α + β ≥ k − ℓ + 1, whatever γ, for every deterministic policy told discard bits.",
        source="here",
        locator="docs/wrong-bits.md, T4",
        origin="ours",
        status="ours",
        evidence="The adversary of L2, all of whose pages are to be kept.",
        constructions=("missing-page-kept",),
    ),
    Bound(
        id="wrong-bits-visitor",
        kind="lower",
        measure="deterministic",
        subject=TOLD_TO_DISCARD,
        value=(k - l + 3) / 2,
        errors=-sympy.Min(beta, (k - l + 1) * gamma) / 2,
        range=ONE_A_VISIT,
        conditions=(
            LAYERED,
            A_SLOT_EACH,
            (
                "a layer has k − ℓ + 2 pages and another k",
                lambda i: (
                    sorted(i.pages_by_layer)[-1] >= i.cache
                    and sorted(i.pages_by_layer)[-2] >= i.cache - i.layers + 2
                ),
            ),
        ),
        statement="2α + min(β, (k − ℓ + 1)γ) ≥ k − ℓ + 3 for every deterministic policy told discard bits.",
        source="here",
        locator="docs/wrong-bits.md, T3",
        origin="ours",
        status="ours",
        evidence="k − ℓ + 2 pages of one layer, one page at a time of another, one page of each of the rest.",
        constructions=("one-visitor",),
    ),
    Bound(
        id="wrong-bits-visitors",
        kind="lower",
        measure="deterministic",
        subject=TOLD_TO_DISCARD,
        value=k * l / (k * (l - 1) + 1),
        errors=-sympy.Min(beta, (k - 1) * gamma) / (k * (l - 1) + 1),
        range=ONE_A_VISIT,
        conditions=(
            LAYERED,
            ("k ≥ 2", lambda i: i.cache >= 2),
            (
                "a layer has k pages and every other k + 1",
                lambda i: (
                    min(i.pages_by_layer) >= i.cache and sum(n == i.cache for n in i.pages_by_layer) <= 1
                ),
            ),
        ),
        statement=(
            "(k(ℓ − 1) + 1)α + min(β, (k − 1)γ) ≥ kℓ for every deterministic policy told discard bits: at "
            "α = 1 it needs β ≥ k − 1 and γ ≥ 1."
        ),
        source="here",
        locator="docs/wrong-bits.md, T2",
        origin="ours",
        status="ours",
        evidence="k pages of one layer, and a page that nobody has in every other.",
        constructions=("new-visitors",),
    ),
    Bound(
        id="mark0-upper",
        kind="upper",
        measure="oblivious",
        subject=named("mark0"),
        value=sympy.Integer(1),
        errors=2 * H(k) * eta0 + eta1,
        range=ANY_NUMBER,
        statement="MARK0 has at most OPT + 2H_k·η0 + η1 expected faults.",
        source="AntoniadisEtAl2023",
        locator="constants as third parties report them; the paper was not at hand",
        origin="reported",
        status="reported as proved",
        evidence="Judged on runs here; no proof is repeated.",
    ),
    Bound(
        id="mark-predict-upper",
        kind="upper",
        measure="oblivious",
        subject=named("mark-predict"),
        value=sympy.Integer(2),
        errors=H(k) * eta0 + eta1,
        range=ANY_NUMBER,
        statement="MARK-PREDICT has at most 2·OPT + H_k·η0 + η1 expected faults.",
        source="AntoniadisEtAl2023",
        locator="constants as third parties report them; the paper was not at hand",
        origin="reported",
        status="reported as proved",
        evidence="Judged on runs here; no proof is repeated.",
    ),
    Bound(
        id="mark-predict-lru-upper",
        kind="upper",
        measure="deterministic",
        subject=named("mark-predict-lru"),
        value=sympy.Integer(2),
        errors=(k - 1) * eta0 + eta1,
        additive=ZERO,
        range=ANY_NUMBER,
        statement="MARK-PREDICT without randomness has at most 2·OPT + (k − 1)·η0 + η1 faults.",
        source="AntoniadisEtAl2023",
        locator="as third parties report it; proof in docs/predictions.md",
        origin="our reading",
        status="ours",
        evidence="In a phase without a wrong bit 0 only pages with bit 1 are evicted.",
    ),
    Bound(
        id="mark-predict-lru-robust",
        kind="upper",
        measure="deterministic",
        subject=named("mark-predict-lru"),
        value=k,
        additive=ZERO,
        range=ANY_NUMBER,
        statement="MARK-PREDICT without randomness is k-competitive, whatever the bits are.",
        source="BorodinElYaniv1998",
        locator="Chapter 3",
        origin="classical",
        status="proved in the source",
        evidence="It marks: at most k faults in a k-phase, and OPT has one.",
    ),
    Bound(
        id="blind-oracle-near",
        kind="upper",
        measure="deterministic",
        subject=named("blind-oracle"),
        value=sympy.Integer(1),
        errors=2 * eta,
        range=ANY_NUMBER,
        statement="BLIND-ORACLE has at most OPT + 2η faults.",
        source="Wei2020",
        locator="as third parties report it; the paper was not at hand",
        origin="reported",
        status="reported as proved",
        evidence="Judged on runs here; no proof is repeated.",
    ),
    Bound(
        id="blind-oracle-far",
        kind="upper",
        measure="deterministic",
        subject=named("blind-oracle"),
        value=sympy.Integer(2),
        errors=4 * eta / (k - 1),
        range=ANY_NUMBER,
        conditions=(("k ≥ 2", lambda i: i.cache >= 2),),
        statement="BLIND-ORACLE has at most 2·OPT + 4η/(k − 1) faults.",
        source="Wei2020",
        locator="as third parties report it; the paper was not at hand",
        origin="reported",
        status="reported as proved",
        evidence="Judged on runs here; no proof is repeated.",
    ),
    Bound(
        id="predictive-marker-upper",
        kind="upper",
        measure="oblivious",
        subject=named("predictive-marker"),
        value=sympy.Integer(2),
        errors=2 * sympy.sqrt(5 * eta * OPT),
        range=ANY_NUMBER,
        statement="PREDICTIVE-MARKER has at most 2·OPT + 2√(5·η·OPT) expected faults.",
        source="LykourisVassilvitskii2021",
        locator="as third parties report it; the paper was not at hand",
        origin="reported",
        status="reported as proved",
        evidence="Judged on runs here; no proof is repeated.",
    ),
    Bound(
        id="predictive-marker-robust",
        kind="upper",
        measure="oblivious",
        subject=named("predictive-marker"),
        value=4 * H(k),
        range=ANY_NUMBER,
        statement="PREDICTIVE-MARKER is 4H_k-competitive, whatever is predicted.",
        source="LykourisVassilvitskii2021",
        locator="as third parties report it; the paper was not at hand",
        origin="reported",
        status="reported as proved",
        evidence="Judged on runs here; no proof is repeated.",
    ),
    Bound(
        id="guard-robust",
        kind="upper",
        measure="oblivious",
        subject=named("guard"),
        value=2 * H(k - 1) + 2,
        range=ANY_NUMBER,
        conditions=(("k ≥ 2", lambda i: i.cache >= 2),),
        statement="GUARD around BLIND-ORACLE is (2H_{k−1} + 2)-competitive, whatever is predicted.",
        source="Guard2025",
        locator="as third parties report it; the paper was not at hand",
        origin="reported",
        status="reported as proved",
        evidence="Judged on runs here; no proof is repeated.",
    ),
)

BOUNDS: Registry[Bound] = Registry("paging.bounds", Bound, TABLE)
"""All bounds by id, in the order of every table."""


@checked
def get_bound(name: str) -> Bound:
    """Return a bound by id.

    Raises
    ------
    UnknownNameError
        No such bound; near misses are listed.

    Examples
    --------
    >>> from paging import LayeredInstance
    >>> get_bound("L2").at(LayeredInstance(layers=3, pages=4, cache=8))
    Fraction(6, 1)
    """
    folded = {bound.lower(): bound for bound in BOUNDS}
    if name.lower() not in folded:
        raise UnknownNameError("bound", name, BOUNDS)
    return BOUNDS[folded[name.lower()]]

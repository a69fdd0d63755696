"""Every bound as an object: statement, conditions, value, source, status; tables and docs come from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

import sympy
from sympy.printing.str import StrPrinter

from paging.bibliography import SOURCES
from paging.errors import UnknownNameError
from paging.html import facts_table
from paging.model import LayeredInstance

l, n, k, h = sympy.symbols("ell n k h", integer=True, positive=True)  # noqa: E741

Kind = Literal["upper", "lower", "tight"]
Measure = Literal["deterministic", "oblivious"]
Origin = Literal["classical", "paper", "reported", "our reading", "ours"]
Status = Literal["proved in the source", "folklore", "ours", "conjecture"]
Condition = tuple[str, Callable[[LayeredInstance, int], bool]]


@dataclass(frozen=True)
class Bound:
    """A theorem about competitive ratios.

    Attributes
    ----------
    id : str
        Short name; tables, docstrings and certificates refer to it.
    kind : {"upper", "lower", "tight"}
        Upper: online ≤ value·OPT + additive on every run. Lower: the constructions force value. Tight: both.
    measure : {"deterministic", "oblivious"}
        Whether the cost is a number, or an expectation against an oblivious adversary.
    subject : str
        Whom it is about, in words.
    policies : tuple of str
        Registry ids it can be checked on here.
    value : sympy.Expr
        The ratio in ℓ, n, k, h; ``oo`` for "not competitive".
    additive : sympy.Expr or None
        The additive constant from a cold start; None where the source leaves it open.
    conditions : tuple of (text, predicate)
        Each predicate takes the instance and OPT's cache h.
    statement : str
        One sentence.
    source, locator : str
        Key into the bibliography, and where in it.
    origin : str
        Whose statement this is: classical literature, the paper's own text, reported by third parties, our
        reading (statement reported, proof rebuilt by us), or ours.
    status : str
        Proved in the source, folklore, ours (proof in docs/bounds.md), or conjecture.
    evidence : str
        What stands behind it here.
    constructions : tuple of str
        Ids of the constructions that force a lower or tight bound.
    """

    id: str
    kind: Kind
    measure: Measure
    subject: str
    policies: tuple[str, ...]
    value: Any
    additive: Any
    conditions: tuple[Condition, ...]
    statement: str
    source: str
    locator: str
    origin: Origin
    status: Status
    evidence: str
    constructions: tuple[str, ...] = ()

    def violated_condition(self, instance: LayeredInstance, opt_cache: int | None = None) -> str | None:
        """Return the first condition the instance violates, or None when the bound applies."""
        small = instance.cache if opt_cache is None else opt_cache
        return next((text for text, holds in self.conditions if not holds(instance, small)), None)

    def at(self, instance: LayeredInstance, opt_cache: int | None = None) -> Fraction | float:
        """Return the value at an instance, exactly: a Fraction, or ``inf``."""
        return evaluate(self.value, instance, opt_cache)

    def additive_at(self, instance: LayeredInstance, opt_cache: int | None = None) -> Fraction | None:
        """Return the additive constant at an instance, or None where it is not known."""
        if self.additive is None:
            return None
        number = evaluate(self.additive, instance, opt_cache)
        assert isinstance(number, Fraction)
        return number

    @property
    def condition_text(self) -> str:
        """All conditions in one phrase."""
        return ", ".join(text for text, _ in self.conditions) or "none"

    def _repr_html_(self) -> str:
        keys = (
            "kind",
            "subject",
            "value",
            "additive",
            "conditions",
            "reference",
            "origin",
            "status",
            "evidence",
        )
        facts = describe(self)
        return facts_table(f"{self.id}: {self.statement}", {key: facts[key] for key in keys})


@lru_cache(maxsize=4096)
def evaluate(form: Any, instance: LayeredInstance, opt_cache: int | None = None) -> Fraction | float:
    """Evaluate a closed form in ℓ, n, k, h at an instance (n: the smallest layer)."""
    numbers = {
        l: instance.layers,
        n: min(instance.pages_by_layer),
        k: instance.cache,
        h: instance.cache if opt_cache is None else opt_cache,
    }
    number = sympy.sympify(form).subs(numbers)
    if number == sympy.oo:
        return float("inf")
    return Fraction(int(number.p), int(number.q))


H = sympy.harmonic
_share = (k + 1) / l

LAYERED: Condition = ("ℓ ≥ 2", lambda i, _: i.layers >= 2)
CLASSICAL: Condition = ("ℓ = 1", lambda i, _: i.layers == 1)
ROOM: Condition = ("n ≥ k + 1", lambda i, _: min(i.pages_by_layer) >= i.cache + 1)
EVEN: Condition = ("ℓ divides k + 1", lambda i, _: (i.cache + 1) % i.layers == 0)
EVEN_ROOM: Condition = ("n ≥ (k + 1)/ℓ", lambda i, _: min(i.pages_by_layer) * i.layers >= i.cache + 1)

LLRU_BEATEN = {(2, 6): 4, (2, 7): 4, (2, 8): 5, (2, 9): 5, (3, 7): 3, (3, 8): 3}
"""(ℓ, k) where a cycle with more than k LLRU faults per OPT fault is known, and the n it needs."""

ONE_A_VISIT: Condition = ("g = 1", lambda i, _: i.per_visit == 1)

MARKING = ("lru", "fwf", "mark-lru", "mark-fifo", "mark-layer")
CONSERVATIVE = ("lru", "fifo", "clock", "mark-lru")
DETERMINISTIC = (
    "lru", "fifo", "lifo", "mru", "clock", "sieve", "lfu", "lfu-capped", "fwf", "mark-lru", "mark-fifo",
    "mark-layer", "llru", "llru-lazy", "llru-token", "zrc",
)  # fmt: skip

BOUNDS: dict[str, Bound] = {
    bound.id: bound
    for bound in (
        Bound(
            "L1", "lower", "deterministic", "any fixed split of the cache over layers",
            ("partitioned", "partitioned:policy=fifo", "partitioned:policy=lfu"), sympy.oo, None,
            (
                LAYERED,
                ("k ≥ ℓ + 1", lambda i, _: i.cache >= i.layers + 1),
                ("n > k/ℓ", lambda i, _: min(i.pages_by_layer) * i.layers > i.cache),
            ),
            "No fixed split k_1 + … + k_ℓ ≤ k of the cache has a bounded competitive ratio.",
            "AMOS2025", "Theorem 1", "our reading", "ours",
            "Statement: the start of Theorem 1; conditions and proof: ours. A layer with k_i ≤ ⌊k/ℓ⌋ is "
            "asked for k_i + 1 pages while every other layer repeats one page.",
            ("fixed-split", "fixed-split-cyclic"),
        ),
        Bound(
            "L2", "lower", "deterministic", "any deterministic policy", DETERMINISTIC, k - l + 1, None,
            (
                ("k ≥ ℓ", lambda i, _: i.cache >= i.layers),
                ("k < number of pages", lambda i, _: i.cache < i.total_pages),
            ),
            "Every deterministic policy has competitive ratio at least k − ℓ + 1.",
            "AMOS2025", "reported by third parties", "our reading", "ours",
            "Bound reported, construction and proof ours: k + 1 pages, the missing one is requested when its "
            "layer is served.",
            ("missing-page", "cruel"),
        ),
        Bound(
            "L3", "lower", "deterministic", "LRU", ("lru",), k, None, (EVEN, EVEN_ROOM),
            "LRU has competitive ratio at least k when ℓ divides k + 1.",
            "AMOS2025", "reported by third parties", "our reading", "ours",
            "The cyclic sequence over (k + 1)/ℓ pages per layer. The condition is sufficient, not necessary.",
            ("cyclic",),
        ),
        Bound(
            "L3-tight", "tight", "deterministic", "LRU", ("lru", "mark-lru"), k, sympy.Integer(0),
            (
                ("k < number of pages", lambda i, _: i.cache < i.total_pages),
                (
                    "k = 1, k = ℓ − 1 or k ≥ 2ℓ − 1",
                    lambda i, _: i.cache in (1, i.layers - 1) or i.cache >= 2 * i.layers - 1,
                ),
                ("n ≥ 2 or k < ℓ", lambda i, _: min(i.pages_by_layer) >= 2 or i.cache < i.layers),
                ONE_A_VISIT,
            ),
            "LRU has competitive ratio exactly k for these (ℓ, n, k); for all others with k < ℓn it has a "
            "smaller one.",
            "here", "docs/bounds.md", "ours", "ours",
            "From below, k + 1 pages in the order in which LRU evicts them; marking-upper from above.",
            ("rehearsed", "cyclic", "one-page-each"),
        ),
        Bound(
            "lru-layered-upper", "upper", "deterministic", "LRU", ("lru", "mark-lru"),
            sympy.Min(k, 2 * (k - l) + 1), sympy.Integer(0),
            (("k ≥ ℓ + 1", lambda i, _: i.cache > i.layers), ONE_A_VISIT),
            "LRU is min(k, 2(k − ℓ) + 1)-competitive.",
            "here", "docs/zrc.md, Theorem 5", "ours", "ours",
            "A page requested in the last round never leaves; windows of ℓ requests after an OPT fault.",
        ),
        Bound(
            "lru-layered-lower", "lower", "deterministic", "LRU", ("lru", "mark-lru"), 2 * (k - l) + 1, None,
            (
                ("ℓ + 1 ≤ k ≤ 2ℓ − 1", lambda i, _: i.layers < i.cache < 2 * i.layers),
                ("n ≥ 2", lambda i, _: min(i.pages_by_layer) >= 2),
                ONE_A_VISIT,
            ),
            "LRU has competitive ratio at least 2(k − ℓ) + 1, hence exactly this.",
            "here", "docs/zrc.md, Theorem 5", "ours", "ours",
            "k − ℓ + 1 layers alternate between two pages.",
            ("two-faces",),
        ),
        Bound(
            "one-slot-each-upper", "upper", "deterministic", "LRU, ZRC", ("lru", "mark-lru", "zrc"),
            2 - 1 / l, sympy.Integer(0), (("k = ℓ", lambda i, _: i.cache == i.layers), ONE_A_VISIT),
            "With as many slots as layers LRU and ZRC have competitive ratio at most 2 − 1/ℓ, and exactly "
            "that if every layer has two pages.",
            "here", "docs/zrc.md, Theorem 4", "ours", "ours",
            "They keep the last page of every layer.",
        ),
        Bound(
            "zrc-tight", "tight", "deterministic", "ZRC, however its ties are broken", ("zrc",), k - l + 1,
            sympy.Integer(0),
            (
                ("k ≥ min(2ℓ − 1, ℓ + 3)", lambda i, _: i.cache >= min(2 * i.layers - 1, i.layers + 3)),
                ("k < number of pages", lambda i, _: i.cache < i.total_pages),
                ONE_A_VISIT,
            ),
            "ZRC has competitive ratio exactly k − ℓ + 1, by L2 the best of any deterministic policy.",
            "here", "docs/zrc.md, Theorems 1 and 2", "ours", "ours",
            "From below L2, whose construction this is. For smaller k see zrc-near and zrc-next.",
            ("missing-page",),
        ),
        Bound(
            "zrc-near", "upper", "deterministic", "ZRC, however its ties are broken", ("zrc",),
            sympy.Rational(10, 3), sympy.Integer(0),
            (("k = ℓ + 2", lambda i, _: i.cache == i.layers + 2), ONE_A_VISIT),
            "For k = ℓ + 2 ZRC is 10/3-competitive (and 3 is the best possible).",
            "here", "docs/zrc.md, Theorem 3", "ours", "ours", "Conjectured: exactly 3.",
        ),
        Bound(
            "zrc-next", "upper", "deterministic", "ZRC, however its ties are broken", ("zrc",),
            sympy.Rational(5, 2), sympy.Integer(0),
            (("k = ℓ + 1", lambda i, _: i.cache == i.layers + 1), ONE_A_VISIT),
            "For k = ℓ + 1 ZRC is 5/2-competitive (and 2 is a lower bound for every deterministic policy).",
            "here", "docs/zrc.md, Theorem 3", "ours", "ours", "The ratio is 7/3 at (ℓ, n, k) = (3, 3, 4).",
        ),
        Bound(
            "small-cache", "tight", "deterministic", "LRU, FIFO, CLOCK, FWF, marking with a fixed order",
            ("lru", "fifo", "clock", "fwf", "mark-lru", "mark-fifo"), (l - 1) / (l - k), sympy.Integer(0),
            (("k < ℓ", lambda i, _: i.cache < i.layers), ONE_A_VISIT),
            "With fewer slots than layers these policies have competitive ratio exactly (ℓ − 1)/(ℓ − k), and "
            "no policy has a larger one.",
            "here", "docs/bounds.md", "ours", "ours",
            "One page per layer from below; from above, at most k − 1 of the ℓ − 1 requests after another "
            "one are hits.",
            ("one-page-each",),
        ),
        Bound(
            "L4", "lower", "oblivious", "any policy, randomised or not",
            ("mark", "random", "lru", "llru"), H(_share), None, (LAYERED, EVEN, EVEN_ROOM),
            "Every randomised policy has competitive ratio at least H_m, m = (k + 1)/ℓ; for k = ℓn − 1 that "
            "is H_n.",
            "AMOS2025", "reported by third parties", "our reading", "ours",
            "Reported as max(H_n, log ℓ/(6n)). Rebuilt: independent uniform requests in each layer; the "
            "construction's own exact limit, from a rational sum, is at least this closed form.",
            ("uniform",),
        ),
        Bound(
            "L4-layers", "lower", "oblivious", "any policy, randomised or not",
            ("mark", "random", "lru", "llru"), ((_share - 1) * H(l - 1) - 1) / _share, None,
            (LAYERED, EVEN, EVEN_ROOM),
            "Every randomised policy has competitive ratio at least ((m − 1)·H_{ℓ−1} − 1)/m, m = (k + 1)/ℓ, "
            "which grows with ℓ.",
            "AMOS2025", "reported by third parties", "our reading", "ours",
            "The same uniform construction; the last of ℓ collectors finishes late.",
            ("uniform",),
        ),
        Bound(
            "L4-spread", "lower", "oblivious", "any policy, randomised or not",
            ("mark", "random", "lru", "llru"), H(sympy.Min(n - 1, k - l + 1)), None,
            (
                ("k ≥ ℓ", lambda i, _: i.cache >= i.layers),
                ("k < number of pages", lambda i, _: i.cache < i.total_pages),
            ),
            "Every randomised policy has competitive ratio at least H_{m−1}, m = min(n, k − ℓ + 2).",
            "here", "docs/adversaries.md", "ours", "ours",
            "Independent uniform requests to k + 1 pages, m of them in one layer; the construction's own "
            "exact limit, from a rational sum, is at least this closed form.",
            ("uniform-spread",),
        ),
        Bound(
            "L5", "upper", "deterministic", "LLRU", ("llru",), k + l - 1, sympy.Integer(0), (ONE_A_VISIT,),
            "LLRU faults at most k + ℓ − 1 times in a k-phase, hence is (k + ℓ − 1)-competitive.",
            "here", "docs/bounds.md", "ours", "ours", "About our reading of LLRU.",
        ),
        Bound(
            "llru-lower", "lower", "deterministic", "LLRU", ("llru",), k + sympy.Rational(1, 2), None,
            (
                ("(ℓ, k) one of (2, 6 … 9), (3, 7), (3, 8)", lambda i, _: (i.layers, i.cache) in LLRU_BEATEN),
                (
                    "n ≥ 4 (k ≤ 7), 5 (k ≥ 8) for ℓ = 2, 3 for ℓ = 3",
                    lambda i, _: min(i.pages_by_layer) >= LLRU_BEATEN.get((i.layers, i.cache), 0),
                ),
            ),
            "LLRU is not k-competitive: on these instances its ratio is at least k + 1/2.",
            "here", "exhaustive search of the product graph", "ours", "ours",
            "Cycles with ratio 13/2 at (2, 6), 15/2 at (3, 7), 9 at (3, 8), and k + ℓ − 1 at (2, 7), (2, 8), "
            "(2, 9), where L5 is therefore tight.",
            ("llru-cycles",),
        ),
        Bound(
            "marking-upper", "upper", "deterministic", "every deterministic marking algorithm", MARKING, k,
            sympy.Integer(0), (),
            "Every marking algorithm is k-competitive.",
            "BorodinElYaniv1998", "chapter on deterministic paging", "classical", "proved in the source",
            "At most k faults in a k-phase; OPT pays k in the first and 1 for each further one.",
        ),
        Bound(
            "marking-lower", "lower", "deterministic", "every deterministic marking algorithm", MARKING,
            sympy.Rational(5, 2), None,
            (
                ("ℓ ≥ 3", lambda i, _: i.layers >= 3),
                ("k = ℓ + 1", lambda i, _: i.cache == i.layers + 1),
                ("n ≥ 2", lambda i, _: min(i.pages_by_layer) >= 2),
                ONE_A_VISIT,
            ),
            "With k = ℓ + 1 every deterministic marking algorithm has competitive ratio at least 5/2.",
            "here", "docs/bounds.md", "ours", "ours",
            "Two k-phases with 5 faults against 2; L2 gives 2. Marked pages are kept, and OPT can drop them.",
            ("marking-trap",),
        ),
        Bound(
            "mark-layer-small", "tight", "deterministic", "marking that prefers the layer being served",
            ("mark-layer",), k - l + 1, sympy.Integer(0),
            (
                ("k = number of pages − 1", lambda i, _: i.cache == i.total_pages - 1),
                ("n ≥ 2", lambda i, _: min(i.pages_by_layer) >= 2),
                ONE_A_VISIT,
            ),
            "When only k + 1 pages exist, at least two per layer, this marking algorithm has competitive "
            "ratio exactly k − ℓ + 1, and no deterministic policy has a smaller one.",
            "here", "docs/bounds.md", "ours", "ours",
            "In the first round of a k-phase ℓ − 1 pages come in without a fault; L2 from below.",
            ("missing-page",),
        ),
        Bound(
            "conservative-upper", "upper", "deterministic", "every conservative algorithm", CONSERVATIVE, k,
            sympy.Integer(0), (),
            "Every conservative algorithm (LRU, FIFO, CLOCK) is k-competitive.",
            "BorodinElYaniv1998", "chapter on deterministic paging", "classical", "proved in the source",
            "At most k faults in a k-phase; OPT pays k in the first and 1 for each further one.",
        ),
        Bound(
            "fifo-tight", "tight", "deterministic", "FIFO", ("fifo",), k, sympy.Integer(0),
            (
                ("k ≥ ℓ", lambda i, _: i.cache >= i.layers),
                ("k < number of pages", lambda i, _: i.cache < i.total_pages),
                ("n ≥ 2", lambda i, _: min(i.pages_by_layer) >= 2),
                ONE_A_VISIT,
            ),
            "FIFO has competitive ratio exactly k, also where LRU has a smaller one.",
            "here", "docs/bounds.md", "ours", "ours",
            "One new page pushes out the oldest page, which pushes out the next, through the whole queue; "
            "conservative-upper from above.",
            ("domino",),
        ),
        Bound(
            "augmentation-upper", "upper", "deterministic", "marking and conservative algorithms",
            tuple(dict.fromkeys(MARKING + CONSERVATIVE)), k / (k - h + 1), k,
            (("h ≤ k", lambda i, small: small <= i.cache),),
            "With k pages against OPT's h ≤ k they are k/(k − h + 1)-competitive.",
            "SleatorTarjan1985", "section on paging, upper bound", "classical", "proved in the source",
            "OPT with h pages pays at least k − h + 1 per k-phase; additive constant k ours.",
        ),
        Bound(
            "deterministic-lower", "lower", "deterministic", "any deterministic policy", DETERMINISTIC, k,
            None, (CLASSICAL, ROOM),
            "Every deterministic policy has competitive ratio at least k.",
            "SleatorTarjan1985", "section on paging, lower bound with h = k", "classical",
            "proved in the source",
            "Always request the missing page out of k + 1.", ("missing-page", "cruel", "sleator-tarjan"),
        ),
        Bound(
            "augmentation-lower", "lower", "deterministic", "any deterministic policy", DETERMINISTIC,
            k / (k - h + 1), None,
            (
                CLASSICAL,
                ("n ≥ 2k", lambda i, _: min(i.pages_by_layer) >= 2 * i.cache),
                ("h ≤ k", lambda i, small: small <= i.cache),
            ),
            "With k pages against OPT's h ≤ k every deterministic policy has ratio at least k/(k − h + 1).",
            "SleatorTarjan1985", "section on paging, lower bound", "classical", "proved in the source",
            "The condition n ≥ 2k is what our construction uses; the source assumes enough pages.",
            ("sleator-tarjan",),
        ),
        Bound(
            "not-competitive", "lower", "deterministic", "LIFO, MRU, LFU",
            ("lifo", "mru", "lfu", "lfu-capped"), sympy.oo, None,
            (CLASSICAL, ROOM, ("k ≥ 2", lambda i, _: i.cache >= 2)),
            "LIFO, MRU and LFU (with counts capped at k, too) have no bounded competitive ratio.",
            "BorodinElYaniv1998", "chapter on deterministic paging", "classical", "folklore",
            "Two pages in turn.",
            ("alternating",),
        ),
        Bound(
            "not-competitive-layered", "lower", "deterministic", "LIFO, MRU, LFU",
            ("lifo", "mru", "lfu", "lfu-capped"), sympy.oo, None,
            (
                LAYERED,
                ("k ≥ ℓ + 1", lambda i, _: i.cache >= i.layers + 1),
                ("k < number of pages", lambda i, _: i.cache < i.total_pages),
                ("n ≥ 3 in some layer", lambda i, _: max(i.pages_by_layer) >= 3),
            ),
            "With several layers, too, LIFO, MRU and LFU (capped or not) have no bounded competitive ratio.",
            "here", "docs/adversaries.md", "ours", "ours",
            "Two pages of one layer in turn, one page in every other layer.",
            ("alternating-layered",),
        ),
        Bound(
            "sieve-unbounded", "lower", "deterministic", "SIEVE", ("sieve",), sympy.oo, None,
            (CLASSICAL, ROOM, ("k ≥ 3", lambda i, _: i.cache >= 3)),
            "SIEVE has no bounded competitive ratio.",
            "here", "docs/adversaries.md", "ours", "ours",
            "A page behind the hand is never looked at again; the other k − 1 slots serve k pages in turn.",
            ("stuck-hand",),
        ),
        Bound(
            "fifo-anomaly", "lower", "deterministic", "FIFO with 4 slots against FIFO with 3", ("fifo",),
            sympy.Integer(2), None,
            (CLASSICAL, ("k = 4", lambda i, _: i.cache == 4), ("n ≥ 5", lambda i, _: i.total_pages >= 5)),
            "There are sequences on which FIFO with 4 slots faults twice for every fault of FIFO with 3.",
            "here", "docs/adversaries.md", "ours", "ours",
            "Belady's anomaly without end: the cycle through five pages, entered out of step.",
            ("belady-anomaly",),
        ),
        Bound(
            "random-upper", "upper", "oblivious", "RANDOM", ("random",), k, sympy.Integer(0), (),
            "RANDOM is k-competitive.",
            "RaghavanSnir1994", "paging with equal weights", "classical", "proved in the source",
            "Potential k·|OPT's cache minus RANDOM's|, which starts at 0.",
        ),
        Bound(
            "mark-fiat", "upper", "oblivious", "MARK", ("mark",), 2 * H(k), sympy.Integer(0), (),
            "MARK is 2·H_k-competitive.",
            "FKLMSY1991", "the marking algorithm", "classical", "proved in the source",
            "A phase with m new pages costs at most m·H_k; OPT pays at least k + (sum of the m)/2.",
        ),
        Bound(
            "mark-upper", "upper", "oblivious", "MARK", ("mark",), 2 * H(k) - 1, None, (),
            "MARK is (2·H_k − 1)-competitive.",
            "ACN2000", "analysis of MARK", "classical", "proved in the source",
            "Exact value of MARK; the additive constant is left open here, so runs only observe it.",
        ),
        Bound(
            "mark-small", "tight", "oblivious", "MARK on k + 1 pages", ("mark",), H(k), sympy.Integer(0),
            (CLASSICAL, ("n = k + 1", lambda i, _: i.total_pages == i.cache + 1)),
            "When only k + 1 pages exist MARK has competitive ratio exactly H_k.",
            "FKLMSY1991", "the marking algorithm with k + 1 pages", "classical",
            "proved in the source", "Uniform requests from below; one new page a phase from above.",
            ("uniform",),
        ),
        Bound(
            "randomized-lower", "lower", "oblivious", "any policy, randomised or not",
            ("mark", "random", "lru"), H(k), None, (CLASSICAL, ROOM),
            "Every randomised policy has competitive ratio at least H_k.",
            "FKLMSY1991", "lower bound for randomised paging", "classical", "proved in the source",
            "Yao's principle: uniform requests over k + 1 pages, or random new pages between sweeps.",
            ("uniform", "marking-tree"),
        ),
        Bound(
            "equitable-upper", "upper", "oblivious", "PARTITION and EQUITABLE", ("equitable",), H(k), None,
            (),
            "PARTITION and EQUITABLE are H_k-competitive.",
            "ACN2000", "EQUITABLE; PARTITION: McGeoch and Sleator 1991", "classical", "proved in the source",
            "EQUITABLE is implemented here, PARTITION is not; exact values in docs/randomized.md.",
        ),
    )
}  # fmt: skip
"""All bounds by id, in the order of every table."""


def get_bound(name: str) -> Bound:
    """Return a bound by id.

    Raises
    ------
    UnknownNameError
        No such bound; near misses are listed.

    Examples
    --------
    >>> get_bound("L2").at(LayeredInstance(layers=3, pages=4, cache=8))
    Fraction(6, 1)
    """
    folded = {bound.lower(): bound for bound in BOUNDS}
    if name.lower() not in folded:
        raise UnknownNameError("bound", name, BOUNDS)
    return BOUNDS[folded[name.lower()]]


def source_text(bound: Bound) -> str:
    """Return the full reference of a bound."""
    return f"{SOURCES[bound.source]}; {bound.locator}"


def describe(
    bound: Bound, instance: LayeredInstance | None = None, opt_cache: int | None = None
) -> dict[str, object]:
    """Return a bound as plain values, for tables and JSON; with its value where it applies."""
    facts: dict[str, object] = {
        "id": bound.id,
        "kind": bound.kind,
        "measure": bound.measure,
        "subject": bound.subject,
        "policies": bound.policies,
        "value": formula(bound.value),
        "additive": None if bound.additive is None else formula(bound.additive),
        "conditions": bound.condition_text,
        "statement": bound.statement,
        "reference": source_text(bound),
        "origin": bound.origin,
        "status": bound.status,
        "evidence": bound.evidence,
        "constructions": bound.constructions,
    }
    if instance is not None:
        violated = bound.violated_condition(instance, opt_cache)
        facts["value_here"] = bound.at(instance, opt_cache) if violated is None else f"needs {violated}"
    return facts


class _FieldStyle(StrPrinter):  # type: ignore[misc]
    """Prints sums as the field writes them: symbols first, negative ones after positive, numbers last."""

    def _print_Add(self, expr: Any, order: object = None) -> str:  # noqa: ARG002, N802
        terms = sorted(
            expr.args,
            key=lambda term: (term.is_number, term.could_extract_minus_sign(), str(term).replace("ell", "ℓ")),
        )
        parts = [self._print(terms[0])]
        for term in terms[1:]:
            negative = term.could_extract_minus_sign()
            parts.append(f"{'−' if negative else '+'} {self.parenthesize(-term if negative else term, 30)}")
        return " ".join(parts)


def formula(form: Any) -> str:
    """Return a closed form as text with the field's letters.

    Examples
    --------
    >>> formula(get_bound("L2").value), formula(get_bound("mark-upper").value)
    ('k − ℓ + 1', '2·H(k) − 1')
    """
    if form == sympy.oo:
        return "∞"
    text: str = _FieldStyle().doprint(form)
    return text.replace("ell", "ℓ").replace("harmonic", "H").replace("*", "·")


def bounds_table() -> str:
    """Return all bounds as a Markdown table, as docs/bounds.md shows it."""
    header = ("id", "kind", "subject", "value", "additive", "conditions", "statement is", "status", "source")
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    for bound in BOUNDS.values():
        additive = "not stated" if bound.additive is None else formula(bound.additive)
        cells = (
            f"`{bound.id}`",
            bound.kind,
            bound.subject,
            formula(bound.value),
            "–" if bound.kind == "lower" else additive,
            bound.condition_text,
            bound.origin,
            bound.status,
            f"{bound.source}: {bound.locator}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"

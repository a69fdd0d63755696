"""Prepared scenes of the live page. A further one is one entry of ``SCENES``."""

from __future__ import annotations

from typing import Any, NamedTuple


class Scene(NamedTuple):
    """A film or game with something to see.

    Attributes
    ----------
    id, title : str
        Name in the address, and on the page.
    look : str
        What to look at, in a sentence.
    point : str
        What it has shown, told when it is over.
    form : dict
        The form that starts it.
    """

    id: str
    title: str
    look: str
    point: str
    form: dict[str, Any]


def _watch(policy: str, source: str, shape: tuple[int, int, int], rounds: int, **more: Any) -> dict[str, Any]:
    layers, pages, cache = shape
    sizes = {"layers": layers, "pages": pages, "cache": cache, "rounds": rounds}
    return {"mode": "watch", "policy": policy, "source": source, **sizes, "seed": 0, **more}


SCENES = (
    Scene(
        "lru-cycle",
        "LRU on its cycle",
        "Four pages take turns and three fit. Which page leaves, and which is asked for next?",
        "LRU faults on every request, OPT on one in three: the ratio goes to k = 3, the worst LRU can do.",
        _watch("lru", "construction:cyclic", (2, 2, 3), 40),
    ),
    Scene(
        "lower-bound",
        "Lower bound, live",
        "Of k + 1 pages one is always missing. Which page is asked for, and when?",
        "Such an adversary has every deterministic policy pay k − ℓ + 1 = 3 times OPT in the long run.",
        _watch("llru", "construction:missing-page", (2, 3, 4), 60),
    ),
    Scene(
        "llru-beaten",
        "LLRU beyond k",
        "Layered LRU knows the layers, LRU does not. Follow both curves to the end.",
        "LLRU pays more than k = 7 times OPT, which LRU never does: it knew the layers, and lost by it.",
        _watch("llru", "construction:llru-cycles", (2, 4, 7), 500, beside="lru"),
    ),
    Scene(
        "zrc-holds",
        "zrc holds",
        "The same cycle that beats LRU, with zrc beside it. Whom does zrc let go?",
        "zrc stays at or below k − ℓ + 1 = 2 times OPT, on this and on every other sequence; LRU goes to 3.",
        _watch("lru", "construction:cyclic", (2, 2, 3), 60, beside="zrc"),
    ),
    Scene(
        "anomaly",
        "Belady's anomaly",
        "FIFO with three slots and FIFO with four, on the same twelve requests. Who faults more often?",
        "Nine faults with three slots, ten with four: a larger cache can be worse. For LRU it never is.",
        _watch(
            "fifo", "typed", (1, 5, 3), 12,
            requests="0 1 2 3 0 1 4 0 1 2 3 4", beside="fifo", beside_cache=4,
        ),
    ),
    Scene(
        "experts",
        "Expert-like routing",
        "Four layers of eight experts that like to come again: drawn at random, not recorded.",
        "Here both stay far below their worst cases. 'paging play --trace FILE' shows a recording of yours.",
        _watch(
            "lru", "workload:sticky", (4, 8, 12), 40, beside="zrc", parameters={"p": 0.6, "alpha": 1.0}
        ),
    ),
    Scene(
        "wrong-bits",
        "What wrong bits cost",
        "Every request says whether its page is to be kept. The policy believes it: which bits are wrong?",
        "Each wrong bit costs k − 1 = 2 faults, and no policy that is told bits can be sure of less.",
        _watch("flush-when-kept-lazy", "construction:one-visitor", (2, 3, 3), 40),
    ),
    Scene(
        "be-adversary",
        "Beat LRU",
        "You ask for pages, LRU answers: the largest number leaves next. Reach ratio 2.",
        "Asking for what has just left is all it takes.",
        {
            "mode": "adversary", "policy": "lru", "layers": 2, "pages": 3, "cache": 3, "rounds": 12,
            "goal": "2", "seed": 0,
        },
    ),
    Scene(
        "be-algorithm",
        "Face the best",
        "You choose who leaves; whoever asks has solved the game. Can you lose nothing?",
        "It forces ratio 3 on you in the long run: no deterministic way to play does better.",
        {
            "mode": "algorithm", "opponent": "game-optimal", "layers": 2, "pages": 3, "cache": 4,
            "rounds": 10, "seed": 0,
        },
    ),
)  # fmt: skip

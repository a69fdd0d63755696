"""The sample trace ``drawn-gates``: what drawn routers choose, with gate weights; no model, nothing trained.

``python -m tests.helpers.drawn_sample`` writes it anew; a test draws it again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import paging.traces
from paging.traces import Trace, write_trace

NAME = "drawn-gates"
SAMPLES = Path(paging.traces.__file__).parent / "samples"
TOKENS, LAYERS, EXPERTS, TOP, WIDTH = 300, 4, 8, 2, 8

FACTS = {
    "model": "none: routers with drawn matrices, on a hidden state that drifts from token to token",
    "licence": "MIT, as the package",
}


def drawn() -> Trace:
    """Draw a hidden state that keeps 0.9 of itself at every token, and what routers of 4 layers make of it.

    A router scores 8 experts, and the softmax over the two largest scores gives the gate weights, in 1/256.
    """
    rng = np.random.default_rng(0)
    routers = rng.normal(size=(LAYERS, EXPERTS, WIDTH))
    state = rng.normal(size=WIDTH)
    experts = np.empty((TOKENS, LAYERS, TOP), dtype=np.int32)
    weights = np.empty((TOKENS, LAYERS, TOP))
    for token in range(TOKENS):
        state = 0.9 * state + np.sqrt(1 - 0.9**2) * rng.normal(size=WIDTH)
        scores = routers @ state
        experts[token] = np.argsort(-scores, axis=1)[:, :TOP]
        large = np.exp(np.take_along_axis(scores, experts[token], axis=1) / 2)
        weights[token] = np.round(256 * large / large.sum(axis=1, keepdims=True)) / 256
    return Trace.from_experts(experts, EXPERTS, name=NAME, metadata=FACTS, gate_weights=weights)


if __name__ == "__main__":
    write_trace(drawn(), SAMPLES / f"{NAME}.npz")

"""Which experts a router took, from its scores: those with the largest, where nothing else has a say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paging.errors import TraceError

OTHER_RULES = re.compile(r"bias|correction|group", re.IGNORECASE)
"""Names of arrays and settings by which a router takes other experts than those with the largest scores."""

OTHER_MODELS = frozenset(
    [
        "afmoe",
        "bailing_hybrid",
        "bailing_moe_v2",
        "deepseek_v2",
        "deepseek_v3",
        "deepseek_v32",
        "deepseek_v4",
        "dots1",
        "ernie4_5_moe",
        "ernie4_5_vl_moe",
        "exaone_moe",
        "glm4_moe",
        "glm4_moe_lite",
        "glm4v_moe",
        "glm_moe_dsa",
        "hy_v3",
        "kimi_k2",
        "kimi_linear",
        "lfm2_moe",
        "longcat_flash",
        "mimo_v2_flash",
        "minimax_m2",
        "minimax_m3_vl",
        "nemotron_h",
        "solar_open",
    ]
)
"""Models (``model_type`` of transformers) whose routers have a correction bias or groups of experts."""

REASON = (
    "the experts with the largest scores are not those that such a router takes; record what it returns: "
    "paging trace record, or a hook on the router"
)


def refuse_other_routers(facts: Mapping[str, Any]) -> None:
    """Refuse scores of a model whose router has a correction bias or groups of experts.

    Parameters
    ----------
    facts : mapping
        What is known of the model: ``model_type``, settings of its configuration, also inside ``config``.

    Raises
    ------
    TraceError
        Names the model or the setting.
    """
    inside = facts.get("config")
    for known in (facts, inside if isinstance(inside, Mapping) else {}):
        model = known.get("model_type")
        if isinstance(model, str) and model.lower() in OTHER_MODELS:
            raise TraceError(f"model_type {model}: its router has a correction bias or groups; {REASON}")
        for name, value in known.items():
            if OTHER_RULES.search(name) and value not in (None, False, 0, 1):
                raise TraceError(f"{name}: {REASON}")


def refuse_other_arrays(names: Iterable[str]) -> None:
    """Refuse scores that come with the arrays of a router's bias or groups."""
    for name in names:
        if OTHER_RULES.search(name):
            raise TraceError(f"array {name!r}: {REASON}")


def chosen(scores: NDArray[Any], top_k: int | None) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return the experts with the largest scores, best first.

    Parameters
    ----------
    scores : ndarray of float, shape (tokens, layers, experts)
    top_k : int or None
        Experts that the router takes.

    Returns
    -------
    experts : ndarray of int32, shape (tokens, layers, top_k)
    remarks : tuple of str
        Says where scores do not decide: of equal ones the lower expert is taken.

    Raises
    ------
    TraceError
        ``top_k`` is missing or more than there are experts, or a score is not a number.
    """
    if top_k is None:
        raise TraceError("scores do not say how many experts the router takes: -g G is needed")
    if scores.ndim != 3 or scores.size == 0:
        raise TraceError(f"scores of shape (tokens, layers, experts) are wanted, got {scores.shape}")
    if not 1 <= top_k <= scores.shape[2]:
        raise TraceError(f"the router takes 1 … {scores.shape[2]} experts, got -g {top_k}")
    if np.isnan(scores).any():
        token, layer, expert = (int(place) for place in np.argwhere(np.isnan(scores))[0])
        raise TraceError(f"the score of expert {expert} in layer {layer} of token {token} is not a number")
    order = np.argsort(-scores, axis=2, kind="stable")
    experts = order[:, :, :top_k].astype(np.int32)
    if top_k == scores.shape[2]:
        return experts, ()
    edge = np.take_along_axis(scores, order[:, :, top_k - 1 : top_k + 1], axis=2)
    ties = int(np.count_nonzero(edge[:, :, 0] == edge[:, :, 1]))
    visits = scores.shape[0] * scores.shape[1]
    told = f"in {ties:,} of {visits:,} visits the last score taken equals the next: the lower expert counts"
    return experts, (told,) if ties else ()

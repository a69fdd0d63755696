"""Letting a model of transformers answer prompts while a recorder listens (``paging trace record``)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from paging.errors import LayeredPagingError, TraceError
from paging.files import regular_file
from paging.signals import Watch
from paging.traces.opening import STANDARD_INPUT
from paging.traces.record import Recorder

if TYPE_CHECKING:
    from types import ModuleType


def read_prompts(path: str) -> list[str]:
    """Return the prompts of a file: its lines that are not blank.

    Raises
    ------
    TraceError
        The file cannot be read as UTF-8 text, or holds no prompt.
    """
    try:
        text = sys.stdin.read() if path == STANDARD_INPUT else regular_file(path).read_text(encoding="utf-8")
    except OSError as problem:
        raise TraceError(f"{path}: {problem.strerror or problem}") from None
    except UnicodeDecodeError as problem:
        raise TraceError(f"{path}: not UTF-8 text at byte {problem.start}") from None
    prompts = [line for line in text.splitlines() if line.strip()]
    if not prompts:
        raise TraceError(f"{path}: there is no prompt in it")
    return prompts


def record_prompts(
    model: str,
    prompts: Sequence[str],
    new_tokens: int = 64,
    temperature: float = 1.0,
    seed: int = 0,
    *,
    watch: Watch,
) -> Recorder:
    """Return what a model routed while it answered prompts.

    Parameters
    ----------
    model : str
        Folder or name of a model of transformers, with its tokenizer.
    prompts : sequence of str
    new_tokens : int
        Most tokens generated for each prompt.
    temperature : float
        Of sampling; 0 takes the likeliest token.
    seed : int
        Of sampling.
    watch : Watch
        Told of every prompt.

    Raises
    ------
    LayeredPagingError
        torch or transformers is not installed.
    TraceError
        The model cannot be loaded, or a prompt has no tokens.
    ModelError
        It has no experts, or does not tell which it uses.
    """
    torch, transformers = _libraries()
    try:
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(model)
        loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(model)
    except (OSError, ValueError, ImportError, KeyError) as problem:
        reason = next(iter(str(problem).strip().splitlines()), type(problem).__name__)
        raise TraceError(f"{model}: cannot be loaded as a model with a tokenizer: {reason}") from None
    loaded.eval()
    sampling = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
    with torch.random.fork_rng(), torch.inference_mode(), Recorder(loaded) as recorder:
        torch.manual_seed(seed)
        for number, prompt in enumerate(prompts):
            watch.look(f"prompt {number + 1} of {len(prompts)}")
            inputs = tokenizer(prompt, return_tensors="pt")
            if not inputs["input_ids"].numel():
                raise TraceError(f"prompt {number + 1} ({prompt[:30]!r}) has no tokens")
            loaded.generate(**inputs, **sampling, max_new_tokens=new_tokens)
    return recorder


def _libraries() -> tuple[ModuleType, ModuleType]:
    try:
        import torch
        import transformers
    except ImportError as problem:
        raise LayeredPagingError(
            f"recording needs torch and transformers: pip install 'layered-paging[record]' ({problem})"
        ) from None
    return torch, transformers

"""Tiny mixture-of-experts models of transformers, and the sample traces recorded from them once trained.

``python -m tests.helpers.tiny_models`` (``make record-sample``) trains them for some minutes on the language
reference that ships with Python, and records the sample traces of the package.
"""

from __future__ import annotations

import itertools
import pydoc_data.topics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import paging.traces
from paging.traces.record import Recorder

SHAPE = {
    "vocab_size": 257,
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "num_experts_per_tok": 2,
    "output_router_logits": True,
    "router_aux_loss_coef": 0.02,
    "max_position_embeddings": 512,
    "bos_token_id": 256,
    "eos_token_id": 256,
    "pad_token_id": 256,
}
CONFIGS = {
    "tiny-mixtral": lambda: transformers.MixtralConfig(
        **SHAPE, num_hidden_layers=4, num_local_experts=8, intermediate_size=128
    ),
    "tiny-qwen-moe": lambda: transformers.Qwen3MoeConfig(
        **SHAPE,
        num_hidden_layers=6,
        num_experts=16,
        intermediate_size=128,
        moe_intermediate_size=64,
        norm_topk_prob=True,
    ),
}

STEPS = 400
SAMPLES = Path(paging.traces.__file__).parent / "samples"

PROMPTS, PROMPT, GENERATED, HELD_OUT = 12, 48, 96, 40_000
"""Prompts, their bytes, bytes generated for each, and bytes of text that the models are not trained on."""


def tiny(name: str, seed: int = 0) -> Any:
    """Return an untrained model."""
    torch.manual_seed(seed)
    return transformers.AutoModelForCausalLM.from_config(CONFIGS[name]())


def byte_tokenizer() -> Any:
    """Return a tokenizer whose tokens are the 256 bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: number for number, symbol in enumerate(alphabet)} | {"<end>": 256}
    bare = Tokenizer(models.BPE(vocabulary, []))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=bare, eos_token="<end>", pad_token="<end>")


def text() -> str:
    """Return Python's language reference, as pydoc holds it."""
    topics = pydoc_data.topics.topics
    return "\n".join(topics[name] for name in sorted(topics))


def train(model: Any, tokens: Any, steps: int, seed: int = 0) -> Iterator[float]:
    """Train for so many steps, yielding the loss of each."""
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    model.set_experts_implementation("eager")  # on a processor many times as fast as grouped products
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * min(1, (step + 1) / 20) * (1 - step / steps)
        places = rng.integers(0, len(tokens) - 129, 16)
        batch = torch.stack([tokens[place : place + 128] for place in places.tolist()])
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield loss.item()
    model.eval()


def record_sample(name: str, folder: Path, steps: int) -> None:
    """Train a model and record its trace on held-out text."""
    tokenizer = byte_tokenizer()
    tokens = torch.tensor(tokenizer(text())["input_ids"])
    model = tiny(name)
    losses = []
    for step, loss in enumerate(train(model, tokens[:-HELD_OUT], steps)):
        losses.append(loss)
        if step % 50 == 0:
            print(f"{name}: step {step}, loss {loss:.3f}", flush=True)
    held = tokens[-HELD_OUT:]
    with torch.no_grad(), Recorder(model) as recorder:
        for start in itertools.islice(range(0, HELD_OUT, HELD_OUT // PROMPTS), PROMPTS):
            torch.manual_seed(start)
            model.generate(
                held[None, start : start + PROMPT],
                attention_mask=torch.ones(1, PROMPT, dtype=torch.long),
                max_new_tokens=GENERATED,
                do_sample=True,
                temperature=0.8,
            )
    facts = {
        "model": f"{name}: {type(model).__name__}, {model.num_parameters():,} parameters, bytes as tokens",
        "training": f"{len(losses)} steps of 16 × 128 bytes, at last {np.mean(losses[-20:]):.2f} nats a byte",
        "text": "Python's language reference (pydoc_data.topics), prompts from its end, unread in training",
        "licence": "MIT, as the package",
    }
    recorder.write(folder / f"{name}.npz", name=name, metadata=facts, weights=False)
    print(f"{name}: {recorder.trace(name=name).tokens} tokens, {len(losses)} steps", flush=True)


if __name__ == "__main__":
    length = int(sys.argv[1]) if len(sys.argv) > 1 else STEPS
    for one in CONFIGS:
        record_sample(one, SAMPLES, length)

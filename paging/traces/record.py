"""Recording which experts a mixture-of-experts model of transformers uses, by hooks on its modules.

Only what the model hands over is touched: the module imports neither torch nor transformers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from paging.errors import ModelError, TraceError
from paging.traces.files import write_trace
from paging.traces.scores import chosen, refuse_other_routers
from paging.traces.trace import Trace

EXPERTS = "experts"
"""Name of the modules that are handed the chosen experts, in models of transformers 5."""

ROUTERS = ("gate", "router")
"""Names of the modules that choose, or score, experts in models that have no such module."""

COUNTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
"""What configurations call the number of experts of a layer."""

NUMBER = re.compile(r"\d+")


class Recorder:
    """Records the experts of every forward pass of a model, while it is entered.

    One sequence at a time: a pass without a cache of keys and values, or with an empty one, begins a new
    sequence. A pass of one token that continues a cache is marked as decoding, everything else as prompt.

    Parameters
    ----------
    model : torch.nn.Module
        A model of transformers, such as ``AutoModelForCausalLM`` returns. Where its layers hand the chosen
        experts to a module called ``experts``, these are recorded, whatever bias or groups the router has.
        Otherwise its modules called ``gate`` or ``router`` are listened to: they return the chosen experts,
        or scores of which the largest count, unless the configuration tells of a bias or groups.

    Raises
    ------
    ModelError
        The model has no such modules.

    Examples
    --------
    ::

        with Recorder(model) as recorder:
            for prompt in prompts:
                model.generate(**tokenizer(prompt, return_tensors="pt"), max_new_tokens=100)
        recorder.write("routing.npz")
    """

    def __init__(self, model: Any) -> None:
        modules = list(model.named_modules())
        listed = [(name, module) for name, module in modules if name.rpartition(".")[2] == EXPERTS]
        # A list of experts is never called itself.
        taking = [(name, module) for name, module in listed if not hasattr(module, "append")]
        routers = [(name, module) for name, module in modules if name.rpartition(".")[2] in ROUTERS]
        if not taking and not (listed and routers):
            raise ModelError(
                f"{type(model).__name__} has no experts to record: no module is called {EXPERTS!r}, with or "
                f"without a {' or '.join(ROUTERS)} beside it"
            )
        self._model = model
        self._config = _settings(model)
        self._takes_choice = bool(taking)
        self._modules = dict(taking or routers)
        self._pass: dict[str, tuple[NDArray[np.int64], NDArray[np.float32] | None]] = {}
        self._experts: list[NDArray[np.int64]] = []
        self._weights: list[NDArray[np.float32] | None] = []
        self._marks: list[tuple[int, bool, int]] = []
        self._sequence = -1
        self._continues = False
        self._hooks: ExitStack | None = None

    def __enter__(self) -> Self:
        """Begin to record."""
        with ExitStack() as hooks:
            for name, module in self._modules.items():
                if self._takes_choice:
                    handle = module.register_forward_pre_hook(self._taker(name), with_kwargs=True)
                else:
                    handle = module.register_forward_hook(self._listener(name))
                hooks.callback(handle.remove)
            hooks.callback(self._model.register_forward_pre_hook(self._begin, with_kwargs=True).remove)
            hooks.callback(self._model.register_forward_hook(self._end).remove)
            self._hooks = hooks.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; what was recorded stays."""
        assert self._hooks is not None
        self._hooks.close()
        self._pass.clear()

    def _begin(self, _model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self._pass.clear()
        given = next(
            (kwargs[key] for key in ("input_ids", "inputs_embeds") if kwargs.get(key) is not None), None
        )
        given = args[0] if given is None and args else given
        if given is not None and given.shape[0] != 1:
            raise ModelError(f"one sequence at a time can be recorded, got a batch of {given.shape[0]}")
        # The argument's name differs between versions.
        caches = (value for value in (*kwargs.values(), *args) if hasattr(value, "get_seq_length"))
        length = next((int(cache.get_seq_length()) for cache in caches), 0)
        self._continues = length > 0 and self._sequence >= 0
        self._sequence += not self._continues

    def _taker(self, name: str) -> Callable[..., None]:
        def take(_module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            self._keep(name, [*args, *kwargs.values()])

        return take

    def _listener(self, name: str) -> Callable[..., None]:
        def listen(_module: Any, _args: Any, output: Any) -> None:
            self._keep(name, list(output) if isinstance(output, tuple | list) else [output])

        return listen

    def _keep(self, name: str, tensors: list[Any]) -> None:
        arrays = [array for array in map(_array, tensors) if array is not None and array.shape[1] > 0]
        choices = [array for array in arrays if array.dtype.kind in "iu"]
        if name in self._pass:
            raise ModelError(f"{name} runs twice in one pass: which requests come first is not known")
        if len(choices) == 1:
            experts = choices[0].astype(np.int64)
            self._pass[name] = experts, _weights_of(experts, arrays)
            return
        scores = [array for array in arrays if array.dtype.kind == "f" and array.shape[1] > 1]
        if self._takes_choice or choices or len(scores) != 1:
            shapes = ", ".join(f"{array.dtype} {array.shape}" for array in arrays)
            raise ModelError(f"{name} does not tell the chosen experts (tokens, top_k); its arrays: {shapes}")
        try:
            refuse_other_routers(self._config)
            taken, _ = chosen(scores[0][:, np.newaxis], self._config.get("num_experts_per_tok"))
        except TraceError as problem:
            raise ModelError(f"{name} returns scores: {problem}") from None
        experts = taken[:, 0].astype(np.int64)
        self._pass[name] = experts, None

    def _end(self, *_: object) -> None:
        if missing := [name for name in self._modules if name not in self._pass]:
            raise ModelError(
                f"{missing[0]} did not run in a pass in which {len(self._pass)} other layers did"
            )
        parts = [self._pass[name] for name in self._modules]
        shapes = {experts.shape for experts, _ in parts}
        if len(shapes) > 1:
            raise ModelError(f"the layers route different numbers of tokens or experts: {sorted(shapes)}")
        experts = np.stack([chosen for chosen, _ in parts], axis=1)
        weights = [weights for _, weights in parts if weights is not None]
        self._experts.append(experts)
        self._weights.append(np.stack(weights, axis=1) if len(weights) == len(parts) else None)
        self._marks.append((self._sequence, self._continues and len(experts) == 1, len(experts)))

    def trace(self, name: str = "recording", metadata: Mapping[str, Any] | None = None) -> Trace:
        """Return what was recorded so far.

        Raises
        ------
        TraceError
            Nothing was.
        """
        if not self._experts:
            raise TraceError("nothing was recorded: no pass of the model ran while the recorder was entered")
        sequences, decode, lengths = zip(*self._marks, strict=True)
        layers = [int(found[0]) if (found := NUMBER.findall(module)) else None for module in self._modules]
        facts = {"model": type(self._model).__name__, "layers_of_model": layers}
        return Trace.from_experts(
            np.concatenate(self._experts).astype(np.int32),
            next((self._config[key] for key in COUNTS if isinstance(self._config.get(key), int)), None),
            seq_id=np.repeat(sequences, lengths),
            decode=np.repeat(decode, lengths),
            name=name,
            metadata={**facts, **(metadata or {})},
            gate_weights=self._gate_weights(),
        )

    def _gate_weights(self) -> NDArray[np.float32] | None:
        """Return gate weights (tokens, layers, top_k); None where the model does not tell them."""
        parts = [weights for weights in self._weights if weights is not None]
        return np.concatenate(parts) if parts and len(parts) == len(self._weights) else None

    def write(
        self,
        path: str | os.PathLike[str],
        name: str = "recording",
        metadata: Mapping[str, Any] | None = None,
        weights: bool = True,
    ) -> None:
        """Write the trace as :func:`~paging.traces.write_trace` does.

        Parameters
        ----------
        path : path
            A ``.npz`` or ``.jsonl`` keeps everything.
        name, metadata
            Of the trace.
        weights : bool, default True
            Whether gate weights are kept, where they are known.
        """
        recorded = self.trace(name, metadata)
        write_trace(recorded if weights else replace(recorded, gate_weights=None), path)


def _settings(model: Any) -> dict[str, Any]:
    """Return the settings of a model's text part, and names of its arrays that change the choice."""
    config: Any = getattr(model, "config", None)
    config = config.get_text_config() if hasattr(config, "get_text_config") else config
    settings: dict[str, Any] = dict(config.to_dict()) if hasattr(config, "to_dict") else {}
    routers = (name for name, _ in _arrays_of(model) if "correction_bias" in name)
    return settings | {name.rpartition(".")[2]: True for name in routers}


def _arrays_of(model: Any) -> Iterator[tuple[str, Any]]:
    yield from model.named_parameters()
    yield from model.named_buffers()


def _array(tensor: Any) -> NDArray[Any] | None:
    """Return a tensor as an array (tokens, numbers); None for what is none."""
    if not hasattr(tensor, "detach") or tensor.ndim < 2:
        return None
    plain = tensor.detach()
    if plain.is_floating_point():
        plain = plain.float()
    array: NDArray[Any] = plain.cpu().numpy()
    return array.reshape(-1, array.shape[-1])


def _weights_of(experts: NDArray[np.int64], arrays: list[NDArray[Any]]) -> NDArray[np.float32] | None:
    """Return the weights of the chosen experts, which are told for them or for all experts."""
    for array in arrays:
        if array.dtype.kind == "f" and array.shape == experts.shape:
            return array.astype(np.float32)
    return None

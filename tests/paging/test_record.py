"""Recording routing from a model: the hooks on stand-ins, and the whole on tiny models where torch is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from paging import ModelError, TraceError
from paging.cli.main import run as paging_run
from paging.traces import Trace, read_trace, sample_names
from paging.traces.record import Recorder
from tests.helpers import drawn_sample

Capture = pytest.CaptureFixture[str]


class Tensor:
    """As much of a tensor as a recorder touches."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)
        self.ndim, self.shape = self.values.ndim, self.values.shape

    def detach(self) -> Tensor:
        return self

    cpu = float = detach

    def is_floating_point(self) -> bool:
        return self.values.dtype.kind == "f"

    def numpy(self) -> np.ndarray[Any, Any]:
        return self.values


class Module:
    """As much of a module as a recorder touches: it calls its hooks."""

    def __init__(self, output: Callable[..., Any] = lambda *_: None) -> None:
        self.output = output
        self.before: list[Callable[..., None]] = []
        self.after: list[Callable[..., None]] = []

    def _register(self, hooks: list[Callable[..., None]], hook: Callable[..., None]) -> Any:
        hooks.append(hook)
        return SimpleNamespace(remove=lambda: hooks.remove(hook))

    def register_forward_pre_hook(self, hook: Callable[..., None], with_kwargs: bool) -> Any:
        assert with_kwargs
        return self._register(self.before, hook)

    def register_forward_hook(self, hook: Callable[..., None]) -> Any:
        return self._register(self.after, hook)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for hook in self.before:
            hook(self, args, kwargs)
        result = self.output(*args)
        for hook in self.after:
            hook(self, args, result)
        return result


class Model(Module):
    """Two layers whose routing of a token is its number and the next one."""

    def __init__(
        self, modules: dict[str, Module], call: Callable[[dict[str, Module], Any], None], **config: Any
    ):
        super().__init__(lambda *tokens: call(modules, *tokens))
        self.modules = modules
        self.config = SimpleNamespace(to_dict=lambda: {"num_experts": 5, "num_experts_per_tok": 2, **config})

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        yield from {"": self, **self.modules}.items()

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        yield from ()

    named_buffers = named_parameters


def choices(tokens: Tensor) -> Tensor:
    numbers = tokens.values.reshape(-1)
    return Tensor(np.stack([numbers % 5, (numbers + 1) % 5], axis=1))


def handing(layers: int = 2) -> Model:
    """A model whose layers hand choices and weights to a module of experts."""

    def call(modules: dict[str, Module], tokens: Tensor) -> None:
        for module in modules.values():
            taken = choices(tokens)
            module(Tensor(np.zeros((len(taken.values), 7))), taken, top_k_weights=Tensor(taken.values / 10))

    return Model({f"layers.{3 + layer}.mlp.experts": Module() for layer in range(layers)}, call)


def scoring(output: Callable[..., Any], **config: Any) -> Model:
    """A model whose routers return something; its experts are a list, which nobody calls."""
    listed = SimpleNamespace(append=None)

    def call(modules: dict[str, Any], tokens: Tensor) -> None:
        for name, module in modules.items():
            if name.endswith("gate"):
                module(tokens)

    modules: dict[str, Any] = {"layers.0.gate": Module(output), "layers.0.experts": listed}
    return Model(modules, call, **config)


def cache(length: int) -> Any:
    return SimpleNamespace(get_seq_length=lambda: length)


def served(model: Model) -> Recorder:
    """Two prompts of two and one tokens, after the first of which two tokens are generated."""
    with Recorder(model) as recorder:
        model(Tensor([[0, 1]]))
        model(Tensor([[2]]), past_key_values=cache(2))
        model(Tensor([[3]]), cache=cache(3))
        model(Tensor([[4]]), past_key_values=cache(0))
    model(Tensor([[0, 0, 0]]))  # is not recorded any more
    return recorder


EXPERTS = [[[token % 5, (token + 1) % 5]] * 2 for token in range(5)]


def test_choices_marks_and_weights_are_recorded(tmp_path: Path) -> None:
    recorder = served(handing())
    trace = recorder.trace("mine", {"text": "ours"})
    assert trace.digest == Trace.from_experts(EXPERTS).digest
    assert trace.seq_id is not None
    assert trace.decode is not None
    assert trace.seq_id.tolist() == [0, 0, 0, 0, 1]
    assert trace.decode.tolist() == [False, False, True, True, False]
    assert (trace.pages, trace.metadata["layers_of_model"]) == (5, [3, 4])
    weights = recorder.trace().gate_weights
    assert weights is not None
    np.testing.assert_allclose(weights, np.array(EXPERTS).ravel() / 10)
    recorder.write(tmp_path / "t.npz", "mine", {"text": "ours"})
    again = read_trace(tmp_path / "t.npz")
    assert (again.digest, again.name, again.metadata["text"]) == (trace.digest, "mine", "ours")
    assert np.load(tmp_path / "t.npz")["weights"].shape == (5, 2, 2)
    for kept in (True, False):
        recorder.write(tmp_path / "t.jsonl", weights=kept)
        again = read_trace(tmp_path / "t.jsonl")
        assert (again.digest, again.gate_weights is not None) == (trace.digest, kept)


def test_routers_that_return_their_choice_or_scores() -> None:
    def scores(tokens: Tensor) -> Tensor:
        ranks = np.zeros((tokens.values.size, 5))
        np.put_along_axis(ranks, choices(tokens).values, [[2.0, 1.0]], axis=1)
        return Tensor(ranks)

    one_layer = Trace.from_experts([visits[:1] for visits in EXPERTS]).digest
    assert served(scoring(scores)).trace().digest == one_layer
    told = served(scoring(lambda tokens: (scores(tokens), choices(tokens))))
    assert (told.trace().digest, told.trace().gate_weights) == (one_layer, None)
    for config in ({"n_group": 4}, {"model_type": "deepseek_v3"}):
        with pytest.raises(ModelError, match=r"layers.0.gate returns scores: .*the experts with the largest"):
            served(scoring(scores, **config))


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (lambda: Recorder(Model({"layers.0.mlp": Module()}, lambda *_: None)), "has no experts to record"),
        (lambda: served(scoring(lambda tokens: None)), "layers.0.gate does not tell the chosen experts"),
        (lambda: served(Model({"a.experts": Module()}, lambda *_: None)), "a.experts did not run in a pass"),
        (lambda: Recorder(handing()).trace(), "nothing was recorded"),
    ],
)
def test_what_cannot_be_recorded(run: Callable[[], object], problem: str) -> None:
    with pytest.raises((ModelError, TraceError), match=problem):
        run()


def test_batches_and_repeated_layers_are_refused() -> None:
    model = handing()
    with Recorder(model), pytest.raises(ModelError, match=r"one sequence at a time .* a batch of 2"):
        model(Tensor([[0], [1]]))

    def twice(modules: dict[str, Module], tokens: Tensor) -> None:
        for module in [*modules.values(), *modules.values()]:
            module(choices(tokens))

    again = Model({"layers.0.experts": Module()}, twice)
    with Recorder(again), pytest.raises(ModelError, match=r"layers.0.experts runs twice in one pass"):
        again(Tensor([[0]]))
    assert not again.before
    assert not again.modules["layers.0.experts"].before


# --- on models of transformers -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny() -> Any:
    pytest.importorskip("torch", reason="needs the extra `record`: pip install layered-paging[record]")
    pytest.importorskip("transformers", reason="needs the extra `record`: pip install layered-paging[record]")
    from tests.helpers import tiny_models

    return tiny_models


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny-mixtral", "tiny-qwen-moe"])
def test_the_recorded_experts_are_the_routers_largest_scores(name: str, tiny: Any) -> None:
    import torch

    model = tiny.tiny(name).eval()
    tokens = torch.arange(40)[None]
    with torch.no_grad(), Recorder(model) as recorder:
        scores = model(input_ids=tokens, output_router_logits=True).router_logits
        model.generate(tokens[:, :7], max_new_tokens=5, do_sample=False, pad_token_id=256)
    trace = recorder.trace()
    expected = torch.stack([layer.topk(2).indices for layer in scores], dim=1).numpy()
    assert (trace.layers, trace.pages, trace.tokens) == (len(scores), scores[0].shape[1], 40 + 7 + 4)
    np.testing.assert_array_equal(trace.experts[:40], expected)
    assert trace.decode is not None
    assert trace.decode.tolist() == [False] * 47 + [True] * 4
    weights = recorder.trace().gate_weights
    assert weights is not None
    np.testing.assert_allclose(weights.reshape(-1, 2).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
def test_recording_from_the_command_line(tiny: Any, tmp_path: Path, capsys: Capture) -> None:
    folder, prompts, target = tmp_path / "model", tmp_path / "prompts.txt", tmp_path / "t.npz"
    tiny.tiny("tiny-mixtral").save_pretrained(folder)
    tiny.byte_tokenizer().save_pretrained(folder)
    prompts.write_text("One prompt.\n\nAnother ünicode one.\n", encoding="utf-8")
    command = ["trace", "record", "--model", str(folder), "--prompts", str(prompts), "-o", str(target)]
    assert paging_run([*command, "--new-tokens", "4", "--temperature", "0"]) == 0
    trace = read_trace(target)
    assert trace.seq_id is not None
    assert np.bincount(trace.seq_id).tolist() == [11 + 3, 21 + 3]
    assert np.load(target)["weights"].shape == trace.experts.shape
    capsys.readouterr()
    prompts.write_text("\n", encoding="utf-8")
    assert paging_run(command) == 2
    assert "there is no prompt in it" in capsys.readouterr().err
    prompts.write_text("x\n", encoding="utf-8")
    command[3] = str(tmp_path / "nothing")
    assert paging_run(command) == 2
    assert capsys.readouterr().err.count("\n") == 1


# --- the samples -------------------------------------------------------------------------------------


def shuffled(trace: Trace) -> np.ndarray[Any, Any]:
    """The experts with the tokens of every layer in an order of its own."""
    rng = np.random.default_rng(0)
    layers = [trace.experts[rng.permutation(trace.tokens), layer] for layer in range(trace.layers)]
    return np.stack(layers, axis=1)


def repeats(experts: np.ndarray[Any, Any]) -> float:
    return float((experts[1:, :, :, None] == experts[:-1, :, None, :]).any(axis=3).mean())


def information(experts: np.ndarray[Any, Any]) -> float:
    """Mutual information of the first choices of neighbouring layers, bits, mean over the layers."""
    bits = []
    for layer in range(experts.shape[1] - 1):
        both = np.histogram2d(*experts[:, layer : layer + 2, 0].T, bins=np.arange(17))[0] / len(experts)
        alone = both.sum(axis=1, keepdims=True) * both.sum(axis=0)
        bits.append(float((both[both > 0] * np.log2(both[both > 0] / alone[both > 0])).sum()))
    return float(np.mean(bits))


@pytest.mark.parametrize("name", sorted({*sample_names()} - {drawn_sample.NAME}))
def test_a_recorded_sample_is_routing_and_not_chance(name: str) -> None:
    trace = read_trace(f"sample:{name}")
    assert trace.tokens > 1000
    assert trace.decode is not None
    assert 0 < trace.decode.mean() < 1
    assert "licence" in trace.metadata
    chance = shuffled(trace)
    assert repeats(trace.experts) > 1.1 * repeats(chance)
    assert information(trace.experts) > 2 * information(chance)


def test_the_sample_with_gate_weights_is_drawn_as_it_says() -> None:
    read, again = read_trace(f"sample:{drawn_sample.NAME}"), drawn_sample.drawn()
    assert read.gate_weights is not None
    assert np.array_equal(read.gate_weights, again.gate_weights)
    assert read.digest == again.digest


def test_samples_are_listed_and_opened(capsys: Capture) -> None:
    assert "tiny-mixtral" in sample_names()
    assert paging_run(["trace", "samples"]) == 0
    assert all(f"sample:{name}" in capsys.readouterr().out for name in sample_names()[:1])
    assert paging_run(["run", "lru", "--trace", f"sample:{sample_names()[0]}", "-k", "8", "--no-opt"]) == 0
    assert paging_run(["trace", "info", "sample:mixtral"]) == 2
    assert "did you mean" in capsys.readouterr().err

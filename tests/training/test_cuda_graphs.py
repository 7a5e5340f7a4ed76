"""Steps as CUDA graphs, without CUDA: all but the recording itself, which runs the step instead."""

from __future__ import annotations

import warnings
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from gandetect.config import GanConfig, parse_experiment
from gandetect.training.adversarial import AdversarialStep, train_epoch, why_not_graphed
from gandetect.training.cuda_graphs import (
    TOLERANCE,
    GraphedStep,
    _aside,
    _capturable,
    captured,
    difference,
    graphed,
)
from gandetect.training.networks import build_gan

CPU = torch.device("cpu")
SIDE = 8  # pixels: what is held here does not depend on it
KINDS = {"critic_steps": 2, "penalty": {"every": 3}, "steps_per_epoch": 4}  # four kinds of steps
OPTIONS = {
    "separate updates, noise of its own": ("dcgan-bn", {}),
    "joint updates, shared noise": ("dcgan-plain", {}),
    "several kinds of steps": ("wgan-gp", KINDS),
    "instance noise": ("dense", {"instance_noise": 0.3}),
    "replay": ("dense", {"replay": {"share": 0.5, "n_images": 20}}),
    "rmsprop and changed images": (
        "dense",
        {
            "generator_optimizer": {"name": "rmsprop"},
            "discriminator_optimizer": {"name": "rmsprop"},
            "diff_augment": ["translation", "cutout", "shuffle"],
        },
    ),
    "an average": ("dcgan-bn", {"generator_average": 0.9}),
    "spectral norm": ("dcgan-bn", {"discriminator": {"spectral_norm": True}}),
}


def config_of(architecture: str, **changes: object) -> GanConfig:
    small = {"epochs": 3, "steps_per_epoch": 2, "batch_size": 4}
    gan = {"architecture": architecture, **small, **changes}
    if architecture == "wgan-gp":
        gan["penalty"] = {"name": "wgan-gp", **gan.get("penalty", {})}
    return parse_experiment({"name": "x", "gans": [gan]}).gans[0]


@pytest.fixture(scope="module")
def reals() -> Tensor:
    images = np.random.default_rng(0).integers(0, 256, (40, 1, SIDE, SIDE), dtype=np.uint8)
    return torch.from_numpy(images)


def trained(config: GanConfig, reals: Tensor, wrap=lambda step: step) -> dict[str, Tensor]:
    """Everything that two epochs lead to, weights, optimizers and statistics."""
    gan = build_gan(config, SIDE, 1, 0, CPU)
    step = wrap(AdversarialStep(config, gan, CPU))
    found = {}
    for epoch in (1, 2):
        fakes = reals.flip(0) if config.replay.share and epoch > 1 else None
        arguments = {"seed": 0, "epoch": epoch, "notify": lambda event: None, "replayed": fakes}
        found[f"statistics {epoch}"] = train_epoch(config, gan, reals, step=step, **arguments)
    for name, network in gan.networks.items():
        found |= {f"{name} {key}": value for key, value in network.state_dict().items()}
    for name, optimizer in gan.optimizers.items():
        for number, state in enumerate(optimizer.state.values()):
            found |= {f"{name} {number} {key}": value for key, value in state.items()}
    return found


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize("option", OPTIONS)
def test_the_step_that_would_be_recorded_equals_the_loop_bit_for_bit(option, reals) -> None:
    """With the checks before it, which must leave neither a weight nor a draw changed."""
    architecture, changes = OPTIONS[option]
    config = config_of(architecture, **changes)
    recorded: list[GraphedStep] = []

    def wrap(step: AdversarialStep) -> GraphedStep:
        recorded.append(GraphedStep(step, capture=lambda body, step: body))
        return recorded[0]

    assert_equal(trained(config, reals, wrap), trained(config, reals))
    assert recorded[0].status == "yes, equal to the step bit for bit"


def test_a_step_is_recorded_once_for_each_kind_and_again_when_a_reservoir_comes(reals) -> None:
    bodies = []

    def record(body, step):
        bodies.append(body)
        return body

    trained(
        config_of("wgan-gp", **KINDS),
        reals,
        lambda step: GraphedStep(step, capture=record),
    )
    assert len(bodies) == 4
    bodies.clear()
    config = config_of("dense", replay={"share": 0.5, "n_images": 20})
    trained(config, reals, lambda step: GraphedStep(step, capture=record))
    assert len(bodies) == 2


def broken(body, step):
    raise RuntimeError("operation not permitted when stream is capturing\nand more lines")


def breaks_off(body, step):
    """Recording ends in the generator's update, and its end says less than its cause."""

    def refuse():
        raise RuntimeError("this optimizer waits on the host")

    optimizer = step.gan.optimizers["generator"]
    usual, optimizer.step = optimizer.step, refuse
    try:
        body()
    except RuntimeError:
        raise RuntimeError("a previous error during capture")  # noqa: B904 - as torch's exit does
    finally:
        optimizer.step = usual


def deaf(body, step):
    """A replay that always sees the first noise."""
    kept = step.generators[0].get_state()

    def replay():
        step.generators[0].set_state(kept)
        body()

    return replay


@pytest.mark.parametrize(
    ("capture", "reason"),
    [
        (broken, "operation not permitted when stream is capturing"),
        (breaks_off, "this optimizer waits on the host"),
        (deaf, "a replay differs from its step by"),
    ],
)
def test_where_no_graph_can_be_had_the_steps_run_as_they_are(capture, reason, reals) -> None:
    config, warnings, steps = config_of("dcgan-bn"), [], []

    def wrap(step):
        steps.append(GraphedStep(step, capture, warnings.append))
        return steps[0]

    assert_equal(trained(config, reals, wrap), trained(config, reals))
    assert len(warnings) == 1
    assert warnings[0].startswith(reason)
    assert steps[0].status == f"no: {warnings[0]}"


def test_a_second_kind_that_fails_takes_the_first_one_s_graph_back(reals) -> None:
    """Otherwise both would draw from different generators."""
    config, made = config_of("wgan-gp", critic_steps=2), []

    def second_fails(body, step):
        made.append(step.generators)
        if len(made) == 2:
            return broken(body, step)
        generators = step.generators

        def replay():  # as a graph, it knows its own generators alone
            assert step.generators == generators
            body()

        return replay

    steps = []

    def wrap(step):
        steps.append(step)
        return GraphedStep(step, second_fails)

    assert_equal(trained(config, reals, wrap), trained(config, reals))
    assert len(made) == 2
    # Generators of a recording that broke off cannot draw any more.
    assert not set(steps[0].generators) & set(made[1])


def test_steps_that_wait_on_the_host_are_not_recorded() -> None:
    negatives = config_of("dcgan-bn", negatives={"kinds": ["jigsaw"]})
    assert "negatives" in why_not_graphed(negatives)
    assert "processing" in why_not_graphed(config_of("dcgan-bn", processing="uploads"))
    assert why_not_graphed(config_of("dcgan-bn")) is None


def test_without_cuda_the_step_itself_is_used() -> None:
    config = config_of("dcgan-bn")
    step = AdversarialStep(config, build_gan(config, SIDE, 1, 0, CPU), CPU)
    assert graphed(step, None, pytest.fail) is step


def test_differences_are_shares_of_the_way_that_was_moved() -> None:
    before = {"weight": torch.tensor([1.0, 1.0])}
    one, other = {"weight": torch.tensor([3.0, 1.0])}, {"weight": torch.tensor([3.0, 1.2])}
    assert difference(before, one, one) == 0
    assert difference(before, one, other) == pytest.approx(0.1)
    assert difference({}, one, other) == pytest.approx(0.2 / np.sqrt(10))
    assert difference(before, before, other) > TOLERANCE  # moved where nothing should
    assert difference(before, one, {"weight": torch.tensor([3.0, torch.nan])}) > TOLERANCE


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_only_while_it_is_recorded_an_optimizer_counts_as_recordable(name) -> None:
    config = config_of("dense", generator_optimizer={"name": name})
    optimizer = build_gan(config, SIDE, 1, 0, CPU).generator_optimizer
    recorded = []

    def record():
        with _capturable({"generator": optimizer}):
            recorded.extend(group["capturable"] for group in optimizer.param_groups)
            raise KeyError

    with pytest.raises(KeyError):
        record()
    assert recorded == [True]
    assert not any(group["capturable"] for group in optimizer.param_groups)


class FakeGraph:
    """A CUDA graph as far as recording asks for it; its replay is told apart by its owner."""

    def __init__(self) -> None:
        self.generators: list[torch.Generator] = []
        self.replays = 0

    def register_generator_state(self, generator: torch.Generator) -> None:
        warnings.warn("CUDAGraph.register_generator_state() is deprecated", stacklevel=1)
        self.generators.append(generator)

    def replay(self) -> None:
        self.replays += 1


def test_recording_knows_all_generators_and_runs_the_body_once(monkeypatch) -> None:
    """Newer versions of torch warn of the registration that older ones need: nobody hears it."""
    config, graphs, within = config_of("dense"), [], []
    step = AdversarialStep(config, build_gan(config, SIDE, 1, 0, CPU), CPU)

    @contextmanager
    def recording(graph):
        graphs.append(graph)
        yield
        within.extend(group["capturable"] for one in step.gan.optimizers.values()
                      for group in one.param_groups)  # fmt: skip

    monkeypatch.setattr(torch.cuda, "CUDAGraph", FakeGraph)
    monkeypatch.setattr(torch.cuda, "graph", recording)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: "usual")
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext(kept.append(stream)))
    kept: list[str] = []
    runs = []
    replay = captured(lambda: runs.append("body"), step)
    assert runs == ["body"]
    assert graphs[0].generators == list(step.generators)
    assert within == [True, True]
    replay()
    assert (graphs[0].replays, runs) == (1, ["body"])
    assert kept == ["usual"]  # which comes back however the recording ends


def test_the_check_runs_on_a_stream_of_its_own_in_order_with_the_usual_one(monkeypatch) -> None:
    status = []

    class Stream:
        def __init__(self, name="own") -> None:
            self.name = str(name)

        def wait_stream(self, other) -> None:
            status.append(f"{self.name} waits for {other.name}")

    @contextmanager
    def entered(stream):
        status.append(f"on {stream.name}")
        yield

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream("usual"))
    monkeypatch.setattr(torch.cuda, "stream", entered)
    with _aside(torch.device("cuda")):
        status.append("work")
    assert status == ["own waits for usual", "on own", "work", "usual waits for own"]


def test_on_cuda_steps_are_graphed_unless_something_speaks_against_it() -> None:
    config = config_of("dense")
    step = AdversarialStep(config, build_gan(config, SIDE, 1, 0, CPU), CPU)
    step.row = SimpleNamespace(device=torch.device("cuda"))
    assert graphed(step, None, pytest.fail).status == "not yet"
    assert graphed(step, "it waits", pytest.fail).status == "no: it waits"

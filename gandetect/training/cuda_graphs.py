"""Whole training steps as CUDA graphs: hundreds of kernels that are launched as one.

A step of these small networks launches more slowly than it computes. A CUDA graph records the
launches once and replays them on the same memory, so a batch is copied into a buffer that stays,
chance comes from generators that the graph knows, and statistics lie in a row that stays. A graph
is taken only where it equals the step itself: both are run here, from the same state, before the
first replay counts. Where it cannot be had the step runs as it is, and the reason is kept.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from gandetect.training.adversarial import AdversarialStep, StepKind

CHECKED = 3  # steps that are run both ways
# Of the way that any tensor has moved. Equal kernels give 0; a graph that saw old noise, an old
# batch or no optimizer's step would be off by about 1.
TOLERANCE = 1e-3

NO = "no: "

Body = Callable[[], object]


class GraphedStep:
    """An `AdversarialStep` that is replayed as CUDA graphs, one a kind of step; called as it is.

    ``capture`` makes a graph of a body. ``warn`` is called with the reason where that fails;
    `status` says whether the step is replayed.
    """

    def __init__(
        self,
        step: AdversarialStep,
        capture: Callable[[Body, AdversarialStep], Body] | None = None,
        warn: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._step, self._warn = step, warn
        self._capture = capture or captured
        self._pixels: Tensor | None = None  # the batch that graphs read
        self._runs: dict[Hashable, Body] = {}
        self.difference = 0.0  # the largest between a graph and its step
        self.status = "not yet"

    def begin(self, seed: int, epoch: int, replayed: Tensor | None) -> None:
        """Make ready for an epoch."""
        self._step.begin(seed, epoch, replayed)

    def kind(self, step: int) -> StepKind:
        """What a step of the epoch does."""
        return self._step.kind(step)

    def __call__(self, pixels: Tensor, kind: StepKind) -> Tensor:
        """Do a step on ``(B, C, H, W) uint8``; returns its row, which the next step overwrites."""
        if self._pixels is None:
            self._pixels = torch.empty_like(pixels)
        self._pixels.copy_(pixels)
        key = (kind, self._step.replayed is None)
        if key not in self._runs:
            self._runs[key] = self._prepared(partial(self._step, self._pixels, kind))
        self._runs[key]()
        return self._step.row

    def _prepared(self, body: Body) -> Body:
        """A graph of the body, checked against it; the body itself where that does not hold."""
        if self.status.startswith(NO):
            return body
        before = _Kept(self._step)
        with _aside(self._step.row.device):  # it also warms libraries up, off the usual stream
            expected = _after(body, self._step, before)
        try:
            replay = self._capture(body, self._step)
            replayed = _after(replay, self._step, before)
            deviation = difference(before.tensors, expected, replayed)
        except Exception as error:  # whatever recording dies of, the step itself has just run
            self._give_up(_first_cause(error))
            before.put_back(self._step)
            return body
        self.difference = max(self.difference, deviation)
        if self.difference > TOLERANCE:
            self._give_up(f"a replay differs from its step by {self.difference:.1g} of its change")
            before.put_back(self._step)
            return body
        exact = "bit for bit" if self.difference == 0 else f"to {self.difference:.1g}"
        self.status = f"yes, equal to the step {exact}"
        return replay

    def _give_up(self, reason: str) -> None:
        """Run every step as it is from now on; generators of a broken capture are of no use.

        A step that was broken off may have left a network frozen, as it is while others learn.
        """
        self._runs.clear()
        for network in self._step.gan.networks.values():
            network.requires_grad_(True).train()
        self._step.renew_generators()
        self.status = NO + reason
        self._warn(reason)


def graphed(
    step: AdversarialStep, against: str | None, warn: Callable[[str], None]
) -> AdversarialStep | GraphedStep:
    """The step as CUDA graphs where it computes on CUDA, else as it is.

    ``against`` is a reason why its launches cannot be recorded; ``warn`` is called with others.
    """
    if step.row.device.type != "cuda":
        return step
    graphed_step = GraphedStep(step, warn=warn)
    if against is not None:
        graphed_step.status = NO + against
    return graphed_step


def captured(body: Body, step: AdversarialStep) -> Body:
    """Record what a body launches, without running it; call the result to replay it."""
    graph = torch.cuda.CUDAGraph()
    with warnings.catch_warnings():  # newer versions of torch find generators by themselves
        warnings.filterwarnings("ignore", ".*register_generator_state")
        for generator in step.generators:
            graph.register_generator_state(generator)
    # A capture that breaks off leaves its stream the current one: here the usual one comes back.
    usual = torch.cuda.stream(torch.cuda.current_stream(step.row.device))
    with _capturable(step.gan.optimizers), usual, torch.cuda.graph(graph):
        body()
    return graph.replay


def _first_cause(error: BaseException) -> str:
    """The first line of what an error began with; the end of a broken capture tells less."""
    while error.__context__ is not None:
        error = error.__context__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def difference(
    before: Mapping[str, Tensor], first: Mapping[str, Tensor], second: Mapping[str, Tensor]
) -> float:
    """The largest difference of two results, relative to their change from ``before``.

    0 means equal in every bit; a tensor that is not in ``before`` started from zeros.
    """
    largest = 0.0
    for name, tensor in first.items():
        if torch.equal(tensor, second[name]):
            continue
        reached = tensor.double()
        apart = float((reached - second[name].double()).norm())
        moved = float(
            (reached - before[name].double()).norm() if name in before else reached.norm()
        )
        largest = max(largest, apart / moved if moved and math.isfinite(apart) else math.inf)
    return largest


class _Kept:
    """A step's state as it was, to be put back where it was."""

    def __init__(self, step: AdversarialStep) -> None:
        self.tensors = _copies(step)
        self._generators = [generator.get_state() for generator in step.generators]

    def put_back(self, step: AdversarialStep) -> None:
        """Undo all steps since; optimizers that were new then are as good as new, all zeros."""
        for name, tensor in _state(step).items():
            if name in self.tensors:
                tensor.copy_(self.tensors[name])
            else:
                tensor.zero_()
        for generator, state in zip(step.generators, self._generators, strict=True):
            generator.set_state(state)


def _after(body: Body, step: AdversarialStep, before: _Kept) -> dict[str, Tensor]:
    """What `CHECKED` runs of a body lead to; they are undone."""
    for _ in range(CHECKED):
        body()
    reached = _copies(step)
    before.put_back(step)
    return reached


def _copies(step: AdversarialStep) -> dict[str, Tensor]:
    """What a step changes, copied to its device: optimizers count steps here or there."""
    device = step.row.device
    return {name: tensor.to(device, copy=True) for name, tensor in _state(step).items()}


def _state(step: AdversarialStep) -> dict[str, Tensor]:
    """Every tensor that a step changes, where it lies."""
    tensors = {"row": step.row}
    for name, network in step.gan.networks.items():
        tensors |= {f"{name}.{key}": tensor for key, tensor in network.state_dict().items()}
    for name, optimizer in step.gan.optimizers.items():
        for number, state in enumerate(optimizer.state.values()):
            tensors |= {f"{name} optimizer {number} {key}": one for key, one in state.items()}
    return tensors


@contextmanager
def _capturable(optimizers: Mapping[str, torch.optim.Optimizer]) -> Iterator[None]:
    """Let optimizers be recorded: they count their steps on the device and ask for this flag.

    Outside it is off again, for with it they warn of running as they are.
    """
    groups = [group for optimizer in optimizers.values() for group in optimizer.param_groups]
    for optimizer in optimizers.values():
        for parameter, state in optimizer.state.items():
            state["step"] = state["step"].to(parameter.device)
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False


@contextmanager
def _aside(device: torch.device) -> Iterator[None]:
    """Run a block on another stream than the usual one, in order with it; on the CPU, here."""
    if device.type != "cuda":
        yield
        return
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream(device).wait_stream(stream)

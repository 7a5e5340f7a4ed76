"""How fast both GANs train on the device, beside the plain port and the device's own limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from time import perf_counter
from typing import Any

import torch
from benchmarks import plain_port
from benchmarks.children import FRESH, SPAWN, Piece, interleaved
from benchmarks.matrix_work import flop_of_training, prepare_peak

from gandetect import machine
from gandetect.config import GanConfig
from gandetect.training.adversarial import AdversarialStep, train_epoch
from gandetect.training.checkpoints import Gan
from gandetect.training.cuda_graphs import GraphedStep
from gandetect.training.networks import build_gan

from .settings import Record, Settings
from .steps import images, side

GANS = ("dcgan-bn", "dcgan-plain")
PROCESSES = (4,)
NEEDS_CUDA = {"graphs", "compiled"}
COMPILED, FREE = "ours, compiled", "ours, graphs, cuDNN's choice"
# The product does neither: that one cannot be, or is not repeatable, is a finding and no failure.
TRIED = (COMPILED, FREE)
# Name: how its steps are run, and in what precision.
WAYS = {
    "port": ("port", "fp32"),
    "ours": ("eager", "fp32"),
    "ours, graphs": ("graphs", "fp32"),
    "ours bf16": ("eager", "bf16"),
    "ours bf16, graphs": ("graphs", "bf16"),
    "ours TF32, graphs": ("graphs", "tf32"),
    FREE: ("graphs", "free"),
    COMPILED: ("compiled", "fp32"),
}


def run(settings: Settings, record: Record) -> None:
    seconds = 0.05 if settings.tiny else 2.0
    peaks = {}
    for precision in ("bf16", "fp32"):
        with record.case(f"matrix products, {precision}") as case:
            sides = (64,) if settings.tiny else None
            peak = prepare_peak(precision, 1, seconds, settings.device, sides)()
            peaks[precision] = peak
            case["teraflop/s"] = peak / 1e12
    torch.set_num_threads(machine.cores())  # measuring peaks has left one
    rates: dict[str, dict[str, float]] = {gan: {} for gan in GANS}
    for way in [way for way in WAYS if way != COMPILED]:
        for gan in GANS:
            _one_way(gan, way, seconds, settings, record, peaks, rates[gan])
    _side_by_side(settings, record, seconds)
    for gan in GANS:  # last, for it takes as long as all others
        _one_way(gan, COMPILED, seconds, settings, record, peaks, rates[gan])


def _one_way(
    gan: str,
    way: str,
    seconds: float,
    settings: Settings,
    record: Record,
    peaks: Mapping[str, float],
    rates: dict[str, float],
) -> None:
    name = f"{gan}: {way}"
    if WAYS[way][0] in NEEDS_CUDA and not settings.cuda:
        record.skip(name, f"it is for CUDA, and this is {settings.device}")
        return
    with record.case(name) as case:
        try:
            rates[way] = case["images/s"] = _alone(gan, way, seconds, settings, case)
        except Exception as error:
            if way not in TRIED:
                raise
            case["status"], case["reason"] = "unfinished", f"{type(error).__name__}: {error}"[:300]
            return
        if "port" in rates:
            case["x the port"] = rates[way] / rates["port"]
        if "bf16" in peaks and not settings.tiny:
            _, needed = flop_of_training(gan)
            case["of bf16 peak %"] = 100 * needed * rates[way] / peaks["bf16"]


def _side_by_side(settings: Settings, record: Record, seconds: float) -> None:
    """Several processes on the one device, their images per second summed."""
    way = "ours, graphs" if settings.cuda else "ours"
    given = replace(settings, deadline=float("inf"))
    for gan in GANS:
        for processes in PROCESSES:
            name = f"{gan}: {way}, {processes} processes"
            if settings.tiny:
                record.skip(name, "processes take seconds to start")
                continue
            with record.case(name) as case:
                piece = Piece(prepare, (gan, way, seconds, given), processes)
                context = SPAWN if settings.cuda else FRESH
                (case["images/s"],) = interleaved({name: piece}, 1, context)[name]
                if settings.cuda:
                    free, _ = torch.cuda.mem_get_info()
                    case["memory left over GB"] = free / 1e9


def prepare(gan: str, way: str, seconds: float, settings: Settings) -> Callable[[], float]:
    """Make a way of training ready in this process; the result measures images per second."""
    from gandetect.engine import prepare_process

    prepare_process(1)
    config, epoch = _epochs_of(gan, way, settings)
    epoch()  # what is made once is made now
    return partial(_rate, epoch, config, seconds, settings)


def _alone(gan: str, way: str, seconds: float, settings: Settings, case: dict[str, Any]) -> float:
    if settings.cuda:
        torch.cuda.reset_peak_memory_stats()
    with _precision(WAYS[way][1]):
        config, epoch = _epochs_of(gan, way, settings)
        started = perf_counter()
        epoch()
        case["first seconds"] = perf_counter() - started
        rate = _rate(epoch, config, seconds, settings)
    if settings.cuda:
        case["memory MB"] = torch.cuda.max_memory_allocated() / 1e6
    return rate


def _rate(
    epoch: Callable[[], object], config: GanConfig, seconds: float, settings: Settings
) -> float:
    """Real images per second of short epochs, all that they started waited for."""
    started, done = perf_counter(), 0
    while perf_counter() - started < seconds:
        epoch()
        done += (config.steps_per_epoch or 0) * config.batch_size
        if settings.cuda:
            torch.cuda.synchronize()
    return done / (perf_counter() - started)


def _epochs_of(gan: str, way: str, settings: Settings) -> tuple[GanConfig, Callable[[], object]]:
    """A way of training, in epochs of some steps."""
    kind, precision = WAYS[way]
    table: dict[str, Any] = {"architecture": gan, "steps_per_epoch": 100}
    if settings.tiny:
        table |= {"steps_per_epoch": 1, "batch_size": 2}
    config = GanConfig.model_validate(
        {**table, "precision": "bf16" if precision == "bf16" else "fp32"}
    )
    if kind == "port":
        port = plain_port.build(config, side(settings), 1, 0, settings.device)
        dataset = plain_port.dataset_of(images(settings, 5000).numpy())
        return config, partial(plain_port.train_epoch, config, port, dataset)
    device = torch.device(settings.device)
    trained = build_gan(config, side(settings), 1, 0, device)
    if kind == "compiled":
        trained = Gan(
            torch.compile(trained.generator),
            torch.compile(trained.discriminator),
            trained.generator_optimizer,
            trained.discriminator_optimizer,
        )
    reals = images(settings, 5000).to(device)
    step: AdversarialStep | GraphedStep = AdversarialStep(config, trained, device)
    if kind == "graphs":
        step = GraphedStep(step, warn=_refuse)
    epochs = count(1)

    def epoch() -> None:
        train_epoch(
            config, trained, reals, seed=0, epoch=next(epochs), notify=lambda event: None, step=step
        )

    return config, epoch


def _refuse(reason: str) -> None:
    raise AssertionError(f"no CUDA graph could be had: {reason}")


@contextmanager
def _precision(name: str) -> Any:
    """What float32 means for a block, and whether cuDNN may choose by trying."""
    machine.settle_cuda(tf32=name == "tf32")
    if name == "free":
        torch.backends.cudnn.deterministic = False
        torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        machine.settle_cuda()

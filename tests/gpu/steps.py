"""One training step on the device and on the CPU, from the same weights, images and draws."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gandetect import machine
from gandetect.config import GanConfig, GeneratorConfig, VaeConfig
from gandetect.training import variational
from gandetect.training.adversarial import AdversarialStep
from gandetect.training.networks import build_gan

from .draws import DrawnOnTheHost
from .options import OPTIONS, config_of
from .settings import Record, Settings

CPU = torch.device("cpu")
# Of the way that a network's weights, or its optimizer's moments, have moved (L2). Other float32
# kernels on the CPU give 1e-6, and 2e-3 where one activation lands on the other side of a leaky
# ReLU's bend; what is computed wrongly gives 0.1 and more.
TOLERANCE = 1e-2
# Levels of grey are rounded to; bf16 has 8 bits.
LOOSER = {"histogram": 5e-2, "processing": 5e-2, "bf16": 0.2}
ROUNDING = 1.2e-7  # of a weight, for it is stored in float32: a tiny move is known no better
# TF32 keeps 10 bits of a number's 23: its products are off by 5e-4, float32's by 6e-8.
FLOAT32 = 1e-5


def float32_is_float32(settings: Settings, record: Record) -> None:
    """Products and convolutions against float64, as `machine.settle_cuda` leaves the device."""
    for tf32 in (False, True):
        with record.case(f"float32, TF32 {'on' if tf32 else 'off'}") as case:
            machine.settle_cuda(tf32=tf32)
            try:
                case["product"], case["convolution"] = _errors(torch.device(settings.device))
            finally:
                machine.settle_cuda()
            if not tf32 and max(case["product"], case["convolution"]) > FLOAT32:
                raise AssertionError("float32 is computed with less than float32's precision")


def of_every_option(settings: Settings, record: Record) -> None:
    """Each option of the loop: how far the device's weights are from the CPU's after a step."""
    for option in OPTIONS:
        with record.case(f"step: {option}") as case:
            config = config_of(option, **_size(settings))
            tolerance = case["tolerance"] = LOOSER.get(option, TOLERANCE)
            here, there = _trained(config, settings, CPU), _trained(config, settings)
            case["difference"] = largest_difference(here, there)
            if not case["difference"] <= tolerance:
                raise AssertionError("the device leads to other weights than the CPU")


def of_other_precisions(settings: Settings, record: Record) -> None:
    """What TF32 and bf16 change in a step of both DCGANs, beside float32 on the CPU."""
    for option in ("dcgan-bn", "dcgan-plain"):
        exact = _trained(config_of(option, **_size(settings)), settings, CPU)
        with record.case(f"step: {option}, TF32") as case:
            machine.settle_cuda(tf32=True)
            try:
                config = config_of(option, **_size(settings))
                case["difference from fp32"] = largest_difference(exact, _trained(config, settings))
            finally:
                machine.settle_cuda()
        with record.case(f"step: {option}, bf16") as case:
            config = config_of(option, precision="bf16", **_size(settings))
            case["difference from fp32"] = largest_difference(exact, _trained(config, settings))


@dataclass(frozen=True)
class Moved:
    """How a network has moved: its weights and its optimizer's moments, ``(P,) float64``."""

    before: Tensor
    after: Tensor
    moments: Tensor


def largest_difference(one: Mapping[str, Moved], other: Mapping[str, Moved]) -> float:
    """The largest distance of two networks, as a share of the way that the first has moved."""
    shares = []
    for name, here in one.items():
        there = other[name]
        rounding = ROUNDING * float(here.after.norm())
        moved = (here.after - here.before).norm()
        shares.append(max(0.0, float((here.after - there.after).norm()) - rounding) / moved)
        shares.append((here.moments - there.moments).norm() / here.moments.norm())
    return max(map(float, shares)) if all(map(math.isfinite, shares)) else math.inf


def side(settings: Settings) -> int:
    """Of the images, in pixels."""
    return 8 if settings.tiny else 28


def images(settings: Settings, count: int) -> Tensor:
    """Random images ``(count, 1, S, S) uint8``, always the same."""
    shape = (count, 1, side(settings), side(settings))
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def _size(settings: Settings) -> dict[str, Any]:
    return {"batch_size": 4 if settings.tiny else 32}


def _trained(
    config: GeneratorConfig, settings: Settings, device: torch.device | None = None
) -> Mapping[str, Moved]:
    """What steps of every kind lead to, by network."""
    device = device or torch.device(settings.device)
    if isinstance(config, VaeConfig):
        return _variational(config, settings, device)
    assert isinstance(config, GanConfig)
    gan = build_gan(config, side(settings), 1, 0, device)
    _livelier(gan.networks)
    before = {name: _vector(network.parameters()) for name, network in gan.networks.items()}
    step = AdversarialStep(config, gan, device)
    fakes = images(settings, 20).flip(0).to(device) if config.replay.share else None
    step.begin(0, 1, fakes)
    batches = images(settings, 2 * config.batch_size).to(device).split(config.batch_size)
    kinds = max(config.critic_steps, config.penalty.every)  # steps until each kind has been
    with DrawnOnTheHost():
        for number, batch in zip(range(kinds), batches, strict=False):
            step(batch, step.kind(number))
    return {
        name: _moved(before[name], network, gan.optimizers.get(name))
        for name, network in gan.networks.items()
    }


def _variational(
    config: VaeConfig, settings: Settings, device: torch.device
) -> Mapping[str, Moved]:
    vae = variational.build_vae(config, side(settings), 1, 0, device)
    _livelier(vae.networks)
    before = {name: _vector(network.parameters()) for name, network in vae.networks.items()}
    reals = images(settings, config.batch_size).to(device)
    with DrawnOnTheHost():
        variational.train_epoch(config, vae, reals, seed=0, epoch=1, notify=lambda event: None)
    return {
        name: _moved(before[name], network, vae.optimizer) for name, network in vae.networks.items()
    }


@torch.no_grad()
def _livelier(networks: Mapping[str, nn.Module]) -> None:
    """Give networks weights that let signals through, so that float32 tells every part of them.

    `dcgan-plain` begins with images of almost nothing: there the last bit of a sum decides on
    which side of a leaky ReLU it lies.
    """
    rng = torch.Generator().manual_seed(0)
    for network in networks.values():
        for name, parameter in network.named_parameters():
            fresh = torch.empty(parameter.shape)
            if parameter.dim() > 1:
                parameter.copy_(nn.init.xavier_uniform_(fresh, generator=rng))
            elif name.endswith("bias"):
                parameter.copy_(fresh.uniform_(-0.1, 0.1, generator=rng))


def _moved(before: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> Moved:
    after = _vector(network.parameters())
    if optimizer is None:  # an average, which only follows
        return Moved(before, after, after - before)
    states = [optimizer.state[parameter] for parameter in network.parameters()]
    moments = [state.get("exp_avg", state.get("square_avg")) for state in states]
    return Moved(before, after, _vector(moments))


def _vector(parts: Iterable[Tensor]) -> Tensor:
    return torch.cat([part.detach().flatten().cpu().double() for part in parts])


def _errors(device: torch.device) -> tuple[float, float]:
    """Relative errors (L2) of a matrix product and of a convolution in float32."""
    rng = torch.Generator().manual_seed(0)
    left, right = (torch.randn(256, 256, generator=rng).to(device) for _ in range(2))
    pictures = torch.randn(8, 64, 14, 14, generator=rng).to(device)
    kernel = torch.randn(64, 64, 3, 3, generator=rng).to(device)
    convolve = torch.nn.functional.conv2d
    pairs = [
        (left @ right, left.double() @ right.double()),
        (convolve(pictures, kernel), convolve(pictures.double(), kernel.double())),
    ]
    product, convolution = (float((a.double() - b).norm() / b.norm()) for a, b in pairs)
    return product, convolution

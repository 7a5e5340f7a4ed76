"""One training step on the device and on the CPU, from the same weights, images and draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandetect import machine
from gandetect.config import NO_DISCRIMINATOR, GanConfig
from gandetect.training import variational
from gandetect.training.adversarial import AdversarialStep
from gandetect.training.networks import build_gan

from .draws import DrawnOnTheHost
from .options import OPTIONS, config_of
from .settings import Record, Settings

CPU = torch.device("cpu")
# Of the way that a network's weights have moved (L2). Float32 alone gives about 1e-6 times the
# few rounding steps of a pass; what rounds on the way, such as a level of grey, may flip.
TOLERANCE = 1e-3
LOOSER = {"histogram": 2e-2, "bf16": 0.2}
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
            case["difference"] = apart(here, there)
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
                case["difference from fp32"] = apart(exact, _trained(config, settings))
            finally:
                machine.settle_cuda()
        with record.case(f"step: {option}, bf16") as case:
            config = config_of(option, precision="bf16", **_size(settings))
            case["difference from fp32"] = apart(exact, _trained(config, settings))


def apart(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The largest distance of a network's weights, as a share of the way that they moved."""
    shares = [
        float((weights - other[name]).norm() / weights.norm().clamp_min(1e-12))
        for name, weights in one.items()
    ]
    return max(shares) if np.isfinite(shares).all() else float("inf")


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
    config: GanConfig, settings: Settings, device: torch.device | None = None
) -> dict[str, Tensor]:
    """How each network's weights have moved, as one vector ``(P,) float64`` on the CPU."""
    device = device or torch.device(settings.device)
    if config.architecture in NO_DISCRIMINATOR:
        return _variational(config, settings, device)
    gan = build_gan(config, side(settings), 1, 0, device)
    before = {name: _vector(network) for name, network in gan.networks.items()}
    step = AdversarialStep(config, gan, device)
    fakes = images(settings, 20).flip(0).to(device) if config.replay.share else None
    step.begin(0, 1, fakes)
    batches = images(settings, 2 * config.batch_size).to(device).split(config.batch_size)
    kinds = max(config.critic_steps, config.penalty.every)  # steps until each kind has been
    with DrawnOnTheHost():
        for number, batch in zip(range(kinds), batches, strict=False):
            step(batch, step.kind(number))
    return {name: _vector(network) - before[name] for name, network in gan.networks.items()}


def _variational(config: GanConfig, settings: Settings, device: torch.device) -> dict[str, Tensor]:
    vae = variational.build_vae(config, side(settings), 1, 0, device)
    before = {name: _vector(network) for name, network in vae.networks.items()}
    reals = images(settings, config.batch_size).to(device)
    with DrawnOnTheHost():
        variational.train_epoch(config, vae, reals, seed=0, epoch=1, notify=lambda event: None)
    return {name: _vector(network) - before[name] for name, network in vae.networks.items()}


def _vector(network: torch.nn.Module) -> Tensor:
    parts = [parameter.detach().flatten().cpu().double() for parameter in network.parameters()]
    return torch.cat(parts)


def _errors(device: torch.device) -> tuple[float, float]:
    """Relative errors (L2) of a matrix product and of a convolution in float32."""
    chance = torch.Generator().manual_seed(0)
    left, right = (torch.randn(256, 256, generator=chance).to(device) for _ in range(2))
    pictures = torch.randn(8, 64, 14, 14, generator=chance).to(device)
    kernel = torch.randn(64, 64, 3, 3, generator=chance).to(device)
    convolve = torch.nn.functional.conv2d
    pairs = [
        (left @ right, left.double() @ right.double()),
        (convolve(pictures, kernel), convolve(pictures.double(), kernel.double())),
    ]
    product, convolution = (float((a.double() - b).norm() / b.norm()) for a, b in pairs)
    return product, convolution

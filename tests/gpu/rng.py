"""Chance on the device: dropout drops what it should, streams are streams of their own."""

from __future__ import annotations

import torch

from gandetect.models.layers import SeededDropout
from gandetect.randomness import integer_seed

from .settings import Record, Settings

SIGMAS = 5.0  # a correct device is beyond them once in two million draws
RATES = (0.25, 0.4, 0.5)


def dropout(settings: Settings, record: Record) -> None:
    """The rate, the scale, neighbours' independence and the backward pass, in both precisions."""
    device = torch.device(settings.device)
    shape = (16, 64, 14, 14) if not settings.tiny else (4, 8, 14, 14)
    for precision in (torch.float32, torch.bfloat16):
        for rate in RATES:
            with record.case(f"dropout {rate:g}, {str(precision)[6:]}") as case:
                layer = SeededDropout(rate).train()
                layer.generator = torch.Generator(device).manual_seed(integer_seed(0, "dropout"))
                ones = torch.ones(shape, dtype=precision, device=device)
                ones = ones.contiguous(memory_format=torch.channels_last).requires_grad_()
                seen = layer(ones)
                seen.sum().backward()
                _check(seen.detach(), ones.grad, rate, case)


def streams(settings: Settings, record: Record) -> None:
    """The same seed is the same noise, another purpose another, and both are N(0, 1)."""
    device = torch.device(settings.device)

    def drawn(purpose: str, epoch: int = 1) -> torch.Tensor:
        generator = torch.Generator(device).manual_seed(integer_seed(0, purpose, epoch))
        return torch.randn(200, 100, generator=generator, device=device)

    with record.case("noise streams") as case:
        noise = drawn("noise")
        assert torch.equal(noise, drawn("noise")), "the same seed gives other numbers"
        others = drawn("dropout"), drawn("noise", 2)
        pairs = [float((noise * other).mean()) for other in others]
        case["mean"], case["deviation"] = float(noise.mean()), float(noise.std())
        bound = SIGMAS / noise.numel() ** 0.5
        assert abs(case["mean"]) < bound, "the noise has another mean than 0"
        assert abs(case["deviation"] - 1) < bound, "the noise has another deviation than 1"
        assert max(map(abs, pairs)) < bound, "streams go together"
    with record.case("a reseeded generator begins again") as case:
        generator = torch.Generator(device).manual_seed(1)
        first = torch.randn(5, generator=generator, device=device)
        torch.randn(3, generator=generator, device=device)
        generator.manual_seed(1)
        again = torch.randn(5, generator=generator, device=device)
        assert torch.equal(first, again), "manual_seed does not begin again"


def _check(
    seen: torch.Tensor, gradient: torch.Tensor | None, rate: float, case: dict[str, object]
) -> None:
    kept = (seen != 0).double()
    exact = 1 - round(rate * 32768) / 32768  # the layer's own rounding
    bound = SIGMAS * (rate * (1 - rate) / kept.numel()) ** 0.5
    neighbours = float(((kept[:, :, 1:] - exact) * (kept[:, :, :-1] - exact)).mean())
    case["kept"], case["expected"] = float(kept.mean()), exact
    assert abs(float(kept.mean()) - exact) < bound, "another share is kept"
    assert abs(neighbours) < bound, "neighbours go together"
    scaled = seen[seen != 0]
    assert torch.allclose(scaled, torch.full_like(scaled, 1 / exact)), "the scale is another one"
    assert gradient is not None
    assert torch.equal(gradient, seen), "the gradient takes another mask"

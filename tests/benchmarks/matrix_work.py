"""Matrix products: how fast this machine makes them, and how many a GAN needs.

Work is counted by PyTorch's own counter over the plain port, so no share depends on how ours goes
about it. A multiplication and an addition are two FLOP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from time import perf_counter

SIDES = {"cpu": (1024, 2048, 4096), "cuda": (4096, 8192)}


def prepare_peak(
    precision: str,
    threads: int,
    seconds: float,
    device: str = "cpu",
    sides: Sequence[int] | None = None,
) -> Callable[[], float]:
    """Measure the best FLOP/s of square matrix products."""
    import torch

    torch.set_num_threads(threads)
    sides = sides or SIDES[device]
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    rng = torch.Generator(device).manual_seed(0)
    matrices = [torch.randn(side, side, generator=rng, device=device).to(dtype) for side in sides]
    outputs = [torch.empty_like(matrix) for matrix in matrices]

    def multiply(matrix: torch.Tensor, out: torch.Tensor) -> None:
        torch.mm(matrix, matrix, out=out)
        if device == "cuda":
            torch.cuda.synchronize()

    def measure() -> float:
        return max(
            _rate(partial(multiply, a, out), len(a), seconds / len(sides))
            for a, out in zip(matrices, outputs, strict=True)
        )

    measure()
    return measure


def _rate(product: Callable[[], object], side: int, seconds: float) -> float:
    """The fastest of several products: a peak is what the machine can do undisturbed."""
    best, ends = float("inf"), perf_counter() + seconds
    while perf_counter() < ends:
        started = perf_counter()
        product()
        best = min(best, perf_counter() - started)
    return 2 * side**3 / best


@cache
def flop_of_training(architecture: str, channels: int, side: int) -> tuple[float, float]:
    """FLOP of one step per real image: as the plain port goes about it, and as needed.

    Where the noise is shared, the port makes the same fakes twice; once is needed.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from . import plain_port
    from .training import gan_config

    config = gan_config(architecture, "fp32")
    gan = plain_port.build(config, side, channels, seed=0)
    gan.generator.train()
    real_images = torch.zeros(config.batch_size, channels, side, side)
    with FlopCounterMode(display=False) as step:
        plain_port.train_step(config, gan, real_images)
    noise = torch.randn(config.batch_size, plain_port.NOISE_SIZE)
    with FlopCounterMode(display=False) as fakes, torch.no_grad():
        gan.generator(noise)
    done = step.get_total_flops()
    needed = done - (fakes.get_total_flops() if config.shared_noise else 0)
    return done / config.batch_size, needed / config.batch_size


def flop_of_scoring(architecture: str) -> float:
    """FLOP of a discriminator's forward pass per image."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from . import plain_port
    from .training import gan_config

    gan = plain_port.build(gan_config(architecture, "fp32"), 28, 1, seed=0)
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        gan.discriminator.eval()(torch.zeros(1, 1, 28, 28))
    return counted.get_total_flops()

"""Drawing images from a generator, and sample grids of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from gandetect.models import NOISE_SIZE
from gandetect.models.scaling import quantise
from gandetect.randomness import integer_seed


@torch.no_grad()
def generate(generator: nn.Module, count: int, *, seed: int, purpose: str) -> NDArray[np.uint8]:
    """Draw ``(count, C, H, W) uint8`` images from a generator, on its device, in inference mode.

    Each purpose is a stream of its own, so images drawn for evaluation were never trained on.
    """
    device = next(generator.parameters()).device
    stream = torch.Generator(device).manual_seed(integer_seed(seed, f"noise for {purpose}"))
    was_training = generator.training
    generator.eval()
    noise = torch.randn(count, NOISE_SIZE, generator=stream, device=device)
    images = torch.cat([quantise(generator(batch)) for batch in noise.split(100)])
    generator.train(was_training)
    return np.ascontiguousarray(images.cpu().numpy())


def sample_grid(images: NDArray[np.uint8], columns: int = 8, scale: int = 2) -> Image.Image:
    """Arrange ``(N, C, H, W) uint8`` images in rows, enlarged without smoothing."""
    from torchvision.utils import make_grid  # which takes a second or two to import

    grid = make_grid(torch.from_numpy(images), nrow=columns, padding=1, pad_value=128)
    picture = Image.fromarray(grid.permute(1, 2, 0).numpy())
    size = (picture.width * scale, picture.height * scale)
    return picture.resize(size, Image.Resampling.NEAREST)


def write_animation(frames: list[Path], target: Path) -> None:
    """Join sample grids into an animated GIF, half a second each, the last one longer."""
    durations = [500] * (len(frames) - 1) + [2000]
    write_gif([Image.open(frame) for frame in frames], target, durations)


def write_gif(frames: Sequence[Image.Image], target: Path, durations: Sequence[int]) -> None:
    """Join pictures into an animated GIF without end; durations are milliseconds."""
    first, *rest = map(_with_palette, frames)
    how = {"save_all": True, "append_images": rest, "duration": list(durations), "loop": 0}
    first.save(target, format="GIF", **how)


def _with_palette(frame: Image.Image) -> Image.Image:
    """A frame as GIF stores it: all its grey levels, or of its colours the 256 nearest."""
    colours = np.asarray(frame.convert("RGB"))
    if np.ptp(colours, axis=2).any():
        return frame.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    return frame.convert("L").convert("P")

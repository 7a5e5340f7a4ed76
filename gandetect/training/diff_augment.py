"""DiffAugment and instance noise: random changes to reals and fakes before the discriminator.

Zhao et al. 2020 (arXiv 2006.10738) change reals and fakes alike, in both networks' updates, and
gradients flow through; Sønderby et al. 2017 (arXiv 1610.04490) add noise to both. Shuffled
patches remove the shapes, so that only what is smaller than a patch can be learnt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gandetect.config import GanConfig
from gandetect.models.scaling import channels_last

SHIFT = 1 / 8  # of the side, at most: the source's numbers
CUT = 1 / 2  # the side of what is cut out
PATCHES = 4  # along each side of a shuffled image


@dataclass(frozen=True)
class DiffAugment:
    """Changes ``(N, C, H, W)`` images in [-1, 1] as a configuration says; nothing by default.

    ``noise`` is the standard deviation of the instance noise, in units of the images: a number
    ``()``, or None without any.
    """

    config: GanConfig
    rng: torch.Generator
    noise: Tensor | None = None

    def __call__(self, images: Tensor) -> Tensor:
        """The images as the discriminator gets them; the same tensor where nothing changes."""
        for kind in self.config.diff_augment:
            images = AUGMENTATIONS[kind](images, self.rng)
        if self.noise is not None:
            drawn = torch.randn(images.shape, generator=self.rng, device=images.device)
            images = images + self.noise * drawn
        return channels_last(images)


def noise_at(config: GanConfig, epoch: int) -> float:
    """The instance noise of an epoch, counted from 1: it falls linearly, to 0 after the last."""
    return config.instance_noise * (1 - (epoch - 1) / config.epochs)


def _brightness(images: Tensor, rng: torch.Generator) -> Tensor:
    """Add one number in [-0.5, 0.5) to each image."""
    return images + torch.rand((len(images), 1, 1, 1), generator=rng, device=images.device) - 0.5


def _translation(images: Tensor, rng: torch.Generator) -> Tensor:
    """Shift each image by up to an eighth of its side to any side; zeros come in."""
    count, _, height, width = images.shape
    reach = round(height * SHIFT), round(width * SHIFT)
    padded = functional.pad(images, (reach[1], reach[1], reach[0], reach[0]))
    rows, columns = (
        torch.randint(2 * most + 1, (count, 1), generator=rng, device=images.device)
        + torch.arange(side, device=images.device)
        for most, side in zip(reach, (height, width), strict=True)
    )
    each = torch.arange(count, device=images.device)[:, None, None]
    # Indexed dimensions come first, so channels are the last of what is taken.
    taken = padded.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None, :]]
    return taken.permute(0, 3, 1, 2)


def _cutout(images: Tensor, rng: torch.Generator) -> Tensor:
    """Set a square of half the side to zero, its centre anywhere in the image."""
    near = []
    for side in images.shape[2:]:
        centre = torch.randint(side + 1, (len(images), 1), generator=rng, device=images.device)
        distance = torch.arange(side, device=images.device) + 0.5 - centre
        near.append(distance.abs() < side * CUT / 2)
    cut = near[0][:, None, :, None] & near[1][:, None, None, :]
    return images.masked_fill(cut, 0.0)


def _shuffle(images: Tensor, rng: torch.Generator) -> Tensor:
    """Put the 16 patches of each image in random order; sides must be multiples of 4."""
    count, channels, height, width = images.shape
    sides = (height // PATCHES, width // PATCHES)
    cut = images.unfold(2, sides[0], sides[0]).unfold(3, sides[1], sides[1])
    patches = cut.reshape(count, channels, PATCHES**2, *sides)
    order = torch.rand(count, PATCHES**2, generator=rng, device=images.device).argsort(1)
    each = torch.arange(count, device=images.device)[:, None]
    shuffled = patches.transpose(1, 2)[each, order].transpose(1, 2)
    rows = shuffled.reshape(count, channels, PATCHES, PATCHES, *sides).transpose(3, 4)
    return rows.reshape(images.shape)


AUGMENTATIONS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "brightness": _brightness,
    "translation": _translation,
    "cutout": _cutout,
    "shuffle": _shuffle,
}

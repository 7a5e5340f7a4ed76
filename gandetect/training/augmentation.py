"""Random changes to training images, as uint8, before a network's own preparation.

Each image has a seed of its own, so its augmentation depends neither on its batch nor
on who else is in it.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from gandetect.config.classifier import AugmentationConfig
from gandetect.randomness import integer_seed

# What a rotation or a shift uncovers becomes black, as torchvision leaves it. Mirrored or smeared
# pixels would be made-up texture, which is just what a detector looks for; a flat corner is none,
# and it is the same for real and generated.
UNCOVERED = 0.0
CHANGES = (
    *("rotation", "shift", "horizontal_flip", "random_crop"),
    *("brightness", "contrast", "saturation", "hue", "blur", "jpeg"),
)


def augment(
    images: NDArray[np.uint8],
    config: AugmentationConfig,
    *,
    image_size: int,
    stored_size: int | None = None,
    seeds: NDArray[np.int64],
) -> Tensor:
    """Change ``(N, C, H, W) uint8`` images, each by its own seed ``(N,)``, and cut them.

    Images whose side is not ``stored_size`` are resized to it first, with antialiasing; then
    they are changed, and the centre, or a random part, of ``image_size`` is cut out. Returns
    ``(N, C, image_size, image_size) uint8``; without any change it is the centre cut.
    """
    pixels = to_stored_size(images, stored_size)
    if changes_anything(config):
        chances = (np.random.default_rng(int(seed)) for seed in seeds)
        pairs = zip(pixels, chances, strict=True)
        pixels = torch.stack([_changed(image, config, image_size, one) for image, one in pairs])
    return cut(pixels, image_size)


def fixed_copy(
    image: NDArray[np.uint8], copy: int, index: int, config: AugmentationConfig, image_size: int
) -> NDArray[np.uint8]:
    """Make the ``copy``-th augmented copy of image ``index``, ``(C, H, W) uint8``: always the same.

    It keeps its size, so that it can be stored or scored like any other image; its centre of
    ``image_size`` is what was cut out. Copy 0 is the image itself.
    """
    if copy == 0 or not changes_anything(config):
        return image
    rng = np.random.default_rng(integer_seed(copy, "fixed copy", index))
    changed: NDArray[np.uint8] = _changed(_tensor(image), config, image_size, rng).numpy()
    return changed


def fixed_copies(
    images: NDArray[np.uint8],
    copies: NDArray[np.int64],
    index: NDArray[np.int64],
    config: AugmentationConfig,
    image_size: int,
) -> NDArray[np.uint8]:
    """Of each of ``(N, C, H, W)`` images the copy ``(N,)``, by the image's ``index`` ``(N,)``."""
    numbers = zip(images, copies.tolist(), index.tolist(), strict=True)
    return np.stack([fixed_copy(*one, config, image_size) for one in numbers])


def to_stored_size(images: NDArray[np.uint8], size: int | None) -> Tensor:
    """``(N, C, H, W) uint8`` images, resized with antialiasing if their side is not ``size``."""
    pixels = _tensor(images)
    if size is None or pixels.shape[-2:] == (size, size):
        return pixels
    resized: Tensor = F.resize(pixels, [size, size], antialias=True)
    return resized


def cut(pixels: Tensor, image_size: int) -> Tensor:
    """The centre of ``(N, C, H, W)`` images, of ``image_size`` pixels."""
    centres: Tensor = F.center_crop(pixels, [image_size, image_size])
    return centres


def changes_anything(config: AugmentationConfig) -> bool:
    """Whether any change is configured."""
    return any(getattr(config, name) for name in CHANGES)


def _changed(
    image: Tensor, config: AugmentationConfig, image_size: int, rng: np.random.Generator
) -> Tensor:
    """One ``(C, H, W)`` image after all changes, of its old size."""
    image = _moved(image, config, rng)
    if rng.random() < config.horizontal_flip:
        image = F.horizontal_flip(image)
    if config.random_crop:
        image = _recentred(image, image_size, rng)
    image = _recoloured(image, config, rng)
    if rng.random() < config.blur:
        image = _blurred(image, config, rng)
    if rng.random() < config.jpeg:
        low, high = config.jpeg_quality
        image = F.jpeg(image, int(rng.integers(low, high, endpoint=True)))
    return image


def _moved(image: Tensor, config: AugmentationConfig, rng: np.random.Generator) -> Tensor:
    """Rotate and shift in one resampling: each one smooths a little."""
    if not config.rotation and not config.shift:
        return image
    height, width = image.shape[-2:]
    across, down = rng.uniform(-config.shift, config.shift, size=2)
    moved: Tensor = F.affine(
        image,
        angle=float(rng.uniform(-config.rotation, config.rotation)),
        translate=[round(across * width), round(down * height)],
        scale=1.0,
        shear=[0.0, 0.0],
        interpolation=InterpolationMode.BILINEAR,
        fill=UNCOVERED,
    )
    return moved


def _recentred(image: Tensor, size: int, rng: np.random.Generator) -> Tensor:
    """Move a random part of ``size`` to the centre, from which it is cut later.

    The rest keeps the image's size; it is filled from the image's edges and never seen.
    """
    height, width = image.shape[-2:]
    margin = max(height, width) - size
    if margin <= 0:
        return image
    top, left = rng.integers(0, [height - size, width - size], endpoint=True)
    wide = F.pad(image, [margin], padding_mode="edge")
    up, left = int(top) - round((height - size) / 2), int(left) - round((width - size) / 2)
    moved: Tensor = F.crop(wide, margin + up, margin + left, height, width)
    return moved


def _recoloured(image: Tensor, config: AugmentationConfig, rng: np.random.Generator) -> Tensor:
    """Brightness, contrast, saturation and hue, in this order; grey has none of the last two."""
    for strength, adjust in (
        (config.brightness, F.adjust_brightness),
        (config.contrast, F.adjust_contrast),
        (config.saturation, F.adjust_saturation),
    ):
        if strength:
            image = adjust(image, float(rng.uniform(1 - strength, 1 + strength)))
    if config.hue:
        image = F.adjust_hue(image, float(rng.uniform(-config.hue, config.hue)))
    return image


def _blurred(image: Tensor, config: AugmentationConfig, rng: np.random.Generator) -> Tensor:
    sigma = float(rng.uniform(*config.blur_sigma))
    reach = 2 * math.ceil(3 * sigma) + 1  # three sigmas to both sides hold 99.7 % of the weight
    kernel = config.blur_kernel or (reach, reach)
    # Reflected borders must be narrower than the image.
    widest = 2 * min(image.shape[-2:]) - 1
    size = [min(side, widest) for side in kernel]
    blurred: Tensor = F.gaussian_blur(image, size, [sigma, sigma])
    return blurred


def _tensor(images: NDArray[np.uint8]) -> Tensor:
    # Copied, since a memory-mapped array may not be written to and PyTorch does not know that.
    return torch.from_numpy(np.array(images, dtype=np.uint8))

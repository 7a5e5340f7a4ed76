"""What happens to images on their way: compression, blur, noise, resizing, another exposure.

A detector that answers by the origin of an image should bear them; one that answers by their
traces has learned the processing instead. In training, real and generated images go through one
random chain of them, or through two that differ in nothing but their stream, so that processing
tells nothing of where an image is from.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from gandetect.config.processing import PERTURBATIONS, Images, Perturbation, Processing
from gandetect.data.picture import picture_from, pixels_of
from gandetect.errors import DataError, UsageError, require_known

NONE = "none"  # images as they are, level 0


def perturb(images: Images, name: str, level: float, seed: int) -> Images:
    """Return perturbed images, of the same shape and type; the images given are left alone.

    Equal (seed, name, level) and shape give equal bytes. Only noise draws anything: give each
    group of images a seed of its own, and give it whole, as two batches would get equal noise.

    Args:
        images: ``(N, C, H, W) uint8``, grey (C = 1) or RGB (C = 3).
        name: one of `PERTURBATIONS`, or ``none``.
        level: in the perturbation's own unit; not only the listed levels may be used.
        seed: of the noise.

    Raises `UsageError` for an unknown name or a level out of range, `DataError` for other images.

    >>> grey = np.full((1, 1, 2, 2), 100, np.uint8)
    >>> perturb(grey, "brightness", 1.2, seed=0).ravel().tolist()
    [120, 120, 120, 120]
    """
    _check(images)
    if name == NONE:
        return images.copy()
    require_known("perturbation", [name], (NONE, *PERTURBATIONS))
    kind = PERTURBATIONS[name]
    least, most = kind.allowed
    if not least <= level <= most:
        raise UsageError(
            f"level {level:g} of perturbation {name!r} is out of range; it is the {kind.unit}, "
            f"from {least:g} to {most:g}, such as {', '.join(f'{one:g}' for one in kind.levels)}"
        )
    stream = [seed, zlib.crc32(name.encode()), round(1000 * level)]
    return kind.apply(images, level, np.random.default_rng(np.random.SeedSequence(stream)))


def process(images: Images, chain: Processing, rng: np.random.Generator) -> Images:
    """Images ``(N, C, H, W) uint8`` after the chain, of the same shape; those given stay as is.

    Each step changes each image with its ``probability``, at a level drawn for that image. How much
    is drawn from ``rng`` before a step changes anything depends on N alone.
    """
    if not chain:
        return images
    changed = np.array(images)
    for step in chain:
        kind = PERTURBATIONS[step.name]
        taken = rng.random(len(changed)) < step.probability
        levels = rng.uniform(*step.range, size=len(changed))
        for place in np.flatnonzero(taken):
            changed[place : place + 1] = kind.apply(
                changed[place : place + 1], float(levels[place]), rng
            )
    return changed


def process_each(images: Images, chain: Processing, seeds: NDArray[np.int64]) -> Images:
    """As `process`, each image by a seed of its own ``(N,)``, so in any batch alike."""
    if not chain:
        return images
    singles = zip(np.split(images, len(images)), seeds.tolist(), strict=True)
    return np.concatenate([process(one, chain, np.random.default_rng(s)) for one, s in singles])


def _jpeg(images: Images, quality: float, _: np.random.Generator) -> Images:
    """Through Pillow's encoder and back; colour at half resolution, as most programs save it."""

    def through(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, format="jpeg", quality=round(quality))
        return Image.open(file, formats=["JPEG"])

    return _each(images, through)


def _blur(images: Images, sigma: float, _: np.random.Generator) -> Images:
    smooth = gaussian_filter(images.astype(np.float32), (0, 0, sigma, sigma), mode="nearest")
    return _grey_levels(smooth)


def _noise(images: Images, sd: float, rng: np.random.Generator) -> Images:
    return _grey_levels(images + sd * rng.standard_normal(images.shape, dtype=np.float32))


def _resize(images: Images, factor: float, _: np.random.Generator) -> Images:
    """Down with antialiasing and back to size, bilinear both ways."""
    height, width = images.shape[2:]
    small = max(1, round(width * factor)), max(1, round(height * factor))
    bilinear = Image.Resampling.BILINEAR
    return _each(images, lambda one: one.resize(small, bilinear).resize((width, height), bilinear))


def _brightness(images: Images, factor: float, _: np.random.Generator) -> Images:
    return _grey_levels(images * np.float32(factor))


def _flip(images: Images, _: float, __: np.random.Generator) -> Images:
    return images[..., ::-1]


JPEG = Perturbation("JPEG quality", (95, 75, 50, 30), (1, 100), _jpeg)
BLUR = Perturbation("Gaussian's sigma in px", (0.5, 1, 2), (0, 50), _blur)
NOISE = Perturbation("noise's sd in grey levels of 255", (2, 5, 10, 20), (0, 255), _noise)
RESIZE = Perturbation("factor of the side", (0.9, 0.75, 0.5), (0.01, 1), _resize)
BRIGHTNESS = Perturbation("factor of every grey level", (0.5, 0.8, 1.2, 1.5), (0, 10), _brightness)
FLIP = Perturbation("mirrored, left and right", (1,), (1, 1), _flip)


def _each(images: Images, change: Callable[[Image.Image], Image.Image]) -> Images:
    changed = np.empty_like(images)
    for place, image in enumerate(images):
        changed[place] = pixels_of(change(picture_from(image)))
    return changed


def _grey_levels(values: NDArray[np.floating[Any]]) -> Images:
    levels: Images = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels


def _check(images: Images) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise DataError(
            f"images of type {images.dtype} and shape {images.shape} were given; expected uint8, "
            "N x C x H x W, with C = 1 (grey) or 3 (RGB)"
        )

"""How long stages take, roughly: for their order, the start's message and the refusal of years."""

from __future__ import annotations

from gandetect.config import ClassImagesConfig, LabelledDataConfig

# Images of 28 x 28 pixels that one core trains on in a second: classifiers, and that of FID.
CLASSIFIER, FEATURE_NETWORK = 1000.0, 4000.0
DRAWN, SCORED = 8.0, 16.0  # times as many images as are trained on in a second
LEAST_IMAGES = 100  # in training, where only reading the data would tell


def seconds(speed: float, images: float, side: int) -> float:
    """Seconds in which one core trains on so many images of ``side`` pixels.

    ``speed`` is in images of 28 x 28 pixels a second.
    """
    return images * side**2 / 28**2 / speed


def least_images(data: ClassImagesConfig | LabelledDataConfig) -> int:
    """Training images at the least, as far as it can be known without reading the data."""
    there = data.least_images if isinstance(data, ClassImagesConfig) else LEAST_IMAGES
    return min(data.max_images // 2, there) if data.max_images else there

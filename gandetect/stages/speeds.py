"""How long trainings take, roughly: the order of stages and the refusal of what takes years."""

from __future__ import annotations

from gandetect.config import ClassImagesConfig, LabelledDataConfig

# Images of 28 x 28 pixels that one core trains on in a second, some of what README measures.
SPEEDS = {
    "dcgan-bn": 330.0,
    "dcgan-plain": 100.0,
    "wgan-gp": 330.0,
    "dense": 7000.0,
    "vae": 3300.0,
    "classifier": 1000.0,
}
OTHERS = 7000.0
LEAST_IMAGES = 100  # in training, where only reading the data would tell
LEAST_OF = {
    "fashion-mnist": 30_000,
    "digits": 800,
    "mnist": 30_000,
    "kmnist": 30_000,
    "emnist": 50_000,
    "cifar-10": 25_000,
    "svhn": 35_000,
}


def seconds(kind: str, images: float, side: int) -> float:
    """Seconds in which one core trains on so many images of ``side`` pixels.

    ``kind`` is the architecture of a GAN, or "classifier".
    """
    return images * side**2 / 28**2 / SPEEDS.get(kind, OTHERS)


def least_images(data: ClassImagesConfig | LabelledDataConfig) -> int:
    """Training images at the least, as far as it can be known without reading the data."""
    there = LEAST_OF.get(data.name, LEAST_IMAGES)
    return min(data.images // 2, there) if data.images else there

"""Sends images through a random chain of perturbations, each image through its own.

Real and generated images go through one call, or through two that differ in nothing but their
stream, so that processing tells nothing of where an image is from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gandetect.config.processing import PERTURBATIONS, Images, Processing


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

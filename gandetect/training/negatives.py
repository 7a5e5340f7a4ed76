"""Negative augmentation: cut-up reals as fakes (Sinha et al. 2021, arXiv 2102.05113).

Their pixels are real, so a discriminator that calls them fake has to look at shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

LEAST, MOST = 0.3, 0.7  # the sides of a pasted rectangle, as shares of the image's


def negative_augmentation(
    reals: Tensor, count: int, kinds: Sequence[str], rng: torch.Generator
) -> Tensor:
    """Cut up a batch ``(N, C, H, W)``: ``(count, C, H, W)`` images, each of a random kind.

    Some kinds join two images, so N must be at least 2.
    """
    first = _draw(len(reals), count, rng)
    # Another image of the batch, never the same one.
    second = (first + 1 + _draw(len(reals) - 1, count, rng)) % len(reals)
    chosen = _draw(len(kinds), count, rng).tolist()
    augmented = [
        NEGATIVE_AUGMENTATIONS[kinds[kind]](reals[index], reals[other_index], rng)
        for kind, index, other_index in zip(chosen, first.tolist(), second.tolist(), strict=True)
    ]
    return torch.stack(augmented)


def _jigsaw(image: Tensor, other: Tensor, rng: torch.Generator) -> Tensor:
    """Shuffle the quarters of one image ``(C, H, W)``, never into their own order."""
    top, left = image.shape[1] // 2, image.shape[2] // 2
    quarters = [image[:, :top, :left], image[:, :top, left:],
                image[:, top:, :left], image[:, top:, left:]]  # fmt: skip
    order = _draw_order(rng)
    a, b, c, d = (quarters[place] for place in order)
    return torch.cat([torch.cat([a, b], 2), torch.cat([c, d], 2)], 1)


def _stitch(image: Tensor, other: Tensor, rng: torch.Generator) -> Tensor:
    """One half of an image beside, or above, the other half of another."""
    axis = 1 + _draw_one(2, rng)
    half = image.shape[axis] // 2
    rest = image.shape[axis] - half
    return torch.cat([image.narrow(axis, 0, half), other.narrow(axis, half, rest)], axis)


def _cutmix(image: Tensor, other: Tensor, rng: torch.Generator) -> Tensor:
    """Paste a rectangle of another image at its own place (Yun et al. 2019, arXiv 1905.04899)."""
    pasted = image.clone()
    places = []
    for side in image.shape[1:]:
        least, most = round(LEAST * side), round(MOST * side)
        length = least + _draw_one(most - least + 1, rng)
        start = _draw_one(side - length + 1, rng)
        places.append(slice(start, start + length))
    pasted[:, places[0], places[1]] = other[:, places[0], places[1]]
    return pasted


NEGATIVE_AUGMENTATIONS: dict[str, Callable[[Tensor, Tensor, torch.Generator], Tensor]] = {
    "jigsaw": _jigsaw,
    "stitch": _stitch,
    "cutmix": _cutmix,
}


def _draw(below: int, count: int, rng: torch.Generator) -> Tensor:
    return torch.randint(below, (count,), generator=rng, device=rng.device)


def _draw_one(below: int, rng: torch.Generator) -> int:
    return int(_draw(below, 1, rng))


def _draw_order(rng: torch.Generator) -> list[int]:
    while True:
        order: list[int] = torch.randperm(4, generator=rng, device=rng.device).tolist()
        if order != [0, 1, 2, 3]:
            return order

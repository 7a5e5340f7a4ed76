"""Reals that were spoilt: what no picture of the data looks like (Sinha et al. 2021, 2102.05113).

They are made of real pixels, so a discriminator that calls them fake has to look at shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

LEAST, MOST = 0.3, 0.7  # the sides of a pasted rectangle, as shares of the image's


def spoil(reals: Tensor, count: int, kinds: Sequence[str], chance: torch.Generator) -> Tensor:
    """Make ``(count, C, H, W)`` spoilt images of a batch ``(N, C, H, W)``, each of a random kind.

    A batch of one image has no other to take pixels from, so N must be at least 2.
    """
    first = _draw(len(reals), count, chance)
    # Another image of the batch, never the same one.
    second = (first + 1 + _draw(len(reals) - 1, count, chance)) % len(reals)
    chosen = _draw(len(kinds), count, chance).tolist()
    made = [
        SPOILT[kinds[kind]](reals[one], reals[other], chance)
        for kind, one, other in zip(chosen, first.tolist(), second.tolist(), strict=True)
    ]
    return torch.stack(made)


def _jigsaw(image: Tensor, other: Tensor, chance: torch.Generator) -> Tensor:
    """Shuffle the quarters of one image ``(C, H, W)``, never into their own order."""
    top, left = image.shape[1] // 2, image.shape[2] // 2
    quarters = [image[:, :top, :left], image[:, :top, left:],
                image[:, top:, :left], image[:, top:, left:]]  # fmt: skip
    order = _draw_order(chance)
    a, b, c, d = (quarters[place] for place in order)
    return torch.cat([torch.cat([a, b], 2), torch.cat([c, d], 2)], 1)


def _stitch(image: Tensor, other: Tensor, chance: torch.Generator) -> Tensor:
    """One half of an image beside, or above, the other half of another."""
    axis = 1 + _one(2, chance)
    half = image.shape[axis] // 2
    rest = image.shape[axis] - half
    return torch.cat([image.narrow(axis, 0, half), other.narrow(axis, half, rest)], axis)


def _cutmix(image: Tensor, other: Tensor, chance: torch.Generator) -> Tensor:
    """Paste a rectangle of another image at its own place (Yun et al. 2019, arXiv 1905.04899)."""
    spoilt = image.clone()
    places = []
    for side in image.shape[1:]:
        least, most = round(LEAST * side), round(MOST * side)
        length = least + _one(most - least + 1, chance)
        start = _one(side - length + 1, chance)
        places.append(slice(start, start + length))
    spoilt[:, places[0], places[1]] = other[:, places[0], places[1]]
    return spoilt


SPOILT: dict[str, Callable[[Tensor, Tensor, torch.Generator], Tensor]] = {
    "jigsaw": _jigsaw,
    "stitch": _stitch,
    "cutmix": _cutmix,
}


def _draw(below: int, count: int, chance: torch.Generator) -> Tensor:
    return torch.randint(below, (count,), generator=chance, device=chance.device)


def _one(below: int, chance: torch.Generator) -> int:
    return int(_draw(below, 1, chance))


def _draw_order(chance: torch.Generator) -> list[int]:
    while True:
        order: list[int] = torch.randperm(4, generator=chance, device=chance.device).tolist()
        if order != [0, 1, 2, 3]:
            return order

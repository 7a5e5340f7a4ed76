"""What a training state is chosen by: fakes and reals that no test of its detector looks at.

OpenGAN (Kong and Ramanan 2021, arXiv 2104.02939) takes the discriminator that does best on
validation images, since the last of an adversarial training need not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gandetect.data.stored import Images, take
from gandetect.randomness import stream

if TYPE_CHECKING:
    import torch
    from torch import nn

Monitor = Literal["auroc", "accuracy"]
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Validation:
    """Fakes ``(N, C, H, W) uint8``, and groups of reals ``(M, C, H, W)`` that count alike."""

    fakes: Images
    reals: Mapping[str, Images]

    def figures(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """How well what answers like a discriminator tells them apart; it is in eval mode after.

        ``auroc`` is the mean of the groups' areas ``auroc_<group>``; ``accuracy``, at the native
        threshold, the mean of the share of fakes caught and that of reals passed.
        """
        from gandetect.detectors.network import answers
        from gandetect.statistics.ranking import auroc

        network.eval()
        fakes, *reals = (
            -answers(network, images, device).double().cpu().numpy()
            for images in (self.fakes, *self.reals.values())
        )
        areas = [auroc(fakes, group)[0] for group in reals]
        passed = np.mean([np.mean(group <= 0) for group in reals])
        return {
            "auroc": float(np.mean(areas)),
            "accuracy": float(np.mean([np.mean(fakes > 0), passed])),
            **{f"auroc_{name}": area for name, area in zip(self.reals, areas, strict=True)},
        }


def best_row(history: Sequence[Figures], monitor: Monitor) -> Figures:
    """The row of the highest figure, the last of equals: they are no reason to stop training."""
    return max(reversed(history), key=lambda row: row[monitor])


def how_chosen(history: Sequence[Figures], monitor: Monitor) -> dict[str, Any]:
    """What a detector's provenance tells: the row that was chosen, by what and among how many."""
    return {"chosen": {"by": monitor, "among": len(history), **best_row(history, monitor)}}


def without(images: Images, others: Images) -> Images:
    """Those images that are not among the others, pixel by pixel."""
    known = {one.tobytes() for one in others[:]}
    return take(images, np.flatnonzero([one.tobytes() not in known for one in images[:]]))


def hold_back(images: Images, seed: int, purpose: str) -> tuple[Images, Images]:
    """All images but a random tenth, and that tenth; both in their order, at least one in it."""
    order = stream(seed, f"held back in {purpose}").permutation(len(images))
    held_back, rest = np.split(order, [max(1, len(order) // 10)])
    return take(images, np.sort(rest)), take(images, np.sort(held_back))

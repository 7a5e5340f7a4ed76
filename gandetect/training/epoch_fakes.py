"""Fakes that the generators of a GAN's earlier epochs draw, for replay and for detectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gandetect.config import GeneratorConfig
from gandetect.training.checkpoints import epoch_folder, load_weights, weights_file
from gandetect.training.images import generate
from gandetect.training.networks import build_networks


def fakes_of_epochs(
    config: GeneratorConfig,
    folder: Path,
    epochs: Sequence[int],
    count: int,
    *,
    image_size: int,
    channels: int,
    seed: int,
    purpose: str,
    device: torch.device,
    network: str | None = None,
    recent: float = 0.0,
) -> NDArray[np.uint8]:
    """Draw ``(count, C, H, W) uint8`` images in all, as many of each epoch's generator.

    ``folder`` is the GAN's, ``epochs`` count from 1; numbers differ by at most one image. Every
    epoch has noise of its own. ``network`` is "generator" for the generator itself where images
    are drawn from its average. ``recent`` makes later epochs count more, see `shares_of_epochs`.
    """
    file = weights_file(network or config.drawn_from)
    generator = build_networks(config, image_size, channels, seed, device)["generator"]
    parts = []
    for epoch, share in zip(epochs, shares_of_epochs(count, len(epochs), recent), strict=True):
        if share:
            load_weights(generator, epoch_folder(folder, epoch) / file)
            drawn_for = f"{purpose}, epoch {epoch}"
            parts.append(generate(generator, share, seed=seed, purpose=drawn_for))
    return np.concatenate(parts)


def shares_of_epochs(total: int, epochs: int, recent: float = 0.0) -> list[int]:
    """Split a number over epochs: evenly for ``recent`` 0, in proportion to their places for 1.

    Between 0 and 1 the weights are those two, mixed.

    >>> shares_of_epochs(100, 4), shares_of_epochs(100, 4, recent=1.0)
    ([25, 25, 25, 25], [10, 20, 30, 40])
    """
    if not recent:
        return even_shares(total, epochs)
    places = np.arange(1, epochs + 1)
    weights = (1 - recent) / epochs + recent * places / places.sum()
    ends = np.rint(total * np.cumsum(weights)).astype(int)
    return [int(share) for share in np.diff(ends, prepend=0)]


def even_shares(total: int, parts: int) -> list[int]:
    """Split a number into parts that differ by at most one.

    >>> even_shares(7, 3)
    [3, 2, 2]
    """
    return [total // parts + (part < total % parts) for part in range(parts)]

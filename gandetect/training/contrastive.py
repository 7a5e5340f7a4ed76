"""Pairwise learning: images of one label are drawn together, those of two labels pushed apart."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gandetect.config.classifier import ClassifierConfig
from gandetect.errors import TrainingError, UsageError

LATE = 4  # the epoch, of all, from which Hsu et al. train at a tenth of the learning rate


def contrastive_loss(embeddings: Tensor, labels: Tensor, margin: float) -> Tensor:
    """The contrastive loss over all pairs i < j of a batch: a scalar.

    ``y d^2 + (1 - y) max(0, margin - d)^2``, with d the distance of two ``embeddings`` ``(B, E)``
    and y = 1 where their ``labels`` ``(B,)`` are equal, else 0 (Hadsell et al., CVPR 2006,
    "Dimensionality reduction by learning an invariant mapping"; for fakes Hsu et al. 2018, arXiv
    1809.08754). Equal and different pairs count one half each, however many there are.
    """
    # Without matrix products, whose rounding shows where embeddings lie close together.
    distances = torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist")
    once = torch.ones_like(distances, dtype=torch.bool).triu(1)
    equal = labels[:, None] == labels[None, :]
    drawn = _mean_of(distances.square(), once & equal)
    pushed = _mean_of((margin - distances).clamp_min(0.0).square(), once & ~equal)
    return (drawn + pushed) / 2


def _mean_of(terms: Tensor, chosen: Tensor) -> Tensor:
    """The mean of the chosen ones; 0 where there are none, as of two images with two labels."""
    return (terms * chosen).sum() / chosen.sum().clamp_min(1)


def check_contrastive(config: ClassifierConfig) -> None:
    """Raise `UsageError` for what pairwise learning cannot be combined with."""
    if config.contrastive is None:
        return
    if config.phases:
        raise UsageError(
            f"classifier {config.name!r} has phases and contrastive, and both say what is trained "
            "when; remove one of them"
        )
    if config.contrastive.epochs >= config.epochs:
        raise UsageError(
            f"classifier {config.name!r} learns by pairs for {config.contrastive.epochs} epochs of "
            f"{config.epochs}, and its last layer would never train; raise epochs, or lower "
            "contrastive.epochs"
        )


def check_batch(labels: NDArray[np.int64], epoch: int, step: int, batch_size: int) -> None:
    """Raise `TrainingError` where a batch's ``labels`` ``(B,)`` are all the same."""
    fakes = int(labels.sum())
    if 0 < fakes < len(labels):
        return
    have, lack = ("generated", "real") if fakes else ("real", "generated")
    raise TrainingError(
        f"batch {step} of epoch {epoch} holds {len(labels)} {have} images and no {lack} one, so "
        "contrastive has no pair of two labels to push apart; raise batch_size, which is "
        f"{batch_size}, or leave contrastive out"
    )

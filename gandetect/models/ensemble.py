"""Several discriminators of one architecture that answer as one, high = real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

MOST_QUANTILES = 2000  # of the calibration logits that a member keeps

Average = Literal["logit", "rank"]


class Ensemble(nn.Module):
    """The mean answer of its members, `nn.Module`s that map images to logits ``(N,)``.

    ``average`` "logit" is the mean of the logits. "rank" is the mean, over the members, of the
    share of calibration reals whose logit is below; a mean rank r becomes log-odds of
    (r * n + 1/2) / (n + 1) with n quantiles kept, so that 0 lies at the middle of the calibration
    reals and both ends are finite.
    """

    reference: Tensor

    def __init__(
        self, members: Sequence[nn.Module], average: Average = "logit", quantiles: int = 0
    ) -> None:
        super().__init__()
        if average not in ("logit", "rank"):
            raise ValueError(f"average is {average!r}; give 'logit' or 'rank'")
        self.members = nn.ModuleList(members)
        self.average = average
        # Sorted calibration logits of each member, (members, quantiles); none for "logit".
        self.register_buffer("reference", torch.zeros(len(members), quantiles))

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to logits ``(N,)``, high = real."""
        logits = self.of_members(images)
        if self.average == "logit":
            return logits.mean(0)
        count = self.reference.shape[1]
        # Counted, as ONNX knows no searchsorted: (members, N, count) to (members, N).
        below = (self.reference[:, None] < logits[..., None]).sum(2)
        middled = (below.double().mean(0) + 0.5) / (count + 1)
        return torch.logit(middled)

    def of_members(self, images: Tensor) -> Tensor:
        """Every member's logits, ``(members, N)`` float32."""
        return torch.stack([member(images).float() for member in self.members])

    def calibrate(self, logits: Tensor) -> None:
        """Keep what ranks are counted among: the members' logits ``(members, M)`` of M reals.

        Of more than 2,000 reals as many evenly spaced quantiles are kept. Raises `ValueError`
        where there are none.
        """
        if logits.shape[1] == 0:
            raise ValueError("there are no calibration reals to rank among")
        ordered = logits.float().sort(dim=1).values
        count = min(MOST_QUANTILES, ordered.shape[1])
        places = torch.linspace(0, ordered.shape[1] - 1, count, dtype=torch.float64)
        self.reference = ordered[:, places.round().long().to(ordered.device)].contiguous()

"""What stands behind a backbone: hidden layers, an embedding if asked for, the last layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from gandetect.errors import require_known


class UnitLength(nn.Module):
    """Scales each row of ``(N, E)`` to length 1, so that distances lie between 0 and 2."""

    def forward(self, features: Tensor) -> Tensor:
        """Divide by the L2 norm."""
        return functional.normalize(features, dim=1)


def build_embedding(features: int, embedding: int, **hidden: Any) -> nn.Sequential:
    """Map features ``(N, features)`` to embeddings ``(N, embedding)`` of length 1.

    The hidden layers, see `build_head`, stand before it.
    """
    layers, features = _hidden_layers(features, **hidden)
    return nn.Sequential(*layers, nn.Linear(features, embedding), UnitLength())


def build_head(
    features: int, outputs: int, *, output_dropout: float = 0.0, **hidden: Any
) -> nn.Sequential:
    """Map features ``(N, features)`` to logits ``(N, outputs)``.

    For each width in ``hidden``: Linear, BatchNorm if asked for, ReLU unless ``activation`` is
    "none", Dropout. Then the last Linear, and Dropout behind it if ``output_dropout`` is not 0.
    """
    layers, features = _hidden_layers(features, **hidden)
    layers.append(nn.Linear(features, outputs))
    if output_dropout:
        layers.append(nn.Dropout(output_dropout))
    return nn.Sequential(*layers)


def _hidden_layers(
    features: int, *, hidden: Sequence[int], batch_norm: bool, activation: str, dropout: float
) -> tuple[list[nn.Module], int]:
    """The layers, and how many numbers the last of them gives."""
    require_known("activation", [activation], ("relu", "none"))
    layers: list[nn.Module] = []
    for width in hidden:
        layers.append(nn.Linear(features, width))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        if activation == "relu":
            layers.append(nn.ReLU())
        layers.append(nn.Dropout(dropout))
        features = width
    return layers, features

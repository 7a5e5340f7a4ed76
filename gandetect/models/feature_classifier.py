"""The small ten-class network whose features say how good generated images are."""

from __future__ import annotations

from torch import Tensor, nn


class FeatureClassifier(nn.Module):
    """A convolutional classifier with 64 features before its last layer."""

    num_features = 64

    def __init__(self, image_size: int = 28, channels: int = 1, classes: int = 10) -> None:
        super().__init__()
        side = image_size // 4
        self.features = nn.Sequential(
            nn.Conv2d(channels, 32, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * side * side, self.num_features),
            nn.ReLU(),
        )
        self.dense = nn.Linear(self.num_features, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to class logits ``(N, classes)``."""
        logits: Tensor = self.dense(self.features(images))
        return logits

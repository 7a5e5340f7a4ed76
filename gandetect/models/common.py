"""What the generators and their counterparts share: sizes, activations, initial weights."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

NOISE_SIZE = 100  # of every generator: images are drawn from noise (N, 100) ~ N(0, 1)


def quarter(image_size: int) -> int:
    """A quarter of an image's side; `ValueError` for a side that two doublings cannot reach."""
    if image_size < 8 or image_size % 4:
        raise ValueError(
            f"image_size is {image_size}; it must be a multiple of 4 and at least 8, such as 28"
        )
    return image_size // 4


def activation_named(name: str) -> nn.Module:
    """A generator's activation: "relu", "selu", or "leaky_relu" with a slope of 0.2."""
    activations: dict[str, Callable[[], nn.Module]] = {
        "relu": nn.ReLU,
        "selu": nn.SELU,
        "leaky_relu": lambda: nn.LeakyReLU(0.2),
    }
    return activations[name]()


def unflatten(features: Tensor, side: int) -> Tensor:
    """Fold ``(N, side * side * C)`` to ``(N, C, side, side)``, in Keras' order of features."""
    # Keras reshapes to (H, W, C); the permuted view is channels_last, so nothing is copied.
    return features.view(features.shape[0], side, side, -1).permute(0, 3, 1, 2)


def flatten(features: Tensor) -> Tensor:
    """Lay ``(N, C, H, W)`` out as ``(N, H * W * C)``, in Keras' order of features."""
    return features.permute(0, 2, 3, 1).flatten(1)


def glorot_uniform(module: nn.Module) -> None:
    """Initialise one layer as Keras does by default (Glorot and Bengio 2010); biases are 0."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def normal_002(module: nn.Module) -> None:
    """Initialise one layer from N(0, 0.02), as DCGAN (arXiv 1511.06434); biases are 0."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]

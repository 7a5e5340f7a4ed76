"""Supervised real/fake classifiers: a backbone, a head, and the preparation that images need.

Shapes: stored images ``(N, C, H, W) uint8`` -> prepared float32 -> logits ``(N, outputs)`` ->
log-odds of being generated ``(N,)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gandetect.errors import did_you_mean, require_known
from gandetect.models.backbones import CLASSIFIERS, NetworkError
from gandetect.models.heads import build_embedding, build_head

# Mean and standard deviation of each channel, for pixels in [0, 1].
NORMALISATIONS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": ((0.5,), (0.5,)),
    "unit": ((0.0,), (1.0,)),
}


class ImageClassifier(nn.Module):
    """A classifier of ``channels`` images; built by `build_classifier`.

    Images are stored at ``stored_size`` pixels, of which the centre of ``image_size`` is seen.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: str,
        backbone: nn.Module,
        embedding: nn.Module,
        head: nn.Module,
        *,
        channels: int,
        image_size: int,
        stored_size: int,
        mean: Tensor,
        std: Tensor,
    ) -> None:
        super().__init__()
        self.network = network
        self.channels = channels
        self.image_size = image_size
        self.stored_size = stored_size
        self.backbone = backbone
        self.embedding = embedding
        self.head = head
        self.register_buffer("mean", mean, persistent=False)  # (channels of the network, 1, 1)
        self.register_buffer("std", std, persistent=False)

    def prepare(self, images: Tensor) -> Tensor:
        """Make ``(N, C, H, W) uint8`` what the network sees, without chance.

        Resized with antialiasing where the side is not ``stored_size``, the centre cut out, and
        normalised: ``(N, c, image_size, image_size) float32``. Raises `ValueError` for images
        that are not uint8 or of other channels.
        """
        stored = (self.stored_size, self.stored_size)
        if images.shape[-2:] != stored:
            from torchvision.transforms.v2 import functional as F

            # On the CPU, as in training: a GPU rounds a fifth of the grey levels the other way.
            resized = F.resize(images.cpu(), list(stored), antialias=True)
            images = resized.to(images.device)
        start = round((self.stored_size - self.image_size) / 2)
        seen = slice(start, start + self.image_size)
        return self.normalise(images[..., seen, seen])

    def normalise(self, images: Tensor) -> Tensor:
        """Scale ``(N, C, image_size, image_size) uint8`` that are cut already, to float32.

        A backbone that wants 3 channels gets grey images repeated.
        """
        if images.dtype != torch.uint8 or images.shape[1] != self.channels:
            raise NetworkError(
                f"images are {images.dtype} of shape {tuple(images.shape)}; this {self.network} "
                f"takes torch.uint8 of shape (N, {self.channels}, H, W)"
            )
        # Subtracting three means from one channel gives three channels.
        return (images.float().div_(255.0) - self.mean).div_(self.std)

    def forward(self, prepared: Tensor) -> Tensor:
        """Map prepared images to logits ``(N, 2)`` of real and generated, or ``(N, 1)``."""
        logits: Tensor = self.head(self.embed(prepared))
        return logits

    def embed(self, prepared: Tensor) -> Tensor:
        """Map prepared images to what the head sees: an embedding ``(N, E)``, or features."""
        seen: Tensor = self.embedding(self.backbone(prepared))
        return seen

    def log_odds(self, logits: Tensor) -> Tensor:
        """The log-odds ``(N,)`` of being generated, of logits ``(N, 2)`` or ``(N, 1)``."""
        if logits.shape[1] == 1:
            return logits[:, 0]
        return logits[:, 1] - logits[:, 0]

    def train(self, mode: bool = True) -> ImageClassifier:
        """Set the mode; a BatchNorm whose parameters are frozen stays in eval mode.

        Otherwise a frozen backbone would change all the same, through its running statistics.
        """
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.SyncBatchNorm):
                module.train(mode and any(p.requires_grad for p in module.parameters()))
        return self


def build_classifier(
    network: str,
    *,
    channels: int,
    image_size: int,
    stored_size: int | None = None,
    outputs: int = 2,
    normalise: str = "half",
    hidden: Sequence[int] = (),
    batch_norm: bool = False,
    activation: str = "relu",
    dropout: float = 0.0,
    output_dropout: float = 0.0,
    embedding: int | None = None,
) -> ImageClassifier:
    """Build one of `CLASSIFIERS`, its initial weights from PyTorch's global random stream.

    ``hidden`` to ``output_dropout`` describe the head, see `build_head`; the CNNs have a hidden
    layer of their own, to which the rest applies, and ``dropout`` is also the one between the
    convolutions of ``cnn-deep``. With an ``embedding`` of so many numbers, of length 1, the last
    layer stands on it, and the hidden ones before it. ``stored_size`` is ``image_size`` if not
    given. Raises `ValueError` for what the network cannot serve, and `UsageError` for an unknown
    name.

    >>> classifier = build_classifier("cnn-small", channels=3, image_size=128)
    >>> sum(parameter.numel() for parameter in classifier.parameters())
    8408386
    """
    require_known("network", [network], CLASSIFIERS)
    kind = CLASSIFIERS[network]
    stored_size = stored_size or image_size
    _check_sizes(network, kind.smallest, channels, image_size, stored_size)
    if outputs not in (1, 2):
        raise NetworkError(f"outputs is {outputs}; give 2 for cross-entropy, or 1 for BCE")
    if hidden and kind.hidden:
        raise NetworkError(
            f"hidden is {list(hidden)}, but {network} has a head of its own with "
            f"{kind.hidden[0]} units; leave hidden out, or choose another network"
        )
    inputs = 3 if kind.weights else channels
    mean, std = _normalisation(normalise, inputs)
    backbone, features = kind.build(inputs, image_size, dropout)
    layers = {
        "hidden": kind.hidden or hidden,
        "batch_norm": batch_norm,
        "activation": activation,
        "dropout": dropout,
    }
    embedded: nn.Module = nn.Identity()
    if embedding is not None:
        embedded = build_embedding(features, embedding, **layers)
        features, layers["hidden"] = embedding, ()
    return ImageClassifier(
        network,
        backbone,
        embedded,
        build_head(features, outputs, output_dropout=output_dropout, **layers),
        channels=channels,
        image_size=image_size,
        stored_size=stored_size,
        mean=mean,
        std=std,
    )


def set_trainable(classifier: ImageClassifier, parts: Sequence[str]) -> None:
    """Freeze the backbone but for ``parts``, prefixes of its modules' names; the rest trains.

    ``()`` freezes all of the backbone, ``("all",)`` nothing. Raises `ValueError` for a part that
    names nothing that could train.
    """
    names = [name for name, _ in classifier.backbone.named_parameters()]
    known = {name.rsplit(".", depth)[0] for name in names for depth in range(name.count(".") + 1)}
    for part in parts:
        if part not in known | {"all"}:
            stages = dict.fromkeys(name.split(".")[0] for name in names)
            raise NetworkError(
                f"trainable part {part!r} names nothing in {classifier.network} that could "
                f"train; its stages are: {', '.join(stages)}, or give 'all'"
                f"{did_you_mean(part, sorted(known | {'all'}))}"
            )
    chosen = tuple(f"{part}." for part in parts)
    for name, parameter in classifier.backbone.named_parameters():
        parameter.requires_grad_("all" in parts or f"{name}.".startswith(chosen))
    for always in (classifier.embedding, classifier.head):
        always.requires_grad_(True)
    classifier.train(classifier.training)  # BatchNorm layers follow


def layer_table(classifier: ImageClassifier) -> list[dict[str, Any]]:
    """Every layer in the order of use: ``name``, ``kind``, ``output`` shape, ``parameters``.

    The shape is that of one image's last pass through the layer, without N; ``trainable`` is
    whether its parameters train. Parameters of all rows are those of the network. It computes
    nothing for a network that was built under ``torch.device("meta")``.
    """
    rows: dict[str, dict[str, Any]] = {}
    # What has parameters of its own is one layer, with all that it is made of.
    layers = {
        name: one
        for name, one in classifier.named_modules()
        if not any(one.children()) or any(True for _ in one.parameters(recurse=False))
    }
    leaves = {
        name.removeprefix("backbone."): one  # the name by which `trainable` knows it
        for name, one in layers.items()
        if not any(name[:place] in layers for place, sign in enumerate(name) if sign == ".")
    }

    def noted(name: str) -> Any:
        def note(layer: nn.Module, given: Any, answer: Tensor) -> None:
            own = list(layer.parameters())
            rows[name] = {
                "name": name,
                "kind": type(layer).__name__,
                "output": list(answer.shape[1:]),
                "parameters": sum(parameter.numel() for parameter in own),
                "trainable": any(parameter.requires_grad for parameter in own),
            }

        return note

    hooks = [layer.register_forward_hook(noted(name)) for name, layer in leaves.items()]
    training, side = classifier.training, classifier.image_size
    try:
        with torch.no_grad():
            image = torch.zeros(1, len(classifier.mean), side, side, device=classifier.mean.device)
            classifier.eval()(image)
    finally:
        classifier.train(training)
        for hook in hooks:
            hook.remove()
    return [row for row in rows.values() if row["kind"] != "Identity"]


def _check_sizes(
    network: str, smallest: int, channels: int, image_size: int, stored_size: int
) -> None:
    if image_size < smallest:
        raise NetworkError(f"image_size is {image_size}; {network} takes {smallest} pixels or more")
    if stored_size < image_size:
        raise NetworkError(
            f"stored_size is {stored_size}, smaller than image_size {image_size}; an image "
            "cannot be cut out of a smaller one"
        )
    if channels not in (1, 3):
        raise NetworkError(f"channels is {channels}; {network} takes 1 (grey) or 3 (RGB)")


def _normalisation(name: str, channels: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, ``(channels, 1, 1)``."""
    require_known("normalise", [name], NORMALISATIONS)
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in NORMALISATIONS[name])
    if len(mean) > channels:
        raise NetworkError(
            f"normalise is {name!r}, which is for 3 channels, but the network sees {channels}; "
            "choose 'half' or 'unit'"
        )
    return mean.repeat(channels // len(mean), 1, 1), std.repeat(channels // len(std), 1, 1)

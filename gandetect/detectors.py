"""A detector: a network, its preprocessing and its operating points, saved and used on its own.

A score is the log-odds that an image is generated. A discriminator, and whatever is made of some,
answers with the log-odds that an image is real; that sign is turned here, once, and nowhere else. A
supervised classifier answers with the score itself.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from scipy.special import expit
from torch import Tensor, nn

from gandetect import runs
from gandetect.errors import DetectorError, shown, unknown_name
from gandetect.machine import settle_cuda
from gandetect.models import ARCHITECTURES
from gandetect.models.classifiers import CLASSIFIERS, ImageClassifier, build_classifier
from gandetect.models.ensemble import build_ensemble
from gandetect.models.one_class import build_one_class
from gandetect.models.scaling import to_unit_range

DESCRIPTION = "detector.json"
WEIGHTS = "weights.safetensors"
FORMAT = 1  # of detector.json
CLASSES = ("real", "generated")
# What may look at an image, by kind; a one-class detector may look at the pixels themselves.
KNOWN: Mapping[str, Collection[str]] = {
    "discriminator": ARCHITECTURES,
    "classifier": CLASSIFIERS,
    "pixels": ("pixels",),
}
BATCH = 100  # with 200 the widest features of `dcgan-plain`, 40 MB, leave the cache
PIXELS = 4_000_000  # of one channel, in one batch


class Preprocessing(BaseModel):
    """How any image file becomes what the network was trained on; see `data.images.read_image`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_size: Annotated[int, Field(ge=1, le=2048)] = 28
    channels: Literal[1, 3] = 1
    fit: Literal["pad", "crop", "stretch"] = "pad"
    background: Annotated[int, Field(ge=0, le=255)] = 0


class DetectorDescription(BaseModel):
    """What ``detector.json`` holds; ``provenance`` says which run, seed and epoch it came from."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    format: Literal[1] = 1  # FORMAT
    kind: Literal[
        "discriminator", "classifier", "checkpoint-ensemble", "fine-tuned", "one-class"
    ] = "discriminator"
    name: str
    architecture: str  # of its networks, or "pixels" where there is none
    options: dict[str, Any] = {}  # what the network is built with, beside its input's size
    preprocessing: Preprocessing = Preprocessing()
    operating_points: dict[str, float] = {"native": 0.0}
    weights_sha256: str = ""
    provenance: dict[str, Any] = {}


@dataclass(frozen=True)
class Detector:
    """Scores images, in scikit-learn's words.

    Images are ``(N, C, H, W) uint8``; scoring is in eval mode and in float32, so a score does not
    depend on the batch that its image is in.
    """

    network: nn.Module
    description: DetectorDescription
    device: torch.device

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The class names, in the order of `predict_proba`'s columns."""
        return np.array(CLASSES)

    @property
    def operating_points(self) -> Mapping[str, float]:
        """Thresholds by name; an image is called generated when its score is above."""
        return self.description.operating_points

    def decision_function(self, images: ArrayLike) -> NDArray[np.float64]:
        """Score images ``(N, C, H, W) uint8``: log-odds of being generated, shape ``(N,)``."""
        pixels = self._checked(images)
        scores = np.empty(len(pixels))
        with torch.inference_mode():
            for start in range(0, len(pixels), self._batch):
                part = slice(start, start + self._batch)
                # Copied batch by batch, for torch takes no array that is only to be read.
                batch = torch.from_numpy(pixels[part].copy()).to(self.device)
                scores[part] = self._log_odds(batch).cpu()
        return scores

    def _log_odds(self, images: Tensor) -> Tensor:
        """Score one batch on the device, ``(N, C, H, W) uint8``: shape ``(N,)``."""
        if isinstance(self.network, ImageClassifier):
            return self.network.log_odds(self.network(self.network.prepare(images)))
        logits: Tensor = self.network(to_unit_range(images))
        return -logits  # the one place where the sign is turned

    @property
    def _batch(self) -> int:
        """Fewer images at once where they are large, so that memory stays flat."""
        side = getattr(self.network, "image_size", self.description.preprocessing.image_size)
        return max(8, min(BATCH, PIXELS // side**2))

    def predict_proba(self, images: ArrayLike) -> NDArray[np.float64]:
        """Probabilities ``(N, 2)`` of real and generated: the score's logistic function."""
        generated = expit(self.decision_function(images))
        return np.column_stack([1.0 - generated, generated])

    def predict(self, images: ArrayLike, operating_point: str = "native") -> NDArray[np.str_]:
        """Class names ``(N,)`` at an operating point; `UsageError` names those that exist."""
        generated = self.decision_function(images) > self.threshold(operating_point)
        answers: NDArray[np.str_] = self.classes_[generated.astype(int)]
        return answers

    def threshold(self, operating_point: str) -> float:
        """The score above which an image is called generated."""
        if operating_point not in self.operating_points:
            raise unknown_name("operating point", operating_point, self.operating_points)
        return self.operating_points[operating_point]

    def _checked(self, images: ArrayLike) -> NDArray[np.uint8]:
        given = np.asarray(images)
        expected = self.description.preprocessing
        shape = (expected.channels, expected.image_size, expected.image_size)
        if given.dtype != np.uint8 or given.shape[1:] != shape:
            raise DetectorError(
                f"images are {given.dtype} of shape {given.shape}; detector "
                f"{self.description.name!r} scores uint8 images of shape (N, {shape[0]}, "
                f"{shape[1]}, {shape[2]}); gandetect.data.images.read_image makes such"
            )
        return given


def as_detector(
    network: nn.Module, description: DetectorDescription, device: torch.device
) -> Detector:
    """Wrap an `ImageClassifier`, or what answers like a discriminator, in eval mode.

    Its weights are laid out with the channels last, which convolutions on a CPU are faster with.
    """
    network.to(device).to(memory_format=torch.channels_last)
    return Detector(network.eval(), description, device)


def save_detector(folder: Path, detector: Detector) -> None:
    """Write ``detector.json`` and ``weights.safetensors``: all that is needed to use it."""
    weights = {n: v.contiguous().cpu() for n, v in detector.network.state_dict().items()}
    with runs.atomic_file(folder / WEIGHTS) as temporary:
        temporary.write_bytes(save(weights))
    digest = runs.file_digest(folder / WEIGHTS)
    described = detector.description.model_copy(update={"weights_sha256": digest})
    runs.write_json(folder / DESCRIPTION, described.model_dump(mode="json"))


def load_detector(path: str | Path, device: str = "cpu") -> Detector:
    """Load a detector from its folder, such as ``runs/…/detectors/dcgan-bn/seed-0``.

    Raises `DetectorError` when it is missing, damaged, or its weights are not those it was saved
    with.
    """
    folder = Path(path)
    if not (folder / DESCRIPTION).is_file():
        raise DetectorError(
            f"{str(path)!r} is not a detector: it has no {DESCRIPTION}; give a folder such as "
            f"RUN/detectors/dcgan-bn/seed-0{_nearby(folder)}"
        )
    try:
        told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        _refuse_newer(folder, told)
        description = DetectorDescription.model_validate(told)
    except (OSError, ValueError, RecursionError, ValidationError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DetectorError(f"{str(folder / DESCRIPTION)!r} is damaged ({reason})") from None
    _check_description(folder)
    known = KNOWN[_kind_of_network(description)]
    if description.architecture not in known:
        raise unknown_name("architecture", description.architecture, known)
    weights = _load_weights(folder / WEIGHTS, description.weights_sha256)
    try:
        network = _build(description)
        network.load_state_dict(weights)
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DetectorError(
            f"the weights in {str(folder)!r} do not fit a {description.architecture!r} "
            f"{description.kind} ({reason})"
        ) from None
    settle_cuda()  # a score is the same on every device, but for the last bits
    return as_detector(network, description, torch.device(device))


def _refuse_newer(folder: Path, told: Any) -> None:
    """Raise `DetectorError` for a detector whose format came after this version of gandetect."""
    number = told.get("format") if isinstance(told, dict) else None
    if isinstance(number, int) and not isinstance(number, bool) and number > FORMAT:
        raise DetectorError(
            f"{shown(str(folder / DESCRIPTION))} is of format {number}, newer than {FORMAT}, which "
            "this version of gandetect reads; update gandetect"
        )


def _build(description: DetectorDescription) -> nn.Module:
    options = dict(description.options)
    kind = _kind_of_network(description)
    with torch.random.fork_rng(devices=[]):  # initial weights, which are about to be replaced
        if description.kind == "checkpoint-ensemble":
            given = options.pop("network")
            return build_ensemble(lambda: _single(description, kind, given), **options)
        if description.kind == "one-class":
            del options["features_of"]
            given = options.pop("network")
            network = None if kind == "pixels" else _single(description, kind, given)
            return build_one_class(network=network, **options)
        return _single(description, kind, options)


def _single(description: DetectorDescription, kind: str, options: Mapping[str, Any]) -> nn.Module:
    """One discriminator or classifier with its initial weights."""
    size = description.preprocessing
    if kind == "classifier":
        return build_classifier(description.architecture, channels=size.channels, **options)
    return ARCHITECTURES[description.architecture].discriminator(
        size.image_size, size.channels, **options
    )


def _kind_of_network(description: DetectorDescription) -> str:
    """Of which kind, in `KNOWN`, the networks within a detector are."""
    if description.kind == "one-class":
        kind = str(description.options.get("features_of"))
        if kind not in KNOWN:
            raise unknown_name("features_of", kind, KNOWN)
        return kind
    return "classifier" if description.kind == "classifier" else "discriminator"


def _check_description(folder: Path) -> None:
    """Refuse a description that was edited after its study wrote it, such as a moved threshold."""
    if not (folder / runs.RECORD).is_file():
        return
    recorded = runs.read_json(folder / runs.RECORD).get("files", {}).get(DESCRIPTION)
    if recorded is not None and recorded != runs.file_digest(folder / DESCRIPTION):
        raise DetectorError(
            f"{str(folder / DESCRIPTION)!r} was changed after it was saved (its SHA-256 differs "
            f"from the one in {runs.RECORD}); run the study again to make it afresh"
        )


def _load_weights(path: Path, expected: str) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise DetectorError(f"{str(path)!r} is missing; run the study again to make it")
    if runs.file_digest(path) != expected:
        raise DetectorError(
            f"{str(path)!r} was changed or truncated after it was saved (its SHA-256 differs "
            f"from the one in {DESCRIPTION}); run the study again to make it afresh"
        )
    try:
        return load_file(path)
    except SafetensorError as error:
        raise DetectorError(f"{str(path)!r} is not a safetensors file ({error})") from None


def _nearby(folder: Path) -> str:
    found: Iterable[Path] = sorted(folder.glob("**/detector.json")) if folder.is_dir() else ()
    names = [str(path.parent) for path in found][:4]
    return f"; found nearby: {', '.join(names)}" if names else ""

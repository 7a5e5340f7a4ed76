"""What a detector is to the rest of the code, and what a kind of detector has to bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import expit

from gandetect.config import DETECTORS, ClassifierConfig, DetectorTable, GanConfig, GeneratorConfig
from gandetect.config.detector import Makers
from gandetect.config.section import Once
from gandetect.errors import DetectorError, UsageError, require_known

if TYPE_CHECKING:
    from torch import nn

    from gandetect.detectors.material import Material

CLASSES = ("real", "generated")
FORMAT = 1  # of detector.json


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
    kind: str = "discriminator"
    name: str
    architecture: str  # of its networks, or what stands for one, such as "pixels"
    options: dict[str, Any] = {}  # what the network is built with, beside its input's size
    preprocessing: Preprocessing = Preprocessing()
    operating_points: dict[str, float] = {"native": 0.0}
    cuts: dict[str, float] = {}  # thresholds by the share of reals that they may flag
    absent: dict[str, str] = {}  # operating points that there are none of, and why
    promises: dict[str, dict[str, Any]] = {}  # what an operating point promises of new reals
    weights_sha256: str = ""
    provenance: dict[str, Any] = {}

    def within(self, options: dict[str, Any]) -> DetectorDescription:
        """The description of a network within this one, of the same architecture."""
        return self.model_copy(update={"options": options})


class Detector:
    """Scores images ``(N, C, H, W) uint8``, in scikit-learn's words.

    A score is the log-odds that an image is generated, and depends on no other image of its batch.
    What a detector has to bring is its ``description`` and its `decision_function`; it is a frozen
    dataclass.
    """

    description: DetectorDescription

    def with_description(self, **changes: object) -> Self:
        """The same detector with another description, but for these of its fields."""
        description = self.description.model_copy(update=changes)
        return replace(self, description=description)  # type: ignore[type-var]

    @property
    def at_once(self) -> int | None:
        """How many images to give it at most, so that progress can be told; None: any number."""
        return None

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The class names, in the order of `predict_proba`'s columns."""
        return np.array(CLASSES)

    @property
    def name(self) -> str:
        """What the study calls it."""
        return self.description.name

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Which run, seed and epoch it came from."""
        return self.description.provenance

    @property
    def operating_points(self) -> Mapping[str, float]:
        """Thresholds by name; an image is called generated when its score is above."""
        return self.description.operating_points

    def decision_function(self, images: ArrayLike) -> NDArray[np.float64]:
        """Score images ``(N, C, H, W) uint8``: log-odds of being generated, shape ``(N,)``."""
        raise NotImplementedError

    def predict_proba(self, images: ArrayLike) -> NDArray[np.float64]:
        """Probabilities ``(N, 2)`` of real and generated: the score's logistic function."""
        generated = expit(self.decision_function(images))
        return np.column_stack([1.0 - generated, generated])

    def predict(
        self, images: ArrayLike, operating_point: str | float = "native"
    ) -> NDArray[np.str_]:
        """Class names ``(N,)`` at an operating point, or at a score of your own."""
        generated = self.decision_function(images) > self.threshold(operating_point)
        answers: NDArray[np.str_] = self.classes_[generated.astype(int)]
        return answers

    def threshold(self, operating_point: str | float) -> float:
        """The score above which an image is called generated.

        That is a number as it is given, too; `UsageError` names the operating points there are.
        """
        try:
            if isfinite(score := float(operating_point)):
                return score
        except (TypeError, ValueError):
            pass
        operating_point = str(operating_point)
        if why := self.description.absent.get(operating_point):
            raise UsageError(
                f"detector {self.name!r} has no threshold {operating_point!r}: {why}; "
                f"it has {', '.join(self.operating_points)}"
            )
        require_known("operating point", [operating_point], self.operating_points)
        return self.operating_points[operating_point]

    def promise(self, operating_point: str) -> str:
        """What a threshold promises of new reals, in a sentence; empty for one that does not."""
        facts = self.description.promises.get(operating_point)
        if facts is None:
            return ""
        like = "of any one class" if facts.get("of_each_class") else "like those that chose it"
        return (
            f"threshold {operating_point} was chosen on {facts['n_calibration']:,} real images; of "
            f"100 new ones {like}, {100 * facts['expected_flagged']:.1f} are expected to be "
            f"flagged, with 95 % confidence at most {100 * facts['flagged_at_most']:.1f}; of other "
            "real images it promises nothing"
        )

    def unsure_between(self, points: tuple[str, str]) -> tuple[float, float]:
        """Two thresholds, the lower first: above both is generated, above none is real.

        A point is the name of an operating point, or a false positive rate whose cut is stored.
        Raises `UsageError` for what is neither, or where there is nothing between them.
        """
        low, high = sorted(self._cut(point) for point in points)
        if low == high:
            raise UsageError(
                f"detector {self.name!r} has the threshold {low:g} at {points[0]} and at "
                f"{points[1]}, with nothing between; give two points further apart"
            )
        return low, high

    def _cut(self, point: str) -> float:
        try:
            rate = f"{float(point):g}"
        except ValueError:
            return self.threshold(point)
        if rate not in self.description.cuts:
            there = ", ".join(self.description.cuts) or "none, as no calibration reals were scored"
            raise UsageError(
                f"detector {self.name!r} has no threshold for a false positive rate of {point}; "
                f"its rates are: {there}; its operating points: {', '.join(self.operating_points)}"
            )
        return self.description.cuts[rate]

    def _repr_html_(self) -> str:
        """What it is, takes and comes from, and its thresholds with what they promise."""
        given, takes = self.description, self.description.preprocessing
        facts = {
            "detector": f"{given.name} ({given.kind}, {given.architecture})",
            "takes": f"uint8 (N, {takes.channels}, {takes.image_size}, {takes.image_size})",
            **{key: given.provenance[key] for key in ("experiment", "gan", "seed", "epoch")
               if key in given.provenance},
            **{f"threshold {name}": f"{cut:.3f}" for name, cut in self.operating_points.items()},
            "promise": "; ".join(filter(None, map(self.promise, self.operating_points))),
        }  # fmt: skip
        rows = (f"<tr><th>{escape(str(key))}</th><td>{escape(str(value))}</td></tr>"
                for key, value in facts.items() if value != "")  # fmt: skip
        return f"<table>{''.join(rows)}</table>"

    def checked(self, images: ArrayLike) -> NDArray[np.uint8]:
        """Images as an array; `DetectorError` where they are not such as it scores."""
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


class Kind:
    """A kind of detector, as a saved one needs it."""

    @classmethod
    def build(cls, description: DetectorDescription) -> nn.Module:
        """The network of a description, without its trained weights.

        It is an `ImageClassifier`, or answers like a discriminator: images ``(N, C, H, W)`` in
        [-1, 1] to ``(N,)``, high = real. Raises `UsageError` for an unknown architecture.
        """
        raise NotImplementedError


class PostHoc(DetectorTable, Kind):
    """A kind of detector that is made of finished trainings; an instance is its table."""

    @property
    def images_trained_on(self) -> int | None:
        """0 where making one takes a moment."""
        return 0

    def check_networks(
        self, trained: Sequence[GeneratorConfig | ClassifierConfig], preprocessing: Preprocessing
    ) -> None:
        """Raise `UsageError` for what could only fail once all of `made_of` is trained."""

    def make(self, material: Material) -> FittedNetwork:
        """Train or fit one."""
        raise NotImplementedError


class OnFakes(PostHoc):
    """A kind that is made of a GAN's discriminator, and of fakes of some of the study's GANs."""

    gan: str
    fakes_from: Once[str] = ()

    @property
    def makers(self) -> tuple[str, ...]:
        """Names of the GANs that its fakes come from, by default its own."""
        return self.fakes_from or (self.gan,)

    @property
    def made_of(self) -> tuple[str, ...]:
        """The GAN of its discriminator, and those that its fakes come from."""
        return tuple(dict.fromkeys((self.gan, *self.makers)))

    def check(self, gans: Makers, classifiers: Sequence[ClassifierConfig]) -> None:
        """Refuse GANs that the study does not have, and discriminators of what has none."""
        adversarial = [gan.name for gan in gans if isinstance(gan, GanConfig)]
        require_known("gan", [self.gan], adversarial)
        require_known("fakes_from", self.fakes_from, [gan.name for gan in gans])


def kind_named(name: str) -> type[Kind]:
    """The kind of that name; `UsageError` names those that there are."""
    kind = DETECTORS[name]
    assert issubclass(kind, Kind), f"{name!r} stands for {kind}, which is no kind of detector"
    return kind


@dataclass(frozen=True)
class FittedNetwork:
    """A network that answers like a discriminator, and how `Kind.build` builds it again."""

    network: nn.Module
    architecture: str
    options: Mapping[str, Any]
    epoch: int = 0  # the last epoch of a GAN that is in it
    history: Sequence[Mapping[str, float]] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)  # beside what it is made of

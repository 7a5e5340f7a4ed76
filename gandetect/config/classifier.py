"""How a supervised real/fake classifier is built and trained; every knob is a key.

A recipe (`RECIPES`) is a set of defaults for these keys under a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gandetect.config.epochs import Epochs
from gandetect.config.processing import Processing
from gandetect.config.recipes import RECIPES, SMALL_IMAGES
from gandetect.config.section import (
    ConfigSection,
    Count,
    Decay,
    EpochCount,
    ImageCount,
    LearningRate,
    Name,
    Once,
    OpenProbability,
    Probability,
    Weight,
    laid_over,
)
from gandetect.errors import unknown_name

Percent = Annotated[int, Field(ge=1, le=100)]
Sigma = Annotated[float, Field(ge=0.01, le=100.0)]  # in pixels
SMALLEST = 16  # pixels of a side; the audit of shortcuts needs so many
Monitor = Literal["loss", "accuracy", "auroc", "f1"]


class HeadConfig(ConfigSection):
    """What stands behind a backbone's pooled features, in place of its own last layer.

    ``hidden`` layers, each Linear, BatchNorm if asked for, activation, Dropout; then the last
    Linear, and ``output_dropout`` behind it where a source has put one.
    """

    hidden: tuple[Count, ...] = ()
    batch_norm: bool = False
    activation: Literal["relu", "none"] = "relu"
    dropout: Decay = 0.0
    output_dropout: Decay = 0.0


class AugmentationConfig(ConfigSection):
    """Random changes to training images, in this order; zeros and empty ranges mean none.

    ``rotation`` in degrees to both sides, ``shift`` in shares of the side, ``brightness``,
    ``contrast``, ``saturation`` and ``hue`` as in torchvision's ColorJitter. ``random_crop`` cuts
    ``image_size`` out of ``resize`` at random; without it the centre is taken. Blur (sigma in
    pixels) and JPEG (quality) are those used to make detectors robust (Wang et al. 2020, arXiv
    1912.11035), here of images at ``resize`` or ``image_size``; what happens to images before a
    detector gets them is the classifier's ``processing``.
    """

    rotation: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    shift: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    horizontal_flip: Probability = 0.0
    random_crop: bool = False
    brightness: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    contrast: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    saturation: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    hue: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    blur: Probability = 0.0
    blur_kernel: tuple[Count, Count] | None = None
    blur_sigma: tuple[Sigma, Sigma] = (0.1, 3.0)
    jpeg: Probability = 0.0
    jpeg_quality: tuple[Percent, Percent] = (30, 100)

    @model_validator(mode="after")
    def _in_order(self) -> AugmentationConfig:
        for name in ("blur_sigma", "jpeg_quality"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} is [{low}, {high}]; give the smaller number first")
        if self.blur_kernel is not None and any(side % 2 == 0 for side in self.blur_kernel):
            raise ValueError(f"blur_kernel is {list(self.blur_kernel)}; both sides must be odd")
        return self


class ClassifierOptimizerConfig(ConfigSection):
    """An optimizer by name, with its numbers as PyTorch calls them."""

    name: Literal["adam", "sgd", "adadelta"] = "adam"
    learning_rate: LearningRate = 1e-3
    momentum: Decay = 0.0
    weight_decay: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0


class ScheduleConfig(ConfigSection):
    """How the learning rate falls: never, every ``epochs``, or when ``monitor`` stalls."""

    name: Literal["constant", "step", "plateau"] = "constant"
    epochs: EpochCount = 5
    patience: Annotated[int, Field(ge=0, le=100_000)] = 3
    factor: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    minimum: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0
    monitor: Monitor = "loss"


class EarlyStoppingConfig(ConfigSection):
    """Stop when the validation's ``monitor`` has not become better for ``patience`` epochs."""

    patience: EpochCount
    monitor: Monitor = "loss"


class PhaseConfig(ConfigSection):
    """One phase of staged fine-tuning: which parts train, for how long, how fast."""

    epochs: EpochCount
    trainable: tuple[str, ...] = ()
    learning_rate: LearningRate


class PublishedFigure(ConfigSection):
    """A figure that a source reports, to stand beside ours.

    ``positive`` is the class that the source calls positive; ``comparable`` is whether its number
    and ours mean the same, and ``note`` says why not, or under which conditions.
    """

    metric: Literal["accuracy", "auroc", "precision", "recall", "specificity", "f1"]
    split: Literal["training", "validation", "test"] = "test"
    value: Probability
    positive: Literal["generated", "real"] = "generated"
    comparable: bool = True
    note: str = ""


class ContrastiveConfig(ConfigSection):
    """Pairwise learning before cross-entropy (Hsu et al. 2018, arXiv 1809.08754).

    For ``epochs`` epochs at ``learning_rate`` pairs of one label are drawn together and pairs of
    two labels pushed apart, up to ``margin``: y d^2 + (1 - y) max(0, margin - d)^2, with d the
    distance of L2-normalised embeddings of ``embedding`` numbers and y = 1 for equal labels. Then
    cross-entropy, its learning rate ``late_learning_rate`` from the fourth epoch of all. With
    ``weight`` 0 the same network is trained in the same way without the pairs, to compare with.
    """

    embedding: Count = 128
    margin: Weight = 0.5
    epochs: EpochCount = 2
    learning_rate: LearningRate = 1e-3
    late_learning_rate: LearningRate = 1e-4
    weight: Literal[0, 1] = 1


class ClassifierConfig(ConfigSection):
    """One supervised classifier; keys left out take the recipe's values.

    With ``fakes_from``, in a GAN study, they take the sizes of `SMALL_IMAGES`.

    ``trainable`` lists parts of the backbone by the prefix of their module names (``layer4``,
    ``features.8``), or is ``["all"]``; the head always trains. ``resize`` is the side to which
    images are resized before ``image_size`` is cut out of them. ``copies`` makes so many fixed
    augmented copies of each training image, in place of fresh augmentation in every epoch.
    ``processing`` sends training images, real and generated, through a random chain in every
    epoch, before they are resized and augmented; validation images stay as they are.
    ``max_images`` caps the training images of each label. ``fakes_epochs`` are the epochs whose
    generators draw the fakes.
    """

    recipe: str
    name: Name
    fakes_from: Once[str] = ()
    network: Literal[
        "cnn-small",
        "cnn-deep",
        "resnet18",
        "resnet50",
        "efficientnet-b0",
        "efficientnet-b2",
        "efficientnet-lite0",
    ]
    weights: str = "none"
    head: HeadConfig = HeadConfig()
    trainable: tuple[str, ...] = ("all",)
    phases: tuple[PhaseConfig, ...] = ()
    image_size: Annotated[int, Field(ge=SMALLEST, le=2048)]
    resize: Annotated[int, Field(ge=SMALLEST, le=2048)] | None = None
    normalise: Literal["imagenet", "half", "unit"] = "half"
    augmentation: AugmentationConfig = AugmentationConfig()
    copies: Annotated[int, Field(ge=0, le=20)] = 0
    processing: Processing = ()
    loss: Literal["cross-entropy", "bce"] = "cross-entropy"
    optimizer: ClassifierOptimizerConfig = ClassifierOptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    early_stopping: EarlyStoppingConfig | None = None
    monitor: Monitor = "loss"
    epochs: EpochCount
    batch_size: Annotated[int, Field(ge=2, le=65536)] = 32
    max_images: Annotated[ImageCount, Field(ge=2)] | None = None
    validation_fraction: OpenProbability = 0.1
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    published: tuple[PublishedFigure, ...] = ()
    fakes_epochs: Epochs = "last"
    contrastive: ContrastiveConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _recipe_defaults(cls, table: Any) -> Any:
        if not isinstance(table, Mapping) or "recipe" not in table:
            return table
        recipe = table["recipe"]
        if not isinstance(recipe, str) or recipe not in RECIPES:
            raise unknown_name("recipe", str(recipe), RECIPES)
        merged: dict[str, Any] = {"name": recipe, **RECIPES[recipe]}
        if table.get("fakes_from"):
            merged |= SMALL_IMAGES[recipe]
        return laid_over(merged, table)

    @model_validator(mode="after")
    def _sizes_and_epochs(self) -> ClassifierConfig:
        if self.resize is not None and self.resize < self.image_size:
            raise ValueError(
                f"resize is {self.resize}, smaller than image_size {self.image_size}; an image "
                "cannot be cut out of a smaller one"
            )
        planned = sum(phase.epochs for phase in self.phases)
        if self.phases and planned != self.epochs:
            raise ValueError(
                f"epochs is {self.epochs}, but the phases last {planned} epochs together; give "
                "the same number"
            )
        return self

    @property
    def stored_size(self) -> int:
        """The side, in pixels, that images are stored at before they are augmented and cut."""
        return self.resize or self.image_size


def at_size_of_data(table: Any, side: int) -> Any:
    """A table of ``[[classifiers]]`` that says no ``image_size``, a CNN's set to that of the data.

    What torchvision's backbones see stays enlarged, as `SMALL_IMAGES` says.
    """
    if not isinstance(table, Mapping) or "image_size" in table or not table.get("fakes_from"):
        return table
    recipe = RECIPES.get(str(table.get("recipe")), {})
    is_cnn = str(table.get("network", recipe.get("network", ""))).startswith("cnn-")
    return {**table, "image_size": side} if is_cnn else table

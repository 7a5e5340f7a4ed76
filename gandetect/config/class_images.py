"""Data sets of real images by class, for GANs: which classes nobody trains on, which images."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from gandetect.config.data_set import DATA_SETS, Channels
from gandetect.config.section import (
    ConfigSection,
    ImageCount,
    Once,
    OpenProbability,
    Probability,
    SplitSeed,
)
from gandetect.errors import shown


def _list_of_classes(given: Any) -> Any:
    if isinstance(given, list | tuple) and all(
        isinstance(one, str | int) and not isinstance(one, bool) for one in given
    ):
        return given
    raise ValueError(
        f'{shown(given)} is not a list of classes, such as ["Bag", 0]; for several such lists '
        "give [[variants]] whose changes set data.held_out"
    )


Choice = Annotated[tuple[str | int, ...], BeforeValidator(_list_of_classes)]  # by name or number
Fit = Literal["stretch", "pad", "crop"]
Side = Annotated[int, Field(ge=28, le=128)]
PATTERN_SHARE = 0.95  # of the file names of each class, what a group_pattern has to fit


def checked_pattern(pattern: str) -> str:
    """Return a regular expression as it is; `ValueError` when it is none."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{shown(pattern)} is not a regular expression: {error}") from None
    return pattern


def leave_something(**shares: float) -> None:
    """Raise `ValueError` for fractions of the images that leave none to train on."""
    if sum(shares.values()) >= 1:
        given = " and ".join(f"{name} {share}" for name, share in shares.items())
        raise ValueError(f"{given} leave nothing to train on; their sum must be below 1")


Pattern = Annotated[str, AfterValidator(checked_pattern)]


class ClassImagesConfig(ConfigSection):
    """Real images by class: which classes nobody trains on, and how the rest is split.

    With classes in ``selection`` the study chooses settings for another one: those classes stand
    for the held-out ones, a share of the training images for the in-distribution test, and no test
    image of the study without ``selection`` is looked at.

    Classes in ``validation`` are neither trained on nor tested. With a share of the other training
    images, as large as the test's, they are the validation split: what post-hoc detectors are
    chosen by. No test image of the study without ``validation`` is in it.
    """

    name: str
    held_out: Choice
    test_fraction: OpenProbability = 0.1
    split_seed: SplitSeed = 0
    max_images: Annotated[ImageCount, Field(ge=100)] | None = None
    selection: Choice = ()
    validation: Choice = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Channels, and the side in pixels, of every image."""
        raise NotImplementedError

    @property
    def least_images(self) -> int:
        """How many training images an epoch has at least, as far as the table alone can say."""
        return 100

    @model_validator(mode="after")
    def _something_to_train_on(self) -> Self:
        leave_something(
            test_fraction=self.test_fraction,
            calibration_fraction=getattr(self, "calibration_fraction", 0.0),
        )
        return self


class FashionMnistConfig(ClassImagesConfig):
    """Fashion-MNIST, 28 x 28 grey; the official test file is what thresholds are chosen by."""

    name: Literal["fashion-mnist"] = "fashion-mnist"
    held_out: Choice = ("Sneaker", "Bag", "Ankle boot")

    @property
    def shape(self) -> tuple[int, int]:
        """Channels, and the side in pixels, of every image."""
        return 1, 28

    @property
    def least_images(self) -> int:
        """How many training images an epoch has at least."""
        return 30_000


class SmallSetConfig(ClassImagesConfig):
    """A data set of small images by its name, one of `DATA_SETS`.

    Images are resized to ``image_size`` where it is not the set's own, and made grey or RGB where
    ``channels`` are not. ``calibration_fraction`` is for sets without an official test file.
    """

    name: str
    image_size: Side | None = None
    channels: Channels | None = None
    calibration_fraction: OpenProbability = 0.1

    @property
    def shape(self) -> tuple[int, int]:
        """Channels, and the side in pixels, of every image."""
        channels, side = DATA_SETS[self.name].shape
        return self.channels or channels, self.image_size or side

    @property
    def least_images(self) -> int:
        """How many training images an epoch has at least."""
        return DATA_SETS[self.name].at_least

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        DATA_SETS[name]
        return name


class PicturesConfig(ClassImagesConfig):
    """A folder of your own pictures, one sub-folder a class, all of them real.

    ``path`` is relative to the data folder (``--data-dir``); ``classes`` are the sub-folders to
    use, all of them if not given. Every picture becomes a square of ``image_size`` pixels, by
    ``fit`` where it is none of that size. Pictures of one group (``group_pattern``, identical or
    near-duplicate pixels) never stand on two sides of a split; the pattern has to fit
    ``group_pattern_share`` of each class's file names. ``calibration_fraction`` of the pictures are
    what thresholds are chosen by.
    """

    name: Literal["folder"]
    path: Annotated[str, Field(min_length=1)]
    classes: Annotated[Once[str], Field(min_length=2)] | None = None
    image_size: Side
    channels: Channels = 3
    fit: Fit | None = None
    test_fraction: OpenProbability = 0.15
    calibration_fraction: OpenProbability = 0.15
    group_pattern: Pattern | None = None
    group_pattern_share: Probability = PATTERN_SHARE
    near_duplicates: Annotated[int, Field(ge=0, le=16)] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Channels, and the side in pixels, of every image."""
        return self.channels, self.image_size

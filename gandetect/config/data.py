"""Which images a study is about, and how they are split."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from gandetect.config.section import OpenProbability, Section

Label = Literal["real", "generated", "ignored"]
Choice: TypeAlias = tuple[str | int, ...]  # classes by name or number
HeldOut: TypeAlias = str | Choice | tuple[Choice, ...]


class FashionMnistConfig(Section):
    """Fashion-MNIST: which classes nobody trains on, and how the rest is split.

    ``held_out`` is one choice of classes, or a sweep over several: a list of choices, or
    "sweep:3", which is as many choices of three as hold out every class (`gandetect.config.sweep`).

    With classes in ``selection`` the study chooses settings for another one: those classes stand
    for the held-out ones, a share of the training images for the in-distribution test, and no test
    image of the study without ``selection`` is looked at.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"selection"})

    name: Literal["fashion-mnist"] = "fashion-mnist"
    held_out: HeldOut = ("Sneaker", "Bag", "Ankle boot")
    test_fraction: OpenProbability = 0.1
    split_seed: Annotated[int, Field(ge=0)] = 0
    images: Annotated[int, Field(ge=100)] | None = None
    selection: Choice = ()

    @field_validator("held_out", mode="before")
    @classmethod
    def _a_choice_or_a_sweep(cls, given: Any) -> Any:
        if isinstance(given, str) and re.fullmatch(r"sweep:[1-9][0-9]*", given):
            return given
        if _is_choice(given):
            return given
        if isinstance(given, list | tuple) and all(_is_choice(one) for one in given):
            return given
        raise ValueError(
            f'{given!r} is neither a list of classes, such as ["Bag", 0], nor a sweep: a list of '
            'such lists, or "sweep:3" to hold out every class in groups of three (at least 1)'
        )


def _is_choice(given: Any) -> bool:
    return isinstance(given, list | tuple) and all(
        isinstance(one, str | int) and not isinstance(one, bool) for one in given
    )


class LabelledDataConfig(Section):
    """Labelled image files of one's own: what folders and tables have in common.

    ``path`` is the data set's folder, relative to the data folder (``--data-dir``). ``classes``
    says of every class whether it is real, generated or ignored. Classes in ``held_out`` are
    tested on and never trained on. Pictures of one group never stand on two sides of a split.
    """

    name: str
    path: str
    classes: Annotated[dict[str, Label], Field(min_length=2)]
    held_out: tuple[str, ...] = ()
    validation_fraction: OpenProbability = 0.1
    test_fraction: OpenProbability = 0.2
    split_seed: Annotated[int, Field(ge=0)] = 0
    images: Annotated[int, Field(ge=10)] | None = None
    group_pattern: str | None = None
    near_duplicates: Annotated[int, Field(ge=0, le=16)] | None = None
    fit: Literal["stretch", "pad", "crop"] = "stretch"
    folds: Annotated[int, Field(ge=2, le=50)] | None = None
    leak: Literal["augment-before-split"] | None = None
    unlabelled: str | None = None

    @field_validator("group_pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _both_labels(self) -> LabelledDataConfig:
        unknown = [name for name in self.held_out if name not in self.classes]
        if unknown:
            raise ValueError(
                f"held_out class {unknown[0]!r} is not in classes; those are: "
                f"{', '.join(self.classes)}"
            )
        trained = {label for name, label in self.classes.items() if name not in self.held_out}
        for label in ("real", "generated"):
            if label not in trained:
                raise ValueError(
                    f"no class to train on is {label!r}; classes must map at least one class to "
                    'real and one to generated, as in classes = { photos = "real", '
                    'fakes = "generated" }'
                )
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError(
                f"validation_fraction {self.validation_fraction} and test_fraction "
                f"{self.test_fraction} leave nothing to train on; their sum must be below 1"
            )
        return self


class SplitFolders(Section):
    """Names of the folders of a data set that comes split; each holds the class folders."""

    train: str
    validation: str | None = None
    test: str | None = None


class FolderDataConfig(LabelledDataConfig):
    """One sub-folder for each class, at the top or inside given split folders."""

    name: Literal["folder"]
    splits: SplitFolders | None = None


class CsvDataConfig(LabelledDataConfig):
    """A table with a column of image files and one of labels; images lie beside it.

    ``images_folder`` is where the image column's names start, relative to ``path``. The values of
    ``split_column``, where there is one, are train, validation (or val) and test.
    """

    name: Literal["csv"]
    table: str = "train.csv"
    images_folder: str = "."
    image_column: str = "image"
    label_column: str = "label"
    group_column: str | None = None
    split_column: str | None = None


DataConfig = FashionMnistConfig | FolderDataConfig | CsvDataConfig
DATA_TABLES: dict[str, type[Section]] = {
    "fashion-mnist": FashionMnistConfig,
    "folder": FolderDataConfig,
    "csv": CsvDataConfig,
}

"""Which images a study is about, and how they are split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gandetect.config.class_images import (
    PATTERN_SHARE,
    ClassImagesConfig,
    FashionMnistConfig,
    Fit,
    Pattern,
    PicturesConfig,
    SmallSetConfig,
    leave_something,
)
from gandetect.config.data_set import DATA_SETS
from gandetect.config.section import (
    ConfigSection,
    ImageCount,
    OpenProbability,
    Probability,
    SplitSeed,
    table_chosen,
)
from gandetect.errors import unknown_name

Label = Literal["real", "generated", "ignored"]


class LabelledDataConfig(ConfigSection):
    """Your own labelled image files: what folders and tables have in common.

    ``path`` is the data set's folder, relative to the data folder (``--data-dir``). ``classes``
    says of every class whether it is real, generated or ignored. Classes in ``held_out`` are
    tested on and never trained on: whole groups with any of them, or, with ``held_out_groups =
    "split"``, those of them whose group the split gives to the test side. Pictures of one group
    never stand on two sides of a split; ``group_pattern`` has to fit ``group_pattern_share`` of
    each class's file names. A picture that stands under both labels is refused unless
    ``allow_contradictions``.
    """

    name: str
    path: str
    classes: Annotated[dict[str, Label], Field(min_length=2)]
    held_out: tuple[str, ...] = ()
    held_out_groups: Literal["test", "split"] = "test"
    validation_fraction: OpenProbability = 0.1
    test_fraction: OpenProbability = 0.2
    split_seed: SplitSeed = 0
    max_images: Annotated[ImageCount, Field(ge=10)] | None = None
    group_pattern: Pattern | None = None
    group_pattern_share: Probability = PATTERN_SHARE
    near_duplicates: Annotated[int, Field(ge=0, le=16)] | None = None
    fit: Fit = "stretch"
    folds: Annotated[int, Field(ge=2, le=50)] | None = None
    leak: Literal["augment-before-split"] | None = None
    unlabelled: str | None = None
    allow_contradictions: bool = False

    @property
    def trained_fakes(self) -> list[str]:
        """Classes of fakes that may be trained on."""
        generated = (name for name, label in self.classes.items() if label == "generated")
        return [name for name in generated if name not in self.held_out]

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
        leave_something(
            validation_fraction=self.validation_fraction, test_fraction=self.test_fraction
        )
        return self


class SplitFolders(ConfigSection):
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


# The tables by name, but for those of `DATA_SETS`.
DATA_TABLES: dict[str, type[ClassImagesConfig | LabelledDataConfig]] = {
    "fashion-mnist": FashionMnistConfig,
    "folder": FolderDataConfig,
    "csv": CsvDataConfig,
}


def data_table(table: Mapping[str, Any]) -> type[ClassImagesConfig | LabelledDataConfig]:
    """The kind of a ``[data]`` table, by its name; `UsageError` for an unknown data set.

    A folder's pictures are all real, and for GANs, unless ``classes`` says of each class whether it
    is: then they are labelled, and bring their fakes.
    """
    name = table.get("name", "fashion-mnist")
    if not isinstance(name, str) or name not in (*DATA_TABLES, *DATA_SETS):
        raise unknown_name("data set", name, (*DATA_TABLES, *DATA_SETS))
    if name == "folder" and not isinstance(table.get("classes"), Mapping):
        return PicturesConfig
    return DATA_TABLES.get(name, SmallSetConfig)


DataConfig = Annotated[
    FashionMnistConfig | SmallSetConfig | PicturesConfig | FolderDataConfig | CsvDataConfig,
    table_chosen(data_table),
]

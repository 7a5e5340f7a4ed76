"""Images from elsewhere in an experiment file: what all kinds have in common, and which exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, SerializeAsAny, model_validator

from gandetect.config.class_images import Pattern, leave_something
from gandetect.config.section import ConfigSection, Name, OpenProbability, SplitSeed, table_chosen
from gandetect.errors import UsageError, shown
from gandetect.registry import Registry

SOURCES: Registry[type[SourceTable]] = Registry(
    "kind of source",
    {
        "files": "gandetect.sources.files:FileSource",
        "python": "gandetect.sources.python:PythonSource",
    },
    "gandetect.sources",
    lambda thing: isinstance(thing, type) and issubclass(thing, SourceTable),
)
KIND_OF_KEY = {"path": "files", "object": "python"}  # where a table does not say its kind


class SourceTable(ConfigSection):
    """One table of ``[[sources]]``: images that the study has not made, which detectors answer.

    A kind is a sub-class in a file of its own (`gandetect.sources.foreign.ForeignImages`), which
    adds the keys of its table and where its images come from.

    With ``train`` detectors may name it in ``fakes_from``. It is then split as labelled images are:
    images of one group never stand on two sides. Equal pixels are of one group, and those whose
    file names hold the same text (``group_pattern``), that lie in one sub-folder
    (``group_folders``), or whose hashes differ in at most ``near_duplicates`` bits.
    """

    kind: str
    name: Name
    label: Literal["generated", "real"]
    train: bool = False
    validation_fraction: OpenProbability = 0.1
    test_fraction: OpenProbability = 0.2
    split_seed: SplitSeed = 0
    group_pattern: Pattern | None = None
    group_folders: bool = False
    near_duplicates: Annotated[int, Field(ge=0, le=16)] | None = None

    @property
    def source(self) -> str:
        """As the scores name it."""
        return f"{self.label}:{self.name}"

    @model_validator(mode="before")
    @classmethod
    def _kind_by_its_key(cls, table: Any) -> Any:
        if not isinstance(table, Mapping):
            return table
        kinds = _kinds_of(table)
        return {"kind": kinds[0], **table} if kinds else table

    @model_validator(mode="after")
    def _something_to_learn(self) -> SourceTable:
        if self.train and self.label == "real":
            raise ValueError(
                f"source {self.name!r} has train = true, which is for generated images; real ones "
                "to train on come from [data]"
            )
        leave_something(
            validation_fraction=self.validation_fraction, test_fraction=self.test_fraction
        )
        return self


def _kinds_of(table: Mapping[str, Any]) -> list[str]:
    return [kind for key, kind in KIND_OF_KEY.items() if key in table]


def source_table(table: Mapping[str, Any]) -> type[SourceTable]:
    """The kind of a table of ``[[sources]]``; `UsageError` names those that there are."""
    if "kind" in table:
        return SOURCES[table["kind"]]
    kinds = _kinds_of(table)
    if len(kinds) != 1:
        raise UsageError(
            f"source {shown(table.get('name'))} has {'both' if kinds else 'neither'} path "
            f"{'and' if kinds else 'nor'} object; give the path of a folder or file of images, or "
            'the object that makes them, as in object = "package.module:function"'
        )
    return SOURCES[kinds[0]]


AnySourceTable = Annotated[SerializeAsAny[SourceTable], table_chosen(source_table)]

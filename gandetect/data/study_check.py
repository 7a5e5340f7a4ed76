"""Checks the files of a study as its experiment file names them: with labels, splits and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gandetect.config import CsvDataConfig, FolderDataConfig, PicturesConfig
from gandetect.data.class_folders import find_pictures
from gandetect.data.contradictions import contradictions
from gandetect.data.found import LeftOut
from gandetect.data.integrity import Finding, Integrity, Place, find_faults, in_order
from gandetect.data.labelled import find_labelled
from gandetect.data.patterns import pattern_fit
from gandetect.data.reading import Examined, Progress, examine_files
from gandetect.data.shortcuts import shortcuts, summary_by_class
from gandetect.errors import UsageError, shown

OwnFiles = FolderDataConfig | CsvDataConfig | PicturesConfig

REFUSED = "a study refuses this: "  # so begins a note on what a study would not start with


@dataclass(frozen=True)
class _Found:
    root: Path
    places: list[Place]
    labels: list[str]  # "" where all are real, as in a folder of pictures
    left_out: LeftOut
    groups: list[str]


def data_folder(config: object, data_dir: Path) -> Path:
    """The folder of a study's own files; `UsageError` for data sets by name."""
    if not isinstance(config, OwnFiles):
        raise UsageError(
            f"data of name = {shown(getattr(config, 'name', None))} are no files of your own; give "
            "a FOLDER, or an experiment file whose [data] has a path"
        )
    return data_dir / config.path


def check_study(
    config: OwnFiles,
    data_dir: Path,
    *,
    workers: int = 1,
    near: int | None = None,
    progress: Progress | None = None,
) -> Integrity:
    """Read every file that a study would use, and tell what is wrong with it.

    As `check_folder`, but classes, labels and splits are those of the experiment file, in folders
    and tables alike: a picture under both labels is a "contradictory labels". Raises `DataError`
    and `UsageError` as a study does where files, classes or columns are missing.
    """
    found = _find(config, data_dir)
    paths = [found.root / place.path for place in found.places]
    examined = examine_files(paths, hashes=near is not None, workers=workers, progress=progress)
    findings = find_faults(found.places, examined, near=near)
    classes = [place.class_name for place in found.places]
    return Integrity(
        len(paths),
        in_order([*_contradictory(found, examined, findings)]),
        found.left_out,
        summary_by_class(examined, classes),
        shortcuts(examined, classes, found.labels if any(found.labels) else None),
        tuple(_grouping_notes(config, found)),
    )


def _find(config: OwnFiles, data_dir: Path) -> _Found:
    if isinstance(config, PicturesConfig):
        pictures = find_pictures(config, data_dir)
        places = [Place(one.path, "", one.class_name) for one in pictures.files]
        none = [""] * len(places)
        return _Found(pictures.root, places, none, pictures.left_out, none)
    labelled = find_labelled(config, data_dir)
    table = labelled.table
    places = [
        Place(str(path), str(split), str(name))
        for path, split, name in zip(
            table["path"], table["given_split"], table["class_name"], strict=True
        )
    ]
    groups = table["group"].tolist()
    return _Found(labelled.root, places, table["label"].tolist(), labelled.left_out, groups)


def _contradictory(
    found: _Found, examined: Sequence[Examined], findings: Sequence[Finding]
) -> list[Finding]:
    """Findings, those of pictures under both labels said as such."""
    table = pd.DataFrame(
        [
            (place.path, label, str(one.pixels_sha256))
            for place, label, one in zip(found.places, found.labels, examined, strict=True)
            if one.error is None
        ],
        columns=["path", "label", "pixels_sha256"],
    )
    told = {}
    for one in contradictions(table):
        for path, label in one.items():
            other = next(path for path, its in one.items() if its != label)
            told[path] = f"is {label}, and {other}, with the same pixels, is {one[other]}"
    rest = [one for one in findings if one.path not in told or one.kind != "cross-class duplicate"]
    return [*rest, *(Finding("contradictory labels", path, why) for path, why in told.items())]


def _grouping_notes(config: OwnFiles, found: _Found) -> list[str]:
    notes = []
    if config.group_pattern is not None:
        paths = [place.path for place in found.places]
        fit = pattern_fit(paths, [place.class_name for place in found.places], config.group_pattern)
        try:
            fit.require(config.group_pattern_share)
            notes.append(fit.sentence())
        except UsageError as error:
            notes.append(f"{REFUSED}{error}")
    if isinstance(config, CsvDataConfig) and config.group_column is not None:
        told = sum(group != "" for group in found.groups)
        notes.append(
            f"column {shown(config.group_column)} says a group of {told:,} of "
            f"{len(found.groups):,} files"
        )
    return notes

"""Checks the files of a study as its experiment file names them: with labels, splits and groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from gandetect.config import CsvDataConfig, FolderDataConfig, PicturesConfig
from gandetect.data.class_folders import find_pictures
from gandetect.data.found import FoundFile, FoundFiles
from gandetect.data.integrity import Finding, Integrity, find_faults, in_order
from gandetect.data.labelled import find_labelled
from gandetect.data.overlap import contradictions
from gandetect.data.patterns import pattern_fit
from gandetect.data.reading import Examined, Progress, examine_files
from gandetect.data.shortcuts import shortcuts, summary_by_class
from gandetect.errors import UsageError, shown

OwnFiles = FolderDataConfig | CsvDataConfig | PicturesConfig

REFUSED = "a study refuses this: "  # so begins a note on what a study would not start with


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
    found, labels = _find(config, data_dir)
    paths = [found.root / file.path for file in found.files]
    examined = examine_files(paths, hashes=near is not None, workers=workers, progress=progress)
    findings = find_faults(found.files, examined, near=near)
    classes = [file.class_name for file in found.files]
    return Integrity(
        len(paths),
        in_order(_contradictory(found.files, labels, examined, findings)),
        found.left_out,
        summary_by_class(examined, classes),
        shortcuts(examined, classes, labels if any(labels) else None),
        tuple(_grouping_notes(config, found.files)),
    )


def _find(config: OwnFiles, data_dir: Path) -> tuple[FoundFiles, list[str]]:
    """The files, and the label of each: "" where all are real, as in a folder of pictures."""
    if isinstance(config, PicturesConfig):
        pictures = find_pictures(config, data_dir)
        return pictures, [""] * len(pictures.files)
    labelled = find_labelled(config, data_dir)
    columns = labelled.table[["path", "class_name", "group", "given_split"]]
    files = [FoundFile(*row) for row in columns.itertuples(index=False)]
    return FoundFiles(labelled.root, files, labelled.left_out), labelled.table["label"].tolist()


def _contradictory(
    files: Sequence[FoundFile],
    labels: Sequence[str],
    examined: Sequence[Examined],
    findings: Sequence[Finding],
) -> list[Finding]:
    """Findings, those of pictures under both labels said as such."""
    table = pd.DataFrame(
        [
            (file.path, label, str(one.pixels_sha256))
            for file, label, one in zip(files, labels, examined, strict=True)
            if one.error is None
        ],
        columns=["path", "label", "pixels_sha256"],
    )
    reasons = {}
    for one in contradictions(table):
        for path, label in one.items():
            other = next(path for path, its in one.items() if its != label)
            reasons[path] = f"is {label}, and {other}, with the same pixels, is {one[other]}"
    rest = [
        one for one in findings if one.path not in reasons or one.kind != "cross-class duplicate"
    ]
    return [*rest, *(Finding("contradictory labels", path, why) for path, why in reasons.items())]


def _grouping_notes(config: OwnFiles, files: Sequence[FoundFile]) -> Iterator[str]:
    if config.group_pattern is not None:
        paths, classes = ([file.path for file in files], [file.class_name for file in files])
        fit = pattern_fit(paths, classes, config.group_pattern)
        try:
            fit.require(config.group_pattern_share)
            yield fit.sentence()
        except UsageError as error:
            yield f"{REFUSED}{error}"
    if isinstance(config, CsvDataConfig) and config.group_column is not None:
        grouped = sum(file.group != "" for file in files)
        yield (
            f"column {shown(config.group_column)} says a group of {grouped:,} of {len(files):,} "
            "files"
        )

"""Checks the files of a study as its experiment file names them: with labels, splits and groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gandetect.config import CsvDataConfig, FolderDataConfig, PicturesConfig
from gandetect.data.class_folders import find_pictures
from gandetect.data.found import FoundFile, FoundFiles
from gandetect.data.integrity import Integrity, check_files
from gandetect.data.labelled import find_labelled
from gandetect.data.patterns import pattern_fit
from gandetect.data.reading import Progress
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
    """Read every file that a study would use, and report what is wrong with it.

    As `check_folder`, but classes, labels and splits are those of the experiment file, in folders
    and tables alike: a picture under both labels is a "contradictory labels". Raises `DataError`
    and `UsageError` as a study does where files, classes or columns are missing.
    """
    labels = None
    if isinstance(config, PicturesConfig):
        found_files = find_pictures(config, data_dir)
    else:
        labelled = find_labelled(config, data_dir)
        columns = labelled.table[["path", "class_name", "group", "given_split"]]
        files = [FoundFile(*row) for row in columns.itertuples(index=False)]
        found_files = FoundFiles(labelled.root, files, labelled.left_out)
        labels = config.classes
    return check_files(
        found_files.root,
        found_files.files,
        found_files.left_out,
        list(_grouping_notes(config, found_files.files)),
        labels=labels,
        workers=workers,
        near=near,
        progress=progress,
    )


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

"""What is wrong with a folder of images: damaged, misnamed and repeated files, and shortcuts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from gandetect.data.class_folders import layout_notes, split_folders
from gandetect.data.folders import Found, PassedOver, walk
from gandetect.data.found import FoundFile
from gandetect.data.groups import near_duplicate_pairs
from gandetect.data.images import no_images
from gandetect.data.patterns import pattern_fit
from gandetect.data.reading import Examined, Progress, examine_files
from gandetect.data.shortcuts import shortcuts, summary_by_class
from gandetect.data.signatures import SUFFIXES, SUFFIXES_OF
from gandetect.errors import DataError

# Of a picture on two sides the copy in the last of these stays, so that a test set stays whole.
SPLIT_ORDER = ("", "train", "validation", "test")
# In the order in which they are told. What is bad makes a check fail; the rest is a warning.
BAD = (
    "damaged",
    "empty",
    "not an image",
    "unsupported",
    "missing",
    "unreadable",
    "wrongly named",
    "contradictory labels",
    "cross-class duplicate",
    "cross-split duplicate",
)
WARNINGS = ("unusual name", "metadata", "duplicate", "near duplicate")
ExaminedFile = tuple[FoundFile, Examined]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one file: ``path`` is relative to the folder."""

    kind: str
    path: str
    reason: str

    @property
    def bad(self) -> bool:
        """Whether the file should not be trained on or tested with as it stands."""
        return self.kind in BAD


@dataclass(frozen=True)
class Integrity:
    """What a check found: findings, what was passed over, and how classes differ."""

    files: int
    findings: list[Finding]
    passed_over: list[dict[str, str]]
    summary: dict[str, Any]
    shortcuts: list[str]
    notes: tuple[str, ...] = ()  # what was taken for what, and how a group_pattern fits

    @property
    def bad(self) -> dict[str, str]:
        """Each bad file's path with all that is wrong with it."""
        reasons: dict[str, list[str]] = defaultdict(list)
        for finding in self.findings:
            if finding.kind in BAD:
                reasons[finding.path].append(f"{finding.kind}: {finding.reason}")
        return {path: "; ".join(given) for path, given in reasons.items()}

    @property
    def deletable(self) -> dict[str, str]:
        """Bad files, but for those that may be whole and only are not read here."""
        unread = {finding.path for finding in self.findings if finding.kind == "unsupported"}
        return {path: reason for path, reason in self.bad.items() if path not in unread}

    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        counted = Counter(finding.kind for finding in self.findings)
        return {kind: counted[kind] for kind in (*BAD, *WARNINGS) if counted[kind]}

    def facts(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        findings = [{**asdict(finding), "bad": finding.bad} for finding in self.findings]
        return {
            "files": self.files,
            "bad": len(self.bad),
            "counts": self.counts(),
            "findings": findings,
            "passed_over": self.passed_over,
            "notes": list(self.notes),
            **self.summary,
            "shortcuts": self.shortcuts,
        }


def check_folder(
    folder: Path,
    *,
    workers: int = 1,
    near: int | None = None,
    pattern: str | None = None,
    progress: Progress | None = None,
) -> Integrity:
    """Read every image file below a folder fully, and tell what is wrong with it.

    Classes are the sub-folders, or those of the split folders (`split_folders`). What is no image
    is passed over and named. ``near`` is the distance in bits up to which perceptual hashes make
    near duplicates; None looks for none. With a ``pattern``, as `group_pattern`, a note says how
    many file names of each class it fits. Raises `DataError` when there is no folder or no image
    file in it.
    """
    if not folder.is_dir():
        state = "is not a folder" if folder.exists() else "does not exist"
        raise DataError(f"{str(folder)!r} {state}; give the folder of a data set")
    passed = PassedOver()
    paths: list[PurePath] = []
    passed_over: list[dict[str, str]] = []
    for entry in walk(folder):
        path = entry.path.relative_to(folder)
        if entry.passed:
            passed.add(Found(path, entry.passed))
            passed_over.append({"path": path.as_posix(), "reason": entry.passed})
        else:
            paths.append(path)
    if not paths:
        raise DataError(no_images(folder, passed))
    files = files_of(sorted(paths))
    notes = layout_notes(paths)
    classed = [file for file in files if file.class_name]
    if pattern is not None and classed:
        names = [file.class_name for file in classed]
        notes.append(pattern_fit([file.path for file in classed], names, pattern).sentence())
    return check_files(
        folder, files, passed_over, notes, workers=workers, near=near, progress=progress
    )


def check_files(
    root: Path,
    files: Sequence[FoundFile],
    passed_over: list[dict[str, str]],
    notes: Sequence[str],
    *,
    labels: Mapping[str, str] | None = None,
    workers: int = 1,
    near: int | None = None,
    progress: Progress | None = None,
) -> Integrity:
    """Read files below a folder fully, and judge them; ``labels`` are those of classes."""
    paths = [root / file.path for file in files]
    examined = examine_files(paths, hashes=near is not None, workers=workers, progress=progress)
    classed = [(file, one) for file, one in zip(files, examined, strict=True) if file.class_name]
    names = [file.class_name for file, _ in classed]
    given = [labels[name] for name in names] if labels else None
    return Integrity(
        len(files),
        find_faults(files, examined, labels or {}, near=near),
        passed_over,
        summary_by_class(examined, [file.class_name for file in files]),
        shortcuts([one for _, one in classed], names, given),
        tuple(notes),
    )


def files_of(paths: Sequence[PurePath]) -> list[FoundFile]:
    """Tell split and class of each path, relative to the data set's folder; "" for none."""
    splits, files = split_folders(paths), []
    for path in paths:
        folders = [*path.parts[:-1], "", ""]
        split = splits.get(folders[0], "")
        files.append(FoundFile(path.as_posix(), folders[1 if split else 0], split=split))
    return files


def find_faults(
    files: Sequence[FoundFile],
    examined: Sequence[Examined],
    labels: Mapping[str, str],
    *,
    near: int | None = None,
) -> list[Finding]:
    """Judge examined files: findings in the order of their kinds, then of their paths.

    ``labels`` are those of classes, where these have any.
    """
    findings: list[Finding] = []
    pictures: dict[str, list[ExaminedFile]] = defaultdict(list)
    for file, one in zip(files, examined, strict=True):
        if one.error is not None:
            findings.append(Finding(str(one.kind), file.path, one.error))
            continue
        pictures[str(one.pixels_sha256)].append((file, one))
        findings += _wrong_name(file.path, str(one.format))
        if one.remark:
            reason = f"{one.remark}; this changes no pixel"
            findings.append(Finding("metadata", file.path, reason))
    for copies in pictures.values():
        findings += _contradictory(copies, labels) or _repeated(copies)
    if near is not None:
        findings += _nearly_repeated([copies[0] for copies in pictures.values()], near)
    order = {kind: number for number, kind in enumerate((*BAD, *WARNINGS))}
    return sorted(findings, key=lambda one: (order[one.kind], one.path))


def _wrong_name(path: str, form: str) -> Iterator[Finding]:
    fitting = SUFFIXES_OF.get(form, ())
    suffix = PurePath(path).suffix.lower()
    if suffix in fitting:
        return
    rename = f"; rename it to end in {fitting[0]}" if fitting else ""
    if suffix in SUFFIXES:
        yield Finding("wrongly named", path, f"holds {form}, not {suffix}{rename}")
    else:
        yield Finding("unusual name", path, f"holds {form}, which its name does not say{rename}")


def _contradictory(copies: Sequence[ExaminedFile], labels: Mapping[str, str]) -> list[Finding]:
    """Judge the files that hold one picture, to the pixel, where they have both labels."""
    given = {file.path: labels.get(file.class_name, "") for file, _ in copies}
    findings = []
    for path, label in given.items():
        for other in sorted(one for one, its in given.items() if its != label)[:1]:
            why = f"is {label}, and {other}, with the same pixels, is {given[other]}"
            findings.append(Finding("contradictory labels", path, why))
    return findings


def _repeated(copies: Sequence[ExaminedFile]) -> Iterator[Finding]:
    """Judge the files that hold one picture, to the pixel."""

    def same(file: FoundFile, other: FoundFile) -> str:
        what = "bytes" if bytes_of[file.path] == bytes_of[other.path] else "pixels"
        return f"has the same {what} as {other.path}"

    files, bytes_of = [file for file, _ in copies], {file.path: one.sha256 for file, one in copies}
    classed = [file for file in files if file.class_name]
    if len({file.class_name for file in classed}) > 1:  # and nobody knows which is right
        for file in classed:
            other = next(one for one in classed if one.class_name != file.class_name)
            reason = f"{same(file, other)}, of class {other.class_name!r}"
            yield Finding("cross-class duplicate", file.path, reason)
        return
    original = max(files, key=lambda file: SPLIT_ORDER.index(file.split))
    for file in files:
        if file is not original:
            kind = "duplicate" if file.split == original.split else "cross-split duplicate"
            yield Finding(kind, file.path, same(file, original))


def _nearly_repeated(pictures: Sequence[ExaminedFile], distance: int) -> Iterator[Finding]:
    """Tell of each picture that looks like an earlier one, that earlier one."""
    hashes = np.array([one.phash for _, one in pictures], dtype=np.uint64)
    first: dict[int, int] = {}
    for earlier, later in near_duplicate_pairs(hashes, distance):
        first[later] = min(earlier, first.get(later, earlier))
    for later, earlier in sorted(first.items()):
        file, other = pictures[later][0], pictures[earlier][0]
        bits = (int(hashes[later]) ^ int(hashes[earlier])).bit_count()
        differ = [("class", file.class_name, other.class_name), ("split", file.split, other.split)]
        where = [f"{kind} {its or 'none'!r}" for kind, ours, its in differ if ours != its]
        across = f", of {' and '.join(where)}" if where else ""
        reason = f"looks like {other.path} ({bits} bits){across}"
        yield Finding("near duplicate", file.path, reason)

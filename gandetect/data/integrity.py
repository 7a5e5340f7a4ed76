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
from gandetect.data.groups import near_duplicate_pairs
from gandetect.data.images import SUFFIXES, no_images
from gandetect.data.patterns import pattern_fit
from gandetect.data.reading import Examined, Progress, examine_files
from gandetect.data.shortcuts import shortcuts, summary_by_class
from gandetect.errors import DataError

__all__ = ["Finding", "Integrity", "check_folder", "find_faults", "shortcuts", "summary_by_class"]
# Of a picture on two sides the copy in the last of these stays, so that a test set stays whole.
SPLIT_ORDER = ("", "train", "validation", "test")
_JPEG = {".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".mpo"}
SUFFIXES_OF = {
    "PNG": {".png", ".apng"},
    "JPEG": _JPEG,
    "MPO": _JPEG,  # JPEG with further pictures, as cameras write it
    "WEBP": {".webp"},
    "GIF": {".gif"},
    "BMP": {".bmp", ".dib"},
    "DIB": {".dib", ".bmp"},
    "TIFF": {".tif", ".tiff"},
    "PPM": {".ppm", ".pgm", ".pbm", ".pnm"},
    "AVIF": {".avif"},
    "JPEG2000": {".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"},
}
USUAL = {"PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "GIF": ".gif",
         "BMP": ".bmp", "DIB": ".dib", "TIFF": ".tif", "PPM": ".ppm", "AVIF": ".avif",
         "JPEG2000": ".jp2"}  # fmt: skip
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
class Place:
    """Where a file stands in a data set: its path, split folder ("" for none) and class."""

    path: str
    split: str
    class_name: str


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
        reasons: dict[str, str] = {}
        for one in self.findings:
            if one.bad:
                said = f"{one.kind}: {one.reason}"
                reasons[one.path] = f"{reasons[one.path]}; {said}" if one.path in reasons else said
        return reasons

    @property
    def deletable(self) -> dict[str, str]:
        """Bad files, but for those that may be whole and only are not read here."""
        unread = {one.path for one in self.findings if one.kind == "unsupported"}
        return {path: said for path, said in self.bad.items() if path not in unread}

    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        counted = Counter(one.kind for one in self.findings)
        return {kind: counted[kind] for kind in (*BAD, *WARNINGS) if counted[kind]}

    def facts(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        findings = [{**asdict(one), "bad": one.bad} for one in self.findings]
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
    is told of. ``near`` is
    the distance in bits up to which perceptual hashes make near duplicates; None looks for none.
    With a ``pattern``, as `group_pattern`, a note says how many file names of each class it fits.
    Raises `DataError` when there is no folder or no image file in it.
    """
    if not folder.is_dir():
        state = "is not a folder" if folder.exists() else "does not exist"
        raise DataError(f"{str(folder)!r} {state}; give the folder of a data set")
    paths, passed_over = _listed(folder)
    if not paths:
        others = PassedOver()
        for one in passed_over:
            others.add(Found(Path(one["path"]), one["reason"]))
        raise DataError(no_images(folder, others))
    examined = examine_files(
        [folder / path for path in paths],
        hashes=near is not None,
        workers=workers,
        progress=progress,
    )
    places = places_of(paths)
    classes = [place.class_name for place in places]
    classed = [one for one, name in zip(examined, classes, strict=True) if name]
    return Integrity(
        len(paths),
        find_faults(places, examined, near=near),
        passed_over,
        summary_by_class(examined, classes),
        shortcuts(classed, [name for name in classes if name]),
        (*layout_notes(paths), *_pattern_notes(places, pattern)),
    )


def places_of(paths: Sequence[PurePath]) -> list[Place]:
    """Tell split and class from each path, relative to the data set's folder."""
    splits = split_folders(paths)
    return [_place(path, splits) for path in paths]


def find_faults(
    places: Sequence[Place], examined: Sequence[Examined], *, near: int | None = None
) -> list[Finding]:
    """Judge examined files: findings in the order of their kinds, then of their paths."""
    intact = [
        (place, one) for place, one in zip(places, examined, strict=True) if one.error is None
    ]
    findings = [
        Finding(str(one.kind), place.path, one.error)
        for place, one in zip(places, examined, strict=True)
        if one.error is not None
    ]
    findings += [fault for place, one in intact for fault in _wrong_name(place, one)]
    findings += [
        Finding("metadata", place.path, f"{one.remark}; this changes no pixel")
        for place, one in intact
        if one.remark
    ]
    groups: dict[str, list[tuple[Place, Examined]]] = defaultdict(list)
    for place, one in intact:
        groups[str(one.pixels_sha256)].append((place, one))
    for group in groups.values():
        if len(group) > 1:
            findings += _repeated(group)
    if near is not None:
        findings += _nearly_repeated([group[0] for group in groups.values()], near)
    return in_order(findings)


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Findings in the order of their kinds, then of their paths."""
    order = {kind: number for number, kind in enumerate((*BAD, *WARNINGS))}
    return sorted(findings, key=lambda one: (order[one.kind], one.path))


def _listed(folder: Path) -> tuple[list[PurePath], list[dict[str, str]]]:
    """List image files, sorted, relative to the folder; and what is passed over, and why."""
    images: list[PurePath] = []
    passed_over: list[dict[str, str]] = []
    for found in walk(folder):
        path = found.path.relative_to(folder)
        if found.passed:
            passed_over.append({"path": path.as_posix(), "reason": found.passed})
        else:
            images.append(path)
    return sorted(images), passed_over


def _pattern_notes(places: Sequence[Place], pattern: str | None) -> Iterator[str]:
    classed = [place for place in places if place.class_name]
    if pattern is not None and classed:
        names = [place.class_name for place in classed]
        yield pattern_fit([place.path for place in classed], names, pattern).sentence()


def _place(path: PurePath, splits: Mapping[str, str]) -> Place:
    folders = path.parts[:-1]
    split = splits.get(folders[0], "") if folders else ""
    inner = folders[1:] if split else folders
    return Place(path.as_posix(), split, inner[0] if inner else "")


def _wrong_name(place: Place, one: Examined) -> Iterator[Finding]:
    fitting = SUFFIXES_OF.get(str(one.format), set())
    suffix = PurePath(place.path).suffix.lower()
    if suffix in fitting:
        return
    rename = f"; rename it to end in {USUAL[str(one.format)]}" if one.format in USUAL else ""
    if suffix in SUFFIXES:
        yield Finding("wrongly named", place.path, f"holds {one.format}, not {suffix}{rename}")
    else:
        reason = f"holds {one.format}, which its name does not say{rename}"
        yield Finding("unusual name", place.path, reason)


def _repeated(group: Sequence[tuple[Place, Examined]]) -> Iterator[Finding]:
    """Judge the files that hold one picture, to the pixel."""
    places = [place for place, _ in group]
    bytes_of = {place.path: one.sha256 for place, one in group}
    classed = [place for place in places if place.class_name]
    if len({place.class_name for place in classed}) > 1:  # and nobody knows which is right
        for place in classed:
            other = next(one for one in classed if one.class_name != place.class_name)
            reason = f"{_same(place, other, bytes_of)}, of class {other.class_name!r}"
            yield Finding("cross-class duplicate", place.path, reason)
        return
    kept = max(places, key=lambda place: SPLIT_ORDER.index(place.split))
    for place in places:
        if place is kept:
            continue
        crosses = place.split != kept.split
        kind = "cross-split duplicate" if crosses else "duplicate"
        yield Finding(kind, place.path, _same(place, kept, bytes_of))


def _same(place: Place, other: Place, bytes_of: Mapping[str, str | None]) -> str:
    what = "bytes" if bytes_of[place.path] == bytes_of[other.path] else "pixels"
    return f"has the same {what} as {other.path}"


def _nearly_repeated(
    pictures: Sequence[tuple[Place, Examined]], distance: int
) -> Iterator[Finding]:
    """Tell of each picture that looks like an earlier one, that earlier one."""
    hashes = np.array([one.phash for _, one in pictures], dtype=np.uint64)
    first: dict[int, int] = {}
    for pair in near_duplicate_pairs(hashes, distance):
        earlier, later = sorted(pair)
        first[later] = min(earlier, first.get(later, earlier))
    for later, earlier in sorted(first.items()):
        place, other = pictures[later][0], pictures[earlier][0]
        bits = (int(hashes[later]) ^ int(hashes[earlier])).bit_count()
        where = [
            f"{kind} {its or 'none'!r}"
            for kind, ours, its in (
                ("class", place.class_name, other.class_name),
                ("split", place.split, other.split),
            )
            if ours != its
        ]
        across = f", of {' and '.join(where)}" if where else ""
        yield Finding(
            "near duplicate", place.path, f"looks like {other.path} ({bits} bits){across}"
        )

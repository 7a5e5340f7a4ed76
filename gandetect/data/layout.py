"""Which folders of a data set are splits, and which are classes that are only called so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from gandetect.data.found import SPLIT_WORDS
from gandetect.errors import listed


def split_folders(paths: Sequence[PurePath]) -> dict[str, str]:
    """The split of each top folder of image files, where these are splits; else none.

    A folder called train, val or test is a split only where the structure says so: every folder
    beside it is named for a split of its own, and all hold the same class folders (a test folder
    may hold images alone, without labels). Any other folder of such a name is a class.

    >>> paths = [PurePath(one) for one in ("train/cat/1.png", "test/cat/2.png")]
    >>> split_folders(paths), split_folders([*paths, PurePath("horse/3.png")])
    ({'train': 'train', 'test': 'test'}, {})
    """
    inside = _class_folders(paths)
    splits = {name: SPLIT_WORDS[name.lower()] for name in inside if name.lower() in SPLIT_WORDS}
    distinct = len(set(splits.values())) == len(splits) == len(inside)
    labelled = [
        classes for name, classes in inside.items() if classes or splits.get(name) != "test"
    ]
    same = len({frozenset(classes) for classes in labelled}) == 1 and all(labelled)
    return splits if distinct and same else {}


def layout_notes(paths: Sequence[PurePath]) -> list[str]:
    """One sentence where a folder could be taken for a split: what was decided, and why."""
    inside = _class_folders(paths)
    named = sorted(name for name in inside if name.lower() in SPLIT_WORDS)
    if not named:
        return []
    if split_folders(paths):
        classes = sorted(set().union(*inside.values()))
        flat = [name for name in named if not inside[name]]
        but = f", but for {listed(flat)}, which holds images without labels" if flat else ""
        said = f"taken for splits, as each holds the classes {listed(classes)}{but}"
        return [f"{listed(named)}: {said}"]
    return [f"{listed(named)}: taken for classes, not for splits, as {_why_not(inside)}"]


def _why_not(inside: Mapping[str, set[str]]) -> str:
    others = sorted(name for name in inside if name.lower() not in SPLIT_WORDS)
    if others:
        return f"beside stand other folders ({listed(others, most=3)})"
    flat = sorted(name for name, classes in inside.items() if not classes)
    if flat:
        return f"{listed(flat)} holds no class folders"
    words = [SPLIT_WORDS[name.lower()] for name in inside]
    if len(set(words)) < len(words):
        return "two of them would be the same split"
    return "they do not hold the same class folders"


def _class_folders(paths: Sequence[PurePath]) -> dict[str, set[str]]:
    """The folders with images in each top folder; files that lie in it alone make none."""
    inside: dict[str, set[str]] = {}
    for path in paths:
        if len(path.parts) > 1:
            inside.setdefault(path.parts[0], set()).update(path.parts[1:-1][:1])
    return inside

"""What a folder holds: pictures, known by their first bytes, and what is passed over and why.

Every file of a folder is yielded, as a picture or with the reason why it is none: nothing is
passed over in silence. Links to folders are followed, each folder once.
"""

from __future__ import annotations

import os
import stat
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gandetect.data.signatures import START, SUFFIXES, picture_format

NO_PICTURE = "is no picture"
HIDDEN = "is hidden"
CYCLE = "is a link that leads back to a folder it stands in, and is not followed"
AGAIN = "leads to a folder that is read already"
DENIED = "is a folder that cannot be listed: permission denied"
NAMED = 5  # in a sentence
KINDS = 1000  # of suffixes and names that are told apart: of more, memory is spared
_OTHERS = "/"  # no suffix and no name
_CLUTTER = "__MACOSX"  # what macOS packs beside a folder's own files
Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A file, or a folder that is not looked into; ``passed`` says why it is passed over.

    Without ``passed`` it is a picture by its name or first bytes, or cannot be opened: whoever
    reads it, tells.
    """

    path: Path
    passed: str = ""


class PassedOver:
    """What was passed over, counted for a few sentences, in constant memory."""

    def __init__(self) -> None:
        self.files: Counter[str] = Counter()  # that are no pictures, by suffix
        self.hidden: Counter[str] = Counter()
        self.others: list[str] = []
        self._more = 0

    def add(self, entry: Found) -> None:
        """Count a file or folder that was passed over."""
        if entry.passed == NO_PICTURE:
            _count(self.files, entry.path.suffix.lower() or "no suffix")
        elif entry.passed == HIDDEN:
            _count(self.hidden, entry.path.name)
        elif len(self.others) < 4 * NAMED:
            self.others.append(f"{str(entry.path)!r} {entry.passed}")
        else:
            self._more += 1

    def sentences(self) -> list[str]:
        """Say what was passed over and why; nothing for nothing."""
        more = [f"{self._more:,} more links or folders are passed over"] if self._more else []
        return [
            *_most(self.files, "file is no picture", "files are no pictures"),
            *_most(self.hidden, "hidden file or folder is passed over",
                   "hidden files or folders are passed over"),
            *self.others,
            *more,
        ]  # fmt: skip


def _count(counts: Counter[str], name: str) -> None:
    counts[name if name in counts or len(counts) < KINDS else _OTHERS] += 1


def _most(counts: Counter[str], one: str, several: str) -> Iterator[str]:
    """Yield how many there are, and the commonest kinds; nothing for none."""
    known = Counter({name: count for name, count in counts.items() if name != _OTHERS})
    most = known.most_common(NAMED)
    kinds = [f"{name} {count:,}" if count > 1 else name for name, count in most]
    if rest := counts.total() - sum(count for _, count in most):
        kinds.append(f"others {rest:,}")
    if count := counts.total():
        yield f"{count:,} {one if count == 1 else several}: {', '.join(kinds)}"


def walk(folder: Path) -> Iterator[Found]:
    """Yield all files of a folder, sorted, folder by folder; then those of linked folders.

    A folder is read once, however many links lead to it, and never through a link that leads back
    to where it stands. A folder that may not be listed is yielded with `DENIED`, at the end.
    """
    seen: set[Identity] = set()
    links: deque[Path] = deque()
    denied: list[str] = []
    yield from _tree(folder, seen, links, denied)
    while links:
        link = links.popleft()
        target = link.resolve()
        if link.parent.resolve().is_relative_to(target) or folder.resolve().is_relative_to(target):
            yield Found(link, CYCLE)
        else:
            yield from _tree(link, seen, links, denied)
    yield from (Found(Path(name), DENIED) for name in denied)


def found_file(path: Path) -> Found:
    """One file as `walk` would yield it."""
    return Found(path, HIDDEN if _is_hidden(path.name) else _why_passed(path))


def behind_a_link(folder: Path, path: str) -> bool:
    """Whether a path, relative to a folder, leads through a link to a folder."""
    inside = Path(path).parents
    return any((folder / parent).is_symlink() for parent in inside if parent != Path())


def _tree(top: Path, seen: set[Identity], links: deque[Path], denied: list[str]) -> Iterator[Found]:
    """One folder with those below it; links to folders are noted for later."""
    for parent, folders, names in os.walk(top, onerror=lambda e: denied.append(e.filename)):
        if not _is_new(parent, seen):
            folders.clear()
            yield Found(Path(parent), AGAIN)
            continue
        folders.sort()
        for name in list(folders):
            path = Path(parent, name)
            if _is_hidden(name):
                yield Found(path, HIDDEN)
            elif path.is_symlink():
                links.append(path)
            else:
                continue
            folders.remove(name)
        for name in sorted(names):
            yield found_file(Path(parent, name))


def _is_new(folder: str, seen: set[Identity]) -> bool:
    try:
        facts = os.stat(folder)  # noqa: PTH116 - twice as fast, for many folders
    except OSError:
        return True
    identity = facts.st_dev, facts.st_ino
    new = identity not in seen
    seen.add(identity)
    return new


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == _CLUTTER


def _why_passed(path: Path) -> str:
    # A known name costs no opening of the file; its decoder says whether the name is right.
    if path.suffix.lower() in SUFFIXES:
        return ""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is not a regular file"
        with path.open("rb", buffering=0) as file:
            return "" if picture_format(file.read(START)) else NO_PICTURE
    except OSError:
        if path.is_symlink() and not os.path.exists(path):  # noqa: PTH110 (loops raise there)
            return "is a link that leads to nothing"
        return ""

"""Writes a commented experiment file for a folder of pictures, from a look at what it holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from gandetect.config import parse_experiment
from gandetect.config.toml import parse_toml
from gandetect.data.class_folders import class_folders, split_folders
from gandetect.data.folders import walk
from gandetect.data.integrity import Integrity, check_folder
from gandetect.data.reading import Progress
from gandetect.errors import DataError, UsageError, listed, require_known

TEMPLATE = Path(__file__).with_name("experiment.toml.j2")
SIDES = (28, 32, 64, 128)  # which all generators can make
LARGEST_GUESS = 64  # a larger side is slow without a GPU: it has to be said
SPLITS = ("train", "validation", "test")
LABELS = ("real", "generated", "ignored")
# Words in names of classes of generated images.
GENERATED = re.compile(
    r"(^|[^a-z])(fakes?|generated|synthetic|edited|forged|ai|gan|gans|dalle|midjourney|diffusion)"
    r"([^a-z]|$)|gan$"
)


@dataclass(frozen=True)
class Look:
    """What a folder holds: classes in order, splits by our names, and how pictures are."""

    folder: Path
    integrity: Integrity
    classes: tuple[str, ...]
    splits: Mapping[str, str]
    image_size: int
    channels: int
    alike: bool  # all pictures are squares of `image_size`

    def guessed_labels(self) -> dict[str, str]:
        """Generated where a class's name says so, else real."""
        return {
            name: "generated" if GENERATED.search(name.lower()) else "real" for name in self.classes
        }


@dataclass(frozen=True)
class Answers:
    """What a look cannot know; ``guessed`` where nobody was asked."""

    labels: Mapping[str, str]
    held_out: Sequence[str] = ()
    image_size: int | None = None
    channels: int | None = None
    group_pattern: str | None = None
    guessed: bool = field(default=False)

    @property
    def for_gans(self) -> bool:
        """Whether all images are real, so that GANs have to make the fakes."""
        return "generated" not in self.labels.values()


def look_at(folder: Path, workers: int = 1, progress: Progress | None = None) -> Look:
    """Read every file of a folder; `DataError` where it has fewer than two classes."""
    integrity = check_folder(folder, workers=workers, progress=progress)
    paths = [one.path.relative_to(folder) for one in walk(folder) if not one.passed]
    named = {split: name for name, split in split_folders(paths).items()}
    splits = {  # a test folder may hold images without labels
        split: named[split]
        for split in SPLITS
        if split in named and class_folders(folder / named[split])
    }
    sizes = integrity.summary["sizes"]
    classes = tuple(name for name in sizes if name)
    if len(classes) < 2:
        raise DataError(
            f"{str(folder)!r} has {len(classes)} sub-folder(s) of intact images; give a folder "
            "with one for each class, at least two"
        )
    shorter = sorted(min(one["median"]) for name, one in sizes.items() if name)
    most = min(shorter[len(shorter) // 2], LARGEST_GUESS)
    side = max((one for one in SIDES if one <= most), default=SIDES[0])
    alike = all(one["smallest"] == one["largest"] == [side, side] for one in sizes.values())
    modes = Counter[str]()
    for counts in integrity.summary["modes"].values():
        modes.update(counts)
    grey = all(mode in ("1", "L", "LA") or mode.startswith("I") for mode in modes)
    return Look(folder, integrity, classes, splits, side, 1 if grey else 3, alike)


def write_experiment(name: str, look: Look, answers: Answers, data_dir: Path) -> str:
    """The text of an experiment file; `UsageError` where the answers make no study."""
    _check(look, answers)
    text = _render(name, look, answers, data_dir)
    parse_experiment(parse_toml(text), name)
    return text


def _check(look: Look, answers: Answers) -> None:
    require_known("class", (*answers.labels, *answers.held_out), look.classes)
    kept = [name for name, label in answers.labels.items() if label != "ignored"]
    trained = [name for name in kept if name not in answers.held_out]
    if answers.for_gans and not (answers.held_out and trained):
        raise UsageError(
            f"of the classes {listed(kept)} at least one has to be trained on and one held out, "
            f"and held out are: {listed([*answers.held_out])}; give --held-out CLASS"
        )


def _render(name: str, look: Look, answers: Answers, data_dir: Path) -> str:
    side = answers.image_size or look.image_size
    kept = [one for one in look.classes if answers.labels[one] != "ignored"]
    inside = look.splits.get("train") if answers.for_gans else None
    counts = look.integrity.summary["formats"]
    tested = sum(sum(counts[one].values()) for one in kept) * 15 // 100
    known: dict[str, Any] = {
        "name": name,
        "folder": look.folder.name,
        "files": look.integrity.files,
        "bad": len(look.integrity.bad),
        "sizes": _sizes(look),
        "notes": [*look.integrity.notes, *look.integrity.shortcuts],
        "path": _path(look.folder / inside if inside else look.folder, data_dir),
        "classes": kept,
        "labels": {} if answers.for_gans else answers.labels,
        "splits": look.splits,
        "held_out": list(answers.held_out),
        "guessed": answers.guessed,
        "image_size": side,
        "channels": answers.channels or look.channels,
        "fit": None if look.alike and side == look.image_size else "crop",
        "pattern": answers.group_pattern,
        "fakes": min(max(tested, 200), 4000),
    }
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_one_line
    )
    environment.filters["tojson"] = _toml_string
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(known) + "\n"


def _sizes(look: Look) -> str:
    sizes = look.integrity.summary["sizes"]
    medians = dict.fromkeys("x".join(map(str, one["median"])) for one in sizes.values())
    return f"{listed([*medians], 4)} pixels (medians of classes)"


def _path(folder: Path, data_dir: Path) -> str:
    """The folder as experiment files name it: below the data folder where it lies there."""
    whole, root = folder.resolve(), data_dir.resolve()
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else whole.as_posix()


def _toml_string(value: Any) -> str:
    """A string, or a list of strings, as TOML writes it."""
    if not isinstance(value, str):
        return f"[{', '.join(map(_toml_string, value))}]"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _one_line(value: Any) -> Any:
    """No name of a file breaks out of a comment."""
    if not isinstance(value, str):
        return value
    return "".join(c if c.isprintable() else " " for c in value)

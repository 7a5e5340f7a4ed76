"""The runs that are compared: their files, what they are called, and what forbids comparing."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gandetect.analyses.compare.numbers import side_by_side
from gandetect.analyses.evaluate import SCHEMA
from gandetect.errors import RunError, UsageError
from gandetect.report.facts import StudyFacts, load_facts
from gandetect.report.prose import Prose
from gandetect.report.words import percent
from gandetect.runs import read_json
from gandetect.statistics.scores import Metrics

LONGEST = 48  # characters of a label
NO_TEXT = ("Cc", "Cf", "Cs")  # characters that control, format, or are no UTF-8
# What of the data's table does not change which images are tested on.
NOT_THE_IMAGES = {"name", "path", "held_out", "unlabelled", "folds"}

say = Prose(__file__)


@dataclass(frozen=True)
class Run:
    """What is compared of one run folder."""

    label: str
    folder: str  # its name, not where it lies
    facts: StudyFacts
    metrics: Metrics
    manifest: Mapping[str, Any]
    data: Mapping[str, Any]

    @property
    def labelled(self) -> bool:
        """Whether its images brought their own fakes."""
        return self.facts.labelled

    @property
    def held_out(self) -> list[str]:
        """Names of the classes that nobody trained on."""
        given = self.data.get("held_out")
        names = given if isinstance(given, list) else self.facts.data.get("held_out", [])
        return sorted(map(str, names))

    @property
    def overlap(self) -> Mapping[str, Any]:
        """Which test images also stand in another split, and what was done about it."""
        return self.metrics.get("overlap") or {}

    @property
    def shortcuts(self) -> bool:
        """Whether trivial numbers alone tell its fakes."""
        return any(row.get("warning") for row in self.metrics.get("audit") or [])

    def digest_of(self, name: str) -> str | None:
        """A digest of the manifest; None where it is not known."""
        digests = self.manifest.get("digests")
        return digests.get(name) if isinstance(digests, Mapping) else None


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Read `study.json`, `metrics.json` and, where they are, `manifest.json` and `data.json`.

    Raises `UsageError` for fewer than two folders, one given twice, or one that joins variants;
    `RunError` for a folder that is no run, or whose metrics are missing, damaged or of another
    version.
    """
    places = [folder.resolve() for folder in folders]
    if len(folders) < 2:
        raise UsageError(
            f"{len(folders)} run folder was given, and one cannot be compared; give two or more, "
            "the one to compare with first"
        )
    for folder, place in zip(folders, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"run folder {str(folder)!r} is given twice; give each run once")
        if (folder / "variants.json").is_file():
            raise UsageError(
                f"{str(folder)!r} joins several runs; give run folders of its variants, below "
                f"{str(folder / 'variants')!r}"
            )
    studies = [load_facts(folder) for folder in folders]
    names = [printable(place.name) for place in places]
    labels = labels_of([study.name for study in studies], names)
    metrics = [_read_metrics(folder) for folder in folders]
    manifests = [_read_facts(folder / "manifest.json") for folder in folders]
    data = [_read_facts(folder / "data.json") for folder in folders]
    return [*map(Run, labels, names, studies, metrics, manifests, data)]


def printable(name: str) -> str:
    """A folder's name without what turns the text around it, or is no text at all.

    >>> printable("runs\u202e of mine")
    'runs� of mine'
    """
    return "".join("\ufffd" if unicodedata.category(one) in NO_TEXT else one for one in name)


def labels_of(names: Sequence[str], folders: Sequence[str]) -> list[str]:
    """Tell runs apart: by name, else by folder, else by number; long labels are cut short.

    >>> labels_of(["quick", "quick", "long"], ["quick-1", "quick-2", "long-1"])
    ['quick-1', 'quick-2', 'long']
    >>> labels_of(["quick", "quick"], ["run", "run"])
    ['run (1)', 'run (2)']
    """
    short = [[one if len(one) <= LONGEST else f"{one[: LONGEST - 1]}…" for one in these]
             for these in (names, folders)]  # fmt: skip
    labels = [name if short[0].count(name) == 1 else folder
              for name, folder in zip(*short, strict=True)]  # fmt: skip
    if len(set(labels)) == len(labels):
        return labels
    return [f"{label} ({number})" for number, label in enumerate(labels, start=1)]


def obstacles(runs: Sequence[Run]) -> list[str]:
    """Why figures of these runs must not be laid side by side, a sentence each; none is best."""
    data_sets = _each(runs, lambda run: run.facts.data["name"])
    digests = {run.digest_of("data") for run in runs}
    differences = [
        say.differing("are about other data sets", data_sets),
        say.differing("hold out other classes", _each(runs, lambda run: ", ".join(run.held_out))),
        # With other data sets little else would be the same.
        say.split_otherwise([] if data_sets else _split_otherwise(runs)),
        say.differing("read other image files (digest of the data)",
                      _each(runs, lambda run: str(run.data.get("digest") or "")[:12] or None)),
        say.differing("leave out other test images, as they also stand in another split",
                      _each(runs, lambda run: f"{len(_twins(run))} images", _twins)),
    ]  # fmt: skip
    if not any(differences) and (len(digests) > 1 or None in digests):
        differences = [say.other_splits()]
    if any(differences):
        differences.append(say.other_images())
    rates = _each(runs, lambda run: percent(run.facts.rule.fpr))
    return [one for one in (*differences, say.other_rates(rates)) if one]


def _each(
    runs: Sequence[Run],
    shown: Callable[[Run], str | None],
    value: Callable[[Run], Hashable] | None = None,
) -> dict[str, str | None]:
    """What each run has, by label, where they do not agree; nothing where they do."""
    differ = len({(value or shown)(run) for run in runs} - {None}) > 1
    return {run.label: shown(run) for run in runs} if differ else {}


def _split_otherwise(runs: Sequence[Run]) -> list[str]:
    first, *others = (run.facts.data for run in runs)
    return [f"data.{key}" for key in first if key not in NOT_THE_IMAGES
            and any(table.get(key) != first[key] for table in others)]  # fmt: skip


def _twins(run: Run) -> tuple[tuple[str, int], ...]:
    images = run.overlap.get("images", []) if run.overlap.get("policy") == "exclude" else []
    return tuple(sorted((str(split), int(index)) for split, index in images))


def _read_metrics(folder: Path) -> Metrics:
    path = folder / "metrics.json"
    command = f"run `gandetect report {shlex.quote(str(folder))}` first"
    if not path.exists():
        raise RunError(f"{str(folder)!r} has no metrics.json to compare; {command}")
    metrics = read_json(path)
    if not isinstance(metrics, dict) or metrics.get("schema") != SCHEMA:
        raise RunError(f"{str(path)!r} was written by another version of gandetect; {command}")
    try:
        side_by_side({"": metrics})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RunError(f"{str(path)!r} is damaged; {command}") from None
    return metrics


def _read_facts(path: Path) -> Mapping[str, Any]:
    """A file that only explains: where it is missing, less is said."""
    facts = read_json(path) if path.exists() else {}
    if not isinstance(facts, dict):
        raise RunError(f"{str(path)!r} is damaged: it is no JSON object; run the study again")
    return facts

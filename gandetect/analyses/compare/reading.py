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
from gandetect.config import Experiment, LabelledDataConfig
from gandetect.errors import RunError, UsageError
from gandetect.report.words import listing, percent
from gandetect.runs import load_study, read_json
from gandetect.statistics.scores import Metrics

LONGEST = 48  # characters of a label
NO_TEXT = ("Cc", "Cf", "Cs")  # characters that control, format, or are no UTF-8
# What of the data's table does not change which images are tested on.
NOT_THE_IMAGES = {"name", "path", "held_out", "unlabelled", "folds"}


@dataclass(frozen=True)
class Run:
    """What is compared of one run folder."""

    label: str
    folder: str  # its name, not where it lies
    experiment: Experiment
    metrics: Metrics
    manifest: Mapping[str, Any]
    data: Mapping[str, Any]

    @property
    def labelled(self) -> bool:
        """Whether its images brought their own fakes."""
        return isinstance(self.experiment.data, LabelledDataConfig)

    @property
    def held_out(self) -> list[str]:
        """Names of the classes that nobody trained on."""
        given = self.data.get("held_out")
        names = given if isinstance(given, list) else self.experiment.data.held_out
        return sorted(map(str, names))

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
    studies = [load_study(folder) for folder in folders]
    names = [printable(place.name) for place in places]
    labels = labels_of([study.name for study in studies], names)
    return [
        Run(
            label,
            name,
            study,
            _read_metrics(folder),
            _read_facts(folder / "manifest.json"),
            _read_facts(folder / "data.json"),
        )
        for label, name, study, folder in zip(labels, names, studies, folders, strict=True)
    ]


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
    found = [
        _differing(runs, "are about other data sets", lambda run: run.experiment.data.name),
        _differing(runs, "hold out other classes",
                   lambda run: ", ".join(run.held_out) or "none"),
        _split_otherwise(runs),
        _differing(runs, "read other image files (digest of the data)",
                   lambda run: str(run.data["digest"])[:12] if "digest" in run.data else None),
        _differing(runs, "leave out other test images, as they also stand in another split",
                   lambda run: f"{len(_twins(run))} images", _twins),
    ]  # fmt: skip
    found = [sentence for sentence in found if sentence]
    digests = {run.digest_of("data") for run in runs}
    if not found and (len(digests) > 1 or None in digests):
        found = ["The splits of these runs were made by other versions of gandetect, or are not "
                 "known to be the same."]  # fmt: skip
    if found:
        found.append(
            "Figures on other test images do not show what a setting does: every difference below "
            "holds the change of the images too."
        )
    calibrated = _differing(
        runs,
        "allow other false alarms at the calibrated operating point",
        lambda run: percent(run.experiment.evaluation.calibrated_fpr),
    )
    return found + ([f"{calibrated} Cells there differ for that reason alone."] if calibrated
                    else [])  # fmt: skip


def own_alarms(runs: Sequence[Run]) -> list[str]:
    """What already makes a run's own figures doubtful, as its report says in red."""
    alarms = {
        "{} leaked on purpose: its test figures mean nothing.": [
            run.label for run in runs if run.data.get("leak")
        ],
        "{} went on with splits that overlap, so its figures are too good.": [
            run.label for run in runs if (run.metrics.get("overlap") or {}).get("policy") == "allow"
        ],
        "The fakes of {} can be told from real images by trivial numbers alone, without looking at "
        "the picture; see the chapter “Shortcuts” of its report.": [
            run.label
            for run in runs
            if any(row.get("warning") for row in run.metrics.get("audit") or [])
        ],
    }
    return [words.format(label) for words, labels in alarms.items() for label in labels]


def _differing(
    runs: Sequence[Run],
    words: str,
    said: Callable[[Run], str | None],
    value: Callable[[Run], Hashable] | None = None,
) -> str:
    """A sentence that names what runs differ in, or an empty one where they agree."""
    if not _several(runs, value or said):
        return ""
    each = [f"{run.label}: {said(run) or 'not known'}" for run in runs]
    return f"These runs {words} ({'; '.join(each)})."


def _several(runs: Sequence[Run], value: Callable[[Run], Hashable]) -> bool:
    return len({value(run) for run in runs} - {None}) > 1


def _split_otherwise(runs: Sequence[Run]) -> str:
    tables = [run.experiment.data.model_dump(mode="json") for run in runs]
    if _several(runs, lambda run: run.experiment.data.name):
        return ""  # said already, and little else would be the same
    keys = [key for key in tables[0] if key not in NOT_THE_IMAGES
            and any(table[key] != tables[0][key] for table in tables)]  # fmt: skip
    named = listing([f"data.{key}" for key in keys])
    return f"These runs split or prepare the data otherwise ({named})." if keys else ""


def _twins(run: Run) -> tuple[tuple[str, int], ...]:
    overlap = run.metrics.get("overlap") or {}
    images = overlap.get("images", []) if overlap.get("policy") == "exclude" else []
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
    found = read_json(path) if path.exists() else {}
    if not isinstance(found, dict):
        raise RunError(f"{str(path)!r} is damaged: it is no JSON object; run the study again")
    return found

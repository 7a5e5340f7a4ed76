"""What runs are besides their figures: settings, versions, machine and data, and their folders."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from gandetect.analyses.compare.comparison import Comparison
from gandetect.analyses.compare.reading import Run
from gandetect.report.document import Block, Code, Columns, Table, table
from gandetect.report.prose import Prose
from gandetect.report.words import flatten, stage_times

# Names and questions change no figure; the names stand in every table already.
UNTOLD = ("name", "question")
SURROUNDINGS = ("versions", "machine", "git_commit", "device", "jobs", "threads")
ABSENT = "not in this run"
NETWORKS = ("gans", "classifiers", "detectors")
say = Prose(__file__)


def changes(comparison: Comparison) -> list[Block]:
    """Which settings, versions, machines and data differ."""
    labels = [run.label for run in comparison.runs]
    without = [run.label for run in comparison.runs if not run.manifest]
    blocks: list[Block] = []
    for caption, first, rows, same in (
        ("Settings that differ, with defaults filled in", "Setting",
         settings_that_differ(comparison.runs), "same_settings"),
        ("Versions, machine and data that differ", "What",
         surroundings_that_differ(comparison.runs), "same_surroundings"),
    ):  # fmt: skip
        body = [[key, *values] for key, values in rows]
        differing = Table(caption, [first, *labels], body, len(labels) + 1)
        blocks += [differing] if rows else say.paragraphs(same)
    return [*blocks, *say.paragraphs("no_manifest", without)]


def provenance(comparison: Comparison) -> list[Block]:
    """Where each run comes from, and how everything is made again."""
    columns: Columns = {
        "Run": lambda run: run.label,
        "Name": lambda run: run.experiment.name,
        "Folder": lambda run: run.folder,
        "Digest": lambda run: run.experiment.digest()[:12],
        "Seeds": lambda run: ", ".join(map(str, run.experiment.seeds)),
        "Seconds of computing": _seconds,
    }
    folders = [shlex.quote(run.folder) for run in comparison.runs]
    reports = "\n".join(f"gandetect report {folder}" for folder in folders)
    studies = "\n".join(f"gandetect run {folder}/study.toml --out ." for folder in folders)
    return [
        table("The runs", comparison.runs, columns, text_columns=5),
        Code(f"{reports}\ngandetect compare {' '.join(folders)}",
             "From the folder of runs: each run's report, and this page"),
        Code(studies, "From the folder of runs, to train and score what is missing there"),
    ]  # fmt: skip


def _seconds(run: Run) -> str:
    seconds = sum(seconds for *_, seconds in stage_times(run.manifest))
    return f"{seconds:,.0f}" if seconds else "–"


def settings_that_differ(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Resolved settings that are not the same in all runs: the dotted key, and each run's value.

    GANs, classifiers and detectors are matched by name; one that some runs lack is a single row.
    """
    tables = []
    for run in runs:
        study = run.experiment.model_dump(mode="json", exclude=set(UNTOLD))
        for kind in NETWORKS:
            study[kind] = {one.pop("name"): one for one in study[kind]}
        tables.append(study)
    return _differences(_with_whole_networks(tables))


def surroundings_that_differ(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Versions, machine and digests of the data that are not the same in all runs."""
    tables = []
    for run in runs:
        known = {key: run.manifest[key] for key in SURROUNDINGS if key in run.manifest}
        digests = {"image files": run.data.get("digest"), "images and split": run.digest_of("data")}
        short = {name: digest and str(digest)[:12] for name, digest in digests.items()}
        tables.append({**known, "digest": short})
    return _differences(tables)


def _with_whole_networks(tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fold a network that some runs lack into one value, as its every setting would differ."""
    for kind in NETWORKS:
        everywhere = set.intersection(*(set(study[kind]) for study in tables))
        for study in tables:
            study[kind] = {
                name: network if name in everywhere else f"trained ({_in_short(network)})"
                for name, network in study[kind].items()
            }
    return tables


def _in_short(network: Mapping[str, Any]) -> str:
    return next(str(network[key]) for key in ("architecture", "recipe", "kind") if key in network)


def _differences(tables: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    flat = [dict(flatten(table)) for table in tables]
    keys = dict.fromkeys(key for table in flat for key in table)
    rows = [(key, [_said(table, key) for table in flat]) for key in keys]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _said(table: Mapping[str, Any], key: str) -> str:
    if key not in table:
        return ABSENT
    value = table[key]
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""What differs between runs besides their figures: settings, versions, machine and data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gandetect.analyses.compare.reading import Run
from gandetect.report.words import flatten

# Names and questions change no figure; the names stand in every table already.
NAMES = {"name", "question"}
SURROUNDINGS = ("versions", "machine", "git_commit", "device", "jobs", "threads")
ABSENT = "not in this run"
NETWORKS = ("gans", "classifiers", "detectors")


def settings_that_differ(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Resolved settings that are not the same in all runs: the dotted key, and each run's value.

    GANs, classifiers and detectors are matched by name; one that some runs lack is a single row,
    as its every setting would differ.
    """
    tables = [{k: v for k, v in run.facts.settings.items() if k not in NAMES} for run in runs]
    for kind in NETWORKS:
        by_name = [{one["name"]: one for one in study.get(kind, [])} for study in tables]
        everywhere = set.intersection(*map(set, by_name))
        for study, networks in zip(tables, by_name, strict=True):
            study[kind] = {
                name: network if name in everywhere else f"trained ({_in_short(network)})"
                for name, network in networks.items()
            }
    return _differences(tables)


def surroundings_that_differ(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Versions, machine and digests of the data that are not the same in all runs."""
    tables = []
    for run in runs:
        known = {key: run.manifest[key] for key in SURROUNDINGS if key in run.manifest}
        digests = {"image files": run.data.get("digest"), "images and split": run.digest_of("data")}
        short = {name: digest and str(digest)[:12] for name, digest in digests.items()}
        tables.append({**known, "digest": short})
    return _differences(tables)


def _in_short(network: Mapping[str, Any]) -> str:
    return next(str(network[key]) for key in ("architecture", "recipe", "kind") if key in network)


def _differences(tables: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    flat = [{key: _shown(value) for key, value in flatten(table)} for table in tables]
    keys = dict.fromkeys(key for table in flat for key in table)
    rows = [(key, [table.get(key, ABSENT) for table in flat]) for key in keys]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

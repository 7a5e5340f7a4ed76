"""What `gandetect info` tells: this machine, the data found, the named things and their sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gandetect import machine
from gandetect.analyses.registry import ANALYSES
from gandetect.config import (
    ARCHITECTURES,
    DATA_SETS,
    DETECTORS,
    RECIPES,
    SOURCES,
    ClassifierConfig,
)
from gandetect.errors import require_known
from gandetect.models import keras_parameter_count
from gandetect.models.classifiers import ImageClassifier, layer_table, set_trainable
from gandetect.runs import load_study, read_json
from gandetect.training.supervised import new_classifier


def information(data_dir: Path | None) -> dict[str, Any]:
    """Versions, devices, precisions, data; what can be asked for by name, with parameter counts."""
    from gandetect.data.fashion_mnist import check, resolve_data_dir

    devices = machine.devices()
    return {
        **machine.describe(devices[-1]),
        "devices": {name: _precisions(name) for name in devices},
        "data": {"fashion-mnist": check(resolve_data_dir(data_dir))},
        "architectures": architectures(),
        "recipes": {name: _recipe_facts(name) for name in RECIPES},
        "detectors": [name for name, _ in DETECTORS.items()],
        "data_sets": [name for name, _ in DATA_SETS.items()],
        "sources": [name for name, _ in SOURCES.items()],
        "plugins": plugins(),
    }


def plugins() -> dict[str, list[str]]:
    """What each installed plug-in package adds, and sentences on what cannot be used."""
    added: dict[str, list[str]] = {}
    problems: list[str] = []
    for registry in (ARCHITECTURES, DATA_SETS, DETECTORS, SOURCES, ANALYSES):
        for name, package in registry.plugged_in().items():
            added.setdefault(package, []).append(f"{registry.what} {name}")
        problems += registry.problems.values()
    return {**added, **({"not used": problems} if problems else {})}


def architectures() -> dict[str, dict[str, int]]:
    """Every architecture with its networks' parameter counts, for images of 28 x 28 x 1."""
    with torch.device("meta"):  # shapes without numbers
        return {
            name: {
                f"{network}_parameters": keras_parameter_count(one.build(network))
                for network in one.networks
            }
            for name, one in ARCHITECTURES.items()
        }


def _recipe_facts(name: str) -> dict[str, Any]:
    """A recipe's network, with its parameter count for RGB images."""
    config, classifier = _of_recipe(name)
    return {
        "network": config.network,
        "parameters": sum(map(Tensor.numel, classifier.parameters())),
    }


def _of_recipe(name: str) -> tuple[ClassifierConfig, ImageClassifier]:
    config = ClassifierConfig.model_validate({"recipe": name})
    with torch.device("meta"):  # shapes without numbers
        return config, new_classifier(config, channels=3, weights=False)


def information_lines(facts: Mapping[str, Any], indent: int = 0) -> Iterator[str]:
    """The same as indented lines, for people."""
    for key, value in facts.items():
        space = "  " * indent
        if isinstance(value, Mapping):
            yield f"{space}{key}"
            yield from information_lines(value, indent + 1)
        elif isinstance(value, list):
            yield f"{space}{key}: {', '.join(map(str, value))}"
        else:
            number = f"{value:,}" if isinstance(value, int) else value
            yield f"{space}{key}: {number}"


def recipe_information(name: str) -> dict[str, Any]:
    """A recipe's classifier for RGB images: its layers, output shapes and parameters.

    ``trainable_parameters`` has a number for each phase of its training. Nothing is computed, and
    nothing fetched. Raises `UsageError` for an unknown recipe.
    """
    require_known("recipe", [name], RECIPES)
    config, classifier = _of_recipe(name)
    phases = [phase.trainable for phase in config.phases] or [config.trainable]
    trainable = []
    for parts in phases:
        set_trainable(classifier, parts)
        trainable.append(sum(p.numel() for p in classifier.parameters() if p.requires_grad))
    return {
        "recipe": name,
        "network": config.network,
        "weights": config.weights,
        "input": [3, config.image_size, config.image_size],
        "parameters": sum(p.numel() for p in classifier.parameters()),
        "trainable_parameters": trainable,
        "trainable": [list(parts) for parts in phases],
        "layers": layer_table(classifier),
    }


def recipe_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """The same as a table, for people."""
    rows = [("layer", "kind", "output", "parameters")]
    rows += [
        (row["name"], row["kind"], _shape(row["output"]), f"{row['parameters']:,}")
        for row in facts["layers"]
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield (
        f"{facts['recipe']}: {facts['network']} on {_shape(facts['input'])} images, "
        f"weights {facts['weights']}"
    )
    yield ""
    for name, kind, output, parameters in rows:
        yield (
            f"{name:{widths[0]}}  {kind:{widths[1]}}  {output:>{widths[2]}}  "
            f"{parameters:>{widths[3]}}"
        )
    yield ""
    yield f"{facts['parameters']:,} parameters"
    counts = facts["trainable_parameters"]
    for number, (parts, count) in enumerate(zip(facts["trainable"], counts, strict=True), start=1):
        phase = f"phase {number}: " if len(counts) > 1 else ""
        yield f"{phase}{count:,} trainable ({_trained(parts)})"


def _trained(parts: Sequence[str]) -> str:
    return "all" if "all" in parts else ", ".join(["head", *parts])


def _shape(sides: Sequence[int]) -> str:
    return " x ".join(map(str, sides))


def _precisions(device: str) -> list[str]:
    return sorted({"fp32", machine.native_precision(device)}, reverse=True)


def run_information(run: Path) -> dict[str, Any]:
    """When each stage of a run ran, in seconds from the first, and how busy its jobs were.

    Only the last time that a stage was made counts, so after an interruption there are gaps. Raises
    `RunError` for a folder that is no complete run.
    """
    load_study(run)
    manifest = read_json(run / "manifest.json")
    rows = sorted(manifest["stages"], key=lambda row: str(row["started"]))
    first = datetime.fromisoformat(rows[0]["started"])
    stages = []
    for row in rows:
        start = (datetime.fromisoformat(row["started"]) - first).total_seconds()
        stages.append({"stage": row["stage"], "start": start, "end": start + row["seconds"]})
    jobs, wall = int(manifest["jobs"]), max(stage["end"] for stage in stages)
    worked = sum(stage["end"] - stage["start"] for stage in stages)
    busy = min(1.0, worked / (jobs * wall)) if wall else 1.0
    return {"run": run.name, "jobs": jobs, "wall": wall, "busy": busy, "stages": stages}


def run_lines(facts: Mapping[str, Any], width: int) -> Iterator[str]:
    """The same as a Gantt picture of so many columns, for people."""
    stages, wall = facts["stages"], facts["wall"] or 1.0
    names = max(len(stage["stage"]) for stage in stages)
    columns = max(10, width - names - 12)
    for stage in stages:
        left = int(columns * stage["start"] / wall)
        length = max(1, round(columns * (stage["end"] - stage["start"]) / wall))
        bar = " " * min(left, columns - 1) + "#" * min(length, columns - left)
        yield f"{stage['stage']:{names}} {stage['end'] - stage['start']:8.1f} s {bar}"
    yield (
        f"{facts['wall']:.0f} s for what the report stands on; {facts['jobs']} job(s), busy "
        f"{facts['busy']:.0%} of the time"
    )

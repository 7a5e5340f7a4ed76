"""What `gandetect info` tells: this machine, the data found, the named things and their sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from gandetect import machine
from gandetect.config import RECIPES, ClassifierConfig
from gandetect.errors import unknown_name
from gandetect.models import ARCHITECTURES, keras_parameter_count
from gandetect.models.classifiers import build_classifier, layer_table, set_trainable


def information(data_dir: Path | None) -> dict[str, Any]:
    """Versions, devices, precisions, data, and architectures with their parameter counts."""
    from gandetect.data.fashion_mnist import check, resolve_data_dir

    devices = machine.devices()
    return {
        **machine.describe(devices[-1]),
        "devices": {name: _precisions(name) for name in devices},
        "data": {"fashion-mnist": check(resolve_data_dir(data_dir))},
        "architectures": architectures(),
    }


def architectures() -> dict[str, dict[str, int]]:
    """Every architecture with its networks' parameter counts, for images of 28 x 28 x 1."""
    return {
        name: {
            "generator_parameters": keras_parameter_count(one.generator()),
            f"{one.partner_kind}_parameters": keras_parameter_count(one.partner()),
        }
        for name, one in ARCHITECTURES.items()
    }


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
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    config = ClassifierConfig.model_validate({"recipe": name})
    with torch.device("meta"):  # shapes without numbers
        classifier = build_classifier(
            config.network,
            channels=3,
            image_size=config.image_size,
            stored_size=config.stored_size,
            outputs=1 if config.loss == "bce" else 2,
            normalise=config.normalise,
            **config.head.model_dump(),
        )
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

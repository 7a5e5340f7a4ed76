"""What `gandetect info` tells: this machine, the data found, the named things and their sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gandetect import machine
from gandetect.models import ARCHITECTURES, keras_parameter_count


def information(data_dir: Path | None) -> dict[str, Any]:
    """Versions, devices, precisions, data, and architectures with their parameter counts."""
    from gandetect.data.fashion_mnist import check, resolve_data_dir

    devices = machine.devices()
    return {
        **machine.describe(devices[-1]),
        "devices": {name: _precisions(name) for name in devices},
        "data": {"fashion-mnist": check(resolve_data_dir(data_dir))},
        "architectures": {
            name: {
                "generator_parameters": keras_parameter_count(architecture.generator()),
                "discriminator_parameters": keras_parameter_count(architecture.discriminator()),
            }
            for name, architecture in ARCHITECTURES.items()
        },
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


def _precisions(device: str) -> list[str]:
    return sorted({"fp32", machine.native_precision(device)}, reverse=True)

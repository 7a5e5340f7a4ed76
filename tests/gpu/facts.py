"""The machine that all other figures are of; a device that is not there is said first."""

from __future__ import annotations

import torch
from benchmarks.facts import machine_facts

from gandetect.machine import resolve_device

from .settings import Record, Settings


def run(settings: Settings, record: Record) -> None:
    with record.case("device") as case:
        resolve_device(settings.device)
        if settings.cuda:
            properties = torch.cuda.get_device_properties(0)
            case["device"] = properties.name
            case["memory_gb"] = properties.total_memory / 1e9
            case["multiprocessors"] = properties.multi_processor_count
            case["cuda"] = torch.version.cuda
            case["cudnn"] = torch.backends.cudnn.version()
        case["machine"] = machine_facts()
        case["torch"] = torch.__version__

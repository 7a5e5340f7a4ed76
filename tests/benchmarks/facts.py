"""The machine that the figures are of."""

from __future__ import annotations

import os
from typing import Any


def machine_facts() -> dict[str, Any]:
    """Describe this machine, without names of users or hosts."""
    import torch

    from gandetect import machine

    described = machine.describe("cpu")
    special = {"AVX512-BF16": "_is_avx512_bf16_supported", "AMX": "_is_amx_tile_supported"}
    found = [name for name, test in special.items() if getattr(torch.cpu, test, bool)()]
    return {
        **described["machine"],
        "instruction_sets": [torch.backends.cpu.get_cpu_capability(), *found],
        "native_precisions": ["fp32"] + ["bf16"] * (machine.native_precision("cpu") == "bf16"),
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": described["versions"],
        "git_commit": described["git_commit"],
    }

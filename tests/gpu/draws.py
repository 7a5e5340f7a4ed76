"""Draws on the CPU whatever a device's generators are asked for, so that two devices agree."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class DrawnOnTheHost(TorchFunctionMode):
    """Within it, a seeded generator of any device gives the CPU's numbers for that seed.

    What names no generator is left alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self._twins: dict[torch.Generator, torch.Generator] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        generator = given.get("generator")
        if generator is None:
            return func(*args, **given)
        given["generator"] = self._twin(generator)
        if func is torch.Tensor.random_:
            target, *bounds = args
            return target.copy_(
                torch.empty(target.shape, dtype=target.dtype).random_(*bounds, **given)
            )
        device = given.pop("device", generator.device)
        return func(*args, **given).to(device)

    def _twin(self, generator: torch.Generator) -> torch.Generator:
        if generator not in self._twins:
            seed = generator.initial_seed()
            self._twins[generator] = torch.Generator().manual_seed(seed)
        return self._twins[generator]

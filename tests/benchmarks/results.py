"""What a benchmark hands back, and the form of ``bench.json``.

``bench.json``::

    {"schema": 1, "quick": false,
     "machine": {"processor": …, "cores": …, "instruction_sets": […], "versions": {…}, …},
     "rows":   [{"section": "training", "name": "dcgan-bn: plain port, all threads",
                 "unit": "images/s", "median": …, "lowest": …, "highest": …, "repeats": 3}],
     "ratios": [the same, unit "x" or "%": taken within each repeat, then summarised],
     "notes":  ["what was left out here, and why"]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Settings:
    """How long to measure: seconds a piece and repeat, and how many repeats."""

    quick: bool
    repeats: int

    @property
    def seconds(self) -> float:
        return 1.0 if self.quick else 5.0


@dataclass(frozen=True)
class Row:
    """One measured thing, a value for each repeat."""

    section: str
    name: str
    unit: str
    values: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "section": self.section,
            "name": self.name,
            "unit": self.unit,
            "median": median(self.values),
            "lowest": min(self.values),
            "highest": max(self.values),
            "repeats": len(self.values),
        }


@dataclass
class Measured:
    """What one section measured."""

    rows: list[Row] = field(default_factory=list)
    ratios: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add_rows(self, section: str, unit: str, values: Mapping[str, Sequence[float]]) -> None:
        self.rows += [Row(section, name, unit, tuple(given)) for name, given in values.items()]

    def add_ratio(
        self,
        section: str,
        name: str,
        above: Sequence[float],
        below: Sequence[float],
        *,
        factor: float = 1.0,
        unit: str = "x",
    ) -> None:
        """Divide repeat by repeat: what slowed the machine down slowed both."""
        pairs = zip(above, below, strict=True)
        self.ratios.append(Row(section, name, unit, tuple(factor * a / b for a, b in pairs)))

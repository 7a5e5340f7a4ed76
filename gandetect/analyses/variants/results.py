"""What the chapters on variants are written from: rows, in order and with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gandetect.config import Experiment
from gandetect.config.variants import JOINT, SEVERAL, base_gans
from gandetect.statistics.bootstrap import what_varies
from gandetect.statistics.rows import Row, chosen


@dataclass(frozen=True)
class VariantsResults:
    """The experiment, where each study lies, and the numbers of `variants.json`."""

    experiment: Experiment
    places: Mapping[str, str]  # run folders by variant, relative to the folder of all; in order
    numbers: Mapping[str, Sequence[Row]]

    @property
    def least(self) -> Sequence[Row]:
        """A row for each detector: the group that it answers worst."""
        return self.numbers["least"]

    @property
    def bases(self) -> list[str]:
        """Names of the GANs whose discriminators are detectors of the baseline."""
        return base_gans(self.experiment)

    @property
    def made_of(self) -> list[str | None]:
        """What detectors are made of: those GANs, others, "several", or None."""
        used = {line["base"] for line in self.least}
        others = sorted({one for one in used if one} - {*self.bases, SEVERAL})
        return [one for one in (*self.bases, *others, SEVERAL, None) if one in used]

    def covers(self, calibrated: bool = True) -> str:
        """What the intervals cover, in words."""
        seeds = len(self.experiment.seeds)
        only = "" if seeds > 1 else " of one run only"
        return f"95 % intervals over {what_varies(seeds, calibrated)}{only}"

    @property
    def compared(self) -> list[Row]:
        """Rows whose difference of shares correct was tested, all together."""
        return [row for row in chosen(self.numbers["rows"], measure="correct") if row["compared"]]

    def facts(self, name: str) -> dict[str, Any]:
        """A variant's table: ``about``, ``compared_with`` and ``changes``."""
        for one in self.experiment.variants:
            if one.name == name:
                return one.model_dump(mode="json", exclude={"name"})
        return {"about": "the experiment without variants", "compared_with": None, "changes": {}}

    def made(self, base: str | None) -> str:
        """What is made of a generator, at the head of a table."""
        if base is None:
            return "Made without any generator"
        return "Made of several generators" if base == SEVERAL else f"Made of {base}"

    def label(self, row: Row) -> str:
        """A detector without the GAN that it is made of: ``baseline``, ``r1``, ``r1: cnn``."""
        variant, detector = str(row["variant"]), str(row["detector"])
        if detector == row["base"]:
            return variant
        name = detector.removeprefix(f"{row['base']}{JOINT}")
        return name if variant in name else f"{variant}: {name}"

    def titled(self, row: Row) -> str:
        """A detector where those of all generators stand together."""
        variant, name = str(row["variant"]), str(row["detector"])
        return name if variant in name else f"{name} ({variant})"

    def of(self, measure: str, groups: Sequence[str]) -> list[Row]:
        """Rows by one measure of some groups."""
        rows = chosen(self.numbers["rows"], measure=measure)
        return [row for row in rows if row["group"] in groups]

    def row(self, line: Row, measure: str, group: str) -> Row | None:
        """One figure of a detector, if it has it."""
        return self._by_figure.get((line["variant"], line["detector"], measure, group))

    @cached_property
    def _by_figure(self) -> dict[tuple[str, str, str, str], Row]:
        keys = ("variant", "detector", "measure", "group")
        return {tuple(row[key] for key in keys): row for row in self.numbers["rows"]}

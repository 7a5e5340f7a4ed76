"""What the chapters of an ablation's report are written from: rows, in order and with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gandetect.config import Experiment
from gandetect.config.ablation import BASELINE, JOINT, base_gans

Row = Mapping[str, Any]
SEVERAL = "several"
# Groups of images as columns.
COLUMNS = {
    "own": "Own fakes",
    "own-other-seed": "Own GAN, another run",
    "other": "Other GAN's fakes",
    "in-distribution": "Familiar reals",
    "held-out": "Novel reals",
    "further": "Further generators (lowest)",
}
# The four groups in sentences.
SHORT = {
    "own": "own fakes",
    "other": "the other GAN's fakes",
    "in-distribution": "familiar reals",
    "held-out": "novel reals",
}


@dataclass(frozen=True)
class AblationMaterial:
    """The ablation, where each study lies below it, and the rows of `ablation.json`."""

    experiment: Experiment
    places: Mapping[str, str]  # run folders by ingredient, relative to the ablation's; in order
    rows: Sequence[Row]
    least: Sequence[Row]

    @property
    def bases(self) -> list[str]:
        """Names of the GANs that ingredients change."""
        return base_gans(self.experiment)

    @property
    def made_of(self) -> list[str | None]:
        """What detectors are made of: those GANs, others, "several", or None."""
        found = {line["base"] for line in self.least}
        others = sorted({one for one in found if one} - {*self.bases, SEVERAL})
        return [one for one in (*self.bases, *others, SEVERAL, None) if one in found]

    @property
    def covers(self) -> str:
        """What the intervals cover, in words."""
        many = len(self.experiment.seeds) > 1
        return "95 % intervals over " + ("runs and images" if many else "images of one run only")

    @property
    def compared(self) -> int:
        """How many differences of shares correct were tested together."""
        return sum(row["measure"] == "correct" and bool(row["baseline"]) for row in self.rows)

    def detectors_of(self, base: str | None) -> list[Row]:
        """Rows of `least`, a detector each, of those made of one GAN."""
        return [line for line in self.least if line["base"] == base]

    @property
    def lines(self) -> list[str]:
        """Labels of all detectors, each once, by ingredient in order."""
        return list(dict.fromkeys(self.label(line) for line in self.least))

    def changes(self, name: str) -> dict[str, Any]:
        """What an ingredient changes: ``about``, ``gans``, ``detectors`` and ``classifiers``."""
        keys = ("about", "gans", "detectors", "classifiers")
        for one in self.experiment.ingredients:
            if one.name == name:
                return {key: one.model_dump(mode="json")[key] for key in keys}
        return {"about": "the study without any ingredient", "gans": {}, "detectors": [],
                "classifiers": []}  # fmt: skip

    def made(self, base: str | None) -> str:
        """What is made of a GAN, at the head of a table."""
        if base is None:
            return "Made without any GAN"
        return "Made of several GANs" if base == SEVERAL else f"Made of {base}"

    def label(self, row: Row) -> str:
        """A detector without the GAN that it is made of: ``baseline``, ``r1``, ``r1-cnn``."""
        if row["ingredient"] == BASELINE and row["detector"] == row["base"]:
            return BASELINE
        return str(row["detector"]).removeprefix(f"{row['base']}{JOINT}")

    def discriminator_of(self, base: str | None) -> Row | None:
        """The line of the baseline's discriminator of a GAN."""
        lines = (one for one in self.detectors_of(base) if self.label(one) == BASELINE)
        return next(lines, None)

    def titled(self, row: Row) -> str:
        """A detector where those of all GANs stand together."""
        name = str(row["detector"])
        return f"{name} ({BASELINE})" if row["ingredient"] == BASELINE else name

    def of(self, measure: str, groups: Sequence[str]) -> list[Row]:
        """Rows by one measure of some groups."""
        return [r for r in self.rows if r["measure"] == measure and r["group"] in groups]

    def row(self, line: Row, measure: str, group: str) -> Row | None:
        """One figure of a detector, if it has it."""
        return self._by_figure.get((line["ingredient"], line["detector"], measure, group))

    @cached_property
    def _by_figure(self) -> dict[tuple[str, str, str, str], Row]:
        keys = ("ingredient", "detector", "measure", "group")
        return {tuple(row[key] for key in keys): row for row in self.rows}

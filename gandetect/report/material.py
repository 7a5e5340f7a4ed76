"""What every chapter is written from: the inputs, the numbers, and which of them there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from matplotlib.figure import Figure
from PIL import Image

from gandetect.config import LabelledDataConfig
from gandetect.evaluation import OPERATING_POINTS, Metrics
from gandetect.report.document import Block, Picture, Text
from gandetect.report.figures.decisions import detector_names
from gandetect.report.inputs import Inputs, Trained
from gandetect.report.style import figure_png, house_style, image_png

Chapter: TypeAlias = "Callable[[Material], list[Block]]"


@dataclass(frozen=True)
class Material:
    """Inputs and metrics of one run."""

    inputs: Inputs
    metrics: Metrics

    @property
    def labelled(self) -> bool:
        """Whether the images brought their own fakes, so that there are no GANs."""
        return isinstance(self.inputs.experiment.data, LabelledDataConfig)

    @property
    def detectors(self) -> list[str]:
        """Names of all detectors: discriminators, then classifiers."""
        return detector_names(self.metrics)

    @property
    def classifiers(self) -> list[str]:
        """Names of the detectors that were trained for the job."""
        return [name for name in self.detectors if self.kind(name) == "classifier"]

    def kind(self, detector: str) -> str:
        """``discriminator`` or ``classifier``."""
        return str(self._facts(detector)["kind"])

    def own(self, detector: str) -> list[str]:
        """The generated sources that a detector was trained on."""
        return list(self._facts(detector)["own"])

    def called(self, detector: str) -> str:
        """A detector in a sentence: ``the discriminator of dcgan-bn``, ``the classifier cnn``."""
        of = " of" if self.kind(detector) == "discriminator" else ""
        return f"the {self.kind(detector)}{of} {detector}"

    def _facts(self, detector: str) -> dict[str, Any]:
        rows = self.metrics["detectors"]
        return next(row for row in rows if row["detector"] == detector)

    @property
    def seeds(self) -> list[int]:
        """Seeds of all detectors, sorted."""
        return sorted({cell["detector_seed"] for cell in self.metrics["cells"]})

    @property
    def many_seeds(self) -> bool:
        """Whether there is more than one run to tell apart."""
        return len(self.seeds) > 1

    @property
    def points(self) -> list[str]:
        """Operating points that were measured, native first."""
        found = {cell["operating_point"] for cell in self.metrics["cells"]}
        return [point for point in OPERATING_POINTS if point in found]

    def across(self, detector: str, role: str, point: str) -> list[dict[str, Any]]:
        """Rows of `across_seeds` of one detector in one role, one for each source."""
        return [
            row
            for row in self.metrics["across_seeds"]
            if (row["detector"], row["role"], row["operating_point"]) == (detector, role, point)
        ]

    def cells(self, detector: str, source: str, point: str) -> list[dict[str, Any]]:
        """Cells of one detector, source and operating point, one for each seed."""
        return [
            cell
            for cell in self.metrics["cells"]
            if (cell["detector"], cell["source"], cell["operating_point"])
            == (detector, source, point)
        ]

    def title_of(self, trained: Trained) -> str:
        """Name of a GAN or detector, with its seed where there are several."""
        name, seed = trained
        return f"{name}, seed {seed}" if self.many_seeds else name

    def absent(self, name: str, how: str = "run the study again to make it") -> list[Block]:
        """A sentence where a file would have been shown."""
        why = self.inputs.missing.get(name, f"{name} holds nothing to show")
        return [Text(f"Not shown: {why}; {how}.", "missing")]


def drawn(name: str, draw: Callable[[], Figure], alt: str, caption: str) -> Picture:
    """Draw a figure in the house style and give it its place in the run folder."""
    with house_style():
        content = figure_png(draw())
    return Picture(f"figures/{name}.png", content, alt, caption)


def pasted(name: str, image: Image.Image, alt: str, caption: str) -> Picture:
    """Give a picture made of images its place in the run folder."""
    return Picture(f"figures/{name}.png", image_png(image), alt, caption, wide=False)


def stored(inputs: Inputs, path: Path, alt: str, caption: str) -> Picture:
    """A picture that already lies in the run folder."""
    place = path.relative_to(inputs.run).as_posix()
    return Picture(place, path.read_bytes(), alt, caption, wide=False)

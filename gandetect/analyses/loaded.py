"""A run folder in a notebook: scores and metrics as tables, kept images as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gandetect.errors import unknown_name
from gandetect.report.inputs import Inputs, read_inputs
from gandetect.runs import read_json
from gandetect.statistics.scores import Metrics


@dataclass(frozen=True, repr=False)
class Run:
    """What a run folder holds.

    Attributes:
        inputs: what the report is made from, such as ``mistakes`` and ``class_samples`` (arrays,
            ``(N, C, H, W) uint8``) and ``histories`` (DataFrames).
        scores: a row an image and detector: detector, detector_seed, epoch, source, source_seed,
            label, index, score (log-odds of generated).
        metrics: what ``metrics.json`` holds.
        table: ``metrics.csv``, a figure a row: kind, detector, source, metric, value, low, high, …
        figures: the report's figures by name, SVG or PNG files.
    """

    inputs: Inputs
    scores: pd.DataFrame
    metrics: Metrics
    table: pd.DataFrame
    figures: dict[str, Path]

    def matrix(self, operating_point: str = "calibrated") -> pd.DataFrame:
        """Shares answered correctly, mean over seeds: a row a detector, a column a source.

        Raises `UsageError` for an operating point that was not measured.
        """
        rows = pd.DataFrame(self.metrics["across_seeds"])
        if operating_point not in {*rows["operating_point"]}:
            raise unknown_name("operating point", operating_point, rows["operating_point"].unique())
        rows = rows[rows["operating_point"] == operating_point]
        return rows.pivot_table(index="detector", columns="source", values="mean")

    def _repr_html_(self) -> str:
        return str(self.matrix("native").style.format("{:.1%}", na_rep="").to_html())


def load_run(path: str | Path) -> Run:
    """Read a run folder that `run_study` or `evaluate` made, without torch.

    Raises `RunError` where it is none, or its scores or metrics are missing or damaged.

    >>> run = gandetect.load_run("runs/quick-…")  # doctest: +SKIP
    >>> run.matrix("calibrated")  # doctest: +SKIP
    """
    folder = Path(path)
    inputs = read_inputs(folder)
    metrics: Metrics = read_json(folder / "metrics.json")
    figures = {one.stem: one for one in sorted((folder / "figures").glob("*.*g"))}
    table = pd.read_csv(folder / "metrics.csv")
    return Run(inputs, inputs.scores, metrics, table, figures)

"""A run folder in a notebook: scores and metrics as tables, kept images as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from gandetect.analyses.summary.warnings import warnings
from gandetect.analyses.summary.words import verdicts_at
from gandetect.report.document import Text
from gandetect.report.inputs import Inputs, read_inputs
from gandetect.report.results import StudyResults
from gandetect.runs import read_json
from gandetect.statistics.scores import Metrics


@dataclass(frozen=True, repr=False)
class Run:
    """What a run folder holds.

    Attributes:
        scores: ``scores.parquet``; a score is the log-odds of generated.
        metrics: ``metrics.json``.
        table: ``metrics.csv``, a figure a row with its 95 % interval (low, high).
        figures: the report's SVG and PNG files by name.
        inputs: the rest, such as ``mistakes`` (``(N, C, H, W) uint8``) and ``histories``.
    """

    scores: pd.DataFrame
    metrics: Metrics
    table: pd.DataFrame
    figures: dict[str, Path]
    inputs: Inputs

    def matrix(self, operating_point: str = "native") -> pd.DataFrame:
        """Shares answered correctly, mean over seeds: a row a detector, a column a source."""
        rows = pd.DataFrame(self.metrics["across_seeds"])
        rows = rows[rows["operating_point"] == operating_point]
        return rows.pivot_table(index="detector", columns="source", values="mean")

    @property
    def results(self) -> StudyResults:
        """What the report is written from."""
        return StudyResults(self.inputs, self.metrics)

    def _repr_html_(self) -> str:
        """The question, the warnings, the verdicts and the matrix, as the report opens."""
        results = self.results
        texts = [f"<p><b>{escape(text.label or 'Warning:')}</b> {escape(text.text)}</p>"
                 for text in (*warnings(results), *verdicts_at(results, results.point))
                 if isinstance(text, Text)]  # fmt: skip
        shares = self.matrix(results.point).to_html(float_format="{:.1%}".format, na_rep="")
        caption = f"Answered correctly, {results.point} operating point"
        return f"<h4>{escape(results.question)}</h4>{''.join(texts)}<p>{caption}</p>{shares}"


def load_run(path: str | Path) -> Run:
    """Read a run folder without torch; `RunError` where it is none, or is damaged."""
    inputs, metrics = read_inputs(Path(path)), read_json(Path(path, "metrics.json"))
    figures = {one.stem: one for one in sorted(Path(path, "figures").iterdir())}
    return Run(inputs.scores, metrics, pd.read_csv(Path(path, "metrics.csv")), figures, inputs)

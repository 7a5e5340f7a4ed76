"""Two made-up runs to compare: everything alike, but for what a test changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analyses.conftest import make_run, write_json
from gandetect.analyses.build import compute_metrics
from gandetect.config import parse_experiment
from gandetect.report.inputs import read_inputs

GANS = [{"architecture": "dcgan-bn"}, {"architecture": "dcgan-plain"}]
SHIFTED = ("dcgan-plain", "real:held-out")


def finished_run(
    run: Path,
    seeds: Sequence[int] = (0,),
    scores: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    **study: Any,
) -> Path:
    """A run with its numbers, and without the figures that a comparison does not read."""
    make_run(run, seeds)
    table = {"name": "quick", "seeds": list(seeds), "gans": GANS, **study}
    write_json(run / "study.json", parse_experiment(table).model_dump(mode="json"))
    if scores is not None:
        scores(pd.read_parquet(run / "scores.parquet")).to_parquet(run / "scores.parquet")
    write_json(run / "metrics.json", compute_metrics(read_inputs(run)))
    return run


def shifted(scores: pd.DataFrame) -> pd.DataFrame:
    """One detector takes the held-out reals for fakes far more often; all else stays."""
    where = (scores["detector"] == SHIFTED[0]) & (scores["source"] == SHIFTED[1])
    scores.loc[where, "score"] += 2
    return scores


def longer_run(run: Path) -> Path:
    """A run that differs in two settings, a version and the shifted scores."""
    gans = [{**GANS[0], "epochs": 9}, {**GANS[1], "batch_size": 64}]
    finished_run(run, scores=shifted, name="longer", gans=gans)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["versions"]["numpy"] = "2.9"
    write_json(run / "manifest.json", manifest)
    return run

"""Score one detector on processed images: compressed, blurred, noisy, resized, lit otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from gandetect import runs
from gandetect.data.perturbations import PERTURBATIONS, perturb
from gandetect.data.stored import Images
from gandetect.detectors import Preprocessing
from gandetect.randomness import integer_seed
from gandetect.stages.common import Notify, ScoredSource, Source, reusable
from gandetect.stages.scores import (
    Trained,
    score_source,
    ticker,
    tidy_scores,
    trained_detector,
)

PERTURBED = "perturbed.parquet"


def robustness_stage(
    folder: Path,
    digest: str,
    *,
    config: Trained,
    seed: int,
    trained: Path,
    sources: Sequence[ScoredSource],
    perturbations: Sequence[str],
    preprocessing: Preprocessing,
    provenance: Mapping[str, Any],
    device: str,
    notify: Notify,
) -> None:
    """Score every source as it is, and under every level of every perturbation."""
    if reusable(folder, digest, notify):
        return
    started = perf_counter()
    detector = trained_detector(config, seed, trained, preprocessing, provenance, device)
    steps = [("none", 0.0)]
    steps += [(name, level) for name in perturbations for level in PERTURBATIONS[name].levels]
    tick = ticker(len(steps) * sum(len(one.source) for one in sources), notify)
    tables = []
    for one in sources:
        noise = integer_seed(seed, f"perturbation of {one.name}")  # fakes and reals: each its own
        for name, level, images in _processed(one.source, steps, noise % 2**32):
            scores = score_source(detector, Source(images), config, tick)
            rows = tidy_scores(config.name, seed, one.name, one.source.indices(), scores)
            tables.append(rows.assign(source_seed=one.seed, perturbation=name, level=level))
    table = pd.concat(tables, ignore_index=True).drop(columns="epoch")
    with runs.atomic_folder(folder) as fresh:
        table.to_parquet(fresh / PERTURBED, index=False)
        runs.write_record(fresh, digest, [PERTURBED], seconds=perf_counter() - started)


def _processed(
    source: Source, steps: Sequence[tuple[str, float]], seed: int
) -> Iterator[tuple[str, float, Images]]:
    images = np.asarray(source.array()[source.all_rows()])
    for name, level in steps:
        yield name, level, images if name == "none" else perturb(images, name, level, seed)

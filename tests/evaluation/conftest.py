from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

SIZES = {
    "generated:a": 120,
    "generated:b": 80,
    "real:in-distribution": 60,
    "real:held-out": 70,
    "real:training": 90,
    "real:calibration": 100,
}


def score_table(rng: np.random.Generator, *, seeds: tuple[int, ...] = (0,)) -> pd.DataFrame:
    """Two detectors, `a` and `b`, with plausible scores for every source."""
    frames = [
        pd.DataFrame(
            {
                "detector": detector,
                "detector_seed": seed,
                "epoch": 3,
                "source": source,
                "source_seed": seed,
                "label": source.partition(":")[0],
                "index": np.arange(n),
                "score": rng.normal(1.0 if source.startswith("generated") else -0.5, 1.5, n),
            }
        )
        for detector in ("a", "b")
        for seed in seeds
        for source, n in SIZES.items()
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def scores() -> pd.DataFrame:
    return score_table(np.random.default_rng(0))


@pytest.fixture
def make_scores() -> Callable[..., pd.DataFrame]:
    return score_table

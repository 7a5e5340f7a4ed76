"""The comparison of ways of training, on made-up results whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from .same_science import compare


def results(shift: float) -> pd.DataFrame:
    """Five seeds of one figure, bf16 being the port's value moved by about ``shift``."""
    port = np.array([0.70, 0.75, 0.80, 0.85, 0.90])
    bf16 = port + shift + np.array([0.01, -0.01, 0.0, 0.01, -0.01])
    rows = [
        {"gan": "dcgan-bn", "figure": "AUROC", "way": way, "seed": seed, "value": value}
        for way, values in (("port", port), ("bf16", bf16))
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


@pytest.mark.parametrize(("shift", "differs"), [(0.0, False), (0.05, True), (-0.05, True)])
def test_seeds_are_paired_so_a_shift_below_their_spread_is_found(shift, differs) -> None:
    (row,) = compare(results(shift))
    found = row["bf16 - port"]
    assert found["mean"] == pytest.approx(shift)
    low, high = found["ci95"]
    assert (low > 0 or high < 0) == differs
    # Student's t with 4 degrees of freedom, 2.776, times 0.01 / sqrt(5).
    assert (high - low) / 2 == pytest.approx(2.776 * 0.01 / np.sqrt(5), rel=1e-3)
    assert row["spread"] == pytest.approx(0.0791, abs=1e-4)


def test_only_ways_that_were_trained_are_compared() -> None:
    (row,) = compare(results(0.0))
    assert "bf16 - fp32" not in row

"""Where thresholds lie, what chose them, and why one is not there."""

import pandas as pd
import pytest
from score_tables import evaluate, tidy

from gandetect.analyses.build import build_report
from gandetect.runs import read_json


def few(scores, n):
    """The same scores with so many calibration reals."""
    return scores[(scores["source"] != "real:calibration") | (scores["index"] < n)]


@pytest.mark.parametrize("n", [18, 19])
def test_too_few_calibration_reals_are_named_with_the_number_that_it_takes(scores, n):
    metrics = evaluate(few(scores, n), calibrated_fpr=0.05)
    points = {cell["operating_point"] for cell in metrics["cells"]}
    gaps = metrics["not_measured"].get("operating_points", [])
    if n == 19:
        assert (points, gaps) == ({"native", "calibrated"}, [])
        return
    assert points == {"native"}
    assert gaps == [
        f"{name}, seed 0: a threshold that flags at most 5 % of new reals takes at least 19 "
        "calibration reals, and there are 18"
        for name in ("a", "b")
    ]
    assert [row["n_calibration"] for row in metrics["operating_points"]] == [18, 18]
    assert "calibrated" not in {*tidy(metrics)["operating_point"]}


def test_a_report_without_a_calibrated_threshold_says_why(run, blank):
    path = run / "scores.parquet"
    few(pd.read_parquet(path), 10).to_parquet(path)
    page = build_report(run).markdown.read_text()
    assert "none: too few calibration reals scored" in page
    assert "takes at least 19 calibration reals, and there are 10" in page
    assert "calibrated" not in read_json(run / "metrics.json")["operating_points"][0]

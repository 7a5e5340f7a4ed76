"""Where thresholds lie, what chose them, and why one is not there."""

import pandas as pd
import pytest
from score_tables import evaluate, tidy

from gandetect.analyses.build import build_report, compute_metrics
from gandetect.analyses.registry import analyses
from gandetect.analyses.thresholds.words import promises
from gandetect.report.inputs import read_inputs
from gandetect.report.results import StudyResults
from gandetect.runs import read_json, write_json
from gandetect.statistics.operating_points import calibrate, flagged_at_most

TESTED = pd.DataFrame({
    "source": ["real:in-distribution"] * 60 + ["real:held-out"] * 70,
    "index": [*range(60), *range(70)],
    "class_name": ["Coat"] * 20 + ["Dress"] * 40 + ["Bag"] * 70,
})  # fmt: skip


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


def test_what_a_threshold_promises_stands_in_both_files(scores):
    metrics = evaluate(scores, calibrated_fpr=0.05)
    for row in metrics["operating_points"]:
        assert (row["calibrated_on"], row["n_calibration"], row["rank"]) == (
            "real:calibration", 100, 96
        )  # fmt: skip
        assert row["expected_flagged"] == 5 / 101
        assert row["flagged_at_most"] == flagged_at_most(100, 96)
    table = tidy(metrics).set_index(["kind", "detector", "metric"])["value"]
    assert table["threshold", "a", "rank among the calibration scores"] == 96
    assert table["threshold", "a", "new reals flagged, expected share"] == 5 / 101


def test_a_confident_threshold_is_higher_and_needs_more_images(scores):
    plain, sure = (
        evaluate(scores, calibrated_confidence=c)["operating_points"] for c in (None, 0.95)
    )
    for one, other in zip(plain, sure, strict=True):
        assert one["calibrated"] < other["calibrated"]
        assert other["flagged_at_most"] <= 0.05 < one["flagged_at_most"]
        assert other["calibrated_confidence"] == 0.95
    none = evaluate(few(scores, 58), calibrated_confidence=0.95)
    assert "takes at least 59" in none["not_measured"]["operating_points"][0]


def test_a_threshold_for_every_class_is_the_highest_of_theirs(scores):
    names = ["Coat"] * 50 + ["Dress"] * 50
    source = "real:calibration"
    classes = pd.DataFrame({"source": source, "index": range(100), "class_name": names})
    metrics = evaluate(scores, by_class=True, classes=pd.concat([classes, TESTED]))
    for row in metrics["operating_points"]:
        own = scores[(scores["detector"] == row["detector"]) & (scores["source"] == source)]
        cuts = [
            calibrate(own.loc[of, "score"], 0.05) for of in (own["index"] < 50, own["index"] >= 50)
        ]
        assert row["calibrated"] == max(cuts)
        assert (row["of_each_class"], row["expected_flagged"]) == (True, 2 / 51)


@pytest.mark.parametrize(
    ("evaluation", "lead", "note"),
    [
        ({}, "At the calibrated threshold 5 of 100 new real images like those that chose it are "
             "expected to be flagged; with 95 % confidence at most 8.",
             "Number 144 of 150 scores of calibration reals"),
        ({"calibrated_confidence": 0.9}, "3 of 100 new real images", "with 90.0 % confidence; the"),
    ],
)  # fmt: skip
def test_the_report_says_what_is_promised(run, blank, evaluation, lead, note):
    study = read_json(run / "study.json")
    study["evaluation"] |= evaluation
    write_json(run / "study.json", study)
    chapters = [one for one in analyses() if one.name in ("cross_evaluation", "thresholds")]
    page = promises(
        StudyResults(read_inputs(run), compute_metrics(read_inputs(run), asked=chapters))
    )
    said = "\n".join(block.text for block in page)
    assert lead in said
    assert note in said

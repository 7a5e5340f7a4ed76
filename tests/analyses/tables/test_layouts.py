"""Result files of other projects, in their own columns."""

import pytest
from sklearn.metrics import roc_auc_score

from analyses.tables.layouts import LAYOUTS, N
from gandetect.evaluation import read_rows
from gandetect.statistics.scores import validate_scores


@pytest.mark.parametrize(("layout", "expected"), LAYOUTS.items(), ids=lambda one: getattr(
    one, "__name__", ""))  # fmt: skip
def test_a_file_of_another_project_is_read_by_options_alone(tmp_path, layout, expected):
    files, options = layout(tmp_path)
    rows = read_rows(files, **options)
    validate_scores(rows.scores)
    detectors, generators, reals = expected
    assert sorted(rows.own) == detectors
    sources = {str(one).partition(":")[2] for one in rows.scores["source"].unique()}
    assert sources == {*generators, "in-distribution"}
    mine = rows.scores[rows.scores["detector"] == detectors[-1]]
    assert (mine["source"] == "real:in-distribution").sum() == reals
    areas = roc_auc_score(mine["label"] == "generated", mine["score"])
    assert 0.55 < areas < 0.95  # the fixtures' fakes score higher, and probabilities are log-odds
    assert (mine["score"] < 0).any()


def test_frames_of_a_video_are_a_group(tmp_path):
    files, options = next(iter(LAYOUTS))(tmp_path)
    rows = read_rows(files, **options)
    assert set(rows.groups["group"]) == {"id0"}  # of the reals, which choose thresholds


def test_an_image_that_a_detector_did_not_score_is_no_row_of_it(tmp_path):
    deepsafe = list(LAYOUTS)[3]
    files, options = deepsafe(tmp_path)
    rows = read_rows(files, **options)
    counts = rows.scores["detector"].value_counts()
    assert counts["prob_npr"] == 3 * N > counts["prob_aide"]
    assert rows.notes["unpaired"] == ["generated:flux", "generated:sdxl", "real:in-distribution"]

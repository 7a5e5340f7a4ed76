import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import classification_report, confusion_matrix

from gandetect.analyses.reference_study.published import PUBLISHED
from gandetect.statistics import decisions

scores_of = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=30).map(np.asarray)


@given(scores_of, scores_of, st.sampled_from([-1.0, 0.0, 0.5]))
def test_tables_are_scikit_learns(generated, real, threshold):
    truth = np.array([1] * len(generated) + [0] * len(real))
    answer = (np.concatenate([generated, real]) > threshold).astype(int)
    matrix = decisions.confusion(generated, real, threshold)
    assert matrix == confusion_matrix(truth, answer, labels=[0, 1]).tolist()
    expected = classification_report(
        truth,
        answer,
        labels=[0, 1],
        target_names=["real", "generated"],
        output_dict=True,
        zero_division=0,
    )
    table = decisions.general_table(matrix)
    assert table.keys() == expected.keys()
    assert table["accuracy"] == pytest.approx(expected["accuracy"])
    for name in ("generated", "real", "macro avg", "weighted avg"):
        assert table[name] == pytest.approx(expected[name])


def test_a_score_at_the_threshold_is_called_real():
    scores = np.array([0.0])
    assert decisions.share_correct(scores, "real", 0.0)["correct"] == 1.0
    assert decisions.share_correct(scores, "generated", 0.0)["correct"] == 0.0


def test_a_high_score_is_right_for_generated_and_wrong_for_real():
    scores = np.array([5.0, 6.0])
    assert decisions.share_correct(scores, "generated", 0.0)["correct"] == 1.0
    assert decisions.share_correct(scores, "real", 0.0)["correct"] == 0.0


def test_single_label_table_knows_one_class_only():
    table = decisions.single_label_table(np.array([-1.0, -1.0, -1.0, 1.0]), "real", 0.0)
    assert table == {"recall": 0.75, "f1": pytest.approx(1.5 / 1.75), "n": 4}


@pytest.mark.parametrize("net", PUBLISHED)
def test_published_tables_hang_together(net):
    """Guards against typing errors: F1 follows from P and R to what two decimals allow."""
    tables = PUBLISHED[net]
    generated, real = tables["generated"], tables["real"]
    for row in (generated, real):
        f1 = 2 * row["precision"] * row["recall"] / (row["precision"] + row["recall"])
        assert row["f1-score"] == pytest.approx(f1, abs=0.011)
    for group in tables["groups"].values():
        recall = group["recall"]
        assert group["f1"] == pytest.approx(2 * recall / (1 + recall), abs=0.011)
    assert tables["accuracy"] == pytest.approx(
        (generated["recall"] + real["recall"]) / 2, abs=0.011
    )
    reals = [tables["groups"][role] for role in ("held-out", "in-distribution")]
    pooled = sum(row["recall"] * row["n"] for row in reals) / sum(row["n"] for row in reals)
    assert real["recall"] == pytest.approx(pooled, abs=0.011)


def test_gap_is_positive_when_training_images_are_known_better():
    gap = decisions.train_test_gap(np.full(100, -1.0), np.repeat([-1.0, 1.0], 50), 0.0)
    assert gap["difference"] == 0.5
    low, high = gap["difference_ci95"]
    assert 0 < low < 0.5 < high

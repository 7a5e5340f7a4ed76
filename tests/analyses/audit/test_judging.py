"""How a probe is judged: folds, intervals, warnings, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from gandetect.analyses.audit.judging import audit
from gandetect.errors import DataError, UsageError


def test_the_same_seed_gives_the_same_results() -> None:
    rng = np.random.default_rng(0)
    one, other = ({"a": rng.normal(size=(60, 3))} for _ in range(2))
    assert audit(one, other, seed=3) == audit(one, other, seed=3)
    assert audit(one, other, seed=3) != audit(one, other, seed=4)


def test_an_area_without_variance_has_an_interval_that_is_no_point() -> None:
    same = {"constant": np.zeros((40, 1))}
    apart = {"constant": np.ones((40, 1))}
    (nothing,), (everything,) = audit(same, same), audit(same, apart)
    assert nothing.auroc == 0.5
    assert not nothing.warning
    assert everything.auroc == 1
    assert everything.warning
    assert everything.ci95[0] < 0.95


def test_an_interval_is_delongs_of_each_fold_enlarged_for_what_models_share() -> None:
    rng = np.random.default_rng(0)
    real, fakes = rng.normal(0, 1, (70, 2)), rng.normal(0.7, 1, (50, 2))
    (found,) = audit({"a": real}, {"a": fakes}, folds=3, seed=5)
    both, labels = np.concatenate([real, fakes]), np.repeat([0, 1], [70, 50])
    areas, variances = [], []
    for train, test in StratifiedKFold(3, shuffle=True, random_state=5).split(both, labels):
        model = HistGradientBoostingClassifier(
            max_iter=40, max_leaf_nodes=6, learning_rate=0.15, early_stopping=False
        ).fit(both[train], labels[train])
        scores = model.decision_function(both[test])
        high, low = scores[labels[test] == 1], scores[labels[test] == 0]
        wins = (high[:, None] > low) + 0.5 * (high[:, None] == low)
        areas.append(roc_auc_score(labels[test], scores))
        variances.append(wins.mean(1).var(ddof=1) / len(high) + wins.mean(0).var(ddof=1) / len(low))
    area = np.mean(areas)
    error = np.sqrt((1 + 3 / 2) * np.mean(variances) / 3)  # one fold tests, two are fitted to
    reach = 1.959964 * error / (area * (1 - area))
    assert found.auroc == pytest.approx(area)
    assert found.ci95 == pytest.approx(expit(logit(area) + np.array([-reach, reach])))
    assert (found.n_real, found.n_generated) == (70, 50)


def test_a_warning_must_be_sure_in_the_face_of_all_probes_of_an_audit() -> None:
    rng = np.random.default_rng(0)
    others = {f"noise {number}": rng.normal(size=(60, 1)) for number in range(3)}
    told = []
    for shift in np.linspace(0.3, 1.5, 9):
        real, fakes = rng.normal(0, 1, (60, 1)), rng.normal(shift, 1, (60, 1))
        for beside in ({}, others):
            found = audit({"a": real, **beside}, {"a": fakes, **beside}, folds=2)[0]
            level = norm.ppf(1 - 0.05 / (1 + len(beside))) / norm.ppf(0.975)
            reach = logit(found.ci95[1]) - logit(found.auroc)
            low = expit(logit(found.auroc) - level * reach)
            assert found.warning == (found.auroc > 0.6 and low > 0.55)
            told.append(found.warning)
    assert set(told) == {True, False}
    assert any(alone and not beside for alone, beside in zip(told[::2], told[1::2], strict=True))


def test_copies_on_both_sides_stand_in_one_fold() -> None:
    """Apart, a model takes a fake for the real one that it is a copy of: worse than chance."""
    values = np.random.default_rng(0).normal(size=(200, 12))
    pairs = np.tile(np.arange(200), 2)
    (together,) = audit({"a": values}, {"a": values}, groups=pairs)
    (apart,) = audit({"a": values}, {"a": values})
    assert together.auroc == 0.5
    assert apart.auroc < 0.4


def test_probes_judged_elsewhere_count_for_the_promise() -> None:
    rng = np.random.default_rng(0)
    real, fakes = {"a": rng.normal(0, 1, (60, 1))}, {"a": rng.normal(0.85, 1, (60, 1))}
    told = [audit(real, fakes, others=others)[0].warning for others in (0, 1000)]
    assert told == [True, False]


def test_what_cannot_be_judged_is_refused_with_a_reason() -> None:
    with pytest.raises(DataError, match="24 different real and 30 different generated"):
        audit({"a": np.zeros((24, 1))}, {"a": np.zeros((30, 1))})
    with pytest.raises(DataError, match="not finite"):
        audit({"a": np.zeros((30, 1))}, {"a": np.full((30, 1), np.nan)})
    with pytest.raises(UsageError, match="at least 2"):
        audit({"a": np.zeros((30, 1))}, {"a": np.zeros((30, 1))}, folds=1)
    with pytest.raises(DataError, match="expected the same ones"):
        audit({"a": np.zeros((30, 1))}, {"b": np.zeros((30, 1))})

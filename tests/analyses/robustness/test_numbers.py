import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gandetect.analyses.robustness.numbers import robustness
from gandetect.errors import DataError

OWN = {"a": ["generated:a"]}
LEVELS = (("none", 0.0), ("blur", 1.0), ("blur", 2.0), ("jpeg", 50.0))
N = 120


def perturbed_table(seeds=(0, 1), effect=None) -> pd.DataFrame:
    """Scores of `a`; `effect(source, kind, level)` is added to those of a perturbation."""
    rng = np.random.default_rng(0)
    add = effect or (lambda source, kind, level: 0.0)
    frames = []
    for seed in seeds:
        for source in ("generated:a", "generated:b", "real:in-distribution"):
            base = rng.normal(1.0 if source.startswith("generated") else -0.5, 1.5, N)
            for kind, level in LEVELS:
                frames.append(pd.DataFrame({
                    "detector": "a", "detector_seed": seed, "source": source, "source_seed": seed,
                    "label": source.partition(":")[0], "perturbation": kind, "level": level,
                    "index": np.arange(N), "score": base + add(source, kind, level),
                }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def cuts(seeds=(0, 1)):
    return {("a", seed): {"native": 0.0, "calibrated": 1.0, "youden": 3.0} for seed in seeds}


def picked(rows, **wanted):
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_there_is_a_row_for_each_way_to_apply_each_level():
    rows = robustness(perturbed_table(), OWN, cuts())["runs"]
    assert len(rows) == 2 * 2 * (1 + 3 * 3)  # seeds, generators, unperturbed and the rest
    ways = {row["applied_to"] for row in picked(rows, perturbation="blur", level=2.0)}
    assert ways == {"both", "generated", "real"}
    assert {row["role"] for row in picked(rows, source="generated:b")} == {"other"}


def test_auroc_and_shares_are_those_of_the_processed_scores():
    noise = np.random.default_rng(1).normal(0, 2, N)
    table = perturbed_table(effect=lambda source, kind, level: noise * (kind == "jpeg"))
    rows = robustness(table, OWN, cuts())["runs"]
    (row,) = picked(rows, seed=1, source="generated:b", perturbation="jpeg", applied_to="real")
    of_seed = table[table.detector_seed == 1]
    fakes = of_seed[(of_seed.source == "generated:b") & (of_seed.perturbation == "none")].score
    reals = of_seed[(of_seed.source == "real:in-distribution") & (of_seed.perturbation == "jpeg")]
    expected = roc_auc_score([1] * N + [0] * N, [*fakes, *reals.score])
    assert row["auroc"] == pytest.approx(expected, abs=1e-12)
    assert row["caught"] == {"native": (fakes > 0).mean(), "calibrated": (fakes > 1).mean()}
    assert row["flagged"]["calibrated"] == (reals.score > 1).mean()
    assert row["change"] == pytest.approx(row["auroc"] - row["unperturbed"])


def test_a_shift_of_all_scores_shows_only_where_one_side_alone_is_processed():
    """The shortcut: a detector that answers 'generated' to whatever was compressed."""
    table = perturbed_table(effect=lambda source, kind, level: 2.0 * (kind == "jpeg"))
    rows = robustness(table, OWN, cuts())["runs"]
    jpeg = picked(rows, perturbation="jpeg", source="generated:a", seed=0)
    change = {row["applied_to"]: row["change"] for row in jpeg}
    assert change["both"] == pytest.approx(0, abs=1e-12)
    assert change["generated"] > 0.1
    assert change["real"] < -0.1


def test_the_mean_over_seeds_has_an_interval_that_knows_images_and_runs():
    noise = np.random.default_rng(1).normal(0, 2, N)
    table = perturbed_table(effect=lambda source, kind, level: noise * (kind == "blur"))
    found = robustness(table, OWN, cuts())
    runs = picked(found["runs"], source="generated:a", perturbation="blur", level=1.0,
                  applied_to="both")  # fmt: skip
    (mean,) = picked(found["across_seeds"], source="generated:a", perturbation="blur", level=1.0,
                     applied_to="both")  # fmt: skip
    assert mean["change"] == pytest.approx(np.mean([row["change"] for row in runs]))
    assert mean["seeds"] == [0, 1]
    low, high = mean["change_ci95"]
    assert low < mean["change"] < high


def test_images_that_all_runs_answered_do_not_count_once_for_each():
    """Runs that change alike on the same images know no more than one of them."""
    noise = np.random.default_rng(1).normal(0, 2, N)
    table = perturbed_table(effect=lambda source, kind, level: noise * (kind == "blur"))
    first = table[table.detector_seed == 0]
    copies = pd.concat([first.assign(detector_seed=n, source_seed=n) for n in range(8)])

    def width(table, seeds, same_fakes):
        found = robustness(table, OWN, cuts(seeds), same_fakes=same_fakes)["across_seeds"]
        (row,) = picked(found, source="generated:a", perturbation="blur", level=1.0,
                        applied_to="both")  # fmt: skip
        return row["change_ci95"][1] - row["change_ci95"][0]

    alone = width(first, (0,), True)
    shared, apart = (width(copies, range(8), same_fakes) for same_fakes in (True, False))
    assert shared > 0.9 * alone
    assert 0.5 * alone < apart < 0.9 * shared  # the reals are shared in any case


def test_an_image_is_compared_with_itself():
    """An equal shift of everyone moves no pair, so that its interval is next to nothing."""
    table = perturbed_table(seeds=(0,), effect=lambda source, kind, level: 0.5)
    for row in robustness(table, OWN, cuts())["across_seeds"]:
        assert row["change"] == pytest.approx(0, abs=1e-12)
        assert row["change_ci95"][1] - row["change_ci95"][0] < 0.07


def test_rows_in_any_order_give_the_same_numbers():
    table = perturbed_table()
    shuffled = table.sample(frac=1, random_state=0)
    assert robustness(shuffled, OWN, cuts()) == robustness(table, OWN, cuts())


def test_a_level_scored_on_other_images_is_refused():
    table = perturbed_table(seeds=(0,))
    first = table[table.perturbation == "jpeg"].index[0]
    with pytest.raises(DataError, match=r"jpeg at level 50 .* score the same images"):
        robustness(table.drop(index=first), OWN, cuts())


def test_a_missing_column_and_a_score_that_is_no_number_are_refused():
    table = perturbed_table()
    with pytest.raises(DataError, match="no column perturbation"):
        robustness(table.drop(columns="perturbation"), OWN, cuts())
    table.loc[3, "score"] = np.inf
    with pytest.raises(DataError, match="not finite"):
        robustness(table, OWN, cuts())


def test_without_reals_or_thresholds_there_is_less_and_no_error():
    table = perturbed_table()
    assert robustness(table[table.label == "generated"], OWN, cuts())["runs"] == []
    assert robustness(table, OWN, {})["runs"][0]["caught"] == {}

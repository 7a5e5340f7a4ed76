"""The scores of a study, written as a table and evaluated, give the numbers of the study itself."""

import numpy as np
import pandas as pd
import pytest
from score_tables import LEFT_OUT, evaluate

from gandetect.analyses.evaluate import evaluate as all_of
from gandetect.analyses.registry import analyses
from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tables.columns import TableOptions, our_columns
from gandetect.analyses.tables.reading import read_scores_table
from gandetect.analyses.tables.rows import our_rows
from gandetect.statistics.calibrated import CalibrationRule

KEYS = ("cells", "across_seeds", "pairs", "pairs_across_seeds", "operating_points", "comparisons",
        "overall", "training_gap", "splits")  # fmt: skip


def from_table(path, **options) -> dict:
    """Numbers of a table in a file."""
    asked = TableOptions({}, **options)
    rows = our_rows(our_columns(read_scores_table(path), asked, "x"), asked)
    facts = {name: {"kind": "detector", "recipe": None, "own": of} for name, of in rows.own.items()}
    study = ScoredStudy(rows.scores, CalibrationRule(), known=facts, same_fakes=rows.same_fakes)
    return all_of(study, [one for one in analyses() if one.name not in LEFT_OUT])


def with_known(scores: pd.DataFrame) -> pd.DataFrame:
    """With whether each detector was trained on the source, which is called like it."""
    own = scores["source"].eq("generated:" + scores["detector"].astype(str))
    return scores.assign(known=own)


def assert_equal(table, study):
    """Equal in every digit that is written."""
    assert {key: table[key] for key in KEYS} == {key: study[key] for key in KEYS}


@pytest.mark.parametrize("seeds", [(0,), (3, 1)])
def test_a_studys_scores_as_csv_give_its_numbers_to_the_digit(make_scores, tmp_path, seeds):
    scores = make_scores(np.random.default_rng(0), seeds=seeds)
    with_known(scores).to_csv(tmp_path / "scores.csv", index=False)
    assert_equal(from_table(tmp_path / "scores.csv"), evaluate(scores))


@pytest.mark.parametrize("suffix", [".tsv", ".csv.gz", ".parquet", ".jsonl", ".json"])
def test_every_format_in_any_order_of_rows_gives_the_same(make_scores, tmp_path, suffix):
    scores = make_scores(np.random.default_rng(1))
    table, path = with_known(scores).sample(frac=1, random_state=0), tmp_path / f"scores{suffix}"
    {
        ".tsv": lambda: table.to_csv(path, sep="\t", index=False, encoding="utf-16"),
        ".csv.gz": lambda: table.to_csv(path, sep=";", index=False),
        ".parquet": lambda: table.to_parquet(path),
        ".jsonl": lambda: table.to_json(path, orient="records", lines=True, double_precision=15),
        ".json": lambda: table.to_json(path, orient="records", double_precision=15),
    }[suffix]()
    found = from_table(path)
    if "json" not in suffix:  # which holds 15 digits
        assert_equal(found, evaluate(scores))
    shares = [cell["correct"] for cell in found["cells"]]
    assert shares == [cell["correct"] for cell in evaluate(scores)["cells"]]


def test_seeds_that_answered_the_same_fakes_are_noticed(make_scores, tmp_path):
    scores = make_scores(np.random.default_rng(2), seeds=(0, 1))
    path = tmp_path / "scores.csv"
    with_known(scores).drop(columns=["source_seed"]).to_csv(path, index=False)
    study = evaluate(scores, same_fakes=True)
    assert_equal(from_table(path), study)
    assert from_table(path, same_fakes=False)["across_seeds"] != study["across_seeds"]

"""Tables that are written in another way than ours, and mean the same."""

import json

import numpy as np
import pandas as pd
import pytest

from gandetect.errors import DataError
from gandetect.evaluation import read_rows

N = 20
LABELS = ["real"] * N + ["fake"] * N


def table(**more) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    images = [f"{i}.png" for i in range(2 * N)]
    of = {"image": images, "label": LABELS, "score": rng.normal(0, 1, 2 * N).round(3)}
    return pd.DataFrame(of).assign(**more)


def scores_of(given, **options) -> list[float]:
    return read_rows(given, **options).scores["score"].tolist()


def lines(table: pd.DataFrame, separator: str, decimal: str = ".") -> str:
    rows = [table.columns, *table.astype(str).to_numpy()]
    return "\n".join(separator.join(row) for row in rows).replace("!", decimal)


def comma(values: pd.Series) -> pd.Series:
    return values.astype(str).str.replace(".", ",", regex=False)


@pytest.mark.parametrize(
    ("change", "separator"),
    [
        (lambda t: t, ", "),
        (lambda t: t.assign(label=" " + t["label"] + " "), ","),
        (lambda t: t.assign(score=comma(t["score"])), ";"),
        (lambda t: t.assign(score=" " + comma(t["score"])), "; "),
        (lambda t: t.assign(score='"' + comma(t["score"]) + '"'), "\t"),
        (lambda t: t.assign(score=comma(t["score"]), note="1,5 cm; 2.5"), "|"),
    ],
)
def test_blanks_and_decimal_commas_change_nothing(tmp_path, change, separator):
    path = tmp_path / "scores.csv"
    path.write_text(lines(change(table()), separator))
    assert scores_of(path) == table()["score"].tolist()


def test_a_comma_in_a_name_makes_no_decimal_comma(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text(lines(table(image=[f"{i},5.png" for i in range(2 * N)]), ";"))
    assert scores_of(path) == table()["score"].tolist()


def test_results_may_be_a_list_of_rows(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({"results": table().to_dict("records")}))
    assert scores_of(path) == table()["score"].tolist()


@pytest.mark.parametrize("samples", [None, [1, 2], 3, {"a": 1}])
def test_samples_that_are_no_rows_are_refused_in_a_sentence(tmp_path, samples):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({"results": {"npr": {"samples": samples}}}))
    with pytest.raises(DataError, match=r"holds no rows|cannot be read as a table of scores"):
        read_rows(path)


def test_images_may_be_called_by_numbers_here_and_by_texts_there(tmp_path):
    table(image=range(2 * N)).to_csv(tmp_path / "npr.csv", index=False)
    named = [*map(str, range(N)), *(f"{i}.png" for i in range(N))]
    table(image=named).to_csv(tmp_path / "aide.csv", index=False)
    rows = read_rows([tmp_path / "npr.csv", tmp_path / "aide.csv"])
    reals = rows.scores[rows.scores["label"] == "real"]
    by = reals.groupby("detector", observed=True)["index"].apply(sorted)
    assert by["npr"] == by["aide"]


@pytest.mark.parametrize("seeds", [(2**40, 2**40 + 1), (1, 1 + 2**32)])
def test_large_seeds_stay_as_they_are(seeds):
    both = pd.concat([table(seed=seed) for seed in seeds])
    assert sorted(read_rows(both).scores["detector_seed"].unique()) == list(seeds)


def test_the_rows_of_a_wide_table_are_images_and_those_of_two_are_others(tmp_path):
    wide = table(a=1.0, b=np.arange(2.0 * N)).drop(columns=["image", "score"])
    for name in ("one", "two"):
        wide.to_csv(tmp_path / f"{name}.csv", index=False)
    rows = read_rows([tmp_path / "one.csv", tmp_path / "two.csv"])
    by = rows.scores.groupby("detector", observed=True)["index"].apply(sorted)
    assert by["a"] == by["b"] == sorted({*by["a"]})
    assert len(by["a"]) == 4 * N
    assert "image" in read_rows(table().drop(columns="image")).notes["lacks"]


def test_a_real_and_a_generated_image_of_one_name_and_source_are_two():
    names = [f"{i % N}.png" for i in range(2 * N)]
    rows = read_rows(table(image=names, source="coco"))
    assert rows.scores["index"].nunique() == 2 * N
    assert rows.notes["two_splits"] == 0

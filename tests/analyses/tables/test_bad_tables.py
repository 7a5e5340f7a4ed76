"""Tables that cannot be evaluated: a sentence each, and nothing is written."""

import re

import numpy as np
import pandas as pd
import pytest

from gandetect.analyses.comparisons.numbers import compare_all
from gandetect.analyses.study import ScoredStudy
from gandetect.errors import DataError, GandetectError, RunError, UsageError, shown
from gandetect.evaluation import evaluate, read_rows
from gandetect.statistics.calibrated import CalibrationRule

N = 30


def table(**more) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    of = {"coco": 0, "sdxl": 1, "flux": 1}
    return pd.DataFrame({
        "detector": "npr", "source": np.repeat(list(of), N),
        "label": np.repeat(list(of.values()), N),
        "image": [f"{i}.png" for i in range(3 * N)], "score": rng.normal(0, 1, 3 * N),
    }).assign(**more)  # fmt: skip


def two_reals(**more) -> pd.DataFrame:
    further = table().head(N).assign(source="ffhq")
    return pd.concat([table(), further], ignore_index=True).assign(**more)


BAD = [
    (table().drop(columns="label"), {}, "no column label; name the one that says"),
    (table().drop(columns=["label", "source"]), {}, "no label that says which images"),
    (table(label=1), {}, "all 90 rows are of generated images (label 1); expected real ones"),
    (table(label=["maybe"] * 45 + ["real"] * 45), {}, "label(s) maybe are not known"),
    (table(label=None), {}, "90 of 90 rows have no label"),
    (table(), {"generated_labels": ["2"]}, "no label '2'; its labels are: 0, 1"),
    (table(score=np.nan), {}, "90 of 90 scores are not finite numbers; the first is 'nan', image"),
    (table(score=[np.inf] + [0.5] * 89), {}, "1 of 90 scores are not finite numbers"),
    (table(score="0,5"), {}, "scores are not finite numbers; the first is '0,5'"),
    (table(image="a.png"), {}, "87 row(s) are of an image that stands there already"),
    (table(image=None), {}, "do not say which image they are of"),
    (table(score=1.5), {"probabilities": True},
     "90 of 90 scores lie outside 0 to 1 (from 1.5 to 1.5), so they are no probabilities; the "
     "first is '1.5', image '0.png' by 'npr'; correct them"),
    (table(split="holdout"), {}, "split(s) holdout are not known; expected: test, training"),
    (table(known="perhaps"), {}, "column known holds perhaps"),
    (table(seed="first"), {}, "column seed holds 'first'; expected a whole number"),
    (table(seed=1e300), {}, "column seed holds '1e+300'; expected a whole number"),
    (table(known=[None] * 60 + ["yes"] * 30), {}, "column known holds nothing; expected true"),
    ([], {}, "no table was given; give at least one"),
    (table().set_axis(["detector", "label", "label", "image", "score"], axis=1), {},
     "several columns 'label'; name each column once"),
    (table(a=1.0), {"detectors": ["a", "a"]}, "score=… name the columns a, a; give one"),
    (table(a=1.0, b=2.0), {"detectors": ["a"], "columns": {"score": "b"}},
     "score=… name the columns a, b; give one of the two"),
    (table(a=1.0, b=np.nan), {"detectors": ["a", "b"]}, "column 'b' holds no score"),
    (pd.concat([table(), table(detector="aide", label=[0] * 59 + [1] * 31)]).assign(source="x"),
     {}, "29 image(s) are real for one detector and generated for another; the first is '30.png'"),
    (two_reals(), {}, "2 sources of reals (coco, ffhq), and nothing says which are"),
    (two_reals(), {"reference": ["cocoa"]}, "no reals of 'cocoa'; it has: coco, ffhq; did you"),
    (two_reals(), {"reference": ["coco"], "held_out": ["coco"]}, "cannot be in-distribution and"),
    (table(source="real:x"), {}, "are labelled generated, not real"),
    (table().drop(columns="score"), {}, "no column of scores"),
    (table(), {"columns": {"scroe": "score"}}, "no column of ours; there are: detector"),
    (table(), {"columns": {"score": "scores"}}, "no column 'scores'"),
    (table(), {"detectors": ["npr"]}, "--detectors: the table has no column 'npr'"),
    (table(), {"path_pattern": "(?P<label>"}, "is no regular expression"),
    (table(), {"path_pattern": "png"}, "needs named groups"),
    (table(), {"path_pattern": "(?P<label>x)"}, "fits 0 of 90 paths; the first"),
    (table(), {"key": table().head(5)}, "85 of 90 scores are of images that the key does not"),
    (table(), {"key": pd.concat([table(), table()])}, "the key has image '0.png' twice"),
]  # fmt: skip


@pytest.mark.parametrize(("scores", "options", "told"), BAD, ids=lambda one: shown(one, 40))
def test_a_bad_table_is_refused_in_one_sentence_and_nothing_is_written(
    tmp_path, scores, options, told
):
    with pytest.raises(GandetectError, match=re.escape(told)) as error:
        evaluate(scores, out=tmp_path / "run", **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cannot be read as a table"),
        (b"label,score\n", "holds no rows"),
        (b"label,score,label\n1,2,3\n", "several columns 'label'"),
        (b"label,score\n1,2\n1,2,3\n", "Expected 2 columns, got 3"),
        (b"PAR1 nothing", "cannot be read as a table"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, told):
    path = tmp_path / "scores.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(told)) as error:
        read_rows(path)
    assert str(path) in str(error.value)


def test_an_image_is_no_table_and_the_sentence_holds_nothing_of_it(tmp_path):
    (tmp_path / "scores.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    with pytest.raises(DataError, match=r"table of scores \(it holds no text\)"):
        read_rows(tmp_path / "scores.csv")


def test_columns_that_differ_in_case_alone_are_told_apart_by_their_owner():
    both = table().rename(columns={"detector": "model"}).assign(Model="x")
    with pytest.raises(UsageError, match="'model' and 'Model' may both be the detector; say which"):
        read_rows(both)
    assert list(read_rows(both.assign(Note=1, note=2), columns={"detector": "Model"}).own) == ["x"]


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "json"])
def test_other_formats_that_are_damaged_are_named(tmp_path, suffix):
    (tmp_path / f"scores.{suffix}").write_text('{"a": [1, 2')
    with pytest.raises(DataError, match="cannot be read as a table"):
        read_rows(tmp_path / f"scores.{suffix}")
    with pytest.raises(DataError, match="No such file"):
        read_rows(tmp_path / f"none.{suffix}")


def test_probabilities_that_a_double_hardly_tells_from_certain_ones_are_counted_with_them():
    scores = np.linspace(0.1, 0.9, 3 * N)
    scores[:3] = 1e-300, 1e-17, 1e-15
    rows = read_rows(table(score=scores), probabilities=True)
    assert rows.notes["clipped"] == 2
    assert rows.scores["score"].iloc[2] == pytest.approx(np.log(1e-15))


def test_probabilities_become_log_odds_and_certain_ones_are_counted():
    scores = np.linspace(0, 1, 3 * N)
    rows = read_rows(table(score=scores), probabilities=True)
    assert rows.notes["clipped"] == 2
    assert (rows.scores["score"].iloc[0], rows.scores["score"].iloc[-1]) == (-37, 37)
    assert (np.diff(rows.scores["score"]) > 0).all()
    odds = scores[1:-1] / (1 - scores[1:-1])
    assert np.exp(rows.scores["score"].to_numpy()[1:-1]) == pytest.approx(odds)


def test_high_scores_may_stand_for_real_images():
    plain, turned = read_rows(table()), read_rows(table(), positive="real")
    assert (turned.scores["score"] == -plain.scores["score"]).all()
    both = [read_rows(table(score=0.25), probabilities=True, positive=p) for p in
            ("generated", "real")]  # fmt: skip
    assert both[0].scores["score"].iloc[0] == -both[1].scores["score"].iloc[0] < 0


def test_scores_that_look_like_probabilities_and_a_leak_are_told():
    leak = pd.concat([table(split="test"), table(split="calibration").head(5)])
    assert read_rows(leak).notes["two_splits"] == 5
    assert not read_rows(table()).notes["like_probabilities"]
    assert read_rows(table(score=np.linspace(0, 1, 90))).notes["like_probabilities"]


def test_the_reference_is_the_source_with_a_calibration_split_and_others_are_groups_of_their_own():
    scores = two_reals(split=["calibration"] * 10 + ["test"] * 110)
    rows = read_rows(scores)
    assert {*rows.scores["source"]} == {
        "real:calibration", "real:in-distribution", "real:ffhq", "generated:sdxl", "generated:flux",
    }  # fmt: skip
    assert rows.reals == {"real:in-distribution": "coco"}
    held = read_rows(scores, held_out=["ffhq"])
    assert "real:held-out" in {*held.scores["source"]}
    turned = read_rows(scores, reference="ffhq")  # a name, or several
    assert turned.notes["left_out"] == ["coco (calibration)"]
    assert len(turned.scores) == 110
    pooled = read_rows(scores, reference=["coco", "ffhq"])
    assert (pooled.scores["source"] == "real:in-distribution").sum() == 50


def test_what_a_detector_was_trained_on_is_said_row_by_row():
    scores = table()
    rows = read_rows(scores.assign(known=scores["source"] == "sdxl"))
    assert rows.own == {"npr": ["generated:sdxl"]}
    assert read_rows(scores.assign(known="no")).own == {"npr": []}
    assert read_rows(scores).own == {"npr": None}


def test_classes_are_kept_where_all_reals_have_one():
    scores = table()
    classes = read_rows(scores.assign(**{"class": scores["image"].str[0]})).classes
    assert len(classes) == N
    assert set(classes["source"]) == {"real:in-distribution"}
    few = scores.assign(**{"class": ["cat"] * 5 + [None] * 85})
    assert read_rows(few).classes is None
    assert read_rows(few).notes["without_class"] == 25


def test_tables_of_other_columns_are_not_joined(tmp_path):
    table().to_csv(tmp_path / "a.csv", index=False)
    table(seed=1).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(UsageError, match="some tables have a column seed and others have none"):
        read_rows([tmp_path / "a.csv", tmp_path / "b.csv"])


def test_files_that_name_no_detector_are_one_each(tmp_path):
    for name in ("npr", "aide"):
        table().drop(columns="detector").to_csv(tmp_path / f"{name}.csv", index=False)
    rows = read_rows([tmp_path / "npr.csv", tmp_path / "aide.csv"])
    assert sorted(rows.own) == ["aide", "npr"]
    both = rows.scores.groupby("detector", observed=True)["index"].apply(sorted)
    assert both["aide"] == both["npr"]  # the same images by name


def test_detectors_without_common_images_are_compared_unpaired():
    scores = pd.concat([table(), table(detector="aide", score=table()["score"] + 1)])
    unpaired = read_rows(scores.drop(columns="image")).scores
    paired = read_rows(scores).scores
    by = {"npr": {"kind": "detector", "recipe": None, "own": None}}
    by["aide"] = by["npr"]
    found = [
        ScoredStudy(one, CalibrationRule(), known=by).runs.values() for one in (paired, unpaired)
    ]  # fmt: skip
    first, second = (compare_all({run.detector: run for run in runs}) for runs in found)
    assert [row["difference"] for row in first] == pytest.approx(
        [row["difference"] for row in second]
    )
    for same, other in zip(first, second, strict=True):
        assert np.ptp(same["ci95"]) < np.ptp(other["ci95"])


def test_files_of_one_name_are_called_by_the_folders_that_tell_them_apart(tmp_path):
    files = [tmp_path / "x" / side / "npr" / "scores.csv" for side in ("old", "new")]
    for file in files:
        file.parent.mkdir(parents=True)
        table().drop(columns=["detector", "image"]).to_csv(file, index=False)
    assert sorted(read_rows(files).own) == ["new/npr/scores", "old/npr/scores"]
    frames = [table().drop(columns="detector")] * 2
    assert sorted(read_rows(frames).own) == ["scores 1", "scores 2"]


def test_the_digest_covers_classes_and_groups(tmp_path, blank):
    grouped = table(group=np.arange(3 * N) // 5)
    assert evaluate(grouped, out=tmp_path / "run").run == tmp_path / "run"
    with pytest.raises(RunError, match="holds something else"):
        evaluate(table(), out=tmp_path / "run")
    with pytest.raises(RunError, match="holds something else"):
        evaluate(grouped.assign(**{"class": "cat"}), out=tmp_path / "run")


def test_no_groups_are_left_in_the_folder_of_a_table_without(tmp_path, blank):
    (run := tmp_path / "run").mkdir()
    evaluate(table(), out=run)
    (run / "groups.parquet").write_bytes(b"old")
    evaluate(table(), out=run)
    assert not (run / "groups.parquet").exists()

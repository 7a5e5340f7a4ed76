"""What the report of a table says of its groups, its training and its verdicts."""

import numpy as np
import pandas as pd
import pytest

from gandetect.evaluation import evaluate

N, COPIES = 40, 5


def table(copies: int = 1, n: int = N) -> pd.DataFrame:
    """Reals and fakes of one detector, each so many times."""
    rng = np.random.default_rng(0)
    names = [f"{label}-{i}" for label in ("real", "fake") for i in range(n)]
    scores = np.concatenate([rng.normal(-3, 1, n), rng.normal(3, 1, n)])
    once = pd.DataFrame({"detector": "npr", "label": ["real"] * n + ["fake"] * n, "group": names,
                         "score": scores})  # fmt: skip
    many = pd.concat([once] * copies, ignore_index=True)
    return many.assign(image=[f"{i}.png" for i in range(len(many))])


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict]:
    """The page of a table of copies, and its metrics."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gandetect.report.style.figure_svg", lambda figure: b"\x89PNG")
        found = evaluate(table(COPIES), out=tmp_path_factory.mktemp("copies") / "run")
    return " ".join(found.report.markdown.read_text().split()), found.metrics


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of ten images of each kind, which calibrate nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gandetect.report.style.figure_svg", lambda figure: b"\x89PNG")
        found = evaluate(table(n=10), out=tmp_path_factory.mktemp("few") / "run")
    return " ".join(found.report.markdown.read_text().split())


def test_images_of_one_group_count_for_fewer_and_the_page_says_so(copies):
    page, metrics = copies
    assert "400 images are of 80 groups" in page
    assert "no interval here takes this into account" in page
    assert "How many at most is not said" in page
    assert "Beta(" not in page
    assert "flagged_at_most" not in metrics["operating_points"][0]


OF_A_STUDY = ("as training left it", "of training", "0, 1, 2, 3, 4", "network")
GLOSSARY = "Every number and figure here"


def test_a_table_is_told_what_a_table_needs(copies):
    page, _ = copies
    assert not [words for words in OF_A_STUDY if words in page.partition(GLOSSARY)[0]]
    assert "Give several seeds (a column seed)" in page
    assert "other calibration and test images" in page


def test_where_nothing_was_calibrated_nothing_is_said_of_it_and_one_value_is_no_range(copies, few):
    page, _ = copies
    assert "calibration images" not in few.partition(GLOSSARY)[0]
    assert "other calibration and test" not in few
    assert "Usable as a detector?** Not known: too few images" in few
    assert "The calibrated threshold lies at" in page
    for one in (page, few):
        assert "AUROC between" not in one


def test_a_group_for_each_image_leaves_the_promise_as_it_is(tmp_path, blank):
    found = evaluate(table(), out=tmp_path / "run")
    page = " ".join(found.report.markdown.read_text().split())
    assert "groups" not in page.replace("by group", "")
    assert "with 95 % confidence at most" in page
    assert "flagged_at_most" in found.metrics["operating_points"][0]


def test_usual_labels_keep_their_meaning_beside_one_that_is_given(tmp_path, blank):
    mixed = table().assign(label=["real"] * N + ["fake"] * (N // 2) + ["AI"] * (N // 2))
    found = evaluate(mixed, generated_labels=["AI"], out=tmp_path / "run")
    assert {row["n_generated"] for row in found.metrics["pairs"]} == {N}


def test_a_usual_label_may_be_given_the_other_meaning(tmp_path, blank):
    inverted = table().assign(label=["1"] * N + ["0"] * N)
    found = evaluate(inverted, generated_labels=["0"], out=tmp_path / "run")
    assert {row["auroc"] > 0.99 for row in found.metrics["pairs"]} == {True}


def test_reals_are_judged_at_the_calibrated_threshold_and_the_worst_source_is_named(
    tmp_path, blank
):
    two = pd.concat([table(n=400).assign(source="a"), table(n=400).assign(source="b")])
    two.loc[two["label"] == "real", "source"] = "coco"
    two = two.assign(image=[f"{i}.png" for i in range(len(two))])
    worse = (two["source"] == "b") & (np.arange(len(two)) % 2 == 0)
    two.loc[worse, "score"] -= 9
    page = evaluate(two, calibrated_fpr=0.4, out=tmp_path / "run").report.markdown.read_text()
    usable = next(line for line in page.splitlines() if "Usable as a detector?" in line)
    assert "No." in usable
    assert "of b's" in usable
    assert "of 100 in-distribution reals" in usable
    assert "study.toml" not in page

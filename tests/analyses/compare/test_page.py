"""The page of a comparison: what it says has moved and changed, and what it refuses to compare."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analyses.compared_runs import GANS, SHIFTED, finished_run, longer_run
from analyses.conftest import write_json
from gandetect.analyses.compare.build import build_comparison, comparison_folder
from gandetect.analyses.compare.reading import labels_of
from gandetect.errors import RunError, UsageError

HOSTILE = '"><img src=x onerror=alert(1)>|*b*'


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Path]:
    """A run and one with other settings and one shifted source; only read them."""
    folder = tmp_path_factory.mktemp("runs")
    return [finished_run(folder / "quick-0"), longer_run(folder / "longer-1")]


@pytest.fixture(scope="module")
def written(runs, tmp_path_factory):
    return build_comparison(runs, tmp_path_factory.mktemp("comparison") / "new" / "place")


@pytest.fixture(scope="module")
def text(written) -> str:
    return written.markdown.read_text(encoding="utf-8")


def said(text: str, title: str) -> str:
    """A chapter of the Markdown."""
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def changed(run: Path, target: Path, file: str, /, **values) -> Path:
    """A copy of a run with some keys of one of its files replaced."""
    shutil.copytree(run, target)
    content = json.loads((target / file).read_text())
    write_json(target / file, {**content, **values})
    return target


def other_data(run: Path, target: Path, **values) -> Path:
    data = json.loads((run / "study.json").read_text())["data"]
    return changed(run, target, "study.json", data={**data, **values})


def markdown(folder: Path, *runs: Path) -> str:
    return build_comparison(runs, folder / "out").markdown.read_text(encoding="utf-8")


def test_what_was_shifted_has_moved_and_nothing_else(written, text) -> None:
    cells = [row for row in written.numbers["cells"] if row.get("moved")]
    assert {(row["detector"], row["source"]) for row in cells} == {SHIFTED}
    assert {row["operating_point"] for row in cells} == {"native", "calibrated"}
    assert all(row["difference"] < 0 for row in cells)
    pairs = [row for row in written.numbers["pairs"] if row.get("moved")]
    assert {(row["detector"], row["real_source"]) for row in pairs} == {SHIFTED}
    assert "of 20 shares answered correctly, 2 have moved by more than the chance of" in text
    assert text.count("▼") - text.count("▲ or ▼") == 2 + len(pairs)
    assert "▲" not in text.replace("▲ or ▼", "")


def test_a_sentence_gives_the_largest_move_with_its_interval(written, text) -> None:
    row = min(written.numbers["cells"], key=lambda row: row.get("difference", 0))
    low, high = (100 * bound for bound in row["difference_ci95"])
    before, after = 100 * row["baseline"], 100 * row["value"]
    told = [line for line in said(text, "The answer").splitlines() if line.startswith("- ")]
    (line,) = [line for line in told if f"{after:.1f} % in longer" in line]
    assert line.startswith(f"- {SHIFTED[0]} on real, held-out classes")
    assert f"{before:.1f} % correct in quick" in line
    assert f"{100 * row['difference']:.1f} ({low:.1f} to {high:.1f})" in line


def test_settings_and_versions_that_differ_are_told_and_no_others(text) -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", said(text, "What was changed"), re.M
    )
    assert [row for row in rows if row[0] not in ("Setting", "What", ":---")] == [
        ("gans.dcgan-bn.epochs", "50", "9"),
        ("gans.dcgan-plain.batch\\_size", "16", "64"),
        ("versions.numpy", "2.1", "2.9"),
    ]


def test_one_training_each_is_warned_of_and_several_are_not(text, tmp_path) -> None:
    assert "**Warning: quick and longer trained each network once" in text
    several = finished_run(tmp_path / "a", seeds=(0, 1), name="a")
    again = Path(shutil.copytree(several, tmp_path / "b"))
    assert "trained each network once" not in markdown(tmp_path, several, again)


def test_runs_on_other_images_are_warned_of_before_anything_else(runs, tmp_path) -> None:
    for number, (values, words) in enumerate((
        ({"split_seed": 5}, "split or prepare the data otherwise (data.split\\_seed)."),
        ({"held_out": ["Bag"]}, "hold out other classes"),
    )):  # fmt: skip
        folder = tmp_path / str(number)
        other = other_data(runs[0], folder / "other", **values)
        if "held_out" in values:
            other = changed(other, folder / "again", "data.json", held_out=["Bag"])
        answer = said(markdown(folder, runs[0], other), "The answer").strip()
        assert answer.startswith("**Warning: These runs ")
        assert words in answer.splitlines()[0]
        assert "Figures on other test images do not show what a setting does" in answer
        assert "All runs answered the same real test images" not in answer


def test_other_files_left_out_twins_and_other_false_alarms_are_warned_of(runs, tmp_path) -> None:
    twins = {"policy": "exclude", "images": [["in-distribution", 3]]}
    evaluation = json.loads((runs[0] / "study.json").read_text())["evaluation"]
    rarer = changed(runs[0], tmp_path / "r", "study.json",
                    evaluation={**evaluation, "calibrated_fpr": 0.01})  # fmt: skip
    for number, (other, words) in enumerate((
        (changed(runs[0], tmp_path / "f", "data.json", digest="1" * 64), "read other image files"),
        (changed(runs[0], tmp_path / "t", "metrics.json", overlap=twins), "1 images"),
        (rarer, "Cells there differ for that reason alone"),
    )):  # fmt: skip
        text = markdown(tmp_path / str(number), runs[0], other)
        assert words in said(text, "The answer").partition("trained each network once")[0]


def test_a_detector_that_only_one_run_has_is_listed(runs, tmp_path) -> None:
    metrics = json.loads((runs[0] / "metrics.json").read_text())
    kept = {
        name: [row for row in metrics[name] if row["detector"] != "dcgan-plain"]
        for name in ("detectors", "across_seeds", "pairs_across_seeds")
    }
    alone = changed(runs[0], tmp_path / "alone", "metrics.json", **kept)
    study = json.loads((alone / "study.json").read_text())
    write_json(alone / "study.json", {**study, "gans": study["gans"][:1]})
    text = markdown(tmp_path, runs[0], alone)
    assert "Not every run has: detector dcgan-plain (only in quick-0)." in text
    assert "| gans.dcgan-plain | trained (dcgan-plain) | not in this run |" in text
    assert "| dcgan-plain · quick-0 |" in text
    assert "of 10 shares answered correctly, none have moved" in text


def test_the_same_run_copied_has_moved_nowhere(runs, tmp_path) -> None:
    digests = {"scores.parquet": "0" * 64}
    first = changed(runs[0], tmp_path / "quick-0", "manifest.json", digests=digests)
    copy = Path(shutil.copytree(first, tmp_path / "copy"))
    text = markdown(tmp_path, first, copy)
    assert "All settings are the same." in text
    assert "none have moved" in text
    assert "0 of the 20 lie beyond" in text
    assert "copy holds the very same scores as quick-0" in text


def test_three_runs_are_each_compared_with_the_first(runs, tmp_path) -> None:
    third = changed(runs[1], tmp_path / "third-2", "study.json", name="third")
    text = markdown(tmp_path, *runs, third)
    for name in ("longer", "third"):
        assert f"What moved: {name} against quick" in text
    assert "third against longer" not in text
    # Twice as many differences are corrected for, and each run is counted by itself.
    assert text.count("of 20 shares answered correctly") == 2


def test_equal_names_get_labels_that_tell_them_apart() -> None:
    assert labels_of(["a", "a", "b"], ["a-1", "a-2", "b-1"]) == ["a-1", "a-2", "b"]
    assert labels_of(["a", "a"], ["same", "same"]) == ["same (1)", "same (2)"]
    long = labels_of(["a", "a"], ["x" * 300 + "1", "x" * 300 + "2"])
    assert len(set(long)) == 2
    assert max(map(len, long)) < 60


def test_a_folder_name_that_turns_text_around_or_is_no_utf8_does_no_harm(runs, tmp_path) -> None:
    # Made of bytes, as such names come about; not every system allows them.
    names = [os.fsdecode("turned \u202e round".encode()), os.fsdecode(b"latin \xe9")]
    try:
        folders = [Path(shutil.copytree(runs[0], tmp_path / name)) for name in names]
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    text = markdown(tmp_path, *folders)
    assert "Every figure of latin \ufffd beside that of turned \ufffd round." in text
    assert "\u202e" not in text


def test_hostile_folder_and_source_names_are_escaped(runs, tmp_path) -> None:
    folder = Path(shutil.copytree(runs[0], tmp_path / HOSTILE.replace("/", "")))
    metrics = json.loads((folder / "metrics.json").read_text())
    for row in metrics["across_seeds"]:
        row["source"] = row["source"].replace("dcgan-bn", HOSTILE)
    write_json(folder / "metrics.json", metrics)
    paths = build_comparison([runs[0], folder], tmp_path / "out")
    html, text = paths.html.read_text("utf-8"), paths.markdown.read_text("utf-8")
    assert "<img" not in html
    assert "&lt;img src=x" in html
    assert "<img" not in re.sub(r"```.*?```", "", text, flags=re.S)
    header = next(line for line in text.splitlines() if line.startswith("| Detector · run |"))
    assert len(re.findall(r"(?<!\\)\|", header)) == 2 + len(re.findall(r"Generated|Real", header))


def test_equal_inputs_give_equal_bytes_and_the_runs_stay_as_they_are(
    runs, written, tmp_path
) -> None:
    before = {path: path.stat().st_mtime_ns for run in runs for path in run.rglob("*")}
    again = build_comparison(runs, tmp_path)
    for name in ("html", "markdown", "csv"):
        assert getattr(again, name).read_bytes() == getattr(written, name).read_bytes()
    assert {path: path.stat().st_mtime_ns for run in runs for path in run.rglob("*")} == before


def test_the_table_holds_all_rows_and_numbers_are_json(written) -> None:
    table = pd.read_csv(written.csv)
    numbers = json.loads(json.dumps(written.numbers, allow_nan=False))
    assert (table["metric"] == "correct").sum() == len(numbers["cells"]) == 40
    assert table["moved"].sum() == sum(
        row.get("moved", False) for row in numbers["cells"] + numbers["pairs"]
    )
    assert [run["run"] for run in numbers["runs"]] == ["quick", "longer"]
    assert numbers["changed"][0] == {
        "key": "gans.dcgan-bn.epochs", "values": {"quick": "50", "longer": "9"}
    }  # fmt: skip


def test_where_a_run_has_no_manifest_less_is_said(runs, tmp_path) -> None:
    bare = Path(shutil.copytree(runs[1], tmp_path / "bare"))
    (bare / "manifest.json").unlink()
    assert "No manifest.json, so versions and machine are not known: longer" in markdown(
        tmp_path, runs[0], bare
    )


def test_what_cannot_be_compared_is_refused_in_a_sentence(runs, tmp_path) -> None:
    first, _ = runs
    plain = tmp_path / "plain"
    plain.mkdir()
    joined = changed(first, tmp_path / "joined", "study.json")
    write_json(joined / "variants.json", {})
    young = changed(first, tmp_path / "a young run", "study.json")
    (young / "metrics.json").unlink()
    old = changed(first, tmp_path / "old", "metrics.json", schema=1)
    broken = changed(first, tmp_path / "broken", "metrics.json", across_seeds=[{"detector": 1}])
    for folders, error, words in (
        ([first], UsageError, "one cannot be compared; give two or more"),
        ([first, first.parent / "." / first.name], UsageError, "is given twice"),
        ([first, joined], UsageError, "joins several runs.*variants"),
        ([first, plain], RunError, "is not a run folder"),
        ([first, tmp_path / "nowhere"], RunError, "does not exist"),
        (
            [first, young],
            RunError,
            r"no metrics\.json.*run `gandetect report '.*a young run'` first",
        ),
        ([first, old], RunError, "another version.*gandetect report"),
        ([first, broken], RunError, "is damaged.*gandetect report"),
    ):
        with pytest.raises(error, match=words):
            build_comparison(folders, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_default_folder_is_named_after_the_runs(tmp_path) -> None:
    name = comparison_folder([tmp_path / "quick-1", tmp_path / "<b>"]).name
    assert name == "comparison-quick-1-vs-b"
    many = [comparison_folder([Path(f"{'x' * 50}-{i}-{n}") for n in range(9)]) for i in (1, 2)]
    assert len(set(many)) == 2
    assert max(len(folder.name) for folder in many) < 150


def test_a_run_that_was_renamed_in_its_gans_is_told_apart(runs, tmp_path) -> None:
    gans = [GANS[0], {**GANS[1], "name": "other"}]
    renamed = finished_run(tmp_path / "renamed-1", name="renamed", scores=_renamed, gans=gans)
    text = markdown(tmp_path, runs[0], renamed)
    assert "detector dcgan-plain (only in quick); detector other (only in renamed)" in text
    assert "source generated by dcgan-plain (only in quick)" in text


def _renamed(scores: pd.DataFrame) -> pd.DataFrame:
    swap = {"dcgan-plain": "other", "generated:dcgan-plain": "generated:other"}
    return scores.assign(
        detector=scores["detector"].astype(str).replace(swap),
        source=scores["source"].replace(swap),
    )


def test_what_makes_a_run_doubtful_alone_is_said_of_it_here_too(runs, tmp_path) -> None:
    leaky = changed(runs[1], tmp_path / "leaky", "data.json", leak=True)
    text = said(markdown(tmp_path, runs[0], leaky), "The answer")
    assert "longer leaked on purpose" in text
    assert "quick leaked" not in text
    assert "The fakes of quick can be told from real images by trivial numbers alone" in text

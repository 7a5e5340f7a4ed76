"""`gandetect evaluate`: one run of the command, what it leaves, and what others make of it."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from gandetect.cli import main

N = 60


def write_table(path, shift=0.0):
    rng = np.random.default_rng(0)
    sources = np.repeat(["coco", "sdxl", "flux"], N)
    shown = pd.DataFrame({
        "Path": [f"{i}.png" for i in range(3 * N)], "generator": sources,
        "target": np.where(sources == "coco", "nature", "ai"),
        "npr": rng.normal(0, 1, 3 * N) + 1.5 * (sources != "coco"),
        "aide": rng.normal(0, 1, 3 * N) - 1.5 * (sources != "coco") + shift,
    })  # fmt: skip
    shown.to_csv(path, sep=";", index=False)


def invoke(*words) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder = tmp_path_factory.mktemp("evaluated")
    write_table(folder / "two.csv")
    words = ["evaluate", folder / "two.csv", "--out", folder / "run", "--real-label", "nature"]
    return folder, words, invoke(*words)


def test_a_wide_table_becomes_a_run_folder_with_the_whole_report(evaluated):
    folder, _, result = evaluated
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(folder / "run" / "report.html")
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert {row["detector"] for row in metrics["detectors"]} == {"npr", "aide"}
    assert {row["calibrated_on"] for row in metrics["operating_points"]} == {"real:in-distribution"}
    text = (folder / "run" / "report.md").read_text()
    assert "Not shown" not in text
    assert "The table has no seeds" in text
    assert "no calibration split: calibrated thresholds" in text
    assert "cross-fitted" in text
    digests = json.loads((folder / "run" / "manifest.json").read_text())["digests"]
    assert set(digests) == {"two.csv", "scores.parquet"}


def test_what_was_found_in_the_table_is_told(evaluated):
    _, _, result = evaluated
    assert "detectors: aide, npr; sources: generated:flux, generated:sdxl, " in result.stderr


def test_a_detector_whose_sign_is_turned_is_told(evaluated):
    _, _, result = evaluated
    assert "warning: aide ranks the fakes of every source below real images" in result.stderr
    assert "--positive real" in result.stderr


def test_the_report_is_made_again_byte_for_byte_and_the_same_command_goes_through(evaluated):
    folder, words, _ = evaluated
    before = (folder / "run" / "report.html").read_bytes()
    assert invoke("report", folder / "run").exit_code == 0
    assert (folder / "run" / "report.html").read_bytes() == before
    assert invoke(*words, "--calibrated-fpr", "0.2").exit_code == 1  # another evaluation
    assert (folder / "run" / "report.html").read_bytes() == before


def test_two_evaluations_are_compared(evaluated, tmp_path):
    folder, _, _ = evaluated
    write_table(tmp_path / "other.csv", shift=2.0)
    out = tmp_path / "other"
    again = ["evaluate", tmp_path / "other.csv", "--out", out, "--real-label", "nature"]
    assert invoke(*again).exit_code == 0
    result = invoke("compare", folder / "run", out, "--out", tmp_path / "both", "--json")
    assert result.exit_code == 0, result.output
    moved = {row["detector"] for row in json.loads(result.stdout)["cells"] if row.get("moved")}
    assert moved == {"aide"}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--columns", "score"], 2, "--columns 'score' is not of the form ours=theirs"),
        (["--real-label", "real"], 2, "the table has no label 'real'; its labels are: ai, nature"),
        ([], 1, "label(s) ai, nature are not known"),
        (["--real-label", "nature", "--calibrated-by", "class"], 2, "needs the class of every"),
    ],
)
def test_a_wrong_option_is_one_sentence(evaluated, words, code, told):
    folder, _, _ = evaluated
    result = invoke("evaluate", folder / "two.csv", "--out", folder / "new", *words)
    assert result.exit_code == code
    assert told in result.stderr
    assert not (folder / "new").exists()


def test_the_calibrated_threshold_promises_what_was_asked(tmp_path):
    rng = np.random.default_rng(1)
    label = np.repeat(["real", "fake"], 400)
    camera = np.where(label == "real", np.tile(["phone", "scanner"], 400), "")
    score = rng.normal(0, 1, 800) + 2.0 * (label == "fake") + 1.0 * (camera == "scanner")
    split = np.where(np.arange(800) % 4 < 2, "calibration", "test")
    table = pd.DataFrame({"label": label, "camera": camera, "score": score, "split": split})
    table = table[(table["label"] == "real") | (table["split"] == "test")]
    table.to_csv(tmp_path / "t.csv", index=False)
    asked = {"average": [], "sure": ["--calibrated-confidence", 0.95],
             "each": ["--calibrated-by", "class", "--columns", "class=camera"]}  # fmt: skip
    rows = {}
    for name, words in asked.items():
        out = tmp_path / name
        result = invoke("evaluate", tmp_path / "t.csv", "--out", out, *words)
        assert result.exit_code == 0, result.output
        points = json.loads((out / "metrics.json").read_text())["operating_points"]
        (rows[name],) = points
    assert rows["average"]["rank"] < rows["sure"]["rank"]
    assert rows["sure"]["flagged_at_most"] <= 0.05 < rows["average"]["flagged_at_most"]
    assert rows["each"]["of_each_class"]
    assert rows["each"]["calibrated"] > rows["average"]["calibrated"]

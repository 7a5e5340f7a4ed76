"""External detectors in a study: beside its own, fitted in it, and left out where they fail."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image
from shortcuts import in_this_process, without_audits, without_figures

from gandetect.cli import main
from gandetect.config import parse_experiment
from gandetect.detectors.protocol import Preprocessing
from gandetect.errors import UsageError
from gandetect.stages.external import OpenExternal

EXAMPLES = Path(__file__).parents[2] / "examples" / "foreign"
EXPERIMENT = """
name = "external"
[data]
name = "digits"
held_out = ["9"]
[[gans]]
architecture = "dense"
epochs = 1
steps_per_epoch = 2
batch_size = 16
[[detectors]]
kind = "python"
name = "fitted"
object = "sklearn.linear_model:LogisticRegression"
options = { max_iter = 50 }
scaling = "0..1"
flatten = true
fit = true
max_images = 100
trained_on = ["dense"]
[[detectors]]
kind = "command"
name = "size"
command = ["sh", "file_size.sh"]
[[detectors]]
kind = "python"
name = "broken"
object = "broken.py:score"
trained_on = ["dense"]
[quality]
classifier_epochs = 1
generated = 100
[evaluation]
own_generated = 40
other_generated = 40
training_reals = 40
perturbations = ["jpeg 75"]
perturbed_images = 20
"""
RAISES = "def score(images):\n    if len(images) > 4:\n        raise OSError('disk is full')\n"
ANSWERS = "    return images.mean(axis=(1, 2, 3)) - 90\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same command twice, after the code was corrected: what both left, and said."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "external.toml").write_text(EXPERIMENT)
    shutil.copy(EXAMPLES / "file_size.sh", folder)
    answers = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        in_this_process(monkeypatch)
        without_figures(monkeypatch)
        without_audits(monkeypatch)
        for code in (RAISES + ANSWERS, "def score(images):\n" + ANSWERS):
            (folder / "broken.py").write_text(code)
            command = ["run", str(folder / "external.toml"), "--out", str(folder / "runs")]
            answer = CliRunner().invoke(main, command)
            run = next((folder / "runs").iterdir())
            kept = folder / f"after-{len(answers)}"
            shutil.copytree(run, kept)
            answers.append((answer, kept))
    return answers


def test_one_that_fails_while_it_scores_is_left_out_and_the_exit_code_says_so(runs):
    answer, run = runs[0]
    assert answer.exit_code == 1, answer.output
    sentence = (
        "detector 'broken' (broken.py:score) is left out: scoring failed in broken.py, line 3 with "
        "OSError: disk is full"
    )
    assert f"warning: {sentence}" in answer.stderr
    assert f"error: the report is without 1 detector(s): {sentence}" in answer.stderr
    assert json.loads((run / "left-out.json").read_text()) == {"detectors": [sentence]}
    assert f"{sentence}." in (run / "report.md").read_text().replace("\\", "")
    scores = pd.read_parquet(run / "scores.parquet")
    assert set(scores["detector"]) == {"dense", "fitted", "size"}


def test_corrected_it_is_tried_again_and_nothing_else_is_made_afresh(runs):
    (_, before), (answer, run) = runs
    assert answer.exit_code == 0, answer.output
    assert not (run / "left-out.json").exists()
    scores = pd.read_parquet(run / "scores.parquet")
    counts = pd.crosstab(scores["source"], scores["detector"])
    assert set(counts.columns) == {"dense", "fitted", "size", "broken"}
    for name in ("fitted", "size", "broken"):
        equal = counts[name] == counts["dense"]
        assert equal.drop("generated:calibration").all()  # which is of own generators
    for place in ("gans/dense/seed-0", "detectors/fitted/seed-0", "detectors/size/seed-0"):
        records = [json.loads((one / place / "record.json").read_text()) for one in (before, run)]
        assert records[0] == records[1]


def test_they_are_calibrated_processed_mapped_and_reported_as_external(runs):
    _, run = runs[1]
    metrics = json.loads((run / "metrics.json").read_text())
    facts = {row["detector"]: row for row in metrics["detectors"]}
    assert facts["fitted"] == {
        "detector": "fitted", "kind": "external", "recipe": "python", "own": ["generated:dense"]
    }  # fmt: skip
    assert facts["size"]["own"] == []
    points = {(row["detector"], row["operating_point"]) for row in metrics["cells"]}
    assert {("size", "calibrated"), ("fitted", "native")} <= points
    perturbed = pd.read_parquet(run / "perturbed.parquet")
    assert set(perturbed["detector"]) == set(facts)
    assert {path.parent.name for path in run.glob("saliency/*/*")} == {"dense", "fitted", "broken"}
    report = (run / "report.md").read_text()
    assert "1 discriminator and 3 external detectors" in report
    assert "An external detector was made elsewhere, and given to the study" in report


@pytest.mark.parametrize(
    ("number", "change", "counts"),
    [
        (0, {"device": "cpu"}, False),
        (1, {"timeout": 5.0}, False),
        (1, {"batch_size": 7}, True),  # others' code may answer by what else is in a batch
        (0, {"max_images": 50}, True),
    ],
)
def test_how_it_runs_is_part_of_no_digest_but_what_it_is_given_is(number, change, counts):
    table = tomllib.loads(EXPERIMENT)
    before = parse_experiment(table)
    table["detectors"][number].update(change)
    after = parse_experiment(table)
    assert (after.digest() != before.digest()) == counts
    shape = Preprocessing(image_size=28)
    stages = [OpenExternal(one.detectors[number], 0, shape) for one in (before, after)]
    assert (stages[0].settings() != stages[1].settings()) == counts


def test_the_fitted_one_tells_its_fakes_on_images_it_was_not_fitted_to(runs):
    _, run = runs[1]
    scores = pd.read_parquet(run / "scores.parquet").query("detector == 'fitted'")
    medians = scores.groupby("source")["score"].median()
    assert medians["generated:dense"] > 2 > -2 > medians["real:in-distribution"]


def test_a_saved_program_scores_files_where_its_folder_is_named(runs, tmp_path):
    _, run = runs[1]
    folder = run / "detectors" / "size" / "seed-0"
    assert not (folder / "weights.safetensors").exists()
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(tmp_path / "black.png")
    command = ["score", str(folder), str(tmp_path / "black.png")]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert "runs 'sh file_size.sh' from outside" in refused.stderr
    answer = CliRunner().invoke(main, [*command, "--code-from", str(EXAMPLES)])
    assert answer.exit_code == 0, answer.stderr
    assert "black.png" in answer.stdout


@pytest.mark.slow
def test_the_example_puts_four_kinds_beside_the_discriminators(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    shutil.copytree(EXAMPLES, tmp_path / "foreign")
    warnings = ["-W", "ignore"]  # PyTorch discourages TorchScript
    for command in (
        [*warnings, "foreign/make_models.py"],
        ["-m", "gandetect", "run", "foreign/foreign.toml", "--out", "runs"],
    ):
        subprocess.run([sys.executable, *command], cwd=tmp_path, check=True)
    metrics = json.loads(next((tmp_path / "runs").glob("*/metrics.json")).read_text())
    kinds = {row["detector"]: row["kind"] for row in metrics["detectors"]}
    assert kinds == {
        "dcgan-bn": "discriminator", "dcgan-plain": "discriminator", "file-size": "external",
        "logistic-regression": "external", "onnx": "external", "torchscript": "external",
    }  # fmt: skip


def test_only_names_of_generators_are_trained_on():
    table = {"name": "x", "gans": [{"architecture": "dense"}], "detectors": [
        {"kind": "command", "name": "d", "command": ["true"], "trained_on": ["dens"]}]}  # fmt: skip
    with pytest.raises(UsageError, match="trained_on 'dens' is not known; choose one of: dense"):
        parse_experiment(table)

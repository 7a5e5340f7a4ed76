"""A study that leaves one generator out, by pairs and with fakes of all epochs, on real images."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from shortcuts import context_in, in_this_process, without_drawing

from gandetect.analyses.audit.numbers import audit
from gandetect.config import parse_experiment
from gandetect.detectors import load_detector
from gandetect.errors import UsageError
from gandetect.report.inputs import read_inputs
from gandetect.report.material import Material
from gandetect.report.sections.leave_one_out import leave_one_out
from gandetect.stages.classifier import _fakes
from gandetect.stages.gan import load_generator
from gandetect.study import Options, run_study
from gandetect.study.compose import compose
from gandetect.training.history import fakes_of_epochs
from gandetect.training.images import generate

pytestmark = pytest.mark.slow
PAIRS = {
    "recipe": "cnn-small", "name": "pairs", "fakes_from": ["one", "two"],
    "leave_one_out": True, "history": "all", "contrastive": {"embedding": 6, "epochs": 1},
    "epochs": 2, "images": 40,
}  # fmt: skip
TABLE = {
    "name": "tiny-leave-one-out",
    "data": {"images": 600},
    "gans": [
        {
            "architecture": "dcgan-plain",
            "epochs": epochs,
            "steps_per_epoch": 1,
            "batch_size": 8,
            "name": name,
        }
        for name, epochs in (("one", 2), ("two", 1))
    ],
    "classifiers": [PAIRS],
    "quality": {"classifier_epochs": 1, "generated": 100},
    "evaluation": {"own_generated": 40, "other_generated": 30},
}
TITLE = "A generator that it does not know"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        without_drawing(patch)
        patch.setattr("gandetect.stages.audit.audit", partial(audit, folds=2))
        patch.setattr("gandetect.analyses.build.PARTS", ("What is behind it",))
        return run_study(parse_experiment(TABLE), Options(tmp_path_factory.mktemp("runs"), jobs=1))


@pytest.fixture(scope="module")
def metrics(run) -> dict:
    return json.loads((run / "metrics.json").read_text())


def test_each_detector_meets_the_generator_that_was_kept_from_it(run, metrics) -> None:
    scores = pd.read_parquet(run / "scores.parquet")
    for row in metrics["leave_one_out"]:
        if row["detector"] is None or row["operating_point"] is None:
            continue
        out = row["left_out"].removeprefix("generated:")
        assert row["detector"] == f"pairs-without-{out}"
        seen = scores[
            (scores["detector"] == row["detector"]) & (scores["source"] == row["left_out"])
        ]
        point = next(p for p in metrics["operating_points"] if p["detector"] == row["detector"])
        caught = (seen["score"].astype(float) > point[row["operating_point"]]).mean()
        assert row["unknown"]["mean"] == pytest.approx(caught)
    left_out = {row["left_out"] for row in metrics["leave_one_out"]}
    assert left_out == {"generated:one", "generated:two", None}


def test_a_detector_with_an_embedding_is_usable_on_its_own(run) -> None:
    folder = run / "detectors" / "pairs-without-one" / "seed-0"
    detector = load_detector(folder)
    assert detector.description.options["embedding"] == 6
    scores = pd.read_parquet(run / "scores.parquet")
    stored = scores[(scores["detector"] == "pairs-without-one")
                    & (scores["source"] == "generated:one")]  # fmt: skip
    fakes = np.load(run / "gans" / "one" / "seed-0" / "generated" / "images.npy")[:30]
    np.testing.assert_allclose(detector.decision_function(fakes), stored["score"], atol=1e-4)


def test_the_report_says_what_is_caught_of_the_unknown_and_only_then(run, metrics) -> None:
    text = (run / "report.md").read_text()
    chapter = text.partition(f"## {TITLE}\n")[2].partition("\n## ")[0]
    assert "on average over 2 generators left out" in chapter
    assert "Not shown" not in chapter
    table = [line for line in chapter.splitlines() if line.startswith("| pairs | one |")]
    points = {row["operating_point"] for row in metrics["leave_one_out"]} - {None}
    assert len(table) == len(points) + 2  # and the AUROC against two groups of reals


def test_without_such_detectors_there_is_no_chapter(run, metrics) -> None:
    others = {key: value for key, value in metrics.items() if key != "leave_one_out"}
    assert leave_one_out(Material(read_inputs(run), others)) == []


def test_the_fakes_are_those_of_the_epochs_that_history_names(run) -> None:
    experiment = parse_experiment(TABLE)
    stage = compose(experiment).report.gans[0]
    gan, folder = stage.config, run / stage.place
    reals, cpu = np.zeros((1, 1, 28, 28), np.uint8), torch.device("cpu")
    drawn = partial(_fakes, gan=stage, count=7, reals=reals, seed=0, purpose="trial",
                    context=context_in(run))  # fmt: skip
    config = experiment.classifiers[0]

    last = generate(
        load_generator(gan, folder, reals, 0, cpu), 7, seed=0, purpose="trial", device=cpu
    )
    assert np.array_equal(drawn(config.model_copy(update={"history": "last"})), last)
    size = {"image_size": 28, "channels": 1, "seed": 0, "purpose": "trial", "device": cpu}
    assert np.array_equal(drawn(config), fakes_of_epochs(gan, folder, [1, 2], 7, **size))
    assert not np.array_equal(drawn(config), last)


def test_an_unknown_history_is_answered_with_what_there_is() -> None:
    wrong = {**TABLE, "classifiers": [{**PAIRS, "history": "some"}]}
    with pytest.raises(UsageError, match=r"'some' names no epochs; give \"all\", \"last\""):
        parse_experiment(wrong)


def test_leaving_one_out_of_one_is_refused() -> None:
    wrong = {**TABLE, "classifiers": [{**PAIRS, "fakes_from": ["one"]}]}
    with pytest.raises(UsageError, match=r"leaves one generator out, .* name at least two GANs"):
        parse_experiment(wrong)

"""A classifier that learns by pairs, with fakes of all epochs of two GANs, on real images."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from shortcuts import context_in, in_this_process, without_figures

from gandetect.analyses.audit.sides import audit_sides
from gandetect.config import parse_experiment
from gandetect.detectors.folder import load_detector
from gandetect.errors import UsageError
from gandetect.stages.classifier import _fakes
from gandetect.study import Options, run_study
from gandetect.study.compose import compose
from gandetect.training.epoch_fakes import fakes_of_epochs
from gandetect.training.images import generate
from gandetect.training.networks import load_generator

pytestmark = pytest.mark.slow
PAIRS = {
    "recipe": "cnn-small", "name": "pairs", "fakes_from": ["one", "two"],
    "fakes_epochs": "all", "contrastive": {"embedding": 6, "epochs": 1},
    "epochs": 2, "max_images": 40,
}  # fmt: skip
TABLE = {
    "name": "tiny-pairs",
    "data": {"max_images": 600},
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


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        without_figures(patch)
        patch.setattr("gandetect.stages.audit.audit_sides", partial(audit_sides, folds=2))
        patch.setattr("gandetect.analyses.build.PARTS", ())
        return run_study(parse_experiment(TABLE), Options(tmp_path_factory.mktemp("runs"), jobs=1))


def test_a_detector_with_an_embedding_is_usable_on_its_own(run) -> None:
    folder = run / "detectors" / "pairs" / "seed-0"
    detector = load_detector(folder)
    assert detector.description.options["embedding"] == 6
    scores = pd.read_parquet(run / "scores.parquet")
    stored = scores[(scores["detector"] == "pairs")
                    & (scores["source"] == "generated:one")]  # fmt: skip
    fakes = np.load(run / "generated" / "one" / "seed-0" / "evaluation" / "images.npy")[:40]
    np.testing.assert_allclose(detector.decision_function(fakes), stored["score"], atol=1e-4)


def test_the_fakes_are_those_of_the_epochs_that_history_names(run) -> None:
    experiment = parse_experiment(TABLE)
    stage = compose(experiment).report.gans[0]
    gan, folder = stage.config, run / stage.place
    cpu = torch.device("cpu")
    drawn = partial(_fakes, gan=stage, count=7, purpose="trial", context=context_in(run))
    config = experiment.classifiers[0]

    generator = load_generator(gan, folder, (1, 28), 0, cpu)
    last = generate(generator, 7, seed=0, purpose="trial")
    assert np.array_equal(drawn(config.model_copy(update={"fakes_epochs": "last"})), last)
    size = {"image_size": 28, "channels": 1, "seed": 0, "purpose": "trial", "device": cpu}
    assert np.array_equal(drawn(config), fakes_of_epochs(gan, folder, [1, 2], 7, **size))
    assert not np.array_equal(drawn(config), last)


def test_an_unknown_history_is_answered_with_what_there_is() -> None:
    wrong = {**TABLE, "classifiers": [{**PAIRS, "fakes_epochs": "some"}]}
    with pytest.raises(UsageError, match=r"'some' names no epochs; give \"all\", \"last\""):
        parse_experiment(wrong)

"""TensorBoard sees every epoch as it ends, and a study does not notice."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import torch
from shortcuts import Kept, in_this_process
from torch import nn

from gandetect.config import parse_experiment
from gandetect.errors import UsageError
from gandetect.study import Options, plan_study, run_study
from gandetect.study.tensorboard import logged
from gandetect.training.checkpoints import Gan, GanFolder

EXPERIMENT = parse_experiment(
    {
        "name": "x",
        "gans": [{"architecture": "dcgan-plain", "epochs": 2, "steps_per_epoch": 2,
                  "batch_size": 8}],
        "data": {"max_images": 500},
        "quality": {"classifier_epochs": 1, "generated": 100},
    }
)  # fmt: skip
PLACE = "gans/dcgan-plain/seed-0"


needs_tensorboard = pytest.mark.skipif(
    find_spec("tensorboard") is None,
    reason="TensorBoard is not installed: pip install 'gandetect[tensorboard]'",
)


def events_in(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def steps_in(run, name):
    return [one.step for one in events_in(run / "tensorboard" / PLACE).Scalars(name)]


def files_of(run):
    return {one: one.stat().st_mtime_ns for one in (run / "gans").rglob("*") if one.is_file()}


@needs_tensorboard
def test_a_training_that_begins_afresh_does_so_there_too(tmp_path):
    both = {name: nn.Linear(1, 1) for name in ("generator", "discriminator")}
    optimizers = [torch.optim.SGD(one.parameters(), 0.1) for one in both.values()]
    gan = Gan(both["generator"], both["discriminator"], *optimizers)
    training = GanFolder(tmp_path / PLACE, "digest", pytest.fail)
    samples = np.zeros((64, 1, 28, 28), np.uint8)

    def train(epoch, fid):
        history = {"epoch": epoch, "fid": fid, "class_shares": [0.25, 0.75]}
        training.save_epoch(gan, epoch, history, samples)
        listener.event({"event": "epoch", "epoch": epoch})
        return [(one.step, one.value) for one in events_in(events).Scalars("fid")]

    events = tmp_path / "tensorboard" / PLACE
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "of-an-earlier-start").touch()
    with logged({tmp_path: EXPERIMENT}, Kept()) as listener:
        assert train(1, 8.0) == [(1, 8.0)]
        assert train(2, 4.0) == [(1, 8.0), (2, 4.0)]
        shutil.rmtree(training.path)
        assert train(1, 16.0) == [(1, 16.0)]
        training.save_epoch(gan, 2, {"epoch": 2, "fid": 2.0}, samples)  # without a word
    assert steps_in(tmp_path, "fid") == [1, 2]
    assert steps_in(tmp_path, "class_shares/1") == [1]
    assert [one.name for one in (tmp_path / "tensorboard").iterdir()] == ["gans"]


@needs_tensorboard
@pytest.mark.slow
def test_epochs_are_there_as_they_end_and_again_after_a_second_start(tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    options = Options(tmp_path, device="cpu", stop_after="gans", log="tensorboard")
    run = plan_study(EXPERIMENT, options).folder
    seen = []

    class Looking(Kept):
        def say(self, message: str) -> None:
            pass

        def event(self, event) -> None:
            if event["event"] == "epoch" and event["epoch"] == 2:  # the first has been written
                seen.append(steps_in(run, "fid"))

    assert run_study(EXPERIMENT, options, Looking()) == run
    assert seen == [[1]]
    before = files_of(run)
    for _ in range(2):
        events = events_in(run / "tensorboard" / PLACE)
        history = pd.read_csv(run / PLACE / "history.csv")
        for name in ("discriminator_loss", "generator_loss", "fid", "kid"):
            told = [one.value for one in events.Scalars(name)]
            assert told == pytest.approx(history[name].tolist(), rel=1e-6)
        shares = [events.Scalars(f"class_shares/{number}")[1].value for number in range(10)]
        assert sum(shares) == pytest.approx(1.0, abs=1e-4)
        assert [one.step for one in events.Images("samples")] == [1, 2]
        content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        assert b"generator_optimizer.learning_rate" in content
        run_study(EXPERIMENT, options)
    assert files_of(run) == before
    assert run_study(EXPERIMENT, replace(options, log=None)) == run


def test_where_it_is_not_installed_one_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("gandetect.study.plan.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'gandetect\[tensorboard\]'"):
        plan_study(EXPERIMENT, Options(tmp_path, log="tensorboard"))

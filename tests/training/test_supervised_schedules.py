"""Optimizers, schedules, early stopping and phases of classifiers."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from supervised_digits import blurred_digits, column, configure, few, read_history, train

from gandetect.training.classifier_folder import best_epoch
from gandetect.training.examples import Examples
from gandetect.training.supervised import new_classifier
from gandetect.training.supervised_task import phases


@pytest.fixture(scope="module")
def digits() -> tuple[Examples, Examples]:
    return blurred_digits()


@pytest.mark.parametrize(
    ("name", "loss", "precision"),
    [
        ("adam", "cross-entropy", "fp32"),
        ("adam", "bce", "bf16"),
        ("sgd", "bce", "fp32"),
        ("sgd", "cross-entropy", "bf16"),
        ("adadelta", "cross-entropy", "fp32"),
        ("adadelta", "bce", "fp32"),
    ],
)
def test_every_optimizer_loss_and_precision_lowers_the_training_loss(
    digits, tmp_path, name, loss, precision
) -> None:
    rate = {"adam": 0.003, "sgd": 0.03, "adadelta": 1.0}[name]
    config = configure(
        optimizer={"name": name, "learning_rate": rate, "weight_decay": 1e-4},
        loss=loss,
        precision=precision,
        epochs=3,
    )
    train(config, (few(digits[0], 100), few(digits[1])), tmp_path)
    losses = column(tmp_path, "train_loss")
    assert losses[-1] < losses[0]


def test_a_step_schedule_lowers_the_learning_rate_to_its_minimum(digits, tmp_path) -> None:
    schedule = {"name": "step", "epochs": 2, "factor": 0.1, "minimum": 5e-5}
    config = configure(epochs=5, schedule=schedule)
    train(config, (few(digits[0]), few(digits[1])), tmp_path)
    expected = [1e-3, 1e-3, 1e-4, 1e-4, 5e-5]
    assert column(tmp_path, "learning_rate") == pytest.approx(expected)


def test_a_plateau_schedule_halves_the_learning_rate_when_nothing_gets_better(
    digits, tmp_path
) -> None:
    schedule = {"name": "plateau", "patience": 0, "factor": 0.5, "monitor": "auroc"}
    one_label = digits[1].take(np.flatnonzero(digits[1].label == 0))
    config = configure(epochs=3, schedule=schedule)
    train(config, (few(digits[0]), one_label), tmp_path)  # AUROC is never known, never better
    assert column(tmp_path, "learning_rate") == pytest.approx([1e-3, 5e-4, 2.5e-4])
    assert [row["validation_auroc"] for row in read_history(tmp_path)] == [""] * 3


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_a_plateau_schedule_lets_the_learning_rate_be_while_things_get_better(
    digits, tmp_path, monitor
) -> None:
    schedule = {"name": "plateau", "patience": 1, "factor": 0.5, "monitor": monitor}
    config = configure(epochs=4, schedule=schedule, optimizer={"name": "adam"})
    train(config, (few(digits[0], 150), digits[1]), tmp_path)
    sign = -1 if monitor == "loss" else 1
    assert sign * column(tmp_path, f"validation_{monitor}")[-1] > (
        sign * column(tmp_path, f"validation_{monitor}")[0]
    )
    assert column(tmp_path, "learning_rate") == [1e-3] * 4


def test_early_stopping_stops_and_the_best_epoch_is_kept(digits, tmp_path) -> None:
    # A rate this high gets worse after a while.
    config = configure(
        epochs=30,
        optimizer={"name": "sgd", "learning_rate": 0.5},
        early_stopping={"patience": 2, "monitor": "loss"},
        monitor="loss",
    )
    classifier = train(config, (few(digits[0]), few(digits[1])), tmp_path)
    results = json.loads((tmp_path / "training.json").read_text())
    losses = column(tmp_path, "validation_loss")
    kept = load_file(tmp_path / "weights.safetensors")
    assert all(torch.equal(kept[name], now) for name, now in classifier.state_dict().items())
    assert results["stopped_early"] is True
    assert results["best_epoch"] == 1 + int(np.argmin(losses)) == len(losses) - 2 < 28


def test_the_first_of_equally_good_epochs_is_the_best() -> None:
    rows = [{"validation_accuracy": value, "validation_loss": value} for value in (0.5, 0.7, 0.7)]
    assert best_epoch(rows, "accuracy") == 2
    assert best_epoch(rows, "loss") == 1
    assert best_epoch([{"validation_auroc": None}, {"validation_auroc": 0.4}], "auroc") == 2


def test_phases_train_what_they_name_at_their_own_rates(digits, tmp_path) -> None:
    config = configure(
        network="resnet18",
        image_size=32,
        normalise="imagenet",
        epochs=3,
        phases=[
            {"epochs": 1, "trainable": [], "learning_rate": 0.01},
            {"epochs": 1, "trainable": ["layer4"], "learning_rate": 0.001},
            {"epochs": 1, "trainable": ["all"], "learning_rate": 0.0001},
        ],
    )
    assert [(one.first, one.last) for one in phases(config)] == [(1, 1), (2, 2), (3, 3)]
    trained: list[set[str]] = []
    before = new_classifier(config, 1, weights=False, seed=0).state_dict()

    def compare(event: Mapping[str, Any]) -> None:
        nonlocal before
        if event["event"] == "epoch":
            folder = tmp_path / "epochs" / f"{event['epoch']:04d}"
            now = load_file(folder / "weights.safetensors")
            trained.append({name for name in now if not torch.equal(now[name], before[name])})
            before = now

    train(config, (few(digits[0], 8), few(digits[1], 8)), tmp_path, compare)
    assert column(tmp_path, "learning_rate") == [0.01, 0.001, 0.0001]
    head, last_stage, everything = trained
    assert head
    assert not any("layer" in name for name in head)  # nor any BatchNorm statistics
    assert any("layer4" in name for name in last_stage)
    assert not any("layer3" in name for name in last_stage)
    assert any("layer1" in name for name in everything)

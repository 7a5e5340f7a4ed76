"""Training a classifier: what it learns, writes, refuses, and is measured by."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score
from supervised_digits import TIMES, blurred_digits, column, configure, few, read_history, train
from torch.nn import functional

from gandetect.config.recipes import RECIPES
from gandetect.errors import TrainingError
from gandetect.training.batches import training_batches
from gandetect.training.examples import Examples
from gandetect.training.supervised import new_classifier
from gandetect.training.supervised_task import figures

COLUMNS = ("loss", "accuracy", "auroc", "precision", "recall", "specificity", "f1")


@pytest.fixture(scope="module")
def digits() -> tuple[Examples, Examples]:
    return blurred_digits()


def test_it_learns_to_tell_digits_from_blurred_ones(digits, tmp_path) -> None:
    config = configure(epochs=4)
    classifier = train(config, digits, tmp_path)
    assert max(column(tmp_path, "validation_auroc")) > 0.9

    # What it returns is in eval mode and scores like the best epoch of the history.
    assert not classifier.training
    validation = digits[1]
    with torch.no_grad():
        ready = classifier.prepare(torch.from_numpy(validation.pixels()))
        scores = classifier.log_odds(classifier(ready))
    best = json.loads((tmp_path / "training.json").read_text())["best_epoch"]
    expected = column(tmp_path, "validation_auroc")[best - 1]
    assert roc_auc_score(validation.label, scores) == pytest.approx(expected, abs=1e-4)


def test_the_folder_holds_what_it_promises(digits, tmp_path) -> None:
    config = configure(epochs=2, augmentation={"horizontal_flip": 0.5})
    classifier = train(config, (few(digits[0]), few(digits[1])), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"weights.safetensors", "history.csv", "training.json", "batch.npz"}

    saved = load_file(tmp_path / "weights.safetensors")
    for name, value in classifier.state_dict().items():
        assert torch.equal(saved[name], value)
    expected = ["epoch", "learning_rate", *TIMES]
    expected += [f"{split}_{name}" for split in ("train", "validation") for name in COLUMNS]
    rows = read_history(tmp_path)
    assert list(rows[0]) == expected
    assert [row["epoch"] for row in rows] == ["1", "2"]
    with np.load(tmp_path / "batch.npz", allow_pickle=False) as batch:
        assert batch["images"].shape == (32, 1, 16, 16)
        assert batch["images"].dtype == np.uint8
        assert set(batch["labels"].tolist()) == {0, 1}
    results = json.loads((tmp_path / "training.json").read_text())
    assert results["epochs"] == 2
    assert results["stopped_early"] is False
    assert results["training_images"] == 48


def test_only_the_last_and_the_best_epoch_stay_on_disk(digits, tmp_path) -> None:
    kept: list[list[int]] = []

    def notify(event: Mapping[str, Any]) -> None:
        if event["event"] == "epoch":
            kept.append(sorted(int(one.name) for one in (tmp_path / "epochs").iterdir()))

    one_label = digits[1].take(np.flatnonzero(digits[1].label == 0))
    config = configure(epochs=4, monitor="auroc")  # never known, so the first epoch stays the best
    train(config, (few(digits[0]), one_label), tmp_path, notify)
    assert kept == [[1], [1, 2], [1, 3], [1, 4]]


def test_a_loss_that_is_not_finite_is_named_by_epoch_and_step(digits, tmp_path) -> None:
    config = configure(epochs=2, optimizer={"name": "sgd"})
    optimizer = config.optimizer.model_copy(update={"learning_rate": 1e30})  # no file may say so
    config = config.model_copy(update={"optimizer": optimizer})
    with pytest.raises(TrainingError, match=r"not finite at epoch 1, step \d+; .*learning rate"):
        train(config, (few(digits[0], 80), few(digits[1])), tmp_path)


def test_missing_labels_are_refused(digits, tmp_path) -> None:
    reals = digits[0].take(np.flatnonzero(digits[0].label == 0))
    with pytest.raises(TrainingError, match="no generated images to train on"):
        train(configure(), (reals, digits[1]), tmp_path)
    with pytest.raises(TrainingError, match="no validation images"):
        train(configure(), (digits[0], digits[1].take(np.arange(0))), tmp_path)


def test_batches_hold_every_example_once_and_never_one_alone(digits) -> None:
    config = configure(batch_size=16)
    examples = digits[0].take(np.arange(33))
    batches = training_batches(config, examples, seed=0, epoch=1)
    images = [images for images, _ in batches]
    assert [len(one) for one in images] == [16, 17]
    assert len(batches) == 2
    seen = np.concatenate(images).reshape(33, -1)
    stored = examples.pixels().reshape(33, -1)
    assert sorted(map(bytes, seen)) == sorted(map(bytes, stored))
    again = np.concatenate([one for one, _ in training_batches(config, examples, seed=0, epoch=2)])
    assert not np.array_equal(again.reshape(33, -1), seen)


def test_copies_stand_in_for_fresh_augmentation(digits, tmp_path) -> None:
    config = configure(copies=3, augmentation={"rotation": 15.0})
    train(config, (few(digits[0], 10), few(digits[1])), tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["training_images"] == 80
    copies = few(digits[0], 10).with_copies(3)
    first, second = (
        np.concatenate([x for x, _ in training_batches(config, copies, seed=0, epoch=epoch)])
        for epoch in (1, 2)
    )
    assert sorted(map(bytes, first)) == sorted(map(bytes, second))


def test_copies_made_before_a_leaky_split_are_not_copied_again(digits, tmp_path) -> None:
    config = configure(copies=3, augmentation={"rotation": 15.0})
    copied = few(digits[0], 10).with_copies(3)
    train(config, (copied, few(digits[1])), tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["training_images"] == 80


def test_images_caps_each_label(digits, tmp_path) -> None:
    train(configure(max_images=12), digits, tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["training_images"] == 24


def test_progress_reaches_its_total_and_says_how_it_goes(digits, tmp_path, monkeypatch) -> None:
    # However slow this machine is now.
    monkeypatch.setattr("gandetect.training.supervised_task.SECONDS_BETWEEN_LOOKS", float("inf"))
    events: list[Mapping[str, Any]] = []
    train(
        configure(epochs=2, batch_size=2), (few(digits[0], 40), digits[1]), tmp_path, events.append
    )
    steps = [event for event in events if event["event"] == "step"]
    assert [event["done"] for event in steps] == [25, 40, 65, 80]
    assert {event["total"] for event in steps} == {80}
    epochs = [event for event in events if event["event"] == "epoch"]
    assert [event["epoch"] for event in epochs] == [1, 2]
    assert "AUROC" in epochs[0]["summary"]
    assert all(event["images_per_second"] > 0 for event in steps + epochs)


ONE_STEP = """
import json, resource, sys
from pathlib import Path
import numpy as np
import torch
from gandetect.config.classifier import ClassifierConfig
from gandetect.training.examples import Examples
from gandetect.training.supervised import train_classifier

torch.set_num_threads(1)
recipe, folder = sys.argv[1:]
plain = {"recipe": recipe, "weights": "none"}
config = ClassifierConfig.model_validate({**plain, "copies": 0, "phases": [], "epochs": 1})
side, count = config.stored_size, config.batch_size
images = np.random.default_rng(0).integers(0, 256, (count, 3, side, side), dtype=np.uint8)
rows = np.arange(count)
examples = Examples(images, rows, rows % 2, np.zeros(count, dtype=np.int64))
few, cpu = examples.take(rows[:4]), torch.device("cpu")
train_classifier(config, examples, few, Path(folder), seed=0, device=cpu, notify=lambda event: None)
print(json.dumps({
    "batch": count,
    "side": config.image_size,
    "GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_takes_a_step_at_its_full_size(recipe, tmp_path, capsys) -> None:
    command = [sys.executable, "-c", ONE_STEP, recipe, str(tmp_path)]
    child = subprocess.run(command, capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    assert child.stderr == ""
    measured = json.loads(child.stdout)
    with capsys.disabled():
        print(f"\n{recipe}: {measured['GiB']:.1f} GiB at most, ", end="")
        print(f"batch {measured['batch']} of {measured['side']} px")
    assert np.isfinite(column(tmp_path, "train_loss")[0])


def test_figures_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    scores = labels + rng.normal(size=200) - 0.5
    answers = scores > 0
    ours = figures(0.25, scores, labels)
    assert ours == pytest.approx(
        {
            "loss": 0.25,
            "accuracy": accuracy_score(labels, answers),
            "auroc": roc_auc_score(labels, scores),
            "precision": precision_score(labels, answers),
            "recall": recall_score(labels, answers),
            "specificity": recall_score(labels, answers, pos_label=0),
            "f1": f1_score(labels, answers),
        }
    )


def test_the_loss_of_the_history_is_that_of_the_whole_split(digits, tmp_path) -> None:
    for loss in ("cross-entropy", "bce"):
        config = configure(loss=loss, batch_size=7)
        validation = few(digits[1], 15)
        classifier = train(config, (few(digits[0]), validation), tmp_path / loss)
        with torch.no_grad():
            ready = classifier.prepare(torch.from_numpy(validation.pixels()))
            scores = classifier.log_odds(classifier(ready))
        # Both losses are the cross-entropy of the same probability.
        labels = torch.from_numpy(validation.label).float()
        expected = functional.binary_cross_entropy_with_logits(scores, labels)
        assert column(tmp_path / loss, "validation_loss")[0] == pytest.approx(float(expected), 1e-4)


def test_new_classifiers_leave_the_global_stream_alone_and_obey_their_seed() -> None:
    before = torch.get_rng_state()
    a, b, c = (new_classifier(configure(), 1, weights=False, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    first, same, other = (torch.cat([p.flatten() for p in x.parameters()]) for x in (a, b, c))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)

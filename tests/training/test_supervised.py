import csv
import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score
from torch.nn import functional

from gandetect.config.classifier import ClassifierConfig
from gandetect.config.recipes import RECIPES
from gandetect.errors import TrainingError
from gandetect.training.batches import training_batches
from gandetect.training.classifier_folder import best_epoch
from gandetect.training.examples import Examples
from gandetect.training.supervised import new_classifier, train_classifier
from gandetect.training.supervised_task import figures, phases

CPU = torch.device("cpu")
COLUMNS = ("loss", "accuracy", "auroc", "precision", "recall", "specificity", "f1")
TIMES = ("seconds", "images_per_second")


@pytest.fixture(scope="module")
def digits() -> tuple[Examples, Examples]:
    """Handwritten digits at 16 px as reals, the same blurred as generated; train, validation."""
    real = np.kron(load_digits().images[:400], np.ones((2, 2))) / 16 * 255
    blurred = gaussian_filter(real, sigma=(0, 1, 1))
    images = np.concatenate([real, blurred]).round().astype(np.uint8)[:, None]
    label = np.repeat(np.array([0, 1]), 400)
    examples = Examples(images, np.arange(800), label, np.zeros(800, dtype=np.int64))
    rows = np.random.default_rng(0).permutation(400)
    train, validation = rows[:300], rows[300:]
    return (
        examples.take(np.concatenate([train, train + 400])),
        examples.take(np.concatenate([validation, validation + 400])),
    )


def configure(**keys: Any) -> ClassifierConfig:
    small = {"recipe": "cnn-small", "image_size": 16, "epochs": 1, "batch_size": 32}
    return ClassifierConfig.model_validate({**small, **keys})


def few(examples: Examples, each: int = 24) -> Examples:
    return examples.capped(each, seed=5)


def train(
    config: ClassifierConfig,
    examples: tuple[Examples, Examples],
    folder: Path,
    notify: Any = lambda event: None,
    seed: int = 0,
) -> torch.nn.Module:
    return train_classifier(config, *examples, folder, seed=seed, device=CPU, notify=notify)


def read_history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def column(folder: Path, name: str) -> list[float]:
    return [float(row[name]) for row in read_history(folder)]


def without_times(folder: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k not in TIMES} for row in read_history(folder)]


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
    config = configure(epochs=4, best_by="auroc")  # never known, so the first epoch stays the best
    train(config, (few(digits[0]), one_label), tmp_path, notify)
    assert kept == [[1], [1, 2], [1, 3], [1, 4]]


class Interruption(Exception):
    pass


def interrupt_at(epoch: int) -> Any:
    def notify(event: Mapping[str, Any]) -> None:
        assert event["event"] != "warning", event
        if event["event"] == "step" and event["epoch"] == epoch:
            raise Interruption

    return notify


@pytest.mark.parametrize(
    ("epoch", "keys"),
    [
        (3, {"optimizer": {"name": "sgd", "learning_rate": 0.01, "momentum": 0.9}}),
        (2, {"schedule": {"name": "step", "epochs": 1, "factor": 0.3}}),
        (
            2,
            {
                "schedule": {"name": "plateau", "patience": 0, "factor": 0.5},
                "early_stopping": {"patience": 2, "monitor": "auroc"},
            },
        ),
        (
            3,
            {
                "phases": [
                    {"epochs": 1, "learning_rate": 0.001},
                    {"epochs": 3, "trainable": ["all"], "learning_rate": 0.0001},
                ]
            },
        ),
        (3, {"phases": [{"epochs": 2, "learning_rate": 0.001}] * 2}),
    ],
    ids=["sgd", "step", "plateau and early stopping", "inside a phase", "at a phase's start"],
)
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(
    digits, tmp_path, epoch, keys
) -> None:
    examples = few(digits[0]), few(digits[1])
    augmentation = {"rotation": 10.0, "brightness": 0.2}
    config = configure(epochs=4, augmentation=augmentation, **keys)
    train(config, examples, tmp_path / "whole")

    with pytest.raises(Interruption):
        train(config, examples, tmp_path / "resumed", interrupt_at(epoch))
    assert len(read_history(tmp_path / "resumed")) == epoch - 1
    torch.rand(3)  # the global stream is elsewhere, and that does not matter
    train(config, examples, tmp_path / "resumed", interrupt_at(1))

    assert without_times(tmp_path / "resumed") == without_times(tmp_path / "whole")
    for name in ("weights.safetensors", "training.json", "batch.npz"):
        assert (tmp_path / "resumed" / name).read_bytes() == (
            tmp_path / "whole" / name
        ).read_bytes()


@pytest.mark.parametrize("name", ["resume.pt", "weights.safetensors", "record.json"])
def test_a_damaged_epoch_is_named_and_training_starts_afresh(digits, tmp_path, name) -> None:
    examples, config = (few(digits[0]), few(digits[1])), configure(epochs=3)
    train(config, examples, tmp_path / "whole")
    with pytest.raises(Interruption):
        train(config, examples, tmp_path / "resumed", interrupt_at(3))
    damaged = sorted((tmp_path / "resumed" / "epochs").iterdir())[-1] / name
    damaged.write_bytes(damaged.read_bytes()[:-20])

    events: list[Mapping[str, Any]] = []
    train(config, examples, tmp_path / "resumed", events.append)
    warnings = [event["message"] for event in events if event["event"] == "warning"]
    assert len(warnings) == 1
    assert "0002" in warnings[0]
    assert "starts afresh" in warnings[0]
    assert without_times(tmp_path / "resumed") == without_times(tmp_path / "whole")


def test_another_configuration_is_never_gone_on_from(digits, tmp_path) -> None:
    examples = few(digits[0]), few(digits[1])
    with pytest.raises(Interruption):
        train(configure(epochs=3), examples, tmp_path, interrupt_at(3))
    events: list[Mapping[str, Any]] = []
    train(configure(epochs=3, batch_size=16), examples, tmp_path, events.append)
    assert any("another configuration" in event.get("message", "") for event in events)


def test_the_seed_decides_everything(digits, tmp_path) -> None:
    examples, config = (few(digits[0]), few(digits[1])), configure()
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(config, examples, tmp_path / name, seed=seed)
    a, b, c = ((tmp_path / name / "weights.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_neither_random_streams_nor_signals_nor_the_terminal_notice(
    digits, tmp_path, capfd, caplog, precision
) -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    during: list[Any] = []

    def notify(event: Mapping[str, Any]) -> None:
        during.append([signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)])

    caplog.set_level(logging.INFO)
    config = configure(epochs=2, precision=precision)
    train(config, (few(digits[0]), few(digits[1])), tmp_path, notify)
    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state[1], np.random.get_state()[1])  # noqa: NPY002
    assert handlers == [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    assert during
    assert all(one == handlers for one in during)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_ctrl_c_stays_ctrl_c(digits, tmp_path) -> None:
    def interrupt(event: Mapping[str, Any]) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(configure(), (few(digits[0]), few(digits[1])), tmp_path, interrupt)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_runs_outside_the_main_thread_too(digits, tmp_path) -> None:
    examples = few(digits[0]), few(digits[1])
    thread = threading.Thread(target=train, args=(configure(), examples, tmp_path))
    thread.start()
    thread.join()
    assert (tmp_path / "weights.safetensors").exists()


@pytest.mark.parametrize("name", ["adam", "sgd", "adadelta"])
@pytest.mark.parametrize("loss", ["cross-entropy", "bce"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
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
        best_by="loss",
    )
    classifier = train(config, (few(digits[0]), few(digits[1])), tmp_path)
    results = json.loads((tmp_path / "training.json").read_text())
    losses = column(tmp_path, "validation_loss")
    kept = load_file(tmp_path / "weights.safetensors")
    assert all(torch.equal(kept[name], now) for name, now in classifier.state_dict().items())
    assert results["stopped_early"] is True
    assert results["best_epoch"] == 1 + int(np.argmin(losses)) == len(losses) - 2 < 28


@pytest.mark.parametrize("interrupted", [None, 3])
def test_patience_counts_across_an_interruption_and_ends_all_phases(
    digits, tmp_path, interrupted
) -> None:
    one_label = digits[1].take(np.flatnonzero(digits[1].label == 1))
    config = configure(
        epochs=8,
        phases=[{"epochs": epochs, "learning_rate": 0.001} for epochs in (2, 3, 3)],
        early_stopping={"patience": 3, "monitor": "auroc"},  # never known, so never better
    )
    examples = few(digits[0]), one_label
    if interrupted:
        with pytest.raises(Interruption):
            train(config, examples, tmp_path, interrupt_at(interrupted))
    train(config, examples, tmp_path)
    assert len(read_history(tmp_path)) == 3


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
    train(configure(images=12), digits, tmp_path)
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
    chance = np.random.default_rng(0)
    labels = chance.integers(0, 2, 200)
    scores = labels + chance.normal(size=200) - 0.5
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

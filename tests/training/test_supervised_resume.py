"""Training a classifier is repeatable, resumable, and leaves the process as it was."""

import logging
import shutil
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from supervised_digits import TIMES, blurred_digits, configure, few, read_history, train

from gandetect.training.examples import Examples


@pytest.fixture(scope="module")
def digits() -> tuple[Examples, Examples]:
    return blurred_digits()


def without_times(folder: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k not in TIMES} for row in read_history(folder)]


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
        (2, {"processing": "uploads"}),
    ],
    ids=[
        "sgd",
        "step",
        "plateau and early stopping",
        "inside a phase",
        "at a phase's start",
        "processed",
    ],
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


@pytest.fixture(scope="module")
def whole(digits, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "whole"
    train(configure(epochs=3), (few(digits[0]), few(digits[1])), folder)
    return folder


@pytest.fixture(scope="module")
def stopped(digits, tmp_path_factory) -> Path:
    """The same training, interrupted in its last epoch; copy it before going on."""
    folder = tmp_path_factory.mktemp("trained") / "stopped"
    with pytest.raises(Interruption):
        train(configure(epochs=3), (few(digits[0]), few(digits[1])), folder, interrupt_at(3))
    return folder


@pytest.mark.parametrize("name", ["resume.pt", "weights.safetensors", "record.json"])
def test_a_damaged_epoch_is_named_and_training_starts_afresh(
    digits, whole, stopped, tmp_path, name
) -> None:
    examples, config = (few(digits[0]), few(digits[1])), configure(epochs=3)
    shutil.copytree(stopped, tmp_path / "resumed")
    damaged = sorted((tmp_path / "resumed" / "epochs").iterdir())[-1] / name
    damaged.write_bytes(damaged.read_bytes()[:-20])

    events: list[Mapping[str, Any]] = []
    train(config, examples, tmp_path / "resumed", events.append)
    warnings = [event["message"] for event in events if event["event"] == "warning"]
    assert len(warnings) == 1
    assert "0002" in warnings[0]
    assert "starts afresh" in warnings[0]
    assert without_times(tmp_path / "resumed") == without_times(whole)


def test_another_configuration_is_never_gone_on_from(digits, stopped, tmp_path) -> None:
    examples = few(digits[0]), few(digits[1])
    folder = Path(shutil.copytree(stopped, tmp_path / "other"))
    events: list[Mapping[str, Any]] = []
    train(configure(epochs=3, batch_size=16), examples, folder, events.append)
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

"""Processes that share every batch train what one process trains."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from ending import ended, running, wait_for, workers_of
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from gandetect.cli import main
from gandetect.config.classifier import ClassifierConfig
from gandetect.errors import TrainingError
from gandetect.training import data_parallel
from gandetect.training.batches import ALONE, Batches, Share
from gandetect.training.data_parallel import check_shareable
from gandetect.training.examples import Examples

EACH = 150
EXPERIMENT = """
name = "shared"
seeds = [0]

[data]
name = "folder"
path = "clothes"
classes = { real = "real", blurred = "generated" }
validation_fraction = 0.2
test_fraction = 0.2

[[classifiers]]
recipe = "cnn-small"
image_size = 28
epochs = 2
batch_size = 29
head = { dropout = 0.0 }
augmentation = { horizontal_flip = 0.5 }
"""


@given(batch=st.integers(1, 40), size=st.integers(1, 6), data=st.data())
def test_shares_make_up_the_batch_and_their_weighted_means_its_mean(batch, size, data) -> None:
    part = np.arange(batch)
    losses = np.array(data.draw(st.lists(st.floats(0, 9), min_size=batch, max_size=batch)))
    shares = [Share(rank, size) for rank in range(size)]
    counted = [share.of(part) for share in shares if share.counts(batch)]
    assert np.concatenate(counted).tolist() == part.tolist()
    means = [share.weight(batch) * losses[share.of(part)].mean() for share in shares]
    assert np.mean(means) == pytest.approx(losses.mean())
    assert all(len(share.of(part)) >= min(2, batch) for share in shares)


def test_a_process_alone_takes_every_batch_whole(fashion_mnist) -> None:
    images = fashion_mnist.train_images[:70].reshape(-1, 1, 28, 28)
    examples = Examples(images, np.arange(70), np.arange(70) % 2, np.zeros(70, np.int64))
    config = ClassifierConfig.model_validate({"recipe": "cnn-small", "batch_size": 32})
    rows = np.random.default_rng(0).permutation(70)
    whole = list(Batches(examples, config, rows))
    halves = [list(Batches(examples, config, rows, share=Share(rank, 2))) for rank in (0, 1)]
    assert [len(images) for images, _ in whole] == Batches(examples, config, rows).sizes()
    for (images, labels), *parts in zip(whole, *halves, strict=True):
        assert torch.equal(images, torch.cat([part for part, _ in parts]))
        assert torch.equal(labels, torch.cat([part for _, part in parts]))


@pytest.mark.parametrize(
    ("keys", "device", "said"),
    [
        ({"batch_size": 3}, "cpu", "batch_size 3 leaves less than two examples"),
        ({"batch_size": 32}, "mps", "--devices 2 --num-nodes 1 was given, and there are 1 of mps"),
    ],
)
def test_what_processes_cannot_share_is_one_sentence(
    keys, device: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_parallel, "layout", lambda: {"devices": 2, "num_nodes": 1})
    config = ClassifierConfig.model_validate({"recipe": "cnn-small", **keys})
    with pytest.raises(TrainingError, match=said):
        check_shareable(Share(0, 2), config, torch.device(device))
    check_shareable(ALONE, config, torch.device(device))


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "--num-nodes is 2, and the environment does not say where the first one is"),
        ({"NODE_RANK": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"}, "of 2 nodes it is 0 to 1"),
    ],
)
def test_nodes_that_are_not_told_of_each_other_are_refused(environment, said, tmp_path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text(EXPERIMENT)
    command = ["train", "classifier", str(path), "--num-nodes", "2"]
    result = CliRunner().invoke(main, command, env=environment)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def clothes(fashion_mnist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of clothes, and others a little blurred; and the experiment that tells them."""
    root = tmp_path_factory.mktemp("shared")
    for number, pixels in enumerate(fashion_mnist.train_images[: 2 * EACH]):
        picture = Image.fromarray(pixels.reshape(28, 28))
        label = "blurred" if number >= EACH else "real"
        if label == "blurred":
            picture = picture.filter(ImageFilter.GaussianBlur(0.6))
        (root / "clothes" / label).mkdir(parents=True, exist_ok=True)
        picture.save(root / "clothes" / label / f"{number:03}.png")
    (root / "experiment.toml").write_text(EXPERIMENT)
    return root


def _command(clothes: Path, out: Path, *options: str) -> list[str]:
    given = [clothes / "experiment.toml", "--data-dir", clothes, "--out", out, "--device", "cpu"]
    return ["train", "classifier", *map(str, given), *options]


def _train(clothes: Path, out: Path, *options: str, starter: tuple[str, ...] = ("-m",)) -> Path:
    """Train in processes of their own; returns the classifier's folder."""
    answer = subprocess.run(
        [sys.executable, *starter, "gandetect", *_command(clothes, out, *options)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=600,
    )
    assert answer.returncode == 0, answer.stderr
    assert "Traceback" not in answer.stderr
    (folder,) = out.glob("shared-*/classifiers/cnn-small/seed-0")
    return folder


def _figures(folder: Path) -> dict[str, list[float]]:
    with (folder / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name.startswith(("train_", "validation_"))]
    return {name: [float(row[name]) for row in rows] for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("started_by", ["us", "torchrun"])
def test_two_gloo_processes_train_what_one_trains(
    clothes: Path, tmp_path: Path, started_by: str
) -> None:
    """Losses within 0.1 %; shares within one image of the 60 that are chosen by."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
    starter = torchrun if started_by == "torchrun" else ("-m",)
    alone = _train(clothes, tmp_path / "alone", "--jobs", "1")
    together = _train(clothes, tmp_path / "together", "--devices", "2", starter=starter)
    expected, found = _figures(alone), _figures(together)
    assert list(found) == list(expected)
    assert expected["train_loss"][0] > 0.1  # else there is nothing to share
    for name, values in expected.items():
        bounds = {"rel": 1e-3, "abs": 1e-6} if name.endswith("loss") else {"abs": 1 / 60}
        assert found[name] == pytest.approx(values, **bounds), name
    told = json.loads((together / "training.json").read_text())
    assert told.pop("processes") == 2
    assert told == json.loads((alone / "training.json").read_text())
    assert {path.name for path in together.iterdir()} == {path.name for path in alone.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("end", ["interrupted", "killed"])
def test_a_training_that_ends_early_is_one_sentence_and_goes_on(
    clothes: Path, tmp_path: Path, end: str
) -> None:
    """Ctrl-C to all, as a terminal gives it, or the kill of the process that does not lead."""
    with running(*_command(clothes, tmp_path, "--devices", "2")) as process:
        wait_for(process, "epoch 1/2")
        if end == "interrupted":
            os.killpg(process.pid, signal.SIGINT)
            took = ended(process, 130, "give the same command again to go on")
        else:
            (follower,) = workers_of(process)
            os.kill(follower, signal.SIGKILL)
            took = ended(process, 1, "one of the 2 processes of the training has ended")
    assert took < 10
    record = json.loads(next(tmp_path.rglob("epochs/0001/record.json")).read_text())
    whole = _figures(_train(clothes, tmp_path / "whole", "--devices", "2"))
    gone_on = _figures(_train(clothes, tmp_path, "--devices", "2"))
    assert record["history"][0]["train_loss"] == gone_on["train_loss"][0]
    assert gone_on == whole

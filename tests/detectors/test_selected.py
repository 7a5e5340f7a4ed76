"""Which epoch's discriminator is taken, and by which images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gandetect.config import GanConfig
from gandetect.data.class_images import ClassImages
from gandetect.detectors.fine_tuned import FineTuned
from gandetect.detectors.fine_tuning import fine_tune
from gandetect.detectors.material import Material
from gandetect.detectors.protocol import Preprocessing
from gandetect.detectors.selected import Selected
from gandetect.detectors.validation import Validation, best_row, hold_back, how_chosen
from gandetect.events import silent
from gandetect.training.checkpoints import DISCRIMINATOR, save_weights, weights_file
from gandetect.training.networks import build_gan

CPU = torch.device("cpu")
GAN = GanConfig.model_validate({"architecture": "dense", "epochs": 3})


class Brightness(nn.Module):
    """Calls light images real, and is undecided about mean grey."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(1, 2, 3))


def grey(*levels: int) -> np.ndarray:
    return np.repeat(np.array(levels, np.uint8), 4).reshape(-1, 1, 2, 2)


def test_groups_of_reals_count_alike_whatever_their_sizes() -> None:
    reals = {"many": grey(*[200] * 30), "few": grey(10, 140)}
    found = Validation(grey(20, 20, 150, 150), reals).figures(Brightness(), CPU)
    assert found["auroc_many"] == 1.0
    assert found["auroc_few"] == pytest.approx(1 / 4)  # above half of the fakes, and above none
    assert found["auroc"] == pytest.approx(5 / 8)
    # At the native threshold half of the fakes are caught; all of many and half of few pass.
    assert found["accuracy"] == pytest.approx((1 / 2 + 3 / 4) / 2)


def test_who_is_undecided_calls_an_image_real() -> None:
    black_and_white = np.array([0, 255, 0, 255], np.uint8).reshape(1, 1, 2, 2)
    found = Validation(black_and_white, {"all": black_and_white}).figures(Brightness(), CPU)
    assert found["accuracy"] == found["auroc"] == 0.5
    mixed = np.concatenate([black_and_white, grey(200)])
    assert Validation(grey(20), {"all": mixed}).figures(Brightness(), CPU)["accuracy"] == 1.0


def test_figures_are_those_of_eval_mode() -> None:
    network = nn.Sequential(nn.BatchNorm2d(1), Brightness()).train()
    before = network.state_dict()["0.running_mean"].clone()
    Validation(grey(20, 40), {"all": grey(200, 220)}).figures(network, CPU)
    assert not network.training
    assert torch.equal(network.state_dict()["0.running_mean"], before)


def test_of_equals_the_last_is_chosen_and_provenance_says_by_what() -> None:
    history = [
        {"epoch": 1, "auroc": 0.7, "accuracy": 0.9},
        {"epoch": 2, "auroc": 0.8, "accuracy": 0.6},
        {"epoch": 3, "auroc": 0.8, "accuracy": 0.5},
        {"epoch": 4, "auroc": 0.6, "accuracy": 0.8},
    ]
    assert best_row(history, "auroc")["epoch"] == 3
    assert best_row(history, "accuracy")["epoch"] == 1
    assert how_chosen(history, "auroc")["chosen"] == {"by": "auroc", "among": 4, **history[2]}


def test_a_tenth_is_held_back_and_nothing_is_lost() -> None:
    images = np.arange(37, dtype=np.uint8).reshape(-1, 1, 1, 1)
    rest, tenth = hold_back(images, 0, "a test")
    assert len(tenth) == 3
    assert sorted([*rest[:].ravel(), *tenth[:].ravel()]) == list(range(37))
    again, other = hold_back(images, 0, "a test")[1], hold_back(images, 1, "a test")[1]
    assert (tenth == again).all()
    assert not (tenth == other).all()
    assert len(hold_back(images[:2], 0, "a test")[1]) == 1


@pytest.fixture(scope="module")
def material(fashion_mnist: ClassImages, tmp_path_factory: pytest.TempPathFactory) -> Material:
    """A GAN whose second discriminator alone has learnt something; its last is a fresh one."""
    folder: Path = tmp_path_factory.mktemp("gan")
    gan = build_gan(GAN, 28, 1, 0, CPU)
    for epoch in (1, 2, 3):
        place = folder / "epochs" / f"{epoch:04d}"
        place.mkdir(parents=True)
        save_weights(gan.generator, place / weights_file("generator"))
    reals = fashion_mnist.train_images[:300]
    ready = Material(
        gans={"dense": (GAN, folder)},
        classifiers={},
        detector=lambda _: None,
        reals=reals,
        calibration=reals,
        seed=0,
        preprocessing=Preprocessing(),
        device=CPU,
        notify=silent,
    )
    for epoch in (1, 3):
        discriminator = build_gan(GAN, 28, 1, epoch, CPU).discriminator
        save_weights(discriminator, folder / "epochs" / f"{epoch:04d}" / DISCRIMINATOR)
    taught = FineTuned(kind="fine-tuned", name="x", gan="dense", updates=15, batch_size=32)
    fakes = ready.fakes("dense", "last", 100, "teaching")
    network = build_gan(GAN, 28, 1, 2, CPU).discriminator
    fine_tune(taught, GAN, network, reals, fakes, seed=0, device=CPU, notify=silent)
    save_weights(network, folder / "epochs" / "0002" / DISCRIMINATOR)
    return ready


def selected(**keys: object) -> Selected:
    return Selected.model_validate(
        {"kind": "selected", "name": "best", "gan": "dense", "n_images": 60, **keys}
    )


@pytest.mark.parametrize("monitor", ["auroc", "accuracy"])
def test_the_best_discriminator_is_taken_and_not_the_last(material, monitor) -> None:
    made = selected(monitor=monitor).make(material)
    assert made.epoch == 2
    assert [row["epoch"] for row in made.history] == [1, 2, 3]
    assert made.provenance["chosen"]["epoch"] == 2
    state = material.discriminator("dense", 2).state_dict()
    assert all(torch.equal(one, state[name]) for name, one in made.network.state_dict().items())
    assert made.history == selected(monitor=monitor).make(material).history


def test_only_the_epochs_that_are_named_are_tried(material) -> None:
    made = selected(epochs="last").make(material)
    assert (made.epoch, len(made.history)) == (3, 1)


def test_reals_come_from_the_validation_split_where_there_is_one(material) -> None:
    without = material.validation_reals(50, "a test")
    assert {name: len(reals) for name, reals in without.items()} == {"training": 50}
    assert len(np.unique(without["training"], axis=0)) > 40
    # White reals are nothing that any of them has learnt to tell from the fakes.
    white = np.full((70, 1, 28, 28), 255, np.uint8)
    groups = {"in_distribution": material.reals, "validation_classes": white}
    split = Material(**{**vars(material), "validation": groups})
    assert {n: len(r) for n, r in split.validation_reals(60, "a test").items()} == {
        "in_distribution": 60, "validation_classes": 60,
    }  # fmt: skip
    row = selected().make(split).history[1]
    assert row["auroc_in_distribution"] > 0.99
    both = row["auroc_in_distribution"], row["auroc_validation_classes"]
    assert row["auroc"] == pytest.approx(np.mean(both))


def test_fakes_are_not_those_that_anything_else_is_drawn_for(material) -> None:
    drawn = [material.fakes_of(["dense"], "all", 9, purpose) for purpose in ("a", "b")]
    assert drawn[0].shape == (9, 1, 28, 28)
    assert not (drawn[0] == drawn[1]).all(axis=(1, 2, 3)).any()


def test_recent_fakes_are_more_of_the_later_generators(material, monkeypatch) -> None:
    asked = []

    def drawn(generator: object, count: int, *, purpose: str, **_: object) -> np.ndarray:
        asked.append((purpose, count))
        return np.zeros((count, 1, 28, 28), np.uint8)

    monkeypatch.setattr("gandetect.training.epoch_fakes.generate", drawn)
    for recent in (0.0, 0.5, 1.0):
        material.fakes_of(["dense"], "all", 60, "p", recent)
    counts = [count for _, count in asked]
    assert counts == [20, 20, 20, 15, 20, 25, 10, 20, 30]
    assert asked[2][0] == "p, epoch 3"

"""Pairwise learning on real Fashion-MNIST, blurred copies standing for fakes."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter
from torch.nn import functional

from gandetect.config.classifier import ClassifierConfig
from gandetect.detectors.classifier import as_classifier
from gandetect.detectors.folder import load_detector, save_detector
from gandetect.detectors.protocol import Preprocessing
from gandetect.errors import TrainingError, UsageError
from gandetect.models.classifiers import build_classifier
from gandetect.training.batches import training_batches
from gandetect.training.contrastive import contrastive_loss
from gandetect.training.examples import Examples
from gandetect.training.supervised import check_classifier, new_classifier, train_classifier
from gandetect.training.supervised_task import phases

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def clothes(fashion_mnist) -> tuple[Examples, Examples]:
    real = fashion_mnist.train_images[:160, :, 4:24, 4:24].astype(float)
    blurred = gaussian_filter(real, sigma=(0, 0, 1, 1))
    images = np.concatenate([real, blurred]).round().astype(np.uint8)
    examples = Examples(
        images, np.arange(320), np.repeat([0, 1], 160), np.zeros(320, dtype=np.int64)
    )
    rows = np.arange(320).reshape(2, 160)
    return examples.take(rows[:, :120].ravel()), examples.take(rows[:, 120:].ravel())


def configure(contrastive: dict[str, Any] | None = None, **keys: Any) -> ClassifierConfig:
    small = {"recipe": "cnn-small", "image_size": 20, "epochs": 5, "batch_size": 32}
    return ClassifierConfig.model_validate({**small, "contrastive": contrastive or {}, **keys})


CONFIG = configure({"late_learning_rate": 2e-4}, augmentation={"rotation": 10.0})


def train(config: ClassifierConfig, examples: Any, folder: Path, notify: Any = None) -> Any:
    return train_classifier(
        config, *examples, folder, seed=0, device=CPU, notify=notify or (lambda event: None)
    )


def column(folder: Path, name: str) -> list[str]:
    with (folder / "history.csv").open(newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def few(examples: tuple[Examples, Examples], each: int = 30) -> tuple[Examples, Examples]:
    return examples[0].capped(each, seed=1), examples[1].capped(each, seed=1)


class Interruption(Exception):
    pass


def at_epoch(epoch: int) -> Any:
    def notify(event: Any) -> None:
        if event["event"] == "step" and event["epoch"] == epoch:
            raise Interruption

    return notify


# The loss.


def test_the_loss_is_the_formula_over_all_pairs_with_labels_of_their_own() -> None:
    generator = torch.Generator().manual_seed(0)
    embeddings = functional.normalize(torch.randn(9, 3, generator=generator), dim=1)
    labels = torch.tensor([0, 1, 1, 0, 1, 1, 1, 1, 1])
    terms: dict[bool, list[float]] = {True: [], False: []}
    for i in range(9):
        for j in range(i + 1, 9):
            d = float((embeddings[i] - embeddings[j]).norm())
            equal = bool(labels[i] == labels[j])
            terms[equal].append(d**2 if equal else max(0.0, 1.2 - d) ** 2)
    expected = (np.mean(terms[True]) + np.mean(terms[False])) / 2
    assert len(terms[True]) != len(terms[False])  # or balancing could not be seen
    assert float(contrastive_loss(embeddings, labels, 1.2)) == pytest.approx(expected, rel=1e-5)


def test_equal_images_of_two_labels_break_no_gradient() -> None:
    rows = torch.ones(4, 2, requires_grad=True)
    contrastive_loss(functional.normalize(rows, dim=1), torch.tensor([0, 0, 1, 1]), 0.5).backward()
    assert rows.grad is not None
    assert rows.grad.isfinite().all()


def test_two_images_of_two_labels_are_only_pushed_apart() -> None:
    loss = contrastive_loss(torch.tensor([[0.0, 0.3], [0.0, 0.0]]), torch.tensor([0, 1]), 0.5)
    assert float(loss) == pytest.approx(0.2**2 / 2)


# The network.


@pytest.mark.parametrize("network", ["cnn-small", "cnn-deep", "resnet18", "efficientnet-b0"])
def test_every_network_embeds_at_length_one_before_its_last_layer(network) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        classifier = build_classifier(network, channels=1, image_size=32, embedding=6).eval()
        images = torch.randint(0, 256, (3, 1, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        embedded = classifier.embed(classifier.prepare(images))
        logits = classifier(classifier.prepare(images))
    assert embedded.shape == (3, 6)
    assert torch.allclose(embedded.norm(dim=1), torch.ones(3))
    assert torch.allclose(logits, classifier.head(embedded))
    assert [tuple(p.shape) for p in classifier.head.parameters()] == [(2, 6), (2,)]


def test_a_saved_detector_loads_and_scores_the_same(clothes, tmp_path) -> None:
    config = configure({"embedding": 5}, image_size=28)
    network = new_classifier(config, 1, weights=False, seed=3)
    detector = as_classifier(config, network, Preprocessing(), CPU)
    save_detector(tmp_path, detector)
    images = np.pad(clothes[0].pixels()[:8], ((0, 0), (0, 0), (4, 4), (4, 4)))
    again = load_detector(tmp_path).decision_function(images)
    assert np.array_equal(again, detector.decision_function(images))
    plain = configure().model_copy(update={"contrastive": None})
    without = as_classifier(plain, new_classifier(plain, 1, weights=False), Preprocessing(), CPU)
    assert "embedding" not in without.description.options  # an old file stays what it was


# The training.


def test_pairs_separate_the_labels_and_the_last_layer_waits(clothes, tmp_path) -> None:
    config = configure({"epochs": 4, "embedding": 8}, head={"dropout": 0.0})
    folder = tmp_path / "epochs" / "0004" / "weights.safetensors"
    with pytest.raises(Interruption):
        train(config, clothes, tmp_path, at_epoch(5))
    losses = [float(loss) for loss in column(tmp_path, "train_pair_loss")]
    assert losses[-1] < 0.8 * losses[0]
    before, after = new_classifier(config, 1, weights=False, seed=0).state_dict(), load_file(folder)
    unchanged = {name for name, value in before.items() if torch.equal(value, after[name])}
    assert unchanged == {"head.0.weight", "head.0.bias"}
    trained = new_classifier(config, 1, weights=False)
    trained.load_state_dict(after)
    with torch.no_grad():
        images = torch.from_numpy(clothes[1].pixels())
        embedded = trained.eval().embed(trained.prepare(images))
    labels = torch.from_numpy(clothes[1].label)
    distances = torch.cdist(embedded, embedded)
    same = labels[:, None] == labels[None, :]
    assert distances[~same].mean() > 1.2 * distances[same].mean()


@pytest.fixture(scope="module")
def whole(clothes, tmp_path_factory) -> Path:
    """A training that nobody interrupted."""
    folder: Path = tmp_path_factory.mktemp("whole")
    train(CONFIG, few(clothes), folder)
    return folder


def test_the_learning_rate_falls_from_the_fourth_epoch_of_all(whole) -> None:
    rates = [float(rate) for rate in column(whole, "learning_rate")]
    assert rates == [1e-3, 1e-3, 1e-3, 2e-4, 2e-4]
    assert [bool(loss) for loss in column(whole, "train_pair_loss")] == [True] * 2 + [False] * 3


@pytest.mark.parametrize("epoch", [2, 3])
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(
    clothes, tmp_path, whole, epoch
) -> None:
    with pytest.raises(Interruption):
        train(CONFIG, few(clothes), tmp_path, at_epoch(epoch))
    train(CONFIG, few(clothes), tmp_path, at_epoch(epoch - 1))
    for name in ("weights.safetensors", "training.json"):
        assert (whole / name).read_bytes() == (tmp_path / name).read_bytes()
    assert column(whole, "train_pair_loss") == column(tmp_path, "train_pair_loss")


@pytest.mark.parametrize(
    ("epochs", "of", "expected"),
    [
        (2, 5, [(1, 2), (3, 3), (4, 5)]),
        (2, 3, [(1, 2), (3, 3)]),
        (3, 4, [(1, 3), (4, 4)]),
        (5, 8, [(1, 5), (6, 8)]),
    ],
)
def test_phases_cover_all_epochs_once(epochs, of, expected) -> None:
    found = phases(configure({"epochs": epochs}, epochs=of))
    assert [(one.first, one.last) for one in found] == expected
    assert [one.pretraining for one in found] == [True] + [False] * (len(found) - 1)


def test_without_weight_the_same_network_starts_the_same_and_learns_without_pairs(
    clothes, tmp_path
) -> None:
    with_pairs, without = (configure({"weight": weight}, epochs=3) for weight in (1, 0))
    assert phases(with_pairs) == phases(without)
    first, second = (
        new_classifier(config, 1, weights=False, seed=7).state_dict()
        for config in (with_pairs, without)
    )
    assert all(torch.equal(first[name], value) for name, value in second.items())
    train(without, few(clothes), tmp_path)
    assert not any(column(tmp_path, "train_pair_loss"))
    losses = [float(loss) for loss in column(tmp_path, "train_loss")]
    assert losses[1] < losses[0]


@pytest.mark.parametrize("weight", [0, 1])
def test_an_epoch_by_pairs_is_never_the_best(clothes, tmp_path, weight) -> None:
    # Never known, so never better: otherwise the first epoch would be the best of equals, and
    # patience would be at an end before the last layer trains.
    one_label = clothes[1].take(np.flatnonzero(clothes[1].label == 1))
    stopping = {"patience": 2, "monitor": "auroc"}
    config = configure({"weight": weight, "epochs": 3}, monitor="auroc", early_stopping=stopping)
    train(config, (few(clothes)[0], one_label), tmp_path)
    results = json.loads((tmp_path / "training.json").read_text())
    assert (results["best_epoch"], results["epochs"]) == (4, 5)


# What is refused.


def test_a_batch_of_one_label_is_said_before_anything_is_computed(clothes, tmp_path) -> None:
    config = configure(batch_size=2)
    with pytest.raises(TrainingError, match=r"batch \d+ of epoch 1 holds 2 \w+ images and no \w+ "
                       r"one, .*raise batch_size, which is 2"):  # fmt: skip
        train(config, clothes, tmp_path)
    assert not list(tmp_path.iterdir())
    # Without pairs such batches are as good as others.
    train(configure({"weight": 0}, batch_size=2, epochs=3),
          (clothes[0].capped(4, seed=0), clothes[1]), tmp_path)  # fmt: skip


def test_a_small_rest_of_one_label_joins_the_batch_before(clothes) -> None:
    real = np.flatnonzero(clothes[0].label == 0)
    examples = clothes[0].take(np.append(real[:33], np.argmax(clothes[0].label)))
    found = False
    for seed in range(20):
        labels = training_batches(configure(), examples, seed=seed, epoch=1).labels()
        plain = configure().model_copy(update={"contrastive": None})
        rests = training_batches(plain, examples, seed=seed, epoch=1).labels()[-1]
        assert [len(one) for one in labels] == ([34] if np.ptp(rests) == 0 else [32, 2])
        found |= bool(np.ptp(rests) == 0)
    assert found


def test_what_it_cannot_be_combined_with_is_refused_at_once() -> None:
    staged = [{"epochs": 5, "learning_rate": 1e-3}]
    with pytest.raises(UsageError, match=r"has phases and contrastive, .*remove one"):
        check_classifier(configure(phases=staged), 1)
    with pytest.raises(UsageError, match=r"by pairs for 2 epochs of 2, .*raise epochs"):
        check_classifier(configure(epochs=2), 1)

"""The average of a generator: what it is, what is drawn from it, and that it decides nothing."""

import numpy as np
import pytest
import torch
from PIL import Image

from gandetect.config import GanConfig, parse_experiment
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.training.adversarial import AdversarialStep, train_gan
from gandetect.training.checkpoints import GanFolder
from gandetect.training.epoch_fakes import fakes_of_epochs
from gandetect.training.images import generate, sample_grid
from gandetect.training.networks import build_gan, load_generator
from gandetect.training.quality import QualityEvaluator

CPU = torch.device("cpu")
DECAY = 0.9


def config(**changes: object) -> GanConfig:
    gan = {
        "architecture": "dcgan-bn",
        "epochs": 2,
        "steps_per_epoch": 2,
        "batch_size": 4,
        "replay": {"share": 0.5, "n_images": 20},
        **changes,
    }
    return parse_experiment({"name": "x", "gans": [gan]}).gans[0]


def pixels(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 1, 8, 8), dtype=np.uint8)


def test_it_follows_the_generators_updates_and_takes_over_its_buffers() -> None:
    gan_config = config(generator_average=DECAY, critic_steps=2, replay={})
    gan = build_gan(gan_config, 8, 1, 0, CPU)
    step = AdversarialStep(gan_config, gan, CPU)
    step.begin(0, 1, None)
    average = gan.generator_average
    expected = [one.detach().clone() for one in gan.generator.parameters()]
    for number in range(4):
        step(torch.from_numpy(pixels(4)), step.kind(number))
        if number % 2 == 0:  # the steps that update the generator
            present = gan.generator.parameters()
            expected = [
                DECAY * kept + (1 - DECAY) * new.detach()
                for kept, new in zip(expected, present, strict=True)
            ]
            buffers = {name: one.clone() for name, one in gan.generator.named_buffers()}
    for kept, wanted in zip(average.parameters(), expected, strict=True):
        torch.testing.assert_close(kept.detach(), wanted, rtol=1e-5, atol=1e-7)
    assert buffers  # BatchNorm's
    assert all(torch.equal(one, buffers[name]) for name, one in average.named_buffers())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The same training with an average and without, and the folders of both."""
    reals = pixels(40)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        evaluator = QualityEvaluator(FeatureClassifier(8, 1), reals, CPU)
    found = {}
    for decay in (0.0, DECAY):
        gan_config = config(generator_average=decay)
        folder = GanFolder(tmp_path_factory.mktemp("gan"), "digest", pytest.fail)
        gan = train_gan(
            gan_config, reals, folder, seed=0, device=CPU, evaluator=evaluator, generated=64,
            notify=lambda event: None,
        )  # fmt: skip
        folder.finish(gan, 2)
        found[decay] = gan_config, gan, folder
    return found[0.0], found[DECAY]


def test_it_changes_neither_network_though_fakes_are_replayed(trained) -> None:
    (_, _, without), (_, _, averaged) = trained
    for name in ("generator.safetensors", "discriminator.safetensors"):
        for place in ("", "epochs/0001", "epochs/0002"):
            assert (without.path / place / name).read_bytes() == (
                averaged.path / place / name
            ).read_bytes()
    assert not (without.path / "generator_average.safetensors").exists()


def test_images_samples_and_quality_are_of_the_average(trained) -> None:
    (_, plain_gan, without), (gan_config, gan, averaged) = trained

    def drawn(network, purpose: str, count: int) -> np.ndarray:
        return generate(network, count, seed=0, purpose=purpose)

    expected = drawn(gan.generator_average, "x", 10)
    assert not np.array_equal(expected, drawn(gan.generator, "x", 10))
    for place in (averaged.path, averaged.epoch_folder(2)):
        loaded = load_generator(gan_config, place, (1, 8), 0, CPU)
        assert np.array_equal(expected, drawn(loaded, "x", 10))

    def of_epochs(network: str | None) -> np.ndarray:
        return fakes_of_epochs(
            gan_config, averaged.path, [2], 10, image_size=8, channels=1, seed=0, purpose="x",
            device=CPU, network=network,
        )  # fmt: skip

    assert np.array_equal(of_epochs(None), drawn(gan.generator_average, "x, epoch 2", 10))
    assert np.array_equal(of_epochs("generator"), drawn(plain_gan.generator, "x, epoch 2", 10))

    rows = [one.history(2)[1] for one in (without, averaged)]
    assert rows[0]["generator_loss"] == rows[1]["generator_loss"]
    assert rows[0]["fid"] != rows[1]["fid"]
    grid = sample_grid(drawn(gan.generator_average, "quality", 64))
    with Image.open(averaged.epoch_folder(2) / "samples.png") as kept:
        assert np.array_equal(np.asarray(kept), np.asarray(grid))

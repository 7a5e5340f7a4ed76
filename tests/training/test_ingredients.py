"""What may be added to the adversarial loop: losses, penalties, replay, negatives, DiffAugment."""

import shutil

import numpy as np
import pytest
import torch
from torch import nn

from gandetect.config import GanConfig, PenaltyConfig, parse_experiment
from gandetect.errors import UsageError
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.models.histogram import histogram
from gandetect.models.layers import SeededDropout
from gandetect.models.scaling import quantise, to_unit_range
from gandetect.training.adversarial import train_gan
from gandetect.training.checkpoints import GanFolder
from gandetect.training.diff_augment import AUGMENTATIONS, DiffAugment, noise_at
from gandetect.training.discriminating import mix_replay
from gandetect.training.epoch_fakes import fakes_of_epochs
from gandetect.training.losses import LOSSES, gradient_penalty
from gandetect.training.negatives import NEGATIVE_AUGMENTATIONS, negative_augmentation
from gandetect.training.networks import build_gan
from gandetect.training.quality import QualityEvaluator

CPU = torch.device("cpu")
SMALL = {"epochs": 2, "steps_per_epoch": 1, "batch_size": 8}
INGREDIENTS = {
    "least squares": {"loss": "least-squares"},
    "hinge": {"loss": "hinge"},
    "wasserstein": {
        "loss": "wasserstein",
        "penalty": {"name": "wgan-gp"},
        "critic_steps": 2,
        "discriminator_updates": "joint",
    },
    "spectral norm": {"discriminator": {"spectral_norm": True}},
    "r1": {"penalty": {"name": "r1", "every": 2}},
    "noise": {"instance_noise": 0.2},
    "replay": {"replay": {"share": 0.5, "n_images": 20}},
    "negatives": {"negatives": {"kinds": ["jigsaw", "stitch", "cutmix"], "share": 0.5}},
    "augmentation": {"diff_augment": ["brightness", "translation", "cutout", "shuffle"]},
    "processing": {"processing": "uploads"},
    "average": {"generator_average": 0.9},
    "histogram": {"discriminator": {"histogram": True}},
    "bf16": {"discriminator": {"spectral_norm": True}, "precision": "bf16"},
}


def config(architecture: str = "dcgan-bn", **changes: object) -> GanConfig:
    gan = {"architecture": architecture, **SMALL, **changes}
    return parse_experiment({"name": "x", "gans": [gan]}).gans[0]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (120, 1, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def evaluator(images) -> QualityEvaluator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return QualityEvaluator(FeatureClassifier(), images, CPU)


def train(gan, images, path, evaluator, notify=lambda event: None):
    folder = GanFolder(path, "digest", pytest.fail)
    trained = train_gan(
        gan,
        images,
        folder,
        seed=0,
        device=CPU,
        evaluator=evaluator,
        generated=40,
        notify=notify,
    )
    return [one for network in trained.networks.values() for one in network.state_dict().values()]


@pytest.fixture(scope="module")
def without(images, evaluator, tmp_path_factory):
    return train(config(), images, tmp_path_factory.mktemp("without"), evaluator)


@pytest.mark.parametrize("ingredient", INGREDIENTS)
def test_an_ingredient_changes_the_training_and_going_on_equals_never_having_stopped(
    ingredient, images, evaluator, without, tmp_path
) -> None:
    changes = INGREDIENTS[ingredient]

    def keep_the_first_epoch(event):
        if event["event"] == "epoch" and event["epoch"] == 1:
            shutil.copytree(tmp_path / "whole", tmp_path / "stopped")

    whole = train(
        config(**changes), images, tmp_path / "whole", evaluator, notify=keep_the_first_epoch
    )
    assert all(value.isfinite().all() for value in whole)
    assert len(whole) != len(without) or any(
        not torch.equal(a, b) for a, b in zip(whole, without, strict=True)
    )
    resumed = train(config(**changes), images, tmp_path / "stopped", evaluator)
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))


@pytest.mark.parametrize(
    ("name", "real", "fake", "generator"),
    [
        ("non-saturating", np.log1p(np.exp(-0.5)), np.log1p(np.exp(0.5)), np.log1p(np.exp(-0.5))),
        ("least-squares", 0.25, 2.25, 0.25),
        ("hinge", 0.5, 1.5, -0.5),
        ("wasserstein", -0.5, 0.5, -0.5),
    ],
)
def test_losses_at_a_logit_of_one_half(name, real, fake, generator) -> None:
    loss, logits = LOSSES[name], torch.tensor([0.5, 0.5])
    found = (loss.on_real(logits, 1.0), loss.on_fake(logits, 0.0), loss.generator(logits))
    assert [float(value) for value in found] == pytest.approx([real, fake, generator], abs=1e-6)


class Linear(nn.Module):
    """A discriminator of slope 2 in each of four pixels: |slope|^2 = 16."""

    def forward(self, images):
        return 2 * images.flatten(1).sum(1)


def test_penalties_of_a_known_slope() -> None:
    reals, fakes = torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)

    def penalty(**config):
        return float(gradient_penalty(PenaltyConfig(**config), Linear(), reals, fakes, rng()))

    assert penalty(name="r1", weight=10.0) == pytest.approx(10 / 2 * 16)
    assert penalty(name="r1", weight=10.0, every=4) == pytest.approx(4 * 10 / 2 * 16)
    assert penalty(name="wgan-gp", weight=10.0) == pytest.approx(10 * (4 - 1) ** 2)


def test_spectral_normalisation_bounds_every_layer() -> None:
    gan = build_gan(config(discriminator={"spectral_norm": True}), 28, 1, 0, CPU)
    layers = [m for m in gan.discriminator.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    for _ in range(30):
        gan.discriminator(torch.randn(2, 1, 28, 28, generator=rng()))  # estimates get better
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1.0, abs=0.02)


def test_negative_augmentation_is_made_of_real_pixels_and_equals_no_real() -> None:
    reals = torch.rand(6, 1, 28, 28, generator=rng())
    for kind in NEGATIVE_AUGMENTATIONS:
        made = negative_augmentation(reals, 40, [kind], rng(1))
        assert made.shape == (40, 1, 28, 28)
        assert torch.isin(made, reals).all()
        assert not any(torch.equal(one, real) for one in made for real in reals), kind


def test_stitched_halves_are_of_two_images() -> None:
    reals = torch.arange(4.0)[:, None, None, None].expand(4, 1, 28, 28)
    for one in negative_augmentation(reals, 30, ["stitch"], rng()):
        values, counts = one.unique(return_counts=True)
        assert len(values) == 2
        assert counts.tolist() == [392, 392]


def test_a_jigsaw_holds_the_same_pixels_in_other_places() -> None:
    reals = torch.rand(2, 3, 28, 28, generator=rng())
    jigsaw = NEGATIVE_AUGMENTATIONS["jigsaw"](reals[0], reals[1], rng())
    assert torch.equal(jigsaw.flatten().sort().values, reals[0].flatten().sort().values)
    assert not torch.equal(jigsaw, reals[0])


def test_remembered_fakes_take_the_place_of_the_share_asked_for() -> None:
    gan = config(
        "dcgan-plain",
        epochs=2,
        replay={"share": 0.25},
        negatives={"kinds": ["jigsaw"], "share": 0.5},
    )
    fakes = torch.full((8, 1, 28, 28), -0.5)
    reals = torch.full((8, 1, 28, 28), 0.5)
    replayed = torch.full((5, 1, 28, 28), 255, dtype=torch.uint8)
    mixed = mix_replay(gan, fakes, reals, replayed, rng())
    values = mixed[:, 0, 0, 0].tolist()
    assert (values.count(-0.5), values.count(1.0), values.count(0.5)) == (2, 2, 4)
    assert mix_replay(config(), fakes, reals, replayed, rng()) is fakes


def test_the_reservoir_holds_as_many_fakes_of_each_earlier_epoch(
    images, evaluator, tmp_path
) -> None:
    gan = config("dcgan-plain", epochs=3)
    train(gan, images, tmp_path, evaluator)

    def drawn(epochs, count):
        return fakes_of_epochs(
            gan, tmp_path, epochs, count, image_size=28, channels=1, seed=0, purpose="x", device=CPU
        )

    both = drawn([1, 3], 7)
    assert both.shape == (7, 1, 28, 28)
    assert both.dtype == np.uint8
    assert np.array_equal(both[:4], drawn([1], 4))
    assert np.array_equal(both[4:], drawn([3], 3))


def test_a_view_without_ingredients_changes_nothing() -> None:
    images = torch.rand(4, 1, 28, 28).contiguous(memory_format=torch.channels_last)
    assert DiffAugment(config(), rng())(images) is images


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_differentiable_augmentation_changes_images_and_hands_gradients_on(kind) -> None:
    images = (torch.rand(16, 2, 28, 28, generator=rng()) + 1).requires_grad_()
    seen = AUGMENTATIONS[kind](images, rng())
    assert seen.shape == images.shape
    assert not torch.equal(seen, images)
    seen.sum().backward()
    kept = (seen != 0).float().mean((1, 2, 3))  # zeros come in where a pixel went
    assert torch.allclose(images.grad.mean((1, 2, 3)), kept)


def test_shuffling_keeps_every_patch_whole() -> None:
    images = torch.rand(3, 2, 28, 28, generator=rng())
    shuffled = AUGMENTATIONS["shuffle"](images, rng())

    def patches(image):
        return {
            tuple(image[:, top : top + 7, left : left + 7].flatten().tolist())
            for top in range(0, 28, 7)
            for left in range(0, 28, 7)
        }

    for before, after in zip(images, shuffled, strict=True):
        assert not torch.equal(before, after)
        assert patches(before) == patches(after)


def test_histograms_count_stored_grey_levels_and_hand_gradients_on() -> None:
    stored = torch.randint(256, (5, 2, 28, 28), generator=rng(), dtype=torch.uint8)
    counts = histogram(to_unit_range(stored))
    expected = torch.stack([torch.bincount(one.flatten(), minlength=256)
                            for image in stored for one in image])  # fmt: skip
    assert torch.equal(counts.flatten(0, 1), expected.float())
    between = (torch.rand(5, 2, 28, 28, generator=rng()) * 2 - 1).requires_grad_()
    assert torch.equal(histogram(between), histogram(to_unit_range(quantise(between.detach()))))
    (histogram(between)[:, :, 200:].sum()).backward()
    moved = between.grad.flatten()
    assert float(moved.max()) == pytest.approx(127.5, rel=1e-4)  # one level up is 1 / 127.5
    assert 0 < int((moved != 0).sum()) < 100  # only what may step over the edge


def test_translation_moves_by_at_most_an_eighth() -> None:
    images = torch.zeros(64, 1, 28, 28)
    images[:, :, 14, 14] = 1
    places = AUGMENTATIONS["translation"](images, rng()).flatten(1).argmax(1)
    rows, columns = places // 28 - 14, places % 28 - 14
    reach = round(28 / 8)
    assert (int(rows.abs().max()), int(columns.abs().max())) == (reach, reach)


def test_instance_noise_falls_to_nothing() -> None:
    noisy = config(epochs=4, instance_noise=0.4)
    assert [noise_at(noisy, epoch) for epoch in (1, 2, 4)] == pytest.approx([0.4, 0.3, 0.1])
    seen = DiffAugment(noisy, rng(), torch.tensor(0.4))(torch.zeros(50, 1, 28, 28))
    assert float(seen.std()) == pytest.approx(0.4, rel=0.03)


def test_dropout_hands_on_second_gradients() -> None:
    """Penalties differentiate the discriminator's gradient once more."""
    layer = SeededDropout(0.5)
    layer.generator = rng()
    images = torch.randn(8, 10, generator=rng()).requires_grad_()
    weight = torch.tensor(3.0, requires_grad=True)
    (slopes,) = torch.autograd.grad((layer(images) * weight).sum(), images, create_graph=True)
    slopes.square().sum().backward()
    assert float(weight.grad) == pytest.approx(
        2 * 3.0 * float((slopes / weight).detach().square().sum())
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"replay": {"share": 1.5}}, "less than or equal to 1"),
        ({"replay": {"share": -0.1}}, "greater than or equal to 0"),
        ({"replay": {"share": 0.5}, "epochs": 1}, "needs earlier epochs"),
        (
            {"replay": {"share": 0.8}, "negatives": {"kinds": ["jigsaw"], "share": 0.5}},
            "more than all fakes",
        ),
        ({"loss": "hinge", "real_label": 0.9}, 'loss = "hinge" has none'),
        ({"penalty": {"name": "wgan-gp"}}, 'give loss = "wasserstein"'),
        ({"loss": "wasserstein"}, "slope is bounded"),
        (
            {
                "loss": "wasserstein",
                "penalty": {"name": "wgan-gp"},
                "discriminator_updates": "separate",
            },
            "never sees both at once",
        ),
        (
            {"discriminator": {"histogram": True}, "penalty": {"name": "r1"}},
            "steep by nature",
        ),
        ({"negatives": {"kinds": ["blur"]}}, "'jigsaw', 'stitch' or 'cutmix'"),
    ],
)
def test_ingredients_that_do_not_go_together_are_refused(changes, said) -> None:
    with pytest.raises(UsageError, match=said):
        config(**changes)


def test_another_loss_takes_the_smoothing_of_the_architecture_away() -> None:
    assert config("dcgan-plain").real_label == 0.9
    assert config("dcgan-plain", loss="hinge").real_label == 1.0

"""Processing in training: both sides alike, so that it tells nothing of where an image is from."""

import numpy as np
import pytest
import torch
from supervised_digits import blurred_digits, configure, few
from torch import nn

from gandetect.config import GanConfig, parse_experiment
from gandetect.config.processing import Processing
from gandetect.models.scaling import quantise, to_unit_range
from gandetect.training.adversarial import AdversarialStep
from gandetect.training.batches import Share, training_batches
from gandetect.training.both_sides import BothSides
from gandetect.training.checkpoints import Gan
from gandetect.training.examples import Examples

CPU = torch.device("cpu")
BLACK = [{"name": "brightness", "probability": 1.0, "range": [0.0, 0.0]}]
HALF_BLACK = [{**BLACK[0], "probability": 0.5}]
NEVER = [{**BLACK[0], "probability": 0.0}]


def config(**changes: object) -> GanConfig:
    gan = {"architecture": "dcgan-bn", "processing": "uploads", **changes}
    return parse_experiment({"name": "x", "gans": [gan]}).gans[0]


def chain(given: object) -> Processing:
    return config(processing=given).processing


class Copier(nn.Module):
    """A generator of always the same images."""

    def __init__(self, images: torch.Tensor) -> None:
        super().__init__()
        self.images, self.weight = images, nn.Parameter(torch.zeros(()))

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        return self.images[: len(noise)] + self.weight


class Recorder(nn.Module):
    """A discriminator that keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(images.detach().clone())
        return self.weight * images.flatten(1).mean(1)


def shown(
    gan_config: GanConfig, pixels: torch.Tensor, copies: torch.Tensor, epoch: int = 1
) -> list[torch.Tensor]:
    """What a discriminator is shown in one step: reals, fakes, and fakes of the other's update."""
    networks = Copier(copies), Recorder()
    gan = Gan(*networks, *(torch.optim.SGD(one.parameters(), 0.0) for one in networks))
    step = AdversarialStep(gan_config, gan, CPU)
    step.begin(0, epoch, None)
    step(pixels, step.kind(0))
    seen = networks[1].seen
    return [*seen[0].split(len(pixels)), seen[1]] if len(seen) == 2 else seen


def facts(images: np.ndarray) -> np.ndarray:
    """What may tell where an image is from: ``(N, 4)``; sharpness is what JPEG and blur change."""
    levels = images.astype(float)
    sharp = np.abs(np.diff(levels, axis=3))
    columns = [f(levels, axis=(1, 2, 3)) for f in (np.mean, np.std, np.max)]
    return np.column_stack([*columns, sharp.mean((1, 2, 3))])


def assert_alike(one: np.ndarray, other: np.ndarray) -> None:
    assert not np.array_equal(one, other)
    first, second = facts(one), facts(other)
    spread = first.std(0) * np.sqrt(2 / len(one))
    assert (np.abs(first.mean(0) - second.mean(0)) < 4 * spread).all()


@pytest.mark.parametrize("updates", ["joint", "separate"])
def test_equal_reals_and_fakes_look_alike_and_the_generator_learns_from_plain_fakes(
    updates, fashion_mnist
) -> None:
    pixels = torch.from_numpy(fashion_mnist.train_images[:600].copy())
    same = to_unit_range(pixels)
    gan_config = config(discriminator_updates=updates, batch_size=len(pixels))
    reals, fakes, learnt_from = shown(gan_config, pixels, same)
    assert torch.equal(learnt_from, same)
    assert torch.isin(torch.cat([reals, fakes]), to_unit_range(torch.arange(256))).all()
    reals, fakes = (quantise(one).numpy() for one in (reals, fakes))
    assert (reals != pixels.numpy()).any((1, 2, 3)).mean() > 0.8
    assert_alike(reals, fakes)


def test_without_processing_a_discriminator_is_shown_what_there_is() -> None:
    pixels = torch.arange(0, 240, 30, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 8, 8)
    copies = torch.full((8, 1, 8, 8), 0.1234)
    reals, fakes, learnt_from = shown(config(processing=[], batch_size=8), pixels, copies)
    assert torch.equal(reals, to_unit_range(pixels))
    assert torch.equal(fakes, copies)
    assert torch.equal(learnt_from, copies)


def test_negatives_are_processed_whole() -> None:
    """Made of processed ones they would be half black, as no fake of a generator is."""
    white = torch.full((64, 1, 8, 8), 255, dtype=torch.uint8)
    negatives = {"kinds": ["stitch"], "share": 1.0}
    gan_config = config(processing=HALF_BLACK, negatives=negatives, batch_size=64)
    _, fakes, _ = shown(gan_config, white, torch.zeros(64, 1, 8, 8))
    ends = fakes.amin((1, 2, 3)), fakes.amax((1, 2, 3))
    assert torch.equal(*ends)
    assert set(ends[0].tolist()) == {-1.0, 1.0}


def test_every_side_seed_purpose_and_epoch_is_a_stream_of_its_own() -> None:
    images = to_unit_range(torch.randint(256, (40, 1, 8, 8), generator=torch.Generator()))

    def both(*given) -> list[torch.Tensor]:
        return [*BothSides(chain("uploads"), *given)(images, images)]

    first = both(0, "a", 1)
    assert all(map(torch.equal, first, both(0, "a", 1)))
    seen = first + both(1, "a", 1) + both(0, "b", 1) + both(0, "a", 2)
    assert len({one.numpy().tobytes() for one in seen}) == len(seen)
    gan_config = config(processing=HALF_BLACK, batch_size=40)
    epochs = [shown(gan_config, quantise(images), images, epoch)[0] for epoch in (1, 2)]
    assert not torch.equal(*epochs)


def test_both_sides_are_rounded_to_grey_levels_even_where_no_step_takes_an_image() -> None:
    between = torch.full((3, 1, 4, 4), 0.1234)
    for one in BothSides(chain(NEVER), 0, "x")(between, between):
        assert torch.equal(one, to_unit_range(quantise(between)))
    without = BothSides((), 0, "x")(between, between)
    assert all(one is between for one in without)


@pytest.fixture(scope="module")
def examples() -> Examples:
    return few(blurred_digits()[0], 200)


def batch(examples: Examples, epoch: int = 1, share: Share | None = None, **keys: object):
    made = training_batches(
        configure(batch_size=1000, **keys), examples, seed=0, epoch=epoch, share=share or Share()
    )
    ((images, labels),) = made
    return images.numpy(), labels.numpy()


def test_a_classifier_gets_equal_images_of_both_labels_alike(examples) -> None:
    index = examples.index[:200]
    twice = Examples(
        examples.images, np.tile(index, 2), np.repeat([0, 1], 200), np.zeros(400, np.int64)
    )
    images, labels = batch(twice, processing="uploads")
    assert images.shape == (400, 1, 16, 16)
    assert_alike(images[labels == 0], images[labels == 1])


def test_a_classifiers_image_is_processed_alike_in_any_batch_and_afresh_in_every_epoch(
    examples,
) -> None:
    examples = few(examples)
    whole, _ = batch(examples, processing="uploads")
    halves = [batch(examples, share=Share(rank, 2), processing="uploads")[0] for rank in (0, 1)]
    assert np.array_equal(whole, np.concatenate(halves))
    again, later = (batch(examples, epoch, processing="uploads")[0] for epoch in (1, 2))
    assert np.array_equal(whole, again)
    assert not np.array_equal(np.sort(whole, axis=None), np.sort(later, axis=None))
    changed = configure(processing="uploads", augmentation={"rotation": 20.0})
    made = training_batches(changed, examples, seed=0, epoch=1)
    assert not np.isin(made.seeds, made.processed).any()


@pytest.mark.parametrize(
    "keys", [{}, {"augmentation": {"rotation": 20.0}}, {"augmentation": {"blur": 1.0}, "copies": 1}]
)
def test_a_classifiers_processing_comes_before_augmentation_and_shifts_none_of_its_draws(
    examples, keys
) -> None:
    with_copies = few(examples).with_copies(keys.get("copies", 0))
    plain, _ = batch(with_copies, **keys)
    assert np.array_equal(plain, batch(with_copies, processing=NEVER, **keys)[0])
    assert plain.any()
    assert not batch(with_copies, processing=BLACK, **keys)[0].any()

"""The generators beside the DCGANs, and what they are trained with."""

import pytest
import torch
from torch import nn

from gandetect.config import ARCHITECTURES
from gandetect.models import keras_parameter_count
from gandetect.models.layers import SeededDropout, seed_dropout

PARAMETERS = {
    "wgan-gp": (369_153, 94_721),
    "dense": (1_493_520, 533_505),
    "vae": (350_049, 679_496),
}
PARTNER = "partner"  # the network beside the generator, whatever it is
CONVOLUTIONAL = ["wgan-gp", "vae"]
SIZES = [(28, 1), (32, 3), (64, 1), (8, 1)]


def build(architecture: str, kind: str, **options) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if kind == PARTNER:
            (kind,) = (one for one in ARCHITECTURES[architecture].networks if one != "generator")
        return ARCHITECTURES[architecture].build(kind, **options)


def noise(count: int, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(count, 100, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("architecture", PARAMETERS)
def test_parameter_counts_are_those_of_the_docstrings(architecture) -> None:
    networks = [build(architecture, kind) for kind in ("generator", PARTNER)]
    assert tuple(map(keras_parameter_count, networks)) == PARAMETERS[architecture]
    for network, number in zip(networks, PARAMETERS[architecture], strict=True):
        assert f"{number:,} parameters" in (network.__doc__ or "")


@pytest.mark.parametrize("architecture", PARAMETERS)
@pytest.mark.parametrize(("size", "channels"), SIZES)
def test_noise_to_images_to_answers_at_any_size(architecture, size, channels) -> None:
    generator = build(architecture, "generator", image_size=size, channels=channels).eval()
    partner = build(architecture, PARTNER, image_size=size, channels=channels).eval()
    # Noise far beyond N(0, 1): without its tanh, a generator would leave [-1, 1].
    images = generator(noise(3, 1e4))
    assert images.shape == (3, channels, size, size)
    assert 0.9 < images.abs().max() <= 1
    if "encoder" in ARCHITECTURES[architecture].networks:
        mean, log_variance = partner(images)
        assert mean.shape == log_variance.shape == (3, 100)
        assert not torch.equal(mean, log_variance)
    else:
        assert partner(images).shape == (3,)


@pytest.mark.parametrize("architecture", CONVOLUTIONAL)
@pytest.mark.parametrize("kind", ["generator", PARTNER])
@pytest.mark.parametrize("size", [4, 30])
def test_a_size_that_cannot_be_served_is_named(architecture, kind, size) -> None:
    with pytest.raises(ValueError, match=f"image_size is {size}"):
        build(architecture, kind, image_size=size)


@pytest.mark.parametrize("kind", ["generator", PARTNER])
def test_a_dense_network_serves_any_side_but_none(kind) -> None:
    build("dense", kind, image_size=5)
    with pytest.raises(ValueError, match="image_size is 0"):
        build("dense", kind, image_size=0)


@pytest.mark.parametrize("architecture", PARAMETERS)
def test_in_eval_mode_an_image_depends_on_its_own_noise_alone(architecture) -> None:
    generator = build(architecture, "generator")
    with torch.no_grad():
        generator(noise(16))  # moves the statistics of a BatchNorm
        generator.eval()
        together, alone = generator(noise(4)), generator(noise(4)[1:2])
    torch.testing.assert_close(together[1:2], alone)


@pytest.mark.parametrize("architecture", ["wgan-gp", "dense"])
def test_a_discriminator_judges_each_image_by_itself(architecture) -> None:
    """The penalty of a Wasserstein critic is on each image's own gradient."""
    discriminator = build(architecture, "discriminator", dropout=0.0).train()
    images = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(discriminator(images)[2:3], discriminator(images[2:3]))


def test_only_the_dense_discriminator_drops_features_by_default_and_reproducibly() -> None:
    rates = {
        name: [m.probability for m in build(name, "discriminator").modules()
               if isinstance(m, SeededDropout)]
        for name in ("dense", "wgan-gp")
    }  # fmt: skip
    assert rates == {"dense": [0.3, 0.3], "wgan-gp": [0.0]}
    discriminator = build("dense", "discriminator").train()
    images = torch.zeros(2, 1, 28, 28) + 0.5
    answers = []
    for seed in (0, 0, 1):
        seed_dropout(discriminator, torch.Generator().manual_seed(seed))
        answers.append(discriminator(images))
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])


def test_a_vae_has_no_discriminator_to_build() -> None:
    with pytest.raises(ValueError, match="no discriminator; its networks are: generator, encoder"):
        build("vae", "discriminator")

"""Our networks against Keras': the same weights must give the same answers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from keras_reference_weights import NETWORKS, inputs, weights, weights_digest
from torch import nn

from gandetect.config import ARCHITECTURES
from gandetect.models import keras_parameter_count
from gandetect.models.layers import SeededDropout

REFERENCE = dict(np.load(Path(__file__).with_name("keras_reference.npz"), allow_pickle=False))
PARAMETERS = {
    "dcgan-bn/generator": 840_705,
    "dcgan-bn/discriminator": 212_865,
    "dcgan-plain/generator": 2_054_785,
    "dcgan-plain/discriminator": 521_345,
}
LAST_DENSE = ("dcgan-plain/discriminator", "dense")  # Glorot-uniform where the rest is normal
TO_TORCH = {
    "dense/kernel": (1, 0),
    "conv/kernel": (3, 2, 0, 1),
    "conv_transpose/kernel": (3, 2, 0, 1),
}


def build(network: str, **options) -> nn.Module:
    architecture, kind = network.split("/")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ARCHITECTURES[architecture].build(kind, **options).eval()


def with_keras_weights(network: str) -> nn.Module:
    module = build(network)
    names = [name for name in module.state_dict() if "num_batches" not in name]
    state = {
        name: torch.from_numpy(
            np.ascontiguousarray(weight.array.transpose(TO_TORCH.get(weight.kind, (0,))))
        )
        for name, weight in zip(names, weights(network), strict=True)
    }
    module.load_state_dict(state, strict=False)
    return module


def keras_inputs(network: str) -> torch.Tensor:
    given = torch.from_numpy(inputs(network))
    return given if given.dim() == 2 else given.permute(0, 3, 1, 2).contiguous()


def channels_last(images: torch.Tensor) -> np.ndarray:
    images = images.detach()
    return (images.permute(0, 2, 3, 1) if images.dim() == 4 else images).numpy()


@pytest.mark.parametrize("network", NETWORKS)
def test_the_formula_gives_the_weights_that_keras_was_given(network) -> None:
    assert weights_digest(network) == str(REFERENCE[f"{network}/weights_digest"])


@pytest.mark.parametrize("network", NETWORKS)
def test_same_weights_same_outputs_as_keras(network) -> None:
    outputs = channels_last(with_keras_weights(network)(keras_inputs(network)))
    np.testing.assert_allclose(outputs, REFERENCE[f"{network}/outputs"], rtol=0, atol=1e-4)


def test_batch_statistics_give_keras_outputs_and_moving_means() -> None:
    network = "dcgan-bn/generator"
    generator = with_keras_weights(network).train()
    outputs = channels_last(generator(keras_inputs(network)))
    stored = f"{network}/training_"
    np.testing.assert_allclose(outputs, REFERENCE[f"{stored}outputs"], rtol=0, atol=1e-4)
    norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]
    for name, norm in zip(("norm1", "norm2"), norms, strict=True):
        np.testing.assert_allclose(
            norm.running_mean, REFERENCE[f"{stored}moving/{name}/mean"], atol=1e-5
        )
        # PyTorch keeps the unbiased variance, Keras the biased one: 0.5 % of 1 % at 4 images.
        np.testing.assert_allclose(
            norm.running_var, REFERENCE[f"{stored}moving/{name}/variance"], rtol=2e-3
        )


@pytest.mark.parametrize("network", [name for name in NETWORKS if "discriminator" in name])
def test_same_weights_same_gradients_as_keras(network) -> None:
    images = keras_inputs(network).requires_grad_()
    with_keras_weights(network)(images).mean().backward()
    expected = REFERENCE[f"{network}/input_gradients"]
    np.testing.assert_allclose(channels_last(images.grad), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("network", NETWORKS)
def test_parameter_counts_are_keras_counts(network) -> None:
    assert keras_parameter_count(build(network)) == PARAMETERS[network]


@pytest.mark.parametrize("architecture", ["dcgan-bn", "dcgan-plain"])
@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (64, 1)])
def test_noise_to_images_to_logits_at_any_size(architecture, size, channels) -> None:
    generator = build(f"{architecture}/generator", image_size=size, channels=channels)
    discriminator = build(f"{architecture}/discriminator", image_size=size, channels=channels)
    # Noise far beyond N(0, 1): without its tanh, either generator would leave [-1, 1].
    images = generator(1e4 * torch.randn(3, 100, generator=torch.Generator().manual_seed(0)))
    assert images.shape == (3, channels, size, size)
    assert 0.9 < images.abs().max() <= 1
    assert discriminator(images).shape == (3,)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("size", [4, 30])
def test_a_size_that_cannot_be_served_is_named(network, size) -> None:
    with pytest.raises(ValueError, match=f"image_size is {size}"):
        build(network, image_size=size)


@pytest.mark.parametrize("network", NETWORKS)
def test_initial_weights_follow_the_notebooks(network) -> None:
    layers = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    for name, module in build(network).named_modules():
        if not isinstance(module, layers):
            continue
        assert not module.bias.any(), name
        weight = module.weight
        if network.startswith("dcgan-bn") or (network, name) == LAST_DENSE:
            # Glorot and Bengio 2010: uniform within sqrt(6 / (fan in + fan out)).
            fans = (weight.shape[0] + weight.shape[1]) * weight[0, 0].numel()
            bound = (6 / fans) ** 0.5
            assert weight.abs().max().item() == pytest.approx(bound, rel=0.01), name
            assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05), name
        else:
            assert weight.std().item() == pytest.approx(0.02, rel=0.1), name
            # A normal has values beyond 2 sigma; a uniform of that width ends at 1.73.
            assert weight.abs().max().item() > 0.04, name


@pytest.mark.parametrize(
    ("network", "expected"),
    [("dcgan-bn/discriminator", [0.5, 0.5]), ("dcgan-plain/discriminator", [0.4])],
)
def test_dropout_rates_are_the_notebooks(network, expected) -> None:
    """Inference does not see them, so no output of Keras' can."""
    modules = build(network).modules()
    assert [m.probability for m in modules if isinstance(m, SeededDropout)] == expected

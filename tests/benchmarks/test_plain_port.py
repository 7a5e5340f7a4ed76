"""Ours against the plain port: the fast pieces must compute what the plain ones do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gandetect.config import GanConfig
from gandetect.randomness import integer_seed
from gandetect.training.adversarial import train_epoch
from gandetect.training.networks import build_gan

from . import plain_port

CPU = torch.device("cpu")
BATCH = 8
QUICK = {  # the common variant that experiments/quick.toml trains
    "discriminator_updates": "joint",
    "generator": {"activation": "selu"},
    "discriminator": {"negative_slope": 0.2},
    "generator_optimizer": {"name": "rmsprop"},
    "discriminator_optimizer": {"name": "rmsprop"},
}
VARIANTS = [("dcgan-bn", {}), ("dcgan-bn", QUICK), ("dcgan-plain", {})]
PORTED = ("dcgan-bn", "dcgan-plain")
NETWORKS = [(name, kind) for name in PORTED for kind in ("generator", "discriminator")]
# The size and channels of the study; and a colour image with other paddings.
SHAPES = [(28, 1), (32, 3), (64, 3)]


def gan_config(architecture: str, options: dict[str, object]) -> GanConfig:
    given = {"architecture": architecture, "batch_size": BATCH, "steps_per_epoch": 1, **options}
    return GanConfig.model_validate({**given, "sampling": "shuffled"})


def pair(architecture: str, kind: str, size: int, channels: int) -> tuple[nn.Module, nn.Module]:
    """Our network as it is trained, and the port's, with the same weights."""
    config = gan_config(architecture, {})
    ours = getattr(build_gan(config, size, channels, 0, CPU), kind)
    port = getattr(plain_port.build(config, size, channels, 1), kind)
    perturbed = torch.Generator().manual_seed(3)
    for name, weight in ours.state_dict().items():
        if name.endswith(("bias", "mean")):  # all zero at the start: a lost one would not show
            weight.copy_(0.1 * torch.randn(weight.shape, generator=perturbed))
    copy_weights(ours, port)
    return ours, port


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Layers stand in the same order in both, under other names."""
    target.load_state_dict(
        dict(zip(target.state_dict(), source.state_dict().values(), strict=True))
    )


def network_inputs(kind: str, size: int, channels: int) -> Tensor:
    rng = torch.Generator().manual_seed(2)
    if kind == "generator":
        return torch.randn(BATCH, 100, generator=rng)
    return 2 * torch.rand(BATCH, channels, size, size, generator=rng) - 1


def outputs_and_gradients(network: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    inputs = inputs.clone().requires_grad_()
    outputs = network(inputs)
    # Weighted unevenly: the gradient of a plain sum would hide images or pixels that changed place.
    weighting = torch.linspace(0.5, 1.5, outputs.numel()).reshape(outputs.shape)
    (outputs * weighting).sum().backward()
    gradients = {str(place): one.grad for place, one in enumerate(network.parameters())}
    return {"outputs": outputs.detach(), "inputs": inputs.grad, **gradients}


def assert_close(ours: dict[str, Tensor], port: dict[str, Tensor], tolerance: float) -> None:
    """Each tensor equal, relative to its largest element."""
    assert ours.keys() == port.keys()
    for name, expected in port.items():
        largest = expected.abs().max().item()
        np.testing.assert_allclose(
            ours[name].numpy(), expected.numpy(), rtol=0, atol=tolerance * largest, err_msg=name
        )


@pytest.mark.parametrize(("size", "channels"), SHAPES)
@pytest.mark.parametrize(("architecture", "kind"), NETWORKS)
def test_same_weights_same_outputs_and_gradients(architecture, kind, size, channels) -> None:
    ours, port = pair(architecture, kind, size, channels)
    inputs = network_inputs(kind, size, channels)
    assert_close(
        outputs_and_gradients(ours.eval(), inputs),
        outputs_and_gradients(port.eval(), inputs),
        tolerance=1e-4,
    )


@pytest.mark.parametrize(("architecture", "kind"), NETWORKS)
def test_weights_go_from_the_port_to_ours(architecture, kind) -> None:
    ours, port = pair(architecture, kind, 28, 1)
    given = [weight.clone() for weight in port.state_dict().values()]
    copy_weights(port, ours)
    pairs = zip(given, ours.state_dict().values(), strict=True)
    assert all(torch.equal(one, weight) for one, weight in pairs)


@pytest.mark.parametrize(("architecture", "options"), VARIANTS)
def test_one_step_leads_to_the_same_weights(architecture, options) -> None:
    """Without dropout, from the same weights, images and noise."""
    config = comparable(gan_config(architecture, options))
    ours, port = build_gan(config, 28, 1, 0, CPU), plain_port.build(config, 28, 1, 1)
    images = np.random.default_rng(0).integers(0, 256, (BATCH, 1, 28, 28), dtype=np.uint8)
    for kind in ("generator", "discriminator"):
        copy_weights(getattr(ours, kind), getattr(port, kind))
    before = weights(port)

    # One batch of all images: in which order they come changes no mean.
    reals = torch.from_numpy(images)
    train_epoch(config, ours, reals, seed=0, epoch=1, notify=lambda event: None)
    torch.manual_seed(integer_seed(0, "noise", 1))  # ours draws an epoch's noise from this stream
    (real_images,) = plain_port.dataset_of(images).tensors
    plain_port.train_step(config, port, real_images)

    after = weights(port)
    moved = {name: after[name] - before[name] for name in before}
    assert all(change.any() for change in moved.values())
    ours_moved = {name: weight - before[name] for name, weight in weights(ours).items()}
    assert_close(ours_moved, moved, tolerance=2e-3)


def comparable(config: GanConfig) -> GanConfig:
    """Without dropout; and with a large eps, so that no vanishing gradient decides by its sign."""
    smooth = {"eps": 1e-2, "learning_rate": 1e-2}
    return config.model_copy(
        update={
            "discriminator": config.discriminator.model_copy(update={"dropout": 0.0}),
            "generator_optimizer": config.generator_optimizer.model_copy(update=smooth),
            "discriminator_optimizer": config.discriminator_optimizer.model_copy(update=smooth),
        }
    )


def weights(gan: plain_port.PlainGan) -> dict[str, Tensor]:
    networks = {"generator": gan.generator, "discriminator": gan.discriminator}
    return {
        f"{kind}.{place}": weight.clone().double()
        for kind, network in networks.items()
        for place, weight in enumerate(network.state_dict().values())
    }


@pytest.mark.parametrize(("architecture", "options"), VARIANTS)
def test_the_port_trains_an_epoch(architecture, options) -> None:
    config = gan_config(architecture, options).model_copy(update={"steps_per_epoch": 3})
    gan = plain_port.build(config, 28, 1, 0)
    images = np.random.default_rng(0).integers(0, 256, (2 * BATCH, 1, 28, 28), dtype=np.uint8)
    before = weights(gan)
    losses = plain_port.train_epoch(config, gan, plain_port.dataset_of(images))
    assert losses.shape == (3, 2)
    assert np.isfinite(losses).all()
    assert all((weight != before[name]).any() for name, weight in weights(gan).items())

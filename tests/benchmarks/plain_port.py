"""The reference implementation: both GANs as a PyTorch tutorial would write them.

Eager float32, contiguous memory, a DataLoader, nn.Dropout, Adam as it comes, ``loss.item()`` at
every step. The functions, initial distributions and options are those of `gandetect.models` and
`gandetect.training.adversarial`, and so are the order and shapes of the weights; nothing else is
shared, so that each can be judged by the other. Chance comes from PyTorch's global stream.

>>> gan = build(GanConfig.model_validate({"architecture": "dcgan-bn"}), 28, 1, seed=0)
>>> gan.discriminator(gan.generator(torch.randn(2, 100))).shape
torch.Size([2])
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from gandetect.config import GanConfig, OptimizerConfig

NOISE_SIZE = 100


@dataclass(frozen=True)
class PlainGan:
    """Two networks and their optimizers."""

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer


# Networks. Noise (N, 100) -> images (N, C, H, W) in [-1, 1] -> logits (N,), high = real.


class SameConv2d(nn.Conv2d):
    """Keras' ``padding="same"``: an odd row and column of padding go to the end."""

    def forward(self, x: Tensor) -> Tensor:
        side, kernel, stride = x.shape[2], self.kernel_size[0], self.stride[0]
        padding = kernel - (side % stride or stride)
        before, after = padding // 2, padding - padding // 2
        if before == after:
            return F.conv2d(x, self.weight, self.bias, stride, padding=before)
        return super().forward(F.pad(x, (before, after, before, after)))


def stages_of(image_size: int) -> int:
    """How often a generator doubles its square: twice below 56 pixels, three times below 112."""
    return max(2, (image_size // 7).bit_length() - 1)


def wider(base: int, image_size: int) -> list[int]:
    """Channels of the stages that images from 56 pixels add at the coarse end, 512 at most."""
    return [min(512, base * 2**stage) for stage in range(1, stages_of(image_size) - 1)]


class BatchNormGenerator(nn.Module):
    def __init__(self, image_size: int, channels: int, activation: str = "relu") -> None:
        super().__init__()
        self.side = image_size // 2 ** stages_of(image_size)
        widths = [*reversed(wider(128, image_size)), 128, 64, channels]
        self.dense = nn.Linear(NOISE_SIZE, self.side * self.side * widths[0])
        self.stages = nn.ModuleList()
        for inputs, outputs in pairwise(widths):
            norm = nn.BatchNorm2d(inputs, eps=1e-3, momentum=0.01)
            up = nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=1)
            self.stages.append(nn.Sequential(norm, up))
        self.activation = ACTIVATIONS[activation]
        self.apply(glorot_uniform)

    def forward(self, noise: Tensor) -> Tensor:
        x = unflatten(self.dense(noise), self.side)
        for stage in self.stages[:-1]:
            x = self.activation(stage(x)[:, :, :-1, :-1])  # (N, 64, H/2, W/2) at last
        return torch.tanh(self.stages[-1](x)[:, :, :-1, :-1])


class BatchNormDiscriminator(nn.Module):
    def __init__(
        self, image_size: int, channels: int, negative_slope: float = 0.3, dropout: float = 0.5
    ) -> None:
        super().__init__()
        widths = [channels, 64, 128, *wider(128, image_size)]
        self.layers = nn.Sequential()
        for inputs, outputs in pairwise(widths):
            self.layers.append(SameConv2d(inputs, outputs, 5, stride=2))
            self.layers.append(nn.LeakyReLU(negative_slope))
            self.layers.append(nn.Dropout(dropout))
        side = image_size // 2 ** stages_of(image_size)
        self.dense = nn.Linear(side**2 * widths[-1], 1)
        self.apply(glorot_uniform)

    def forward(self, images: Tensor) -> Tensor:
        return self.dense(flatten(self.layers(images))).squeeze(1)


class PlainGenerator(nn.Module):
    def __init__(self, image_size: int, channels: int, activation: str = "leaky_relu") -> None:
        super().__init__()
        self.side = image_size // 2 ** stages_of(image_size)
        widths = [*reversed(wider(256, image_size)), 256, 128, 128]
        self.dense = nn.Linear(NOISE_SIZE, self.side * self.side * widths[0])
        ups = [nn.ConvTranspose2d(*pair, 4, stride=2, padding=1) for pair in pairwise(widths)]
        self.ups = nn.ModuleList(ups)
        self.to_image = SameConv2d(128, channels, 3)
        self.activation = ACTIVATIONS[activation]
        self.apply(normal_002)

    def forward(self, noise: Tensor) -> Tensor:
        x = unflatten(self.activation(self.dense(noise)), self.side)
        for up in self.ups:
            x = self.activation(up(x))  # (N, 128, H, W) at last
        return torch.tanh(self.to_image(x))


class PlainDiscriminator(nn.Module):
    def __init__(
        self, image_size: int, channels: int, negative_slope: float = 0.2, dropout: float = 0.4
    ) -> None:
        super().__init__()
        widths = [64, 128, 128, 256, *wider(256, image_size)]
        self.layers = nn.Sequential(SameConv2d(channels, 64, 3), nn.LeakyReLU(negative_slope))
        for inputs, outputs in pairwise(widths):
            self.layers.append(SameConv2d(inputs, outputs, 3, stride=2))
            self.layers.append(nn.LeakyReLU(negative_slope))
        self.dropout = nn.Dropout(dropout)
        smallest = image_size
        for _ in widths[1:]:
            smallest = (smallest + 1) // 2
        self.dense = nn.Linear(smallest**2 * widths[-1], 1)
        self.apply(normal_002)
        glorot_uniform(self.dense)

    def forward(self, images: Tensor) -> Tensor:
        return self.dense(self.dropout(flatten(self.layers(images)))).squeeze(1)


NETWORKS = {
    "dcgan-bn": (BatchNormGenerator, BatchNormDiscriminator),
    "dcgan-plain": (PlainGenerator, PlainDiscriminator),
}
ACTIVATIONS = {"relu": F.relu, "selu": F.selu, "leaky_relu": lambda x: F.leaky_relu(x, 0.2)}


def unflatten(x: Tensor, side: int) -> Tensor:
    """Keras' dense layers count height, width, channels."""
    return x.view(len(x), side, side, -1).permute(0, 3, 1, 2).contiguous()


def flatten(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).flatten(1)


def glorot_uniform(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def normal_002(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)


# Training.


def build(
    config: GanConfig, image_size: int, channels: int, seed: int, device: str = "cpu"
) -> PlainGan:
    """Seed the global stream, and build both networks and their optimizers."""
    torch.manual_seed(seed)
    generator_class, discriminator_class = NETWORKS[config.architecture]
    generator = generator_class(
        image_size, channels, **config.generator.model_dump(exclude_none=True)
    )
    discriminator = discriminator_class(
        image_size, channels, **config.discriminator.model_dump(exclude_none=True)
    )
    generator.to(device)
    discriminator.to(device)
    return PlainGan(
        generator,
        discriminator,
        optimizer(config.generator_optimizer, generator),
        optimizer(config.discriminator_optimizer, discriminator),
    )


def optimizer(config: OptimizerConfig, network: nn.Module) -> torch.optim.Optimizer:
    if config.name == "rmsprop":
        return torch.optim.RMSprop(
            network.parameters(), lr=config.learning_rate, alpha=config.smoothing, eps=config.eps
        )
    return torch.optim.Adam(
        network.parameters(), lr=config.learning_rate, betas=config.betas, eps=config.eps
    )


def dataset_of(images: NDArray[np.uint8]) -> TensorDataset:
    """Scale images ``(N, C, H, W) uint8`` to [-1, 1]."""
    return TensorDataset(torch.from_numpy(images).float() / 127.5 - 1)


def train_epoch(config: GanConfig, gan: PlainGan, dataset: TensorDataset) -> NDArray[np.float64]:
    """Run one epoch; returns the losses of discriminator and generator, shape ``(steps, 2)``."""
    gan.generator.train()
    gan.discriminator.train()
    steps = config.steps_per_epoch or len(dataset) // config.batch_size
    with_replacement = config.sampling == "with-replacement"
    sampler = RandomSampler(dataset, with_replacement, num_samples=steps * config.batch_size)
    loader = DataLoader(dataset, config.batch_size, sampler=sampler)
    return np.array([train_step(config, gan, real_images) for (real_images,) in loader])


def train_step(config: GanConfig, gan: PlainGan, real_images: Tensor) -> tuple[float, float]:
    """Update both networks once, on real images ``(N, C, H, W)`` in [-1, 1]."""
    generator, discriminator = gan.generator, gan.discriminator
    device = next(generator.parameters()).device
    real_images = real_images.to(device)
    noise = torch.randn(len(real_images), NOISE_SIZE, device=device)
    if config.discriminator_fakes == "inference":
        generator.eval()
    with torch.no_grad():
        fake_images = generator(noise)
    generator.train()

    # Update the discriminator.
    if config.discriminator_updates == "joint":
        on_real, on_fake = discriminator(torch.cat([real_images, fake_images])).chunk(2)
        real_loss, fake_loss = bce(on_real, config.real_label), bce(on_fake, config.fake_label)
        update(gan.discriminator_optimizer, (real_loss + fake_loss) / 2)
    else:
        real_loss = bce(discriminator(real_images), config.real_label)
        update(gan.discriminator_optimizer, real_loss)
        fake_loss = bce(discriminator(fake_images), config.fake_label)
        update(gan.discriminator_optimizer, fake_loss)

    # Update the generator; the discriminator's weights are frozen, as in the notebooks.
    if not config.shared_noise:
        noise = torch.randn(len(real_images), NOISE_SIZE, device=device)
    discriminator.requires_grad_(False)
    generator_loss = bce(discriminator(generator(noise)), 1.0)
    update(gan.generator_optimizer, generator_loss)
    discriminator.requires_grad_(True)
    return (real_loss.item() + fake_loss.item()) / 2, generator_loss.item()


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def bce(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

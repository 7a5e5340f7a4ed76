"""Weights and inputs for comparing our networks with Keras': a formula, so no megabytes are stored.

`keras_reference.py` fills Keras networks with these arrays and stores what they answer in
`keras_reference.npz`; a test fills ours with the same arrays and expects the same answers. Needs
NumPy only. The archive holds `weights_digest` of each network: where that differs, it is NumPy's
stream of random numbers that has changed, not our network.

Layouts are Keras', channels last, and must be turned for PyTorch:

* ``dense/kernel`` is (in, out); PyTorch's ``Linear.weight`` is (out, in).
* ``conv/kernel`` is (height, width, in, out); PyTorch's ``Conv2d.weight`` is (out, in, h, w).
* ``conv_transpose/kernel`` is (height, width, out, in); PyTorch's ``ConvTranspose2d.weight`` is
  (in, out, h, w). Neither library flips it: a transposition of the axes is all.
* ``norm/...`` and biases are vectors, the same in both.
* Images are (N, H, W, C). A generator's dense layer is reshaped to (H, W, C) and a discriminator
  flattens (H, W, C): where a PyTorch network flattens (C, H, W) instead, the rows or columns of
  the dense kernel must be permuted as well.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SEED = 20_260_101
BATCH = 4
NOISE_SIZE = 100
IMAGE_SHAPE = (28, 28, 1)  # (H, W, C)

Floats = NDArray[np.float32]


class Weight(NamedTuple):
    """One tensor of a Keras network: its layer, its kind and its values in Keras' layout."""

    layer: str
    kind: str
    array: Floats


NETWORKS: dict[str, list[tuple[str, str, tuple[int, ...]]]] = {
    "dcgan-bn/generator": [
        ("dense", "dense/kernel", (100, 6272)),  # 6272 = 7 x 7 x 128 in the order H, W, C
        ("dense", "dense/bias", (6272,)),
        ("norm1", "norm/gamma", (128,)),
        ("norm1", "norm/beta", (128,)),
        ("norm1", "norm/moving_mean", (128,)),
        ("norm1", "norm/moving_variance", (128,)),
        ("up1", "conv_transpose/kernel", (5, 5, 64, 128)),
        ("up1", "conv_transpose/bias", (64,)),
        ("norm2", "norm/gamma", (64,)),
        ("norm2", "norm/beta", (64,)),
        ("norm2", "norm/moving_mean", (64,)),
        ("norm2", "norm/moving_variance", (64,)),
        ("up2", "conv_transpose/kernel", (5, 5, 1, 64)),
        ("up2", "conv_transpose/bias", (1,)),
    ],
    "dcgan-bn/discriminator": [
        ("conv1", "conv/kernel", (5, 5, 1, 64)),
        ("conv1", "conv/bias", (64,)),
        ("conv2", "conv/kernel", (5, 5, 64, 128)),
        ("conv2", "conv/bias", (128,)),
        ("dense", "dense/kernel", (6272, 1)),  # 6272 = 7 x 7 x 128 in the order H, W, C
        ("dense", "dense/bias", (1,)),
    ],
    "dcgan-plain/generator": [
        ("dense", "dense/kernel", (100, 12544)),  # 12544 = 7 x 7 x 256 in the order H, W, C
        ("dense", "dense/bias", (12544,)),
        ("up1", "conv_transpose/kernel", (4, 4, 128, 256)),
        ("up1", "conv_transpose/bias", (128,)),
        ("up2", "conv_transpose/kernel", (4, 4, 128, 128)),
        ("up2", "conv_transpose/bias", (128,)),
        ("to_image", "conv/kernel", (3, 3, 128, 1)),
        ("to_image", "conv/bias", (1,)),
    ],
    "dcgan-plain/discriminator": [
        ("conv1", "conv/kernel", (3, 3, 1, 64)),
        ("conv1", "conv/bias", (64,)),
        ("conv2", "conv/kernel", (3, 3, 64, 128)),
        ("conv2", "conv/bias", (128,)),
        ("conv3", "conv/kernel", (3, 3, 128, 128)),
        ("conv3", "conv/bias", (128,)),
        ("conv4", "conv/kernel", (3, 3, 128, 256)),
        ("conv4", "conv/bias", (256,)),
        ("dense", "dense/kernel", (4096, 1)),  # 4096 = 4 x 4 x 256 in the order H, W, C
        ("dense", "dense/bias", (1,)),
    ],
}


def weights(network: str) -> list[Weight]:
    """All tensors of a network in Keras' order, in Keras' layouts.

    >>> [(w.layer, w.kind, w.array.shape) for w in weights("dcgan-bn/discriminator")][-1]
    ('dense', 'dense/bias', (1,))
    """
    return [
        Weight(layer, kind, _fill(kind, _normal(network, position, shape)))
        for position, (layer, kind, shape) in enumerate(NETWORKS[network])
    ]


def inputs(network: str) -> Floats:
    """Noise ``(4, 100)`` for a generator, images ``(4, 28, 28, 1)`` in [-1, 1] for the others."""
    if network.endswith("/generator"):
        return _normal(network, 1000, (BATCH, NOISE_SIZE))
    return np.tanh(_normal(network, 1000, (BATCH, *IMAGE_SHAPE)))


def weights_digest(network: str) -> str:
    """SHA-256 of all weights of a network."""
    digest = hashlib.sha256()
    for weight in weights(network):
        digest.update(weight.array.astype("<f4").tobytes())
    return digest.hexdigest()


def _normal(network: str, position: int, shape: tuple[int, ...]) -> Floats:
    seed = np.random.SeedSequence([SEED, list(NETWORKS).index(network), position])
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def _fill(kind: str, normal: Floats) -> Floats:
    # Every tensor differs from its initial value, so that none can be left out unnoticed.
    one, tenth, half = np.float32(1), np.float32(0.1), np.float32(0.5)
    if kind == "norm/gamma":
        return one + tenth * normal
    if kind in ("norm/beta", "norm/moving_mean") or kind.endswith("/bias"):
        return tenth * normal
    if kind == "norm/moving_variance":
        return np.abs(normal) + half
    return np.float32(0.05) * normal

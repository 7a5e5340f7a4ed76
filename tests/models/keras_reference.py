"""Make `keras_reference.npz`: what the Keras networks answer, given weights from a formula.

Not a test, and not needed to run the tests: the archive is kept with them. To make it again:

    python -m pip install tensorflow-cpu
    python tests/models/keras_reference.py

The archive holds, for each network ``<gan>/<generator|discriminator>``, channels last:

* ``<network>/outputs``: in inference mode; images ``(4, 28, 28, 1)``, or logits ``(4,)``;
* ``<network>/weights_digest``: of the weights that gave them;
* ``dcgan-bn/generator/training_outputs``: with batch statistics, and the moving statistics after
  that one batch, ``…/training_moving/<norm1|norm2>/<mean|variance>``;
* ``<gan>/discriminator/input_gradients``: of the mean logit, ``(4, 28, 28, 1)``.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
from keras_reference_weights import NETWORKS, inputs, weights, weights_digest

ARCHIVE = Path(__file__).with_suffix(".npz")

PARAMETERS = {
    "dcgan-bn/generator": 840_705,
    "dcgan-bn/discriminator": 212_865,
    "dcgan-plain/generator": 2_054_785,
    "dcgan-plain/discriminator": 521_345,
}


def build(network: str) -> Any:
    """Build one of the four networks as its notebook does; a discriminator gives the logit."""
    import keras
    from keras import layers

    build_layers = {
        "dcgan-bn/generator": _bn_generator,
        "dcgan-bn/discriminator": _bn_discriminator,
        "dcgan-plain/generator": _plain_generator,
        "dcgan-plain/discriminator": _plain_discriminator,
    }
    shape = (100,) if network.endswith("/generator") else (28, 28, 1)
    return keras.Sequential([keras.Input(shape), *build_layers[network](layers)])


def _bn_generator(layers: Any) -> list[Any]:
    return [
        layers.Dense(7 * 7 * 128, name="dense"),
        layers.Reshape((7, 7, 128)),
        layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name="norm1"),
        layers.Conv2DTranspose(64, 5, 2, "same", activation="relu", name="up1"),
        layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name="norm2"),
        layers.Conv2DTranspose(1, 5, 2, "same", activation="tanh", name="up2"),
    ]


def _bn_discriminator(layers: Any) -> list[Any]:
    return [
        layers.Conv2D(64, 5, 2, "same", name="conv1"),
        layers.LeakyReLU(negative_slope=0.3),
        layers.Dropout(0.5),
        layers.Conv2D(128, 5, 2, "same", name="conv2"),
        layers.LeakyReLU(negative_slope=0.3),
        layers.Dropout(0.5),
        layers.Flatten(),
        layers.Dense(1, name="dense"),
    ]


def _plain_generator(layers: Any) -> list[Any]:
    return [
        layers.Dense(7 * 7 * 256, name="dense"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Reshape((7, 7, 256)),
        layers.Conv2DTranspose(128, 4, 2, "same", name="up1"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2DTranspose(128, 4, 2, "same", name="up2"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2D(1, 3, 1, "same", activation="tanh", name="to_image"),
    ]


def _plain_discriminator(layers: Any) -> list[Any]:
    convolutions = []
    for number, (filters, stride) in enumerate([(64, 1), (128, 2), (128, 2), (256, 2)], start=1):
        convolutions += [
            layers.Conv2D(filters, 3, stride, "same", name=f"conv{number}"),
            layers.LeakyReLU(negative_slope=0.2),
        ]
    return [*convolutions, layers.Flatten(), layers.Dropout(0.4), layers.Dense(1, name="dense")]


def fill(model: Any, network: str) -> None:
    """Give a Keras network the weights of the formula, checking that order and shapes agree."""
    given = weights(network)
    parameters = [(layer, variable) for layer in model.layers for variable in layer.weights]
    assert len(parameters) == len(given), network
    for (layer, variable), weight in zip(parameters, given, strict=True):
        expected = (weight.layer, weight.kind.split("/")[1], weight.array.shape)
        assert (layer.name, variable.name, tuple(variable.shape)) == expected, (network, expected)
        variable.assign(weight.array)


def answers(network: str) -> dict[str, Any]:
    """Run one Keras network, and return the archive's entries for it."""
    import tensorflow as tf

    model = build(network)
    assert model.count_params() == PARAMETERS[network], (network, model.count_params())
    fill(model, network)
    given = tf.constant(inputs(network))
    outputs = model(given, training=False).numpy()
    entries: dict[str, Any] = {"weights_digest": weights_digest(network)}
    if network.endswith("/discriminator"):
        entries["outputs"] = outputs[:, 0]
        with tf.GradientTape() as tape:
            tape.watch(given)
            mean_logit = tf.reduce_mean(model(given, training=False))
        entries["input_gradients"] = tape.gradient(mean_logit, given).numpy()
    else:
        entries["outputs"] = outputs
    if network == "dcgan-bn/generator":
        entries["training_outputs"] = model(given, training=True).numpy()
        for name in ("norm1", "norm2"):
            norm = model.get_layer(name)
            entries[f"training_moving/{name}/mean"] = norm.moving_mean.numpy()
            entries[f"training_moving/{name}/variance"] = norm.moving_variance.numpy()
    return {f"{network}/{key}": value for key, value in entries.items()}


def main() -> None:
    """Write the archive, and print the versions that made it."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # plain float32 arithmetic
    import keras
    import tensorflow as tf

    entries: dict[str, Any] = {}
    for network in NETWORKS:
        entries |= answers(network)
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }
    entries["versions"] = ", ".join(f"{name} {version}" for name, version in versions.items())
    np.savez_compressed(ARCHIVE, **entries)
    for name, value in entries.items():
        print(name, value if isinstance(value, str) else (value.shape, float(value.std())))
    print(f"{ARCHIVE.name}: {ARCHIVE.stat().st_size} bytes")


if __name__ == "__main__":
    main()

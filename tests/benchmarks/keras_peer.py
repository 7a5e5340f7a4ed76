"""The same GANs as their public notebooks train them: Keras on TensorFlow, `train_on_batch`.

Run by the Python of an environment that has TensorFlow; nothing of gandetect is imported here but
the layers of `tests/models/keras_reference.py`. It says "ready", and then answers each line of its
input with a number: real images a second, over at least so many seconds.

    python keras_peer.py ARCHITECTURE THREADS SECONDS
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

NOISE_SIZE, IMAGES, STEPS = 100, 20_000, 4  # of steps, so many between two looks at the clock
BATCH_SIZES = {"dcgan-bn": 100, "dcgan-plain": 16}


def main(architecture: str, threads: int, seconds: float) -> None:
    """Answer until the input ends."""
    step = prepare(architecture, threads)
    for _ in range(STEPS):
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        started, images = perf_counter(), 0
        while perf_counter() - started < seconds:
            for _ in range(STEPS):
                step()
            images += STEPS * BATCH_SIZES[architecture]
        print(images / (perf_counter() - started), flush=True)


def prepare(architecture: str, threads: int) -> Callable[[], None]:
    """Build and compile both networks; returns one step of the notebook's training."""
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    sys.path.append(str(Path(__file__).parents[1] / "models"))
    import keras
    from keras_reference import build

    plain = architecture == "dcgan-plain"
    generator, discriminator = (
        build(f"{architecture}/{name}") for name in ("generator", "discriminator")
    )
    compile_as_notebook(keras, discriminator, plain)
    rng = np.random.default_rng(0)
    # What is on the images costs no time.
    reals = rng.uniform(-1, 1, (IMAGES, 28, 28, 1)).astype(np.float32)
    size = BATCH_SIZES[architecture]
    # A function is traced at its first batch of a size, with what is trainable then.
    first = 2 * size if plain else size
    discriminator.train_on_batch(reals[:first], np.ones((first, 1)))
    discriminator.trainable = False
    gan = keras.Sequential([keras.Input((NOISE_SIZE,)), generator, discriminator])
    compile_as_notebook(keras, gan, plain)
    step = _plain_step if plain else _bn_step
    before = [weights.numpy().copy() for weights in discriminator.weights]
    step(generator, discriminator, gan, reals[:size], rng)
    if all(np.array_equal(*pair) for pair in zip(before, discriminator.weights, strict=True)):
        raise RuntimeError("the discriminator does not learn")
    return lambda: step(generator, discriminator, gan, reals[rng.integers(IMAGES, size=size)], rng)


def compile_as_notebook(keras: Any, model: Any, plain: bool) -> None:
    """Compile with the notebook's loss and Adam."""
    adam = (
        keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-7)
        if plain
        else keras.optimizers.Adam(1e-3, epsilon=1e-7)
    )
    model.compile(adam, keras.losses.BinaryCrossentropy(from_logits=True))


def _bn_step(generator: Any, discriminator: Any, gan: Any, reals: Any, rng: Any) -> None:
    """Update on reals, on fakes of a generator in inference mode, and on fresh noise."""
    size = len(reals)
    fakes = generator.predict_on_batch(_noise(rng, size))
    discriminator.train_on_batch(reals, np.ones((size, 1)))
    discriminator.train_on_batch(fakes, np.zeros((size, 1)))
    gan.train_on_batch(_noise(rng, size), np.ones((size, 1)))


def _plain_step(generator: Any, discriminator: Any, gan: Any, reals: Any, rng: Any) -> None:
    """Update on the joined batch with labels 0.9 and 0, and then on the same noise."""
    size = len(reals)
    noise = _noise(rng, size)
    images = np.concatenate([reals, generator.predict_on_batch(noise)])
    labels = np.concatenate([np.full((size, 1), 0.9), np.zeros((size, 1))])
    discriminator.train_on_batch(images, labels)
    gan.train_on_batch(noise, np.ones((size, 1)))


def _noise(rng: Any, size: int) -> Any:
    return rng.standard_normal((size, NOISE_SIZE)).astype(np.float32)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))

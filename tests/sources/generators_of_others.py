"""Functions that experiment files of the tests name as `object`, good ones and bad ones."""

import numpy as np

NUMBER = 5


def seeded(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)


def unseeded(count: int) -> np.ndarray:
    return np.full((count, 3, 40, 20), 100, np.uint8)


def floats(count: int) -> np.ndarray:
    return np.zeros((count, 1, 28, 28))


def channels_last(count: int) -> np.ndarray:
    return np.zeros((count, 28, 28, 3), np.uint8)


def flat(count: int) -> np.ndarray:
    return np.zeros((count, 784), np.uint8)


def a_list(count: int) -> list:
    return [0] * count


def too_few(count: int) -> np.ndarray:
    return seeded(count - 1, 0)


def raises(count: int) -> np.ndarray:
    raise RuntimeError(f"no weights for {count} images")


def without_count(number: int) -> np.ndarray:
    return seeded(number, 0)


def exits(count: int) -> None:
    raise SystemExit(3)

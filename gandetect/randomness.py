"""Random streams: one for each (seed, purpose, epoch), and no global state."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def seed_sequence(seed: int, purpose: str, epoch: int = 0) -> np.random.SeedSequence:
    """Derive independent entropy, so that a new use of random numbers never shifts another."""
    return np.random.SeedSequence([seed, crc32(purpose.encode()), epoch])


def stream(seed: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """A NumPy generator of its own for one purpose.

    >>> stream(0, "split").integers(100) == stream(0, "split").integers(100)
    np.True_
    """
    return np.random.default_rng(seed_sequence(seed, purpose, epoch))


def integer_seed(seed: int, purpose: str, epoch: int = 0) -> int:
    """A 63-bit seed for generators outside NumPy, such as `torch.Generator`."""
    return int(seed_sequence(seed, purpose, epoch).generate_state(1, np.uint64)[0] >> np.uint64(1))

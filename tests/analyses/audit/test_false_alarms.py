"""Two random halves of the same real images raise no alarm, in at least 95 of 100 draws."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from sklearn.datasets import load_digits, load_sample_images

from gandetect.analyses.audit.copies import Marks
from gandetect.analyses.audit.sides import Audited, Side, audit_sides, side_of
from gandetect.data.fashion_mnist import load

FASHION = Path("/usr/share/datasets/fashion-mnist")
Pixels = NDArray[np.uint8]


@cache
def fashion() -> tuple[Side, NDArray[np.integer]]:
    """20,000 images, and their classes."""
    if not FASHION.exists():
        pytest.skip(f"Fashion-MNIST is not in {FASHION}")
    loaded = load(FASHION, download=False)
    return side_of(loaded.train_images[:20_000], 28), loaded.train_labels[:20_000]


@cache
def digits() -> tuple[Side, NDArray[np.integer]]:
    """1,797 digits, at 28 px."""
    small = np.round(load_digits().images * 15.9).astype(np.uint8)
    images = [Image.fromarray(image).resize((28, 28), Image.Resampling.LANCZOS) for image in small]
    return side_of(np.stack([np.asarray(image) for image in images])[:, None], 28), np.zeros(1797)


@cache
def photographs() -> tuple[Side, NDArray[np.integer]]:
    """Some 4,000 patches in colour of 32 x 32 px, which lie side by side in eight photographs."""
    wholes = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket(),
              data.immunohistochemistry(), *load_sample_images().images]  # fmt: skip
    patches = [
        whole[top : top + 32, left : left + 32].transpose(2, 0, 1)
        for whole in wholes
        for top in range(0, whole.shape[0] - 31, 32)
        for left in range(0, whole.shape[1] - 31, 32)
    ]
    return side_of(np.stack(patches), 32), np.zeros(len(patches))


def take(side: Side, rows: NDArray[np.integer]) -> Side:
    return Side(
        {name: values[rows] for name, values in side.features.items()},
        Marks([side.marks.digests[row] for row in rows], side.marks.small[rows]),
        side.pixels[rows],
    )


SETS = {"fashion": fashion, "digits": digits, "photographs": photographs}


def clean(name: str, n: int, draw: int) -> Audited:
    """Audit two disjoint draws of one to ten of the same classes."""
    side, classes = SETS[name]()
    rng = np.random.default_rng([23, draw])
    kinds = np.unique(classes)
    chosen = rng.choice(kinds, rng.integers(1, len(kinds) + 1), replace=False)
    order = rng.permutation(np.flatnonzero(np.isin(classes, chosen)))
    return audit_sides(take(side, order[:n]), take(side, order[n : 2 * n]), seed=draw)


def alarms(audited: Audited) -> list[str]:
    assert not audited.refused, audited.refused
    checks = [f"{one.check}, {one.side}" for one in audited.checks if one.warning]
    return checks + [one.probe for one in audited.probes if one.warning]


@pytest.mark.parametrize(
    ("name", "n"), [("digits", 60), pytest.param("photographs", 60, marks=pytest.mark.slow)]
)
def test_a_clean_pair_raises_no_alarm(name: str, n: int) -> None:
    assert alarms(clean(name, n, 0)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n"), [("fashion", 50), ("fashion", 500), ("digits", 400), ("photographs", 400)]
)
def test_of_100_clean_pairs_at_least_95_raise_no_alarm(name: str, n: int) -> None:
    assert count(name, n, 100) <= 5


def count(name: str, n: int, draws: int) -> int:
    """How many of so many draws raise an alarm; each that does is printed."""
    hits = 0
    for draw in range(draws):
        told = alarms(clean(name, n, draw))
        hits += bool(told)
        if told:
            print(f"{name}, {n} a side, draw {draw}: {'; '.join(told)}", flush=True)
    print(f"{name}, {n} a side: {hits} of {draws} draws raise an alarm", flush=True)
    return hits


if __name__ == "__main__":
    count(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

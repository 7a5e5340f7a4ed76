"""Trains on one upscaler and tests on all: what share of each class is called generated?

Reads what `make_super_resolution.py` has written. Every patch is answered by detectors that have
seen nothing of its photograph (five folds, dealt three times). An interval draws photographs again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from spectrum import Spectrum, radial_spectrum

from gandetect.data.perturbations import perturb

RESIZED = ("bicubic", "lanczos")
REALS = (("real",), ("real", *RESIZED), ("real", *RESIZED, "sharpened"))
NETWORKS = ("realesrgan", "realesrgan-anime", "realesrgan-video", "realcugan")
TESTED = ("real", *RESIZED, "sharpened", *NETWORKS)
FOLDS, DEALS, DRAWS = 5, 3, 1000

Floats = NDArray[np.float64]


def spectra(folder: Path, jpeg: str | None) -> tuple[list[str], dict[str, list[Floats]]]:
    """The photograph of every patch, and by class its spectra ``(N, F)``: to train on, to test."""
    names = sorted(path.name for path in (folder / "real").glob("*.png"))
    found = {}
    for label in TESTED:
        pixels = [np.asarray(Image.open(folder / label / name)) for name in names]
        images = np.stack(pixels).transpose(0, 3, 1, 2)
        tested = images if jpeg is None else perturb(images, "jpeg", float(jpeg), seed=0)
        found[label] = [radial_spectrum(images), radial_spectrum(tested)]
    return [name.rpartition("-")[0] for name in names], found


def answers(
    found: dict[str, list[Floats]],
    photographs: Sequence[str],
    reals: Sequence[str],
    fake: str,
    kernel: str,
) -> dict[str, Floats]:
    """Scores by class, ``(deals, N)``, of detectors of the other photographs."""
    count = len(photographs)
    scores = {label: np.empty((DEALS, count)) for label in TESTED}
    for deal in range(DEALS):
        folds = GroupKFold(FOLDS, shuffle=True, random_state=deal)
        for train, test in folds.split(np.zeros(count), groups=photographs):
            parts = [found[label][0][train] for label in (*reals, fake)]
            y = np.repeat([*(0 for _ in reals), 1], len(train))
            pipeline = Spectrum(kernel).pipeline.fit(np.concatenate(parts), y)
            for label, (_, tested) in found.items():
                scores[label][deal, test] = pipeline.decision_function(tested[test])
    return scores


def share(flagged: Floats, photographs: Sequence[str], rng: np.random.Generator) -> str:
    """Per cent of ``flagged`` ``(deals, N)`` with the interval over photographs drawn again."""
    names, which = np.unique(photographs, return_inverse=True)
    sums = np.bincount(which, flagged.mean(axis=0))
    drawn = rng.integers(len(names), size=(DRAWS, len(names)))
    shares = sums[drawn].sum(axis=1) / np.bincount(which)[drawn].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return f"{100 * flagged.mean():.0f} ({100 * low:.0f} to {100 * high:.0f})"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--kernel", type=click.Choice(["linear", "rbf"]), default="rbf", show_default=True)
@click.option("--jpeg", type=click.Choice(["90", "75"]), help="Test patches saved as JPEG.")
def main(folder: Path, kernel: str, jpeg: str | None) -> None:
    """Print, by training, what per cent of each class in FOLDER is called generated.

    \b
    Example:
      python experiments/cross_upscalers.py data/super-resolution --jpeg 75
    """
    photographs, found = spectra(folder, jpeg)
    rng = np.random.default_rng(0)
    click.echo("| " + " | ".join(("reals", "fakes", *TESTED, "AUROC")) + " |")
    click.echo("|---" * (len(TESTED) + 3) + "|")
    for reals in REALS:
        for fake in NETWORKS:
            scores = answers(found, photographs, reals, fake, kernel)
            cells = [share(scores[label] > 0, photographs, rng) for label in TESTED]
            y = np.repeat([0, 1], len(photographs))
            ranked = [
                roc_auc_score(y, np.concatenate([scores["real"][deal], scores[fake][deal]]))
                for deal in range(DEALS)
            ]
            row = ("+".join(reals), fake, *cells, f"{np.mean(ranked):.2f}")
            click.echo("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()

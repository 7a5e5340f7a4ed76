"""A minus B knows which images both have answered, and which are the same in every run."""

import numpy as np

from gandetect.statistics.contrasts import difference_auroc
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages

SEEDS = (0, 1)
REAL = "real:in-distribution"


def runs(name: str, generated: str, rng: np.random.Generator, hard: np.ndarray) -> DetectorRuns:
    """Two runs whose reals are hard or easy for both, and whose fakes are each its own."""
    images = {
        seed: {
            generated: ScoredImages(np.arange(200), rng.normal(0.5, 1, 200)),
            REAL: ScoredImages(np.arange(300), hard * rng.uniform(0.9, 1.1)),
        }
        for seed in SEEDS
    }
    points = {seed: {"native": 0.0} for seed in SEEDS}
    return DetectorRuns(name, (generated,), points, images, same_fakes=False)


def test_reals_are_the_same_in_every_run_though_fakes_are_not() -> None:
    rng = np.random.default_rng(0)
    first = runs("a", "generated:a", rng, rng.normal(-0.5, 1, 300))
    second = runs("b", "generated:b", rng, rng.normal(-0.5, 1, 300))
    found = difference_auroc(
        first, second, SEEDS, ("generated:a", "generated:b"), REAL, paired=(False, True)
    )
    covariance = found.image_covariance
    assert covariance[0, 1] == covariance[1, 0] > 0.1 * covariance[0, 0]
    apart = difference_auroc(
        first, second, SEEDS, ("generated:a", "generated:b"), REAL, paired=(False, False)
    )
    np.testing.assert_allclose(apart.values, found.values)

"""ECE with other calibration images: the maps of many draws, and what their intervals hold."""

import numpy as np
import pytest
from scipy.special import expit

from gandetect.analyses.calibration.numbers import BINS, expected_error, fit, reliability
from gandetect.analyses.calibration.redrawn import Grouped, ece_interval, maps
from gandetect.statistics.detector_runs import alone
from gandetect.statistics.redrawn import ImageSet, counts
from gandetect.statistics.resampling import tail_of
from gandetect.statistics.scored_detectors import ScoredDetector

CHOSEN, TESTED = (
    ("generated:calibration", "real:calibration"),
    ("generated:a", "real:in-distribution"),
)


def study(rng, calibration, images):
    """Scores with heavy tails: Student's t with 3 degrees of freedom."""
    sizes = dict.fromkeys(CHOSEN, calibration) | dict.fromkeys(TESTED, images)
    scores = {name: rng.standard_t(3, n) + 3 * name.startswith("generated")
              for name, n in sizes.items()}  # fmt: skip
    return ScoredDetector("d", 0, 1, TESTED[:1], scores, {"native": 1.5})


@pytest.mark.parametrize(
    ("method", "off"), [("temperature", 0.015), ("platt", 0.015), ("isotonic", 0.06)]
)
def test_each_map_is_what_the_method_fits_on_that_draw(method, off):
    scores = study(np.random.default_rng(0), 1000, 20).sources
    pools = [(ImageSet(name, np.arange(1000).tobytes(), drawn=20), scores[name]) for name in CHOSEN]
    first = fit(method, *(one[:20] for _, one in pools))
    drawn = maps(method, first, Grouped([*map(tail_of, pools)]))
    grid = np.linspace(-3, 6, 20)
    for row, found in enumerate(drawn(grid)[:20]):
        repeated = [np.repeat(one, counts(images)[row]) for images, one in pools]
        assert np.abs(found - expit(fit(method, *repeated)(grid))).mean() < off


def test_ece_with_few_calibration_images_and_heavy_tails_is_covered():
    """Wide margins: `python -m benchmarks.coverage` measures it."""
    rng = np.random.default_rng(0)
    values, ends = [], []
    for _ in range(25):
        one = study(rng, 20, 200)
        runs, chosen, tested = (
            alone(one),
            *([one.sources[n] for n in of] for of in (CHOSEN, TESTED)),
        )
        fitted = fit("platt", *chosen)
        again = maps("platt", fitted, Grouped([runs.pooled(0, name) for name in CHOSEN]))
        values.append(expected_error(reliability(*map(fitted, tested))))
        test = Grouped([runs.tail(0, name) for name in TESTED])
        ends.append(ece_interval(values[-1], fitted, again, test, BINS))
    low, high = np.transpose(ends)
    assert np.mean((low <= np.mean(values)) & (np.mean(values) <= high)) >= 0.92
    assert np.mean(high - low) < 4.5 * np.std(values)

import numpy as np
import pandas as pd
import pytest
from score_tables import runs_of

from gandetect.analyses.holds.numbers import holds

OWN = {"good": ["generated:a"], "fair-weather": ["generated:a"]}
CUTS = {(name, seed): {"calibrated": 0.0} for name in OWN for seed in (0, 1, 2)}


def scored(detector: str, source: str, right: float, perturbation: str = "none") -> pd.DataFrame:
    """1,000 images in each of three runs, a share of which is answered correctly."""
    sign = 1.0 if source.startswith("generated:") else -1.0
    tables = []
    for seed in range(3):
        score = np.where(np.arange(1000) < 1000 * right, sign, -sign)
        tables.append(pd.DataFrame({
            "detector": detector, "detector_seed": seed, "source": source, "source_seed": seed,
            "label": source.partition(":")[0], "index": np.arange(1000), "score": score,
            "perturbation": perturbation, "level": 0.0 if perturbation == "none" else 75.0,
        }))  # fmt: skip
    return pd.concat(tables)


@pytest.fixture(scope="module")
def found():
    sources = ("generated:a", "generated:b", "real:in-distribution", "real:held-out")
    tables = [
        scored(detector, source, 0.99, kind)
        for detector in OWN for source in sources for kind in ("none", "jpeg")
        if (detector, source, kind) != ("fair-weather", "real:held-out", "jpeg")
    ]  # fmt: skip
    tables.append(scored("fair-weather", "real:held-out", 0.5, "jpeg"))
    tables.append(scored("good", "generated:c", 0.98))
    table = pd.concat(tables, ignore_index=True)
    return holds(table, OWN, runs_of(table, CUTS))


def test_a_detector_holds_only_where_its_worst_group_does(found) -> None:
    assert {one["detector"]: one["holds"] for one in found["detectors"]} == {
        "good": True,
        "fair-weather": False,
    }


def test_the_worst_of_several_other_generators_counts(found) -> None:
    good = next(one for one in found["detectors"] if one["detector"] == "good")
    other = next(one for one in good["groups"] if one["role"] == "other")
    assert other["as_they_are"]["source"] == "generated:c"
    assert good["as_they_are"] == other["as_they_are"]["ci95"][0]
    assert other["as_they_are"]["ci95"][0] < other["as_they_are"]["mean"] == pytest.approx(0.98)


def test_what_processing_costs_is_told_apart(found) -> None:
    poor = next(one for one in found["detectors"] if one["detector"] == "fair-weather")
    assert poor["as_they_are"] > 0.95
    assert poor["processed"] < 0.5
    held_out = next(one for one in poor["groups"] if one["role"] == "held-out")
    assert held_out["processed"]["mean"] == pytest.approx(0.5)


def test_without_a_calibrated_threshold_there_is_nothing_to_say() -> None:
    table = scored("good", "generated:a", 0.9)
    assert holds(table, OWN, runs_of(table, {})) == {"shares": [], "detectors": []}

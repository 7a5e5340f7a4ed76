"""A detector's folder can be pushed to the Hugging Face Hub as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from gandetect.analyses.model_card.card import model_card, write_cards
from gandetect.detectors.folder import load_detector
from gandetect.report.inputs import read_inputs
from gandetect.report.results import StudyResults
from gandetect.runs import problem_with, write_record

NAME, SEED = "dcgan-plain", 0


@pytest.fixture
def results(built: Path) -> StudyResults:
    return StudyResults(read_inputs(built), json.loads((built / "metrics.json").read_text()))


@pytest.fixture
def description(detector_folder: Path) -> dict:
    return json.loads((detector_folder / "detector.json").read_text())


def _parts(card: str) -> tuple[dict, str]:
    _, front, body = card.split("---\n", 2)
    return yaml.safe_load(front), body


def test_the_front_matter_is_what_the_hub_reads(results: StudyResults, description: dict) -> None:
    front, _ = _parts(model_card(results, NAME, SEED, description))
    assert front["library_name"] == "gandetect"
    assert front["pipeline_tag"] == "image-classification"
    assert front["datasets"] == ["zalando-datasets/fashion_mnist"]
    (model,) = front["model-index"]
    assert model["name"] == NAME
    for one in model["results"]:
        assert {"type", "name"} <= one["dataset"].keys()
        assert all(0 <= metric["value"] <= 1 for metric in one["metrics"])


def test_its_figures_are_those_of_the_study(results: StudyResults, description: dict) -> None:
    front, body = _parts(model_card(results, NAME, SEED, description))
    rates = {
        (one["dataset"]["name"].partition(", ")[2], metric["name"].split(", ")[-1]): metric["value"]
        for one in front["model-index"][0]["results"]
        for metric in one["metrics"]
    }
    cells = [
        c for c in results.metrics["cells"] if c["detector"] == NAME and c["role"] != "training"
    ]
    assert len(cells) == 8  # four groups at two operating points
    for cell in cells:
        called = cell["correct"] if cell["label"] == "generated" else 1 - cell["correct"]
        key = cell["source"], f"{cell['operating_point']} threshold"
        assert rates[key] == pytest.approx(called, abs=1e-4)
        low, high = sorted(100 * (1 - end) for end in cell["ci95"])
        if cell["label"] == "real":
            assert f"({low:.1f} to {high:.1f})" in body
    for words in ("Sneaker, Bag and Ankle boot", "must not be used", "load_detector", "licence"):
        assert words in body


def test_a_card_breaks_no_record_and_no_detector(
    results: StudyResults, run: Path, detector_folder: Path
) -> None:
    folder = run / "detectors" / NAME / f"seed-{SEED}"
    for file in detector_folder.iterdir():
        shutil.copy(file, folder)
    write_record(folder, "digest", ["detector.json", "weights.safetensors"])
    copied = StudyResults(read_inputs(run), results.metrics)
    assert write_cards(copied) == [folder / "README.md"]
    assert problem_with(folder, "digest") is None
    assert load_detector(folder).name == NAME
    assert not [*folder.glob("*.tmp")]

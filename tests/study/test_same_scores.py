"""The same scores, to the last bit: one job or two, here or on Ray, whatever the study holds."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from labelled_layouts import make_photographs
from shortcuts import Kept, without_figures

from gandetect.config import load_experiment, parse_experiment
from gandetect.study import Options, run_study
from gandetect.study.engines import EngineOptions
from gandetect.study.variants import run_variants

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestWarning"),
]
EXPERIMENTS = Path(__file__).parents[2] / "experiments"
BN: dict[str, Any] = {
    "architecture": "dcgan-bn",
    "epochs": 2,
    "steps_per_epoch": 10,
    "batch_size": 32,
}
PLAIN: dict[str, Any] = {"architecture": "dcgan-plain", "epochs": 2, "steps_per_epoch": 8}
CNN: dict[str, Any] = {"recipe": "cnn-small", "max_images": 200, "epochs": 1}
FEW: dict[str, Any] = {
    "quality": {"classifier_epochs": 1, "generated": 200},
    "evaluation": {"own_generated": 200, "other_generated": 100},
}
DIGITS = {
    "data": {"name": "digits", "held_out": ["7", "8", "9"]},
    "gans": [
        {**BN, "replay": {"share": 0.25, "n_images": 100}},
        {**PLAIN, "role": "source"},
        {"architecture": "vae", "epochs": 1, "steps_per_epoch": 20},
    ],
    "classifiers": [{**CNN, "fakes_from": ["dcgan-bn"], "fakes_epochs": "all"}],
    "detectors": [
        {"kind": "checkpoint-ensemble", "name": "ranks", "gan": "dcgan-bn", "average": "rank"},
        {
            "kind": "fine-tuned",
            "name": "tuned",
            "gan": "dcgan-bn",
            "fakes_from": ["dcgan-bn", "dcgan-plain"],
            "updates": 10,
            "n_images": 200,
        },
        {
            "kind": "one-class",
            "name": "near",
            "method": "nearest-neighbours",
            "features_of": "dcgan-bn",
        },
    ],
    "quality": FEW["quality"],
    "evaluation": {
        **FEW["evaluation"],
        "trajectory": "all",
        "trajectory_images": 60,
        "perturbations": ["jpeg"],
        "perturbed_images": 60,
    },
}
TWO_SEEDS = {
    "seeds": [0, 1],
    "data": {"max_images": 2000},
    "gans": [BN, PLAIN],
    "classifiers": [{**CNN, "fakes_from": ["dcgan-bn", "dcgan-plain"]}],
    **FEW,
}
VARIANTS = {
    "data": {"max_images": 2000},
    "gans": [BN, PLAIN],
    **FEW,
    "variants": [
        {
            "name": "replay",
            "changes": {"gans": [{"name": "*", "replay": {"share": 0.5, "n_images": 200}}]},
        },
        {
            "name": "after",
            "changes": {
                "detectors": [
                    {"kind": "fine-tuned", "gan": "{gan}", "updates": 10, "n_images": 200}
                ]
            },
        },
    ],
}
LABELLED = {
    "data": {
        "name": "folder",
        "path": "photographs",
        "classes": {"real": "real", "edited": "generated"},
        "group_pattern": "^([a-z]+-[0-9]+)",
        "folds": 2,
    },
    "classifiers": [{"recipe": "cnn-small", "image_size": 64, "epochs": 1}],
    "evaluation": {"perturbations": ["jpeg"], "perturbed_images": 50},
}
STUDIES = {
    "digits": DIGITS,
    "two-seeds": TWO_SEEDS,
    "variants": VARIANTS,
    "photographs": LABELLED,
}
TABLES = ("scores.parquet", "trajectory.parquet", "perturbed.parquet")


def tables_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of every table of scores of a run, or of the runs of variants, rows sorted."""
    found = {}
    for path in sorted(folder.rglob("data.json")):
        run = path.parent
        for name in TABLES:
            if (run / "report.html").exists() and (run / name).exists():
                table = pd.read_parquet(run / name).sort_index(axis=1)
                text = table.sort_values(list(table.columns)).to_csv(index=False)
                digest = hashlib.sha256(text.encode()).hexdigest()
                found[str((run / name).relative_to(folder))] = digest
    return found


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    make_photographs(folder / "photographs")
    return folder


@pytest.mark.parametrize("name", [*STUDIES, "quick"])
def test_jobs_and_engines_change_no_score(name, data_dir, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gandetect.machine.cores", lambda: 1)  # so that a task has one thread
    without_figures(monkeypatch)
    if name == "quick":
        short = ["gans.0.epochs=1", "gans.1.epochs=1", "gans.0.steps_per_epoch=40"]
        short += ["gans.1.steps_per_epoch=30", "evaluation.own_generated=500"]
        experiment = load_experiment(EXPERIMENTS / "quick.toml", short)
    else:
        experiment = parse_experiment({"name": name, **STUDIES[name]})
    where = data_dir if name == "photographs" else None
    ray = EngineOptions("ray", cpus_per_task=1)
    ways = {
        "one": Options(tmp_path / "one", where, jobs=1),
        "two": Options(tmp_path / "two", where, jobs=2),
        "ray": Options(tmp_path / "ray", where, jobs=2, engine=ray),
    }
    run = run_variants if experiment.variants else run_study
    found = {way: tables_of(run(experiment, options, Kept())) for way, options in ways.items()}
    assert found["one"]
    assert found["one"] == found["two"] == found["ray"]

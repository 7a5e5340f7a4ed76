"""The smoke study on the device, from the data to the report, as a user would run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .commands import gandetect, run_folder
from .settings import Record, Settings, read_json

FILES = ("scores.parquet", "metrics.json", "metrics.csv", "report.md", "report.html",
         "study.toml", "manifest.json")  # fmt: skip
TINY = {
    "data.images": "1000",
    "gans.0.epochs": "1",
    "gans.0.steps_per_epoch": "1",
    "gans.0.batch_size": "4",
    "gans.1.epochs": "1",
    "gans.1.steps_per_epoch": "1",
    "gans.1.batch_size": "4",
    "classifiers": "[]",
    "quality.generated": "100",
    "evaluation.own_generated": "30",
    "evaluation.other_generated": "20",
    "evaluation.training_reals": "30",
}


def run(settings: Settings, record: Record) -> None:
    with record.case("smoke study") as case:
        overrides = TINY if settings.tiny else {}
        command = ["run", "experiments/smoke.toml", *(
            part for key, value in overrides.items() for part in ("--set", f"{key}={value}")
        )]  # fmt: skip
        gandetect(*command, "--device", settings.device, "--out", str(settings.work / "runs"))
        folder = run_folder(settings.work / "runs", "smoke")
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise AssertionError(f"the study left no {', '.join(missing)}")
        case["graphs"] = graphs_of(folder)
        case["manifest"] = read_json(folder / "manifest.json")


def graphs_of(folder: Path) -> dict[str, Any]:
    """What came of CUDA graphs, by GAN and seed, and how fast the last epoch was."""
    found = {}
    for training in sorted((folder / "gans").glob("*/seed-*")):
        records = sorted(training.glob("epochs/*/record.json"))
        if records:
            history = read_json(records[-1]).get("history", {})
            told = history.get("cuda_graphs", "not on CUDA")
            rate = history.get("images_per_second", 0.0)
            found[f"{training.parent.name} {training.name}"] = f"{told}; {rate:.0f} images/s"
    return found

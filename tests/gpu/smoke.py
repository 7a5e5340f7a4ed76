"""The smoke study on the device, from the data to the report, as a user would run it."""

from __future__ import annotations

from pathlib import Path

from .commands import TINY, gandetect, run_folder
from .settings import Record, Settings, read_json

FILES = ("scores.parquet", "metrics.json", "metrics.csv", "report.md", "report.html",
         "study.toml", "manifest.json")  # fmt: skip


def run(settings: Settings, record: Record) -> None:
    with record.case("smoke study") as case:
        command = ["run", "experiments/smoke.toml", "--device", settings.device]
        tiny = [*TINY, "--set", "classifiers=[]"] if settings.tiny else []
        gandetect(*command, "--out", str(settings.work / "runs"), *tiny)
        folder = run_folder(settings.work / "runs", "smoke")
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise AssertionError(f"the study left no {', '.join(missing)}")
        case |= graphs_of(folder)
        case["manifest"] = read_json(folder / "manifest.json")


def graphs_of(folder: Path) -> dict[str, str]:
    """What came of CUDA graphs, by GAN and seed, and how fast the last epoch was."""
    found = {}
    for training in sorted((folder / "gans").glob("*/seed-*")):
        records = sorted(training.glob("epochs/*/record.json"))
        if records:
            history = read_json(records[-1]).get("history", {})
            status = history.get("cuda_graphs", "not on CUDA")
            rate = history.get("images_per_second", 0.0)
            name = f"{training.parent.name} {training.name} graphs"
            found[name] = f"{status}; {rate:.0f} images/s"
    return found

"""One study with three seeds, as far as the time goes; what is there comes back.

The same command goes on from the last complete epochs, as long as the work folder stands.
"""

from __future__ import annotations

from .commands import Unfinished, gandetect, run_folder
from .packing import pack, pack_scores
from .settings import Record, Settings
from .smoke import graphs_of

SEEDS = (0, 1, 2)  # of the five: what a few minutes allow
JOBS = 12
TO_PACK = 25.0  # seconds, the study's own goodbye included
SCORES = "scores.parquet"


def run(settings: Settings, record: Record) -> None:
    out = settings.work / "runs"
    with record.case(f"study {settings.study.stem}") as case:
        arguments = [str(settings.study), "--out", str(out), "--device", settings.device]
        try:
            seeds = [part for seed in SEEDS for part in ("--seed", str(seed))]
            command = ["run", *arguments, *seeds, "--jobs", str(JOBS)]
            if settings.tiny:
                gandetect(*command, "--dry-run")
                raise Unfinished("it is only planned here")
            gandetect(*command, seconds=settings.left - TO_PACK)
        except Unfinished as unfinished:
            case["status"], case["reason"] = "unfinished", str(unfinished)
    with record.case("what comes back") as case:
        folder = run_folder(out, "smoke" if settings.tiny else settings.study.stem)
        case["epochs"] = {
            f"{training.parent.name} {training.name}": len(
                list(training.glob("epochs/*/record.json"))
            )
            for training in sorted(folder.glob("gans/*/seed-*"))
        }
        case["graphs"] = graphs_of(folder)
        case["left out"] = ", ".join(pack(folder, settings.out)) or "nothing"
        if (folder / SCORES).is_file():
            case["bytes of scores"] = pack_scores(folder / SCORES, settings.out / SCORES)

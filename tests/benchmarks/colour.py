"""Images of 64 px in colour: training beside the plain port, and the memory of a whole study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from . import training
from .large import SIDE, write_pictures
from .memory import MB, peak_memory
from .results import Measured, Settings

PICTURES = 2_000


def measure(settings: Settings, cores: int, precisions: Sequence[str]) -> Measured:
    """Both DCGANs at 64 px, then a study of them from its pictures to its report."""
    measured = training.measure(settings, cores, precisions, training.COLOUR)
    with TemporaryDirectory() as temporary:
        write_pictures(Path(temporary, "pictures"), PICTURES)
        peak = peak_memory(study, Path(temporary), 2 if settings.quick else 30)
    name = f"study of {PICTURES:,} pictures, 64 px in colour, all processes"
    measured.add_rows("colour", "MB", {name: [peak / MB]})
    return measured


def study(data: Path, steps: int) -> None:
    """Train both DCGANs for an epoch of some steps and report on them."""
    from gandetect import Options
    from gandetect.config import parse_experiment
    from gandetect.study.run import run_study

    table = {
        "name": "colour",
        "data": {"name": "folder", "path": "pictures", "image_size": SIDE, "held_out": ["other"]},
        "gans": [
            {"architecture": name, "epochs": 1, "steps_per_epoch": steps}
            for name in ("dcgan-bn", "dcgan-plain")
        ],
        "quality": {"generated": 1000},
        "evaluation": {"own_generated": 400, "other_generated": 400, "training_reals": 400},
    }
    run_study(parse_experiment(table), Options(data / "runs", data_dir=data))

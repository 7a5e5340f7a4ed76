"""Does a discriminator trained inside a GAN make a usable detector, and does it generalise?

>>> import gandetect
>>> detector = gandetect.load_detector("runs/…/detectors/dcgan-bn/seed-0")  # doctest: +SKIP
>>> detector.decision_function(images)  # (N, C, H, W) uint8 -> (N,)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gandetect import plot as plot
    from gandetect.analyses.loaded import Run as Run
    from gandetect.analyses.loaded import load_run as load_run
    from gandetect.config import Experiment as Experiment
    from gandetect.config import load_experiment as load_experiment
    from gandetect.detectors.folder import load_detector as load_detector
    from gandetect.detectors.protocol import Detector as Detector
    from gandetect.errors import GandetectError as GandetectError
    from gandetect.evaluation import evaluate as evaluate
    from gandetect.scoring.paths import score_paths as score_paths
    from gandetect.study import Options as Options
    from gandetect.study import run_study as run_study
    from gandetect.training.drawn import generate_images as generate_images

__version__ = "0.1.0"

_HOMES = {
    "Detector": "detectors.protocol",
    "Experiment": "config",
    "GandetectError": "errors",
    "Options": "study",
    "Run": "analyses.loaded",
    "evaluate": "evaluation",
    "generate_images": "training.drawn",
    "load_detector": "detectors.folder",
    "load_experiment": "config",
    "load_run": "analyses.loaded",
    "run_study": "study",
    "score_paths": "scoring.paths",
}
__all__ = ["__version__", "plot", *_HOMES]


def __getattr__(name: str) -> Any:
    """Import on first use, so that `gandetect --help` never waits for torch."""
    if name == "plot":
        return import_module("gandetect.plot")
    if name not in _HOMES:
        raise AttributeError(f"module 'gandetect' has no attribute {name!r}")
    return getattr(import_module(f"gandetect.{_HOMES[name]}"), name)

"""Tiny folders of real photographs in the layouts that the experiment files expect.

`OVERRIDES` is what makes each of those experiments small enough for a test.
"""

from __future__ import annotations

import csv
import importlib.util
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from PIL import Image

from gandetect.config import ClassifierConfig

EXPERIMENTS = Path(__file__).parents[1] / "experiments"


def photographs_module() -> ModuleType:
    """`experiments/make_photographs.py` as a module."""
    return experiments_module("make_photographs")


def experiments_module(name: str) -> ModuleType:
    """A script of `experiments/`, which is in no package, as a module."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, EXPERIMENTS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def make_photographs(folder: Path, **options: int | bool) -> int:
    """Real and edited patches of bundled photographs, in folders of those names."""
    return photographs_module().make_photographs(folder, **options)


def cidaut(root: Path, patches: Path) -> None:
    """As the competition has it: one folder of training images, a table, and a test folder."""
    (root / "Train").mkdir(parents=True)
    (root / "Test").mkdir()
    rows = []
    for label, word in (("real", "real"), ("edited", "editada")):
        first, *files = sorted((patches / label).iterdir())
        shutil.copy(first, root / "Test" / f"{label}.jpg")
        for number, path in enumerate(files):
            name = f"{word}_{number:03d}.jpg"
            shutil.copy(path, root / "Train" / name)
            rows.append((name, word))
    _table(root / "train.csv", ("image", "label"), rows)
    _table(root / "sample_submission.csv", ("image", "label"), [("real.jpg", "1")])


def faces(root: Path, patches: Path) -> None:
    """As the faces come: one folder of real photos and one of those made by experts."""
    shutil.copytree(patches / "real", root / "training_real")
    shutil.copytree(patches / "edited", root / "training_fake")


def ai_vs_real(root: Path, patches: Path) -> None:
    """Training and test folders, each with one folder a class; every fourth patch is for tests."""
    for label, name in (("real", "real"), ("edited", "fake")):
        for number, path in enumerate(sorted((patches / label).iterdir())):
            folder = root / ("test" if number % 4 == 0 else "train") / name
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder)


def photographs(root: Path, patches: Path) -> None:
    """As `make_photographs` leaves them."""
    shutil.copytree(patches, root)


def super_resolution(root: Path, patches: Path) -> None:
    """As `make_super_resolution` leaves them: eight classes of the same names."""
    classes = (
        "real bicubic lanczos sharpened realesrgan realesrgan-anime realesrgan-video realcugan"
    )
    for size, label in enumerate(classes.split(), start=25):
        (root / label).mkdir(parents=True)
        for path in (patches / "real").iterdir():
            small = Image.open(path).resize((size, size))
            small.resize((32, 32)).save(root / label / f"{path.stem}.png")


def _table(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


# The layout of each experiment on labelled images; the folder is that of its ``data.path``.
LAYOUTS: dict[str, Callable[[Path, Path], None]] = {
    "cidaut": cidaut,
    "faces-resnet50": faces,
    "faces-cnn": faces,
    "ai-vs-real-resnet50": ai_vs_real,
    "photographs": photographs,
    "leak": photographs,
    "leak-honest": photographs,
    "pretrained": photographs,
    "super-resolution": super_resolution,
}

# Small enough for a test: `overrides` of one experiment, for each of its classifiers.
OVERRIDES = (
    "image_size=32",
    "resize=32",
    'weights="none"',
    "epochs=1",
    "batch_size=16",
)
STAGED = (  # phases have epochs of their own
    "phases=[{epochs=1, trainable=[], learning_rate=1e-3},"
    " {epochs=1, trainable=['all'], learning_rate=1e-5}]",
    "epochs=2",
)


def overrides(classifiers: Sequence[ClassifierConfig]) -> list[str]:
    """What makes an experiment small, for its classifiers in order."""
    small = []
    for number, one in enumerate(classifiers):
        keys = OVERRIDES + (STAGED if one.phases else ())
        small += [f"classifiers.{number}.{key}" for key in keys]
    return small

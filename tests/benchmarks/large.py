"""Many pictures: what a study of a folder of them needs of memory, and how long decoding takes.

Synthetic JPEG files of 64 x 64 in colour are decoded into the cache, grouped, split and proved
disjoint as a study does it, and a GAN is trained on them for some steps. With ten times the
pictures memory should stay nearly what it was: pixels stay on the disk.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from .memory import MB, peak_memory, short_training
from .results import Measured, Settings

if TYPE_CHECKING:
    from gandetect.data.stored import Images
    from gandetect.sources.splits import OpenSplits

SECTION = "large"
SIDE = 64
GB = 1e9


def measure(settings: Settings, cores: int) -> Measured:
    """Prepare a small and a large folder, and train on each for some steps."""
    measured = Measured()
    counts = (1_000, 5_000) if settings.quick else (20_000, 200_000)
    peaks: dict[str, list[float]] = {"preparing": [], "training on": []}
    for count in counts:
        with TemporaryDirectory() as temporary:
            data = Path(temporary)
            write_pictures(data / "pictures", count)
            started = perf_counter()
            peaks["preparing"].append(peak_memory(prepare, data, cores))
            seconds = perf_counter() - started
            measured.add_rows(SECTION, "s", {f"preparing {count:,} pictures, wall": [seconds]})
            steps = 5 if settings.quick else 30
            images = prepare(data, cores)
            both = [images.images(split) for split in ("training", "in-distribution")]
            peaks["training on"].append(peak_memory(train, *both, steps))
            stored = sum(file.stat().st_size for file in (data / "cache").rglob("images.npy"))
        measured.add_rows(SECTION, "GB", {f"cache of {count:,} pictures": [stored / GB]})
        for doing, found in peaks.items():
            measured.add_rows(SECTION, "MB", {f"{doing} {count:,} pictures": [found[-1] / MB]})
    for doing, found in peaks.items():
        name = f"{doing} {counts[1]:,} / {counts[0]:,} pictures"
        measured.add_ratio(SECTION, name, found[1:], found[:1])
    return measured


def write_pictures(folder: Path, count: int) -> None:
    """Write small JPEG files into two class folders, each a coarse pattern of its own."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in ("one", "other"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
        picture = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        kind = "other" if number % 5 == 0 else "one"
        picture.save(folder / kind / f"{number:07d}.jpg", quality=85)


def prepare(data: Path, workers: int) -> OpenSplits:
    """Decode, group and split the pictures, as the data stage of a study."""
    from gandetect.config import PicturesConfig
    from gandetect.engine import Context, perform
    from gandetect.events import silent
    from gandetect.sources.pixel_cache import cache_folder
    from gandetect.sources.splits import OpenSplits
    from gandetect.stages.class_data import ClassData

    config = PicturesConfig(name="folder", path="pictures", image_size=SIDE, held_out=["other"])
    folder = data / "split"
    context = Context(data, folder, data, cache_folder(data), "cpu", 1, 1, workers)
    stage = ClassData(config)
    perform(stage, stage.digest(stage.outside(context), []), context, silent)
    return OpenSplits(folder, context.cache)


def train(training: Images, reference: Images, steps: int) -> None:
    """Train `dcgan-bn` for some steps, as a worker of a study does, on what stands in the cache."""
    short_training("dcgan-bn", steps, training, reference, notify=lambda event: None)

"""Scoring a folder of files beside decoding them, which nobody can do without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from .children import Piece, in_fresh_process, interleaved, rate
from .results import Measured, Settings
from .scoring import fresh_detector

SECTION = "folders"
ARCHITECTURE = "dcgan-bn"
WORKERS = (1, 2)
PASSES = 10


def measure(settings: Settings, cores: int) -> Measured:
    """Decode and score PNG files of 28 x 28 and JPEG files of 640 x 480."""
    measured = Measured()
    small, large = (300, 60) if settings.quick else (2000, 300)
    with TemporaryDirectory() as temporary:
        kinds = {
            f"{small:,} PNG 28 x 28": (write_png, small),
            f"{large:,} JPEG 640 x 480": (write_jpeg, large),
        }
        for number, (kind, (write, count)) in enumerate(kinds.items()):
            folder = Path(temporary, str(number))
            in_fresh_process(write, folder, count)
            values = interleaved(_pieces(folder, cores, settings.seconds), settings.repeats)
            measured.add_rows(SECTION, "images/s", {f"{kind}: {n}": v for n, v in values.items()})
            for processes in WORKERS:
                scored, decoded = _scored(processes), _decoded(processes)
                name = f"{kind}: {scored} / {decoded}"
                measured.add_ratio(SECTION, name, values[scored], values[decoded])
    return measured


def _scored(workers: int) -> str:
    return f"scored, {workers} worker(s)"


def _decoded(processes: int) -> str:
    return f"decoded alone, {processes} process(es)"


def _pieces(folder: Path, cores: int, seconds: float) -> dict[str, Piece]:
    pieces = {}
    for processes in WORKERS:
        pieces[_decoded(processes)] = Piece(prepare_decoding, (folder, seconds), processes)
        # With the decoders beside it the network has what cores they leave.
        threads = cores if processes == 1 else max(1, cores - processes)
        pieces[_scored(processes)] = Piece(prepare_scoring, (folder, threads, processes, seconds))
    return pieces


def prepare_decoding(folder: Path, seconds: float) -> Callable[[], float]:
    """Measure `read_image` alone."""
    from gandetect.data.images import find_images, read_image

    paths = list(find_images([folder]))

    def decode() -> None:
        for path in paths:
            read_image(path)

    decode()
    return partial(rate, decode, len(paths), seconds)


def prepare_scoring(
    folder: Path, threads: int, workers: int, seconds: float
) -> Callable[[], float]:
    """Measure `score_paths` on the whole folder."""
    import torch

    torch.set_num_threads(threads)
    # Workers start with every call, which a folder of a few seconds does not make up for.
    passes = 1 if workers == 1 else PASSES
    count = passes * sum(1 for _ in folder.iterdir())
    return partial(rate, scorer([folder] * passes, workers), count, seconds)


def scorer(folders: Sequence[Path], workers: int) -> Callable[[], None]:
    """A function that scores folders once and looks at every line."""
    from gandetect.scoring import score_paths

    detector = fresh_detector(ARCHITECTURE)

    def score() -> None:
        for line in score_paths(detector, folders, workers=workers):
            assert line.score is not None, line.error

    return score


def write_png(folder: Path, count: int) -> None:
    """Write small grey pictures, as many as asked for."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), np.uint8)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:06d}.png")


def write_jpeg(folder: Path, count: int) -> None:
    """Write photographs of 640 x 480, each another cut of the two that scikit-learn brings."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    folder.mkdir()
    photographs = [Image.fromarray(photograph) for photograph in load_sample_images().images]
    for number in range(count):
        photograph, cut = photographs[number % 2], number % 100
        box = (cut, cut, photograph.width - cut, photograph.height - cut)
        copy = photograph.resize((640, 480), box=box)
        copy.save(folder / f"{number:06d}.jpg", quality=90)

"""Peak memory of a whole tree of processes, looked at ten times a second.

Counted is what each process has for itself, and once the files that it maps (its libraries), of
the process that maps the most. So no other program's use of the same libraries matters, as it
would to the proportional share (PSS). From Linux' ``/proc``; elsewhere this section is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from .children import SPAWN
from .folders import scorer, write_png
from .results import Measured, Settings
from .training import gan_config, real_images

if TYPE_CHECKING:
    from gandetect.events import Notify

SECTION = "memory"
PROC = Path("/proc")
MB = 1e6


def measure(settings: Settings, cores: int) -> Measured:
    """GAN training with one job and with two; scoring a small folder and a large one."""
    measured = Measured()
    if not (PROC / "self" / "smaps_rollup").exists():
        measured.notes.append("memory is left out: this system has no /proc/…/smaps_rollup")
        return measured
    steps = 5 if settings.quick else 30
    for jobs in (1, 2):
        peak = peak_memory(train, jobs, max(1, cores // jobs), steps)
        name = f"two short GAN trainings, {jobs} job(s), all processes"
        measured.add_rows(SECTION, "MB", {name: [peak / MB]})
    few, many = (300, 3000) if settings.quick else (1000, 100_000)
    peaks = []
    for count in (few, many):
        with TemporaryDirectory() as temporary:
            folder = Path(temporary, "images")
            write_png(folder, count)
            peaks.append(peak_memory(score, folder, cores))
        measured.add_rows(SECTION, "MB", {f"scoring {count:,} PNG 28 x 28": [peaks[-1] / MB]})
    name = f"scoring {many:,} / scoring {few:,}"
    measured.add_ratio(SECTION, name, peaks[1:], peaks[:1])
    return measured


def peak_memory(function: Callable[..., None], *arguments: Any) -> float:
    """Bytes at the highest, of a process that calls a function and all that it starts."""
    process = SPAWN.Process(target=function, args=arguments)
    process.start()
    assert process.pid is not None
    highest = 0.0
    while process.is_alive():
        sizes = [_size(number) for number in _tree(process.pid)]
        own, files = zip(*sizes, strict=True)
        highest = max(highest, sum(own) + max(files))
        time.sleep(0.1)
    if process.exitcode:
        raise RuntimeError(f"{function.__name__} failed while its memory was looked at")
    return highest


def train(jobs: int, threads: int, steps: int) -> None:
    """Train both GANs for a short epoch as a study does, judged as there."""
    from gandetect.engine import Task, local_engine, run_all

    images = real_images()
    arguments = {"steps": steps, "images": images, "reference": images[:5000]}
    tasks = [
        Task(name, partial(short_training, architecture=name, **arguments))
        for name in ("dcgan-bn", "dcgan-plain")
    ]
    with local_engine(jobs, threads, lambda event: None) as engine:
        run_all(engine, tasks)


def short_training(
    architecture: str, steps: int, images: Any, reference: Any, notify: Notify
) -> None:
    """Train one GAN for an epoch of a few steps, in the precision of this machine."""
    import torch

    from gandetect import machine
    from gandetect.models.feature_classifier import FeatureClassifier
    from gandetect.training.adversarial import train_gan
    from gandetect.training.checkpoints import GanFolder
    from gandetect.training.quality import QualityEvaluator

    config = gan_config(architecture, machine.native_precision("cpu"))
    config = config.model_copy(update={"epochs": 1, "steps_per_epoch": steps})
    device = torch.device("cpu")
    _, channels, side, _ = images.shape
    evaluator = QualityEvaluator(FeatureClassifier(side, channels), reference, device)
    with TemporaryDirectory() as temporary:
        folder = GanFolder(Path(temporary, "gan"), "digest", print)
        train_gan(
            config,
            images,
            folder,
            seed=0,
            device=device,
            evaluator=evaluator,
            generated=2000,
            notify=notify,
        )


def score(folder: Path, threads: int) -> None:
    """Score a folder once."""
    import torch

    torch.set_num_threads(threads)
    scorer([folder], workers=1)()


def _tree(root: int) -> set[int]:
    """A process and all its descendants."""
    parents = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                # The name before the last bracket may hold anything, brackets too.
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended since
                continue
            parents[int(folder.name)] = int(after_name[1])
    tree, grown = {root}, True
    while grown:
        found = {child for child, parent in parents.items() if parent in tree} - tree
        tree, grown = tree | found, bool(found)
    return tree


def _size(process: int) -> tuple[int, int]:
    """Bytes of one process: its own, and those of mapped files."""
    try:
        lines = (PROC / str(process) / "smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended since
        return 0, 0
    kilobytes = {line.split()[0]: line.split()[1] for line in lines[1:]}
    own = 1024 * int(kilobytes["Anonymous:"])
    return own, 1024 * int(kilobytes["Rss:"]) - own

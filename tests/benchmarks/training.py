"""Training: real images per second, the plain port beside ours, and the share of the machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from .children import Piece, in_fresh_process, interleaved, rate
from .matrix_work import flop_of_training, prepare_peak
from .results import Measured, Settings

if TYPE_CHECKING:
    from gandetect.config import GanConfig

SECTION = "training"
STEPS = 4  # between two looks at the clock
IMAGES = 20_000
GREY, COLOUR = (1, 28), (3, 64)  # channels and side of the images


def measure(
    settings: Settings, cores: int, precisions: Sequence[str], shape: tuple[int, int] = GREY
) -> Measured:
    """Train each architecture with its native options; ``precisions`` are this machine's own."""
    measured = Measured()
    for architecture in ("dcgan-bn", "dcgan-plain"):
        pieces = _pieces(architecture, shape, settings.seconds, cores, precisions)
        values = interleaved(pieces, settings.repeats)
        peaks = {p: values.pop(f"GEMM peak {p}") for p in precisions}
        label = f"{architecture}, batch {in_fresh_process(_batch_size, architecture)}"
        label += ", 64 px in colour" if shape == COLOUR else ""
        measured.add_rows(SECTION, "images/s", {f"{label}: {n}": v for n, v in values.items()})
        work, needed = in_fresh_process(flop_of_training, architecture, *shape)
        gflop = {"needed": [needed / 1e9], "done by the port": [work / 1e9]}
        measured.add_rows(
            SECTION, "GFLOP/image", {f"{label}: work {n}": v for n, v in gflop.items()}
        )
        measured.add_rows(
            SECTION,
            "GFLOP/s",
            {f"{label}: GEMM peak {p}": [v / 1e9 for v in given] for p, given in peaks.items()},
        )
        _add_ratios(measured, label, values, peaks, needed)
    if "bf16" not in precisions:
        measured.notes.append("bf16 is left out: this processor has no instructions for it")
    return measured


def _pieces(
    architecture: str,
    shape: tuple[int, int],
    seconds: float,
    cores: int,
    precisions: Sequence[str],
) -> dict[str, Piece]:
    pieces = {
        f"GEMM peak {precision}": Piece(prepare_peak, (precision, cores, seconds))
        for precision in precisions
    }
    # As one training has the machine to itself, and as a study trains two GANs side by side.
    shares = (("all threads", 1, cores), ("two at once", 2, max(1, cores // 2)))
    for share, processes, threads in shares:
        pieces[f"port, {share}"] = Piece(
            prepare_port, (architecture, shape, threads, seconds), processes
        )
        for precision in precisions:
            pieces[f"ours {precision}, {share}"] = Piece(
                prepare_ours, (architecture, shape, precision, threads, seconds), processes
            )
    return pieces


def _add_ratios(
    measured: Measured,
    label: str,
    values: Mapping[str, Sequence[float]],
    peaks: Mapping[str, Sequence[float]],
    needed: float,
) -> None:
    def ratio(above: str, below: str) -> None:
        name = f"{label}: {above} / {below}"
        measured.add_ratio(SECTION, name, values[above], values[below])

    for precision in peaks:
        for share in ("all threads", "two at once"):
            ratio(f"ours {precision}, {share}", f"port, {share}")
        ratio(f"ours {precision}, two at once", "port, all threads")
    for name, images in values.items():
        precision = "bf16" if "bf16" in name else "fp32"
        # A peak is the best of the run: one that another process disturbed is none.
        best = [max(peaks[precision])] * len(images)
        share = f"{label}: share of {precision} peak, {name}"
        measured.add_ratio(SECTION, share, images, best, factor=100 * needed, unit="%")


def gan_config(architecture: str, precision: str) -> GanConfig:
    """The architecture's native options, in epochs of a few steps."""
    from gandetect.config import GanConfig

    return GanConfig.model_validate(
        {"architecture": architecture, "precision": precision, "steps_per_epoch": STEPS}
    )


def real_images(shape: tuple[int, int] = GREY) -> Any:
    """Some of Fashion-MNIST, ``(N, 1, 28, 28) uint8``, or noise of another shape."""
    if shape != GREY:
        import numpy as np

        channels, side = shape
        size = (IMAGES // 10, channels, side, side)
        return np.random.default_rng(0).integers(0, 256, size, np.uint8)
    from gandetect.data.fashion_mnist import load, resolve_data_dir

    return load(resolve_data_dir(None)).train_images[:IMAGES]


def prepare_port(
    architecture: str, shape: tuple[int, int], threads: int, seconds: float
) -> Callable[[], float]:
    """Measure the plain port."""
    import torch

    from . import plain_port

    torch.set_num_threads(threads)
    config = gan_config(architecture, "fp32")
    channels, side = shape
    gan = plain_port.build(config, side, channels, seed=0)
    dataset = plain_port.dataset_of(real_images(shape))
    epoch = partial(plain_port.train_epoch, config, gan, dataset)
    epoch()
    return partial(rate, epoch, STEPS * config.batch_size, seconds)


def prepare_ours(
    architecture: str, shape: tuple[int, int], precision: str, threads: int, seconds: float
) -> Callable[[], float]:
    """Measure ours, in a process set up as the engine sets up its workers."""
    import torch

    from gandetect.engine import prepare_process
    from gandetect.training.adversarial import train_epoch
    from gandetect.training.networks import build_gan

    prepare_process(threads)
    config = gan_config(architecture, precision)
    channels, side = shape
    gan = build_gan(config, side, channels, 0, torch.device("cpu"))
    reals = torch.from_numpy(real_images(shape))
    epochs = count(1)

    def epoch() -> None:
        train_epoch(config, gan, reals, seed=0, epoch=next(epochs), notify=lambda event: None)

    epoch()
    return partial(rate, epoch, STEPS * config.batch_size, seconds)


def _batch_size(architecture: str) -> int:
    return gan_config(architecture, "fp32").batch_size

"""Is the device the CPU, but faster? The same steps and scores on both, and on it twice."""

from __future__ import annotations

from collections.abc import Callable

from . import detectors, repeats, rng, steps
from .settings import Record, Settings

GROUPS: tuple[Callable[[Settings, Record], None], ...] = (
    # What only a GPU can tell comes first, large networks on the CPU last.
    steps.float32_is_float32,
    repeats.graphs,
    repeats.the_same_bits,
    steps.of_every_option,
    steps.of_other_precisions,
    rng.dropout,
    rng.streams,
    detectors.scores,
)


def run(settings: Settings, record: Record) -> None:
    from gandetect.engine import prepare_process
    from gandetect.machine import cores

    prepare_process(1 if settings.tiny else cores())
    for group in GROUPS:
        group(settings, record)

"""Image grids as files of their own: samples by epoch, and the most confident mistakes."""

from __future__ import annotations

import shutil
from pathlib import Path

from gandetect.report.images import kept_grid
from gandetect.report.inputs import read_inputs
from gandetect.runs import atomic_file


def write_grids(run: Path, out: Path | None = None) -> list[Path]:
    """Write the grids of a run into a folder (default ``<run>/grids``); returns their paths.

    ``samples-<gan>-seed-<s>-epoch-<e>.png``, ``samples-<gan>-seed-<s>.gif`` and, for each source
    that a detector made mistakes in, ``mistakes-<detector>-seed-<s>-<source>.png``.
    """
    inputs, folder, written = read_inputs(run), out or run / "grids", []
    for (gan, seed), samples in inputs.samples.items():
        pictures = {f"-epoch-{epoch:04d}.png": path for epoch, path in samples.grids.items()}
        if samples.animation is not None:
            pictures[".gif"] = samples.animation
        for ending, source_path in pictures.items():
            target = folder / f"samples-{gan}-seed-{seed}{ending}"
            with atomic_file(target) as temporary:
                shutil.copyfile(source_path, temporary)
            written.append(target)
    for (detector, seed), by_source in inputs.mistakes.items():
        for source, mistakes in by_source.items():
            if not len(mistakes.images):
                continue
            target = folder / f"mistakes-{detector}-seed-{seed}-{source.replace(':', '-')}.png"
            with atomic_file(target) as temporary:
                kept_grid(mistakes).save(temporary, format="PNG")
            written.append(target)
    return written

"""Decodes image files once into one array on disk, which training then reads without copying."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

import numpy as np

from gandetect.data.images import Fit, read_image
from gandetect.data.reading import CHUNK, Progress
from gandetect.errors import DataError
from gandetect.workers import worker_pool


def decode_to_file(
    paths: Sequence[Path],
    target: Path,
    *,
    size: int,
    channels: int,
    fit: Fit,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Write the images to ``target``, a ``.npy`` file of ``(N, channels, size, size) uint8``.

    Row by row what `read_image` returns, in the order of ``paths``; with several workers,
    processes share the files. ``progress`` hears how many of how many are done. Raises
    `DataError` for a file that cannot be decoded and for a full disk, and leaves no file then, and
    for a target that exists, which is left as it is.
    """
    progress = progress or (lambda done, total: None)
    progress(0, len(paths))
    shape = (len(paths), channels, size, size)
    options: dict[str, Any] = {"size": size, "channels": channels, "fit": fit}
    try:
        target.open("xb").close()  # so that only a file made here is ever written or removed
        try:
            offset = _empty_array(target, shape)
            _decode_all(paths, target, offset, options, workers, progress)
        except BaseException:
            target.unlink()
            raise
    except OSError as error:
        raise DataError(
            f"{str(target)!r} ({np.prod(shape, dtype=float) / 1e9:.1f} GB of decoded images) "
            f"cannot be written: {error.strerror or error}; free some space, or choose a smaller "
            "image size or fewer images"
        ) from None


def _empty_array(target: Path, shape: tuple[int, ...]) -> int:
    """Give the file its header and its full length; returns where the pixels start."""
    array = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
    return int(array.offset)


def _decode_all(
    paths: Sequence[Path],
    target: Path,
    offset: int,
    options: dict[str, Any],
    workers: int,
    progress: Progress,
) -> None:
    starts = range(0, len(paths), CHUNK)
    chunks = [(start, paths[start : start + CHUNK]) for start in starts]
    workers, done = min(workers, len(chunks)), 0
    if workers <= 1:
        for start, chunk in chunks:
            done += _decode_chunk(chunk, target, offset, start, options)
            progress(done, len(paths))
        return
    with worker_pool(workers) as pool:
        futures = [
            pool.submit(_decode_chunk, chunk, target, offset, start, options)
            for start, chunk in chunks
        ]
        for future in as_completed(futures):
            done += future.result()
            progress(done, len(paths))


def _decode_chunk(
    paths: Sequence[Path], target: Path, offset: int, start: int, options: dict[str, Any]
) -> int:
    """Decode files into their rows; returns their number."""
    images = np.stack([read_image(path, **options) for path in paths])
    # Written rather than mapped: on a full disk a write fails, while a mapping kills the process.
    with target.open("r+b") as file:
        file.seek(offset + start * images[0].nbytes)
        file.write(images.tobytes())
    return len(paths)

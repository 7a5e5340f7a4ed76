"""Reads every image file of a data set fully, side by side, and tells what each one holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from gandetect.data.images import ImageFault, image_faults, plain_picture, read_picture
from gandetect.data.overlap import perceptual_hashes
from gandetect.workers import map_ordered

CHUNK = 16  # files that a worker is handed at a time
Progress = Callable[[int, int], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Examined:
    """What one file holds; or in ``error`` why it cannot be used, and briefly in ``kind``.

    ``error`` reads on from the file's name, as in "is empty (0 bytes); give an image".
    ``sha256`` is of the file's bytes, ``pixels_sha256`` of the upright picture in 8-bit colour
    with its size: equal for a picture and its lossless copy in another format. ``phash`` is a
    64-bit perceptual hash. ``format`` and ``mode`` are Pillow's names. ``remark`` is on metadata
    that are broken or large, which does no harm.
    """

    path: Path
    kind: str | None = None
    error: str | None = None
    format: str | None = None
    mode: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    pixels_sha256: str | None = None
    phash: int | None = None
    remark: str = ""


def examine_files(
    paths: Sequence[Path],
    *,
    hashes: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Examined]:
    """Decode every file; returns facts on each, in order, or why it cannot be used.

    Of an animation the first frame is decoded, as `read_image` does. ``hashes`` adds perceptual
    hashes. With several workers, processes share the files; ``progress`` hears how many of how
    many are done. However the call is left, no worker outlives it. Raises `WorkerError` when a
    worker is killed from outside.
    """
    chunks = by_chunks(partial(_examine_chunk, hashes=hashes), paths, workers, progress)
    return [one for chunk in chunks for one in chunk]


def by_chunks(
    function: Callable[[tuple[int, Sequence[Path]]], Result],
    paths: Sequence[Path],
    workers: int,
    progress: Progress | None,
) -> list[Result]:
    """``function`` of every `CHUNK` of the files, with the number of its first file, in order."""
    progress = progress or (lambda done, total: None)
    progress(0, len(paths))
    chunks = [(start, paths[start : start + CHUNK]) for start in range(0, len(paths), CHUNK)]
    results = []
    with closing(map_ordered(function, chunks, min(workers, len(chunks)))) as mapped:
        for (start, chunk), result in zip(chunks, mapped, strict=True):
            results.append(result)
            progress(start + len(chunk), len(paths))
    return results


def examine(path: Path, *, hashes: bool = False) -> Examined:
    """Decode one file, and tell what it holds or why it cannot be used."""
    size = sha256 = None
    try:
        with image_faults(path):
            picture = read_picture(path)
            plain = plain_picture(picture, "RGB")
        size, sha256 = _bytes_of(path)
        shape = f"{plain.width} x {plain.height} ".encode()
        return Examined(
            path,
            format=picture.format,
            mode=picture.mode,
            width=plain.width,
            height=plain.height,
            bytes=size,
            sha256=sha256,
            pixels_sha256=hashlib.sha256(shape + plain.tobytes()).hexdigest(),
            phash=perceptual_hash(plain) if hashes else None,
            remark="; ".join(picture.remarks),
        )
    except ImageFault as fault:
        if fault.kind not in ("missing", "unreadable") and path.is_file():
            size, sha256 = _bytes_of(path)
        return Examined(path, fault.kind, fault.reason, bytes=size, sha256=sha256)


def perceptual_hash(picture: Image.Image) -> int:
    """The 64-bit DCT hash of a picture at 32 x 32 grey, as ImageHash's ``phash`` gives it."""
    small = picture.convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    return int(perceptual_hashes(np.asarray(small)[None, None])[0])


def _bytes_of(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _examine_chunk(chunk: tuple[int, Sequence[Path]], hashes: bool) -> list[Examined]:
    return [examine(path, hashes=hashes) for path in chunk[1]]

"""Decodes image files once into one array on disk, which training then reads without copying."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gandetect.data.images import (
    Fit,
    ImageFault,
    fitted_pixels,
    image_faults,
    plain_picture,
    read_image,
    read_picture,
    refuse_special,
)
from gandetect.data.reading import Progress, by_chunks, perceptual_hash
from gandetect.errors import DataError

Notes = TypeVar("Notes")
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)  # there may be a million
class DecodedPicture:
    """What a file of a row holds, or in ``error`` why the row is empty.

    ``sha256`` is of the file's bytes, ``pixels_sha256`` of the row's. ``width`` and ``height`` are
    those of the upright picture before it was made to fit, ``mode`` is Pillow's name of its
    colours; ``phash`` is there if asked for.
    """

    sha256: str
    error: str | None = None
    pixels_sha256: str = ""
    width: int = 0
    height: int = 0
    mode: str = ""
    phash: int | None = None


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
    processes share the files. ``progress`` is called with the numbers done and in all. Raises
    `DataError` for a file that cannot be decoded and for a full disk, and leaves no file then, and
    for a target that exists, which is left as it is.
    """
    options = {"size": size, "channels": channels, "fit": fit}
    shape = (len(paths), channels, size, size)
    _fill(paths, target, shape, _decode_chunk, options, workers, progress)


def decode_pictures(
    paths: Sequence[Path],
    target: Path,
    *,
    size: int,
    channels: int,
    fit: Fit | None,
    hashes: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[DecodedPicture]:
    """Write the images as `decode_to_file` does, and return facts on each file.

    The row of a file that cannot be decoded stays black, and its error says why. Without a ``fit``
    every picture must have ``size`` pixels on both sides already. ``hashes`` adds perceptual
    hashes. Raises `DataError` for a picture of another size then, and as `decode_to_file` does.
    """
    options = {"size": size, "channels": channels, "fit": fit, "hashes": hashes}
    shape = (len(paths), channels, size, size)
    chunks = _fill(paths, target, shape, _decode_pictures, options, workers, progress)
    return [one for part in chunks for one in part]


def _fill(
    paths: Sequence[Path],
    target: Path,
    shape: tuple[int, ...],
    decode: Callable[[Sequence[Path], dict[str, Any]], tuple[Pixels, Notes]],
    options: dict[str, Any],
    workers: int,
    progress: Progress | None,
) -> list[Notes]:
    """Make the file and fill it chunk by chunk; returns the notes on each chunk, in order."""
    try:
        target.open("xb").close()  # so that only a file made here is ever written or removed
        try:
            place = _Place(target, _empty_array(target, shape))
            fill = partial(_one_chunk, place=place, decode=decode, options=options)
            return by_chunks(fill, paths, workers, progress)
        except BaseException:
            target.unlink()
            raise
    except OSError as error:
        raise DataError(
            f"{str(target)!r} ({np.prod(shape, dtype=float) / 1e9:.1f} GB of decoded images) "
            f"cannot be written: {error.strerror or error}; free some space, or choose a smaller "
            "image size or fewer images"
        ) from None


@dataclass(frozen=True)
class _Place:
    """A file of pixels, and where in it they start."""

    file: Path
    offset: int

    def write(self, row: int, images: Pixels) -> None:
        # Written rather than mapped: on a full disk a write fails, a mapping kills the process.
        with self.file.open("r+b") as file:
            file.seek(self.offset + row * images[0].nbytes)
            file.write(images.tobytes())


def _empty_array(target: Path, shape: tuple[int, ...]) -> int:
    """Give the file its header and its full length; returns where the pixels start."""
    array = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
    return int(array.offset)


def _one_chunk(
    chunk: tuple[int, Sequence[Path]],
    place: _Place,
    decode: Callable[[Sequence[Path], dict[str, Any]], tuple[Pixels, Notes]],
    options: dict[str, Any],
) -> Notes:
    start, paths = chunk
    images, notes = decode(paths, options)
    place.write(start, images)
    return notes


def _decode_chunk(paths: Sequence[Path], options: dict[str, Any]) -> tuple[Pixels, None]:
    return np.stack([read_image(path, **options) for path in paths]), None


def _decode_pictures(
    paths: Sequence[Path], options: dict[str, Any]
) -> tuple[Pixels, list[DecodedPicture]]:
    decoded = [_decode_picture(path, **options) for path in paths]
    return np.stack([pixels for pixels, _ in decoded]), [note for _, note in decoded]


def _decode_picture(
    path: Path, *, size: int, channels: int, fit: Fit | None, hashes: bool
) -> tuple[Pixels, DecodedPicture]:
    """One file's pixels ``(channels, size, size)``, black if it has none, and what it holds."""
    digest = ""
    try:
        refuse_special(path)
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        with image_faults(path, content):
            picture = read_picture(path, content)
            pixels = fitted_pixels(
                picture, channels=channels, size=size, fit=fit or "stretch", background=0
            )
            hashed = perceptual_hash(plain_picture(picture, "RGB")) if hashes else None
        width, height = picture.image.size
        if fit is None and (width, height) != (size, size):
            raise _needs_a_fit(path, width, height, size)
        of_pixels = hashlib.sha256(pixels.tobytes()).hexdigest()
        return pixels, DecodedPicture(digest, None, of_pixels, width, height, picture.mode, hashed)
    except ImageFault as fault:
        reason = fault.reason
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    return np.zeros((channels, size, size), np.uint8), DecodedPicture(digest, reason)


def _needs_a_fit(path: Path, width: int, height: int, size: int) -> DataError:
    return DataError(
        f"{str(path)!r} has {width} x {height} pixels and image_size is {size}; say how pictures "
        'of other sizes are made to fit: fit = "crop" (the centre), "pad" (with black) or "stretch"'
    )

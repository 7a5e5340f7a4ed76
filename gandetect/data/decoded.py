"""Decodes image files once into one array on disk, which training then reads without copying."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gandetect.data.images import (
    Fit,
    ImageFault,
    fitted_pixels,
    image_faults,
    plain_picture,
    read_picture,
    refuse_special,
)
from gandetect.data.reading import Progress, by_chunks, perceptual_hash
from gandetect.errors import DataError

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)  # there may be a million
class DecodedFile:
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


def decode_pictures(
    paths: Sequence[Path],
    target: Path,
    *,
    size: int,
    channels: int,
    fit: Fit | None,
    hashes: bool = False,
    strict: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[DecodedFile]:
    """Write the images to ``target``, a ``.npy`` file of ``(N, channels, size, size) uint8``.

    Row by row what `read_image` returns, in the order of ``paths``; returns facts on each file.
    The row of a file that cannot be decoded stays black, and its error says why; a ``strict`` call
    raises it. Without a ``fit`` every picture must have ``size`` pixels on both sides already.
    ``hashes`` adds perceptual hashes. With several workers, processes share the files;
    ``progress`` is called with the numbers done and in all. Raises `DataError` for a picture of
    another size without a ``fit`` and for a full disk, and leaves no file then, and for a target
    that exists, which is left as it is.
    """
    options = {"size": size, "channels": channels, "fit": fit, "hashes": hashes, "strict": strict}
    shape = (len(paths), channels, size, size)
    try:
        target.open("xb").close()  # so that only a file made here is ever written or removed
        try:
            offset = np.lib.format.open_memmap(target, "w+", np.uint8, shape).offset
            decode = partial(_decode_chunk, target=target, offset=int(offset), options=options)
            chunks = by_chunks(decode, paths, workers, progress)
        except BaseException:
            target.unlink()
            raise
    except OSError as error:
        raise DataError(
            f"{str(target)!r} ({np.prod(shape, dtype=float) / 1e9:.1f} GB of decoded images) "
            f"cannot be written: {error.strerror or error}; free some space, or choose a smaller "
            "image size or fewer images"
        ) from None
    return [one for chunk in chunks for one in chunk]


def _decode_chunk(
    chunk: tuple[int, Sequence[Path]], target: Path, offset: int, options: dict[str, Any]
) -> list[DecodedFile]:
    """Decode files from a row on, and write them; pixels start at ``offset`` of the target."""
    start, paths = chunk
    decoded = [_decode_picture(path, **options) for path in paths]
    images = np.stack([pixels for pixels, _ in decoded])
    # Written rather than mapped: on a full disk a write fails, a mapping kills the process.
    with target.open("r+b") as file:
        file.seek(offset + start * images[0].nbytes)
        file.write(images.tobytes())
    return [facts for _, facts in decoded]


def _decode_picture(
    path: Path, *, size: int, channels: int, fit: Fit | None, hashes: bool, strict: bool
) -> tuple[Pixels, DecodedFile]:
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
            raise DataError(
                f"{str(path)!r} has {width} x {height} pixels and image_size is {size}; say how "
                'pictures of other sizes are made to fit: fit = "crop" (the centre), "pad" (with '
                'black) or "stretch"'
            )
        of_pixels = hashlib.sha256(pixels.tobytes()).hexdigest()
        return pixels, DecodedFile(digest, None, of_pixels, width, height, picture.mode, hashed)
    except ImageFault as fault:
        if strict:
            raise
        reason = fault.reason
    except OSError as error:
        if strict:
            with image_faults(path):
                raise
        reason = f"cannot be read: {error.strerror or error}"
    return np.zeros((channels, size, size), np.uint8), DecodedFile(digest, reason)

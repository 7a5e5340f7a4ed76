"""Decodes image files batch after batch, in order, by processes that run a few batches ahead."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gandetect.data.folders import Found
from gandetect.data.images import find_images, fitted_pixels, image_faults, read_picture
from gandetect.data.picture import DecodedPicture, Fit, conversion_of
from gandetect.errors import DataError
from gandetect.workers import map_ordered

BATCH = 64  # files that are decoded, and then scored, at a time
PATIENCE = 0.5  # seconds of decoding alone before workers are started, which takes as long
Item = TypeVar("Item")
Pixels = NDArray[np.uint8]
Tell = Callable[[Found], None]


@dataclass(frozen=True)
class DecodeOptions:
    """Arguments of `read_image` for every file; ``strict`` refuses files that it would convert."""

    channels: int
    size: int
    fit: Fit
    background: int
    strict: bool = False


@dataclass(frozen=True)
class Decoded:
    """A file's pixels ``(channels, size, size)``, or the sentence why it has none.

    ``conversion`` is what was done to it, as `conversion_of` says; mostly nothing. ``remark`` is
    on its metadata, where these are broken or large.
    """

    path: Path
    pixels: Pixels | None
    error: str | None = None
    conversion: str = ""
    remark: str = ""


@dataclass(frozen=True)
class _Found:
    """A file to read, or what was given instead and the sentence that says why it is none."""

    path: Path
    error: str | None = None


def decode_batches(
    paths: Iterable[Path],
    options: DecodeOptions,
    workers: int = 1,
    tell: Tell = lambda found: None,
) -> Generator[list[Decoded], None, None]:
    """Yield the files' paths in order, each with its pixels or the sentence why it has none.

    Folders are searched as by `find_images`, with ``tell``, and ``paths`` is read only as far as
    needed. With several workers, processes decode the batches ahead; not before `PATIENCE` has
    shown that the files are many. However the generator is left, no worker outlives it. Raises
    `WorkerError` when one is killed from outside.
    """
    # Not threads: small files are bound by Python itself, and `read_image` needs the warning
    # filters, which threads share, for itself.
    batches = _batched(_found(paths, tell))
    spent = 0.0
    while workers <= 1 or spent < PATIENCE:
        start = perf_counter()
        batch = next(batches, None)
        if batch is None:
            return
        decoded = _decode(batch, options)
        spent += perf_counter() - start
        yield decoded
    yield from map_ordered(partial(_decode, options=options), batches, workers)


def _found(paths: Iterable[Path], tell: Tell) -> Iterator[_Found]:
    for given in paths:
        try:
            for path in find_images([given], tell):
                yield _Found(path)
        except DataError as error:
            yield _Found(given, str(error))


def decode(path: Path, options: DecodeOptions, content: bytes | None = None) -> Decoded:
    """Decode one file, or the bytes of one named ``path``; what is wrong with it is its error."""
    wanted: dict[str, Any] = {
        "channels": options.channels,
        "size": options.size,
        "fit": options.fit,
        "background": options.background,
    }
    try:
        with image_faults(path, content):
            picture = read_picture(path, content)
            pixels = fitted_pixels(picture, **wanted)
            conversion = conversion_of(picture, **wanted)
    except DataError as error:
        return Decoded(path, None, str(error))
    if conversion and options.strict:
        return Decoded(path, None, _refusal(path, conversion, options))
    return Decoded(path, pixels, conversion=conversion, remark="; ".join(picture.remarks))


def decode_array(name: Path, pixels: Pixels, options: DecodeOptions) -> Decoded:
    """Fit an image ``(C, H, W)`` of one or three channels as a file with these pixels would be."""
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    fitted = fitted_pixels(
        DecodedPicture(image, "array", image.mode),
        channels=options.channels,
        size=options.size,
        fit=options.fit,
        background=options.background,
    )
    return Decoded(name, fitted)


def _refusal(path: Path, conversion: str, options: DecodeOptions) -> str:
    colours = "grey" if options.channels == 1 else "RGB"
    return (
        f"{str(path)!r} would have to be converted ({conversion}), and strict scoring was asked "
        f"for; save it as 8-bit {colours} of {options.size}x{options.size} pixels, upright, of "
        "one frame and without transparency, or leave strict out"
    )


def _decode(batch: Sequence[_Found], options: DecodeOptions) -> list[Decoded]:
    return [
        Decoded(entry.path, None, entry.error) if entry.error else decode(entry.path, options)
        for entry in batch
    ]


def _batched(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch

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

from gandetect.data.folders import Found
from gandetect.data.images import find_images, fitted_pixels, image_faults, read_picture
from gandetect.data.picture import DecodedPicture, Fit, conversion_of, picture_from
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

    @property
    def fitting(self) -> dict[str, Any]:
        """Those of `fitted_pixels`."""
        return {name: value for name, value in vars(self).items() if name != "strict"}


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


def decode_batches(
    paths: Iterable[Path], options: DecodeOptions, workers: int = 1, tell: Tell = lambda found: None
) -> Generator[list[Decoded], None, None]:
    """Yield the files' paths in order, each with its pixels or the sentence why it has none.

    Folders are searched as by `find_images`, with ``tell``, and ``paths`` is read only as far as
    needed. With several workers, processes decode the batches ahead; not before `PATIENCE` has
    shown that the files are many. However the generator is left, no worker outlives it. Raises
    `WorkerError` when one is killed from outside.
    """
    # Not threads: small files are bound by Python itself, and `read_image` needs the warning
    # filters, which threads share, for itself.
    batches = _batched(_listed(paths, tell))
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


def _listed(paths: Iterable[Path], tell: Tell) -> Iterator[Path | Decoded]:
    """The files to read, or what was given instead with the sentence that says why it is none."""
    for given in paths:
        try:
            yield from find_images([given], tell)
        except DataError as error:
            yield Decoded(given, None, str(error))


def decode(path: Path, options: DecodeOptions, content: bytes | None = None) -> Decoded:
    """Decode one file, or the bytes of one named ``path``; what is wrong with it is its error."""
    try:
        with image_faults(path, content):
            picture = read_picture(path, content)
            pixels = fitted_pixels(picture, **options.fitting)
            conversion = conversion_of(picture, **options.fitting)
    except DataError as error:
        return Decoded(path, None, str(error))
    if conversion and options.strict:
        return Decoded(path, None, _refusal(path, conversion, options))
    return Decoded(path, pixels, conversion=conversion, remark="; ".join(picture.remarks))


def decode_array(name: Path, pixels: Pixels, options: DecodeOptions) -> Decoded:
    """Fit an image ``(C, H, W)`` of one or three channels as a file with these pixels would be."""
    image = picture_from(pixels)
    picture = DecodedPicture(image, "array", image.mode)
    return Decoded(name, fitted_pixels(picture, **options.fitting))


def _refusal(path: Path, conversion: str, options: DecodeOptions) -> str:
    colours = "grey" if options.channels == 1 else "RGB"
    return (
        f"{str(path)!r} would have to be converted ({conversion}), and strict scoring was asked "
        f"for; save it as 8-bit {colours} of {options.size}x{options.size} pixels, upright, of "
        "one frame and without transparency, or leave strict out"
    )


def _decode(batch: Sequence[Path | Decoded], options: DecodeOptions) -> list[Decoded]:
    return [one if isinstance(one, Decoded) else decode(one, options) for one in batch]


def _batched(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch

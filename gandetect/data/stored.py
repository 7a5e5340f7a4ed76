"""Images that stay on the disk: rows of one file of pixels, mapped into memory as they are used."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rows = NDArray[np.int64]
PIECE = 256  # images that are read until the memory mapped for them is given back


class Images(Protocol):
    """Images ``(N, C, H, W) uint8``: an array in memory, or `StoredImages`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, C, H, W)``."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: Any, /) -> Pixels: ...


class StoredImages:
    """Some rows of a ``.npy`` file of images ``(M, C, H, W) uint8``, in any order.

    Places are looked up as in an array, by a slice or by numbers ``(K,)``, and answered with a copy
    in memory. However many are read, little stays in this process' memory: what the system keeps
    of the file it keeps as a cache. Between processes the file's name and the rows travel.
    """

    def __init__(self, file: Path, rows: Rows | None = None) -> None:
        self.file = file
        self.rows = np.arange(len(self._mapped)) if rows is None else rows

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, C, H, W)``."""
        return (len(self.rows), *self._mapped.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: Any) -> Pixels:
        rows = np.atleast_1d(self.rows[places])
        pixels = np.empty((len(rows), *self._mapped.shape[1:]), np.uint8)
        for start in range(0, len(rows), PIECE):
            pixels[start : start + PIECE] = self._mapped[rows[start : start + PIECE]]
            self._forget()
        return pixels if np.ndim(self.rows[places]) else pixels[0]

    def __reduce__(self) -> tuple[type[StoredImages], tuple[Path, Rows]]:
        return StoredImages, (self.file, self.rows)

    def take(self, places: Rows) -> StoredImages:
        """Those at ``places`` ``(K,)``, in that order, without reading them."""
        return StoredImages(self.file, self.rows[places])

    @cached_property
    def _mapped(self) -> Pixels:
        mapped: Pixels = np.load(self.file, mmap_mode="r", allow_pickle=False)
        return mapped

    def _forget(self) -> None:
        """Give back what is mapped: around each image Linux maps up to 2 MB of the file."""
        base: object = self._mapped.base
        if isinstance(base, mmap.mmap):
            base.madvise(mmap.MADV_DONTNEED)


class StackedImages:
    """Several arrays of images ``(N, C, H, W) uint8`` of one size as one, none of them copied."""

    def __init__(self, parts: Sequence[Images]) -> None:
        self.parts = parts
        self.starts = np.cumsum([0, *map(len, parts)])

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, C, H, W)``."""
        return (len(self), *self.parts[0].shape[1:])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, places: Any) -> Pixels:
        rows = np.atleast_1d(np.arange(len(self))[places])
        pixels = np.empty((len(rows), *self.shape[1:]), np.uint8)
        which = np.searchsorted(self.starts, rows, side="right") - 1
        for number in np.unique(which):
            ours = which == number
            pixels[ours] = self.parts[number][rows[ours] - self.starts[number]]
        return pixels


class PixelFile:
    """A new ``.npy`` file of images ``(N, C, H, W) uint8``, written one by one; N grows."""

    def __init__(self, file: Path, shape: tuple[int, int, int]) -> None:
        self.shape, self.count = shape, 0
        self._stream = file.open("xb")
        self._write_header()

    def add(self, image: Pixels) -> None:
        """Append an image ``(C, H, W)``."""
        self._stream.write(image.tobytes())
        self.count += 1

    def close(self) -> None:
        """Say in the header how many there are; NumPy leaves room there for the number to grow."""
        self._stream.seek(0)
        self._write_header()
        self._stream.close()

    def _write_header(self) -> None:
        shape = (self.count, *self.shape)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._stream, header)


def take(images: Images, places: Rows) -> Images:
    """The images at ``places`` ``(K,)``; those on the disk stay there."""
    return images.take(places) if isinstance(images, StoredImages) else images[places]

"""Images of a folder, of a Parquet file, or of an array in a file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gandetect import runs
from gandetect.config import digest_of
from gandetect.data.images import find_images
from gandetect.data.parquet import PARQUET, decode_parquet, images_in_parquet
from gandetect.data.streaming import Decoded, DecodeOptions, Tell, decode_batches
from gandetect.errors import DataError
from gandetect.sources.foreign import ForeignImages, decoded_arrays, require_images

ARRAYS = (".npz", ".npy")
KEY = "images"  # of an npz file with several arrays


class FileSource(ForeignImages):
    """Images of a folder and its sub-folders, of a Parquet file of image bytes, or of an array.

    ``path`` is relative to the data folder (``--data-dir``). A Parquet file has the bytes of a PNG
    or JPEG in each row's ``bytes``, an ``.npz`` or ``.npy`` file ``(N, C, H, W) uint8``.
    """

    kind: Literal["files"]
    path: Annotated[str, Field(min_length=1)]

    def number(self, root: Path) -> int:
        """As many as there are; `DataError` for what is no such folder or file."""
        place = root / self.path
        if place.is_dir():
            return sum(1 for _ in find_images([place]))
        if not place.is_file():
            raise DataError(
                f"source {self.name!r}: {str(place)!r} does not exist; give a folder of images, a "
                "Parquet or an npz file, relative to the data folder (--data-dir) or absolute"
            )
        if place.suffix.lower() == PARQUET:
            return images_in_parquet(place)
        return len(self._array(place))

    def images(
        self, root: Path, options: DecodeOptions, workers: int, tell: Tell
    ) -> Iterator[Decoded]:
        """By name in a folder, otherwise as they stand in the file."""
        place = root / self.path
        if place.is_dir():
            for batch in decode_batches([place], options, workers, tell):
                yield from (_below(place, one) for one in batch)
        elif place.suffix.lower() == PARQUET:
            yield from decode_parquet(place, options)
        else:
            yield from decoded_arrays(self._array(place), options)

    def digest(self, root: Path) -> object:
        """Of the bytes of all images, with their names."""
        place = root / self.path
        if not place.is_dir():
            return runs.file_digest(place)
        files = sorted(find_images([place]))
        with ThreadPoolExecutor() as pool:
            digests = list(pool.map(_sha256, files))
        names = [str(file.relative_to(place)) for file in files]
        return digest_of([[ascii(name) for name in names], digests])

    def _array(self, place: Path) -> NDArray[np.uint8]:
        if place.suffix.lower() not in ARRAYS:
            raise DataError(
                f"source {self.name!r}: {str(place)!r} is neither a folder nor a Parquet (.parquet)"
                " or NumPy file (.npz, .npy); give one of these"
            )
        try:
            loaded = np.load(place, mmap_mode="r", allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return require_images(loaded, repr(str(place)))
            with loaded:
                only = loaded.files[0] if len(loaded.files) == 1 else KEY
                if only not in loaded.files:
                    raise DataError(
                        f"source {self.name!r}: {str(place)!r} holds the arrays "
                        f"{', '.join(loaded.files) or 'none'}; name the images' array {KEY!r}"
                    )
                return require_images(loaded[only], repr(str(place)))
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"source {self.name!r}: {str(place)!r} cannot be read as a NumPy file ({error}); "
                "get an intact copy"
            ) from None


def _below(place: Path, one: Decoded) -> Decoded:
    """An image called by its name in the folder; its error reads on from that."""
    error = one.error and one.error.removeprefix(f"{str(one.path)!r} ")
    return replace(one, path=one.path.relative_to(place), error=error)


def _sha256(path: Path) -> str:
    try:
        return runs.file_digest(path)
    except OSError:  # it is left out, and named, when it is read
        return ""

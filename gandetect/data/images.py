"""Image files of any size, mode and depth, decoded fully or refused with one sentence."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from gandetect.errors import DataError

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
)
# Pillow would hand PostScript to Ghostscript, which is no way to treat an upload.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000")
Fit = Literal["pad", "crop", "stretch"]
_MISSING = "does not exist; give an image file or a folder"


def find_images(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as given, and of each folder its image files, sorted, folder by folder.

    Hidden files and links to folders are passed over; a folder that may not be listed is yielded
    itself, for `read_image` to refuse. Raises `DataError` for a path that does not exist and for a
    folder without images.
    """
    for path in paths:
        # os.path's functions answer False where those of Path raise, as for a very long name.
        if not os.path.isdir(path):  # noqa: PTH112
            if not os.path.lexists(path):
                raise DataError(f"{_shown(path)} {_MISSING}")
            yield path
            continue
        found = False
        for image in _walk(path):
            found = True
            yield image
        if not found:
            raise DataError(
                f"folder {_shown(path)} holds no image files; their names end in one of: "
                f"{', '.join(sorted(SUFFIXES))}"
            )


def read_image(
    path: Path, *, channels: int = 1, size: int = 28, fit: Fit = "pad", background: int = 0
) -> NDArray[np.uint8]:
    """Decode a file to ``(channels, size, size) uint8``.

    16-bit grey is scaled to 8 bit, transparency is laid over the background, CMYK becomes RGB,
    EXIF orientation is obeyed, and of an animation the first frame counts. Then ``pad`` makes the
    picture square with the background, ``crop`` takes its centre, ``stretch`` ignores its shape;
    it is resized with antialiasing only if its size differs. Raises `DataError` when the file is
    missing, empty, truncated, no image, too large to be safe, or grey on an unknown scale.
    """
    try:
        _refuse_special(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", category=UserWarning)
            with Image.open(path, formats=_formats()) as opened:
                opened.load()
                picture = ImageOps.exif_transpose(opened)
                if picture.mode.startswith("I") or picture.mode == "F":
                    picture = _eight_bits(picture, opened.format)
                picture = _to_mode(picture, "L" if channels == 1 else "RGB", background)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(
            f"{_shown(path)} has more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels, which may be a "
            "decompression bomb; make it smaller first"
        ) from None
    except UnidentifiedImageError:
        raise DataError(f"{_shown(path)} {_not_an_image(path)}") from None
    except OSError as error:
        raise DataError(f"{_shown(path)} {_unreadable(path, error)}") from None
    except DataError:
        raise
    except _UnknownScale as error:
        raise DataError(f"{_shown(path)} {error}; give an 8-bit or 16-bit image") from None
    except Exception as error:  # on damaged files, decoders die of almost anything
        raise DataError(f"{_shown(path)} is damaged and cannot be decoded ({error})") from None
    pixels = np.asarray(_fitted(picture, size, fit, background), dtype=np.uint8)
    return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))


class _UnknownScale(ValueError):
    """Grey values that could mean anything."""


def _formats() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]  # older Pillows lack AVIF


def _to_mode(picture: Image.Image, mode: str, background: int) -> Image.Image:
    if picture.mode == "LAB":  # Pillow knows the way to RGB only
        picture = picture.convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, (background, background, background, 255))
        picture = Image.alpha_composite(ground, picture).convert("RGB")
    return picture.convert(mode)


def _eight_bits(picture: Image.Image, form: str | None) -> Image.Image:
    """Scale grey by its range: floats in 0..1 by 255, 0..255 not at all, 16 bits by 1/257.

    Any other range is refused: clipped, it would be scored as another image.
    """
    values = np.nan_to_num(np.asarray(picture, dtype=np.float64), posinf=0.0, neginf=0.0)
    # Pillow may give 16 bits of PNG and PGM in its 32-bit mode, "I".
    sixteen_bit = picture.mode.startswith("I;16") or form in ("PNG", "PPM")
    lowest, highest = values.min(initial=0.0), values.max(initial=0.0)
    if lowest < 0 or highest > 65535:
        raise _UnknownScale("has grey values that are not between 0 and 65535")
    if picture.mode == "F" and highest <= 1:
        values = values * 255
    elif sixteen_bit or highest > 255:
        values = values / 257
    return Image.fromarray(values.round().astype(np.uint8))


def _fitted(picture: Image.Image, size: int, fit: Fit, background: int) -> Image.Image:
    if fit == "pad":
        # Resized before it is padded: a square around a very long strip would not fit in memory.
        longest = max(picture.size)
        width, height = (max(round(side * size / longest), 1) for side in picture.size)
        color = background if picture.mode == "L" else (background,) * 3
        square = Image.new(picture.mode, (size, size), color)
        square.paste(_resized(picture, width, height), ((size - width) // 2, (size - height) // 2))
        return square
    if fit == "crop":
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
    return _resized(picture, size, size)


def _resized(picture: Image.Image, width: int, height: int) -> Image.Image:
    if picture.size == (width, height):
        return picture
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _walk(folder: Path) -> Iterator[Path]:
    denied: list[str] = []
    for parent, folders, names in os.walk(folder, onerror=lambda e: denied.append(e.filename)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)
    yield from map(Path, denied)


def _refuse_special(path: Path) -> None:
    """Refuse folders, and what could block for ever, such as a pipe."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        os.scandir(path).close()  # raises PermissionError where it may not be listed
        raise DataError(f"{_shown(path)} is a folder, not an image")
    if not stat.S_ISREG(mode):
        raise DataError(f"{_shown(path)} is not a regular file; give an image file or a folder")


def _not_an_image(path: Path) -> str:
    if path.stat().st_size == 0:
        return "is empty (0 bytes); give an image"
    return "is not an image in a format that Pillow reads; give a PNG or JPEG, for example"


def _unreadable(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return _MISSING
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    return f"is truncated or damaged ({error}); get an intact copy"


def _shown(path: Path) -> str:
    return repr(str(path))

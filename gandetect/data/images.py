"""Image files of any size, mode and depth, decoded fully or refused with one sentence."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from gandetect.data.conversion import note_depth
from gandetect.errors import DataError

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
)
# Pillow would hand PostScript to Ghostscript, which is no way to treat an upload.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000")
# What of these Pillow does not recognise is not of another kind, but broken.
SIGNATURES = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "GIF": b"GIF8"}
Fit = Literal["pad", "crop", "stretch"]
_GET = "get an intact copy"
_MISSING = "does not exist; give an image file or a folder"
_LOST = "does not exist: it is a link that leads to nothing"


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
        for image in files_below(path, SUFFIXES):
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
    with opened_image(path) as opened:
        return fitted_pixels(opened, channels=channels, size=size, fit=fit, background=background)


def fitted_pixels(
    opened: Image.Image, *, channels: int, size: int, fit: Fit, background: int
) -> NDArray[np.uint8]:
    """Turn a decoded file into ``(channels, size, size) uint8``, as `read_image` says."""
    picture = plain_picture(opened, "L" if channels == 1 else "RGB", background)
    pixels = np.asarray(_fitted(picture, size, fit, background), dtype=np.uint8)
    return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))


@contextmanager
def opened_image(path: Path, content: bytes | None = None) -> Iterator[Image.Image]:
    """Open an image file and decode it fully; only then is it given out.

    With ``content`` these bytes are decoded, and ``path`` is only their name. Raises `ImageFault`
    for whatever is wrong with the file, found here or in the block.
    """
    try:
        if content is None:
            refuse_special(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", category=UserWarning)
            file = path if content is None else BytesIO(content)
            with Image.open(file, formats=_formats()) as opened:
                note_depth(opened)
                opened.load()
                yield opened
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        reason = (
            f"has more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels, which may be a "
            "decompression bomb; make it smaller first"
        )
        raise ImageFault(path, "unsupported", reason) from None
    except UnidentifiedImageError:
        raise ImageFault(path, *_not_an_image(path, content)) from None
    except OSError as error:
        raise ImageFault(path, *_unreadable(path, error)) from None
    except ImageFault:
        raise
    except _UnknownScale as error:
        reason = f"{error}; give an 8-bit or 16-bit image"
        raise ImageFault(path, "unsupported", reason) from None
    except Exception as error:  # on damaged files, decoders die of almost anything
        reason = f"is damaged and cannot be decoded ({error})"
        raise ImageFault(path, "damaged", reason) from None


def plain_picture(
    opened: Image.Image, mode: Literal["L", "RGB"], background: int = 0
) -> Image.Image:
    """Turn a decoded file into 8-bit grey or colour, upright and without transparency."""
    picture: Image.Image = ImageOps.exif_transpose(opened)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture, opened.format)
    return _to_mode(picture, mode, background)


def format_of(path: Path) -> str | None:
    """Pillow's name of the format that a file's first bytes announce; None when it is no image."""
    try:
        refuse_special(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_formats()) as opened:
                return opened.format
    except Exception:  # whatever a decoder dies of, it has not recognised its format
        return None


class ImageFault(DataError):
    """A file that is no usable image: what kind of fault it has, and a sentence on it."""

    def __init__(self, path: Path, kind: str, reason: str) -> None:
        super().__init__(path, kind, reason)  # all three, so that it travels between processes
        self.path, self.kind, self.reason = path, kind, reason

    def __str__(self) -> str:
        """Return the sentence: the path, and what is wrong with it."""
        return f"{_shown(self.path)} {self.reason}"


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
    return picture if picture.mode == mode else picture.convert(mode)  # which would copy it


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
    if picture.size == (size, size):
        return picture
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


def files_below(folder: Path, suffixes: Collection[str]) -> Iterator[Path]:
    """Yield the files of these suffixes, sorted, folder by folder; then folders that are denied.

    Hidden files and folders, and links to folders, are passed over.
    """
    denied: list[str] = []
    for parent, folders, names in os.walk(folder, onerror=lambda e: denied.append(e.filename)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names.sort()
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes:
                yield Path(parent, name)
    yield from map(Path, denied)


def refuse_special(path: Path) -> None:
    """Refuse folders, and what could block for ever, such as a pipe."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        os.scandir(path).close()  # raises PermissionError where it may not be listed
        raise ImageFault(path, "not an image", "is a folder, not an image")
    if not stat.S_ISREG(mode):
        reason = "is not a regular file; give an image file or a folder"
        raise ImageFault(path, "not an image", reason)


def _not_an_image(path: Path, content: bytes | None) -> tuple[str, str]:
    with path.open("rb") if content is None else BytesIO(content) as file:
        start = file.read(16)
    if not start:
        return "empty", "is empty (0 bytes); give an image"
    for form, signature in SIGNATURES.items():
        if start.startswith(signature):  # cut off, or overwritten, in its first lines
            return "damaged", f"is truncated or damaged ({form} without a whole header); {_GET}"
    return (
        "not an image",
        "is not an image in a format that Pillow reads; give a PNG or JPEG, for example",
    )


def _unreadable(path: Path, error: OSError) -> tuple[str, str]:
    if isinstance(error, FileNotFoundError):
        return "missing", _LOST if path.is_symlink() else _MISSING
    if isinstance(error, PermissionError):
        return "unreadable", "cannot be read: permission denied"
    return "damaged", f"is truncated or damaged ({error}); {_GET}"


def _shown(path: Path) -> str:
    return repr(str(path))

"""Image files of any size, mode and depth, decoded fully or refused with one sentence."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gandetect.data.decoding import decoded_picture
from gandetect.data.faults import GET, ImageFault, Refusal
from gandetect.data.folders import DENIED, Found, PassedOver, walk
from gandetect.data.picture import DecodedPicture, Fit, pixels_of
from gandetect.data.signatures import FORMATS, START, picture_format
from gandetect.errors import DataError

__all__ = ["FORMATS", "Fit", "ImageFault", "find_images", "image_faults", "read_image",
           "read_picture"]  # fmt: skip

_MISSING = "does not exist; give an image file or a folder"


def find_images(
    paths: Iterable[Path], tell: Callable[[Found], None] = lambda entry: None
) -> Iterator[Path]:
    """Yield files as given, and of each folder its pictures, as `folders.walk` finds them.

    ``tell`` is called with every other file and folder there. A folder that may not be listed is
    yielded itself, for `read_image` to refuse. Raises `DataError` for a path that does not exist
    and for a folder without pictures.
    """
    for path in paths:
        # os.path's functions answer False where those of Path raise, as for a very long name.
        if not os.path.isdir(path):  # noqa: PTH112
            if not os.path.lexists(path):
                raise DataError(f"{str(path)!r} {_MISSING}")
            yield path
            continue
        none, passed = True, PassedOver()
        for entry in walk(path):
            if not entry.passed or entry.passed == DENIED:
                none = False
                yield entry.path
            else:
                tell(entry)
                passed.add(entry)
        if none:
            raise DataError(no_images(path, passed))


def no_images(folder: Path, passed: PassedOver) -> str:
    """Say of a folder that it holds no pictures, and what else."""
    if (folder / "detector.json").is_file():
        return f"{str(folder)!r} is a detector, and not a folder of images; give one at a time"
    others = "; ".join(passed.sentences()) or "it is empty"
    return f"folder {str(folder)!r} holds no image files: {others}"


def read_image(
    path: Path, *, channels: int = 1, size: int = 28, fit: Fit = "pad", background: int = 0
) -> NDArray[np.uint8]:
    """Decode a file to ``(channels, size, size) uint8``.

    More than 8 bits are scaled to 8 as the file's header says, transparency is laid over the
    background, CMYK becomes RGB, orientation is obeyed, and of an animation the first frame counts.
    Then ``pad`` makes the picture square with the background, ``crop`` takes its centre,
    ``stretch`` ignores its shape; it is resized with antialiasing only if its size differs. Raises
    `DataError` when the file is missing, empty, damaged, no image, too large to be safe, or does
    not say what its samples mean.
    """
    with image_faults(path):
        picture = read_picture(path)
        return fitted_pixels(picture, channels=channels, size=size, fit=fit, background=background)


def fitted_pixels(
    picture: DecodedPicture, *, channels: int, size: int, fit: Fit, background: int
) -> NDArray[np.uint8]:
    """Turn a decoded file into ``(channels, size, size) uint8``, as `read_image` says."""
    plain = plain_picture(picture, "L" if channels == 1 else "RGB", background)
    return np.ascontiguousarray(pixels_of(_fitted(plain, size, fit, background)))


def read_picture(path: Path, content: bytes | None = None) -> DecodedPicture:
    """Open an image file and decode it fully.

    With ``content`` these bytes are decoded, and ``path`` is only their name. Raises `ImageFault`
    for whatever is wrong with the file.
    """
    with image_faults(path, content), _opened(path, content) as file, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", category=UserWarning)
        return decoded_picture(file)


@contextmanager
def image_faults(path: Path, content: bytes | None = None) -> Iterator[None]:
    """Turn whatever goes wrong with an image in the block into an `ImageFault` that names it."""
    try:
        yield
    except ImageFault:
        raise
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
    except Refusal as refusal:
        raise ImageFault(path, refusal.kind, refusal.reason) from None
    except Exception as error:  # on damaged files, decoders die of almost anything
        reason = f"is damaged and cannot be decoded ({_one_line(error)})"
        raise ImageFault(path, "damaged", reason) from None


def plain_picture(
    picture: DecodedPicture, mode: Literal["L", "RGB"], background: int = 0
) -> Image.Image:
    """Turn a decoded file into 8-bit grey or colour without transparency."""
    image = picture.image
    if image.mode == "LAB":  # Pillow knows the way to RGB only
        image = image.convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (background, background, background, 255))
        image = Image.alpha_composite(ground, image).convert("RGB")
    return image if image.mode == mode else image.convert(mode)  # which would copy it


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


def refuse_special(path: Path) -> None:
    """Refuse folders, and what could block for ever, such as a pipe."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        os.scandir(path).close()  # raises PermissionError where it may not be listed
        raise ImageFault(path, "not an image", "is a folder, not an image")
    if not stat.S_ISREG(mode):
        reason = "is not a regular file; give an image file or a folder"
        raise ImageFault(path, "not an image", reason)


@contextmanager
def _opened(path: Path, content: bytes | None) -> Iterator[BinaryIO]:
    if content is None:
        refuse_special(path)
    with path.open("rb") if content is None else BytesIO(content) as file:
        yield file


def _not_an_image(path: Path, content: bytes | None) -> tuple[str, str]:
    with _opened(path, content) as file:
        start = file.read(START)
    if not start:
        return "empty", "is empty (0 bytes); give an image"
    form = picture_format(start)
    if form in FORMATS:  # cut off, or overwritten, in its first lines
        return "damaged", f"is truncated or damaged ({form} without a whole header); {GET}"
    if form is not None:
        return "unsupported", f"is a {form} image, a format that is not read; save it as PNG"
    return "not an image", "is not an image in a format that is read; give a PNG or JPEG"


def _unreadable(path: Path, error: OSError) -> tuple[str, str]:
    if isinstance(error, FileNotFoundError):
        lost = "does not exist: it is a link that leads to nothing"
        return "missing", lost if path.is_symlink() else _MISSING
    if isinstance(error, PermissionError):
        return "unreadable", "cannot be read: permission denied"
    return "damaged", f"is truncated or damaged ({_one_line(error)}); {GET}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

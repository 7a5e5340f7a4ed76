"""What image files betray without a look at their pictures: format, bytes, size, tables, metadata.

Only headers are read. Where these alone tell real from generated, so can a detector, or whatever
saved the files has told it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from gandetect.data.decoding import ORIENTATION
from gandetect.data.depth import highest_sample
from gandetect.data.faults import Refusal
from gandetect.data.png import png_parts
from gandetect.data.signatures import FORMATS, START, picture_format
from gandetect.data.tiff_parts import BITS
from gandetect.errors import DataError

Features: TypeAlias = dict[str, NDArray[np.float64]]

_ABSENT = -9  # below any number that is there
_subsampling: Any = JpegImagePlugin.get_sampling
# The luminance table of the JPEG standard (ITU-T T.81, annex K.1), row by row; libjpeg scales it.
_LUMINANCE = np.array(
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
        14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ]
)  # fmt: skip


@dataclass(frozen=True)
class FileFacts:
    """What one image file's header tells.

    ``quality`` is the setting of libjpeg, 1 to 100, whose luminance table is nearest to the
    file's; ``subsampling`` is Pillow's code (0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0, -1 for
    others). Both are None, and ``tables`` is empty, where a file is no JPEG. ``orientation`` is
    EXIF's, 1 to 8, and 1 where there is none; ``depth`` is in bits a sample, ``icc_profile`` the
    profile's size in bytes, or 1 where only that there is one is known.
    """

    path: Path
    format: str
    mode: str
    width: int
    height: int
    bytes: int
    tables: tuple[tuple[int, ...], ...]
    quality: int | None
    subsampling: int | None
    progressive: bool
    exif: bool
    icc_profile: int
    orientation: int = 1
    transparency: bool = False
    depth: int = 8


def file_facts(path: Path) -> FileFacts:
    """Read what an image file's header tells; the picture is not decoded.

    Raises `DataError` when the file is missing or is no image that Pillow reads.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source: Path | BytesIO = path
            parts = None
            with path.open("rb") as file:
                form = picture_format(file.read(START))
            if form == "PNG":  # without metadata that Pillow would stumble over
                parts = png_parts(path.read_bytes())
                source = BytesIO(parts.stream)
            Image.init()
            known = [form for form in FORMATS if form in Image.OPEN]  # older Pillows lack AVIF
            with path.open("rb") as file, Image.open(source, formats=known) as opened:
                bits = parts.depth if parts else _depth(file, opened)
                return _facts(path, opened, parts.names if parts else set(), bits)
    except Refusal as refusal:
        raise DataError(f"{str(path)!r} {refusal.reason}") from None
    except UnidentifiedImageError:
        raise DataError(
            f"{str(path)!r} is no image in a format that Pillow reads; take it out of the folder"
        ) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{str(path)!r} cannot be read ({error}); take it out") from None


def file_features(facts: Sequence[FileFacts]) -> Features:
    """Compute what the probes of files look at, `(N, K) float64` by the probe's name.

    -9 stands where a file has no such thing, as a PNG has no quantisation tables.
    """
    columns = {name: [probe(file) for file in facts] for name, (probe, _) in _PROBES.items()}
    return {name: np.array(rows, dtype=np.float64) for name, rows in columns.items()}


def jpeg_quality(table: Sequence[int]) -> int:
    """Estimate libjpeg's quality setting, 1 to 100, from a luminance table of 64 entries.

    The setting whose table is nearest in the sum of absolute differences; of equally near ones
    the lowest. Other encoders have tables of their own, for which this is a rough scale.

    >>> jpeg_quality([1] * 64), jpeg_quality([255] * 64)
    (100, 1)
    """
    qualities = np.arange(1, 101)
    scales = np.where(qualities < 50, 5000 // qualities, 200 - 2 * qualities)
    tables = np.clip((scales[:, None] * _LUMINANCE + 50) // 100, 1, 255)  # (100, 64)
    return int(qualities[np.abs(tables - np.asarray(table)).sum(axis=1).argmin()])


def _depth(file: BinaryIO, opened: Any) -> int:
    """Bits a sample; 0 where a file does not say."""
    if opened.format == "TIFF":
        return int(max(opened.tag_v2.get(BITS, (1,))))
    return highest_sample(file, opened).bit_length()


def _orientation(opened: Image.Image) -> int:
    """As EXIF says, without decoding a PNG to look behind its pixels."""
    try:
        return int(Image.Image.getexif(opened).get(ORIENTATION, 1))
    except Exception:  # its readers die of as much as decoders do
        return 1


def _facts(path: Path, opened: Image.Image, chunks: set[bytes], depth: int) -> FileFacts:
    tables: tuple[tuple[int, ...], ...] = ()
    subsampling = None
    if isinstance(opened, JpegImagePlugin.JpegImageFile):
        jpeg: Any = opened  # the stubs know neither of what follows
        tables = tuple(tuple(table) for _, table in sorted(jpeg.quantization.items()))
        subsampling = int(_subsampling(jpeg))
    return FileFacts(
        path=path,
        format=opened.format or "unknown",
        mode=opened.mode,
        width=opened.width,
        height=opened.height,
        bytes=path.stat().st_size,
        tables=tables,
        quality=jpeg_quality(tables[0]) if tables else None,
        subsampling=subsampling,
        progressive=bool(opened.info.get("progressive")),
        exif="exif" in opened.info or b"eXIf" in chunks,
        icc_profile=len(opened.info.get("icc_profile") or b"") or int(b"iCCP" in chunks),
        orientation=_orientation(opened),
        transparency=opened.has_transparency_data,
        depth=depth,
    )


def _format(facts: FileFacts) -> list[Any]:
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")
    forms = [facts.format == form for form in FORMATS]
    kinds = (facts.mode == mode for mode in modes)
    return [*forms, *kinds, facts.progressive, facts.transparency, facts.depth]


def _dimensions(facts: FileFacts) -> list[Any]:
    width, height = facts.width, facts.height
    return [width, height, width * height, width / height, width % 8, height % 8]


def _jpeg(facts: FileFacts) -> list[Any]:
    if facts.quality is None:
        return [_ABSENT] * 70
    first, last = facts.tables[0], facts.tables[-1]
    return [facts.quality, facts.subsampling, len(facts.tables), sum(first), sum(last), last[0],
            *first]  # fmt: skip


_PROBES: dict[str, tuple[Callable[[FileFacts], list[Any]], str]] = {
    "file format": (_format, "the file's format, mode, transparency and bits a sample"),
    "file size": (lambda facts: [facts.bytes], "how many bytes the file has"),
    "dimensions": (_dimensions, "width, height, area and aspect in pixels"),
    "bytes a pixel": (
        lambda facts: [facts.bytes / (facts.width * facts.height)],
        "how many bytes the file has for each pixel",
    ),
    "JPEG tables": (_jpeg, "quality, quantisation tables and subsampling of JPEG files"),
    "metadata": (
        lambda facts: [
            facts.exif,
            facts.icc_profile,
            *(facts.orientation == turn for turn in range(1, 9)),
        ],
        "whether there is EXIF, how the picture is to be turned, and the size of a colour profile",
    ),
}
LOOKS_AT = {name: words for name, (_, words) in _PROBES.items()}

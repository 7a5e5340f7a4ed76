"""Which picture format a file's first bytes announce, whether this project reads it or not."""

from __future__ import annotations

import re

START = 160  # bytes that are enough for every signature here
# Pillow would hand PostScript to Ghostscript, which is no way to treat an upload.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "AVIF", "JPEG2000")
_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".mpo")
# How names of files of a format end, the usual way first.
SUFFIXES_OF = {
    "PNG": (".png", ".apng"),
    "JPEG": _JPEG,
    "MPO": _JPEG,  # JPEG with further pictures, as cameras write it
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "DIB": (".dib", ".bmp"),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
}
# Files of these names are taken for pictures unopened, also in formats that are not read: an error
# tells more than silence.
SUFFIXES = frozenset(suffix for known in SUFFIXES_OF.values() for suffix in known) | {
    *(".heic", ".heif", ".jxl", ".tga", ".psd", ".pfm", ".pam")
}
_SIGNATURES = (
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("JPEG", rb"\xff\xd8\xff"),
    ("GIF", rb"GIF8[79]a"),
    ("WEBP", rb"RIFF....WEBP"),
    ("TIFF", rb"II[*+]\0|MM\0[*+]|MM[*]\0|II\0[*]"),
    ("BMP", rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0"),
    ("DIB", rb"[\x28\x6c\x7c]\0{3}.{8}\x01\0[\x01\x04\x08\x10\x18\x20]\0"),
    # A number must follow, so that text that begins with P1 is none; or comments that are longer
    # than what is looked at.
    ("PPM", rb"P[1-6](?=[\s#])(\s|#[^\r\n]*[\r\n])*([0-9]|(#[^\r\n]*)?\Z(?<=.{%d}))" % START),
    ("JPEG2000", rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    # From here on: pictures that are not read.
    ("JPEG XL", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
    ("JPEG XR", rb"II\xbc"),
    ("Photoshop", rb"8BPS\0"),
    ("OpenEXR", rb"\x76\x2f\x31\x01"),
    ("Radiance HDR", rb"#\?(RADIANCE|RGBE)"),
    ("PFM", rb"P[fF]\s+[0-9]"),
    ("PAM", rb"P7\n"),
    ("ICO", rb"\0\0\x01\0[\x01-\x40]\0.{3}\0[\0\x01]\0"),
    ("DDS", rb"DDS \x7c\0\0\0"),
    ("GIMP", rb"gimp xcf"),
    ("QOI", rb"qoif"),
    ("FITS", rb"SIMPLE  ="),
    ("BPG", rb"BPG\xfb"),
    ("DICOM", rb".{128}DICM"),
    ("camera raw", rb"FUJIFILMCCD-RAW|IIR[OS]|IIU\0"),
    ("PCX", rb"\x0a[\0-\x05]\x01[\x01\x02\x04\x08]"),
    ("MNG", rb"\x8aMNG\r\n\x1a\n|\x8bJNG\r\n\x1a\n"),
)
_PATTERNS = tuple((name, re.compile(pattern, re.DOTALL)) for name, pattern in _SIGNATURES)
_BRANDS = (  # of ISO base media files, by which film and pictures are told apart
    ("AVIF", (b"avif", b"avis")),
    ("HEIC", (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs")),
    ("HEIF", (b"mif1", b"msf1", b"mif2")),
    ("camera raw", (b"crx ",)),
)


def picture_format(start: bytes) -> str | None:
    r"""The name of the picture format that a file's first `START` bytes announce; None for none.

    >>> picture_format(b"\xff\xd8\xff\xe0"), picture_format(b"P1 is the first point")
    ('JPEG', None)
    """
    if start[4:8] == b"ftyp":
        return _by_brand(start)
    return next((name for name, pattern in _PATTERNS if pattern.match(start)), None)


def _by_brand(start: bytes) -> str | None:
    end = min(int.from_bytes(start[:4], "big"), START)
    brands = [start[8:12], *(start[place : place + 4] for place in range(16, end, 4))]
    return next((name for name, own in _BRANDS if any(one in own for one in brands)), None)

"""JPEG files: whether all of their scans, and all of the data of each, are there.

Decoders paint what is missing grey, and warn at most. JPEG has no checksums: a bit that flipped
within the data and still makes sense is not found.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import simplejpeg
from PIL import Image

from gandetect.data.faults import damaged

# What libjpeg says when data are missing. It also warns of what does no harm.
_MISSING = re.compile("premature end|bad Huffman code|instead of RST", re.IGNORECASE)
# And when there are more than the pixels need. A few bytes are some encoder's padding.
_LEFT = re.compile(r"(\d+) extraneous bytes before marker 0x(c4|d\w)")
_PADDING = 64
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC9, 0xCA))
_SCAN, _END = 0xDA, 0xD9
_HEADERS = {0xE0: (b"JFIF", 14), 0xE2: (b"ICC_PROFILE\0", 14), 0xEE: (b"Adobe", 12)}
_STANDALONE = frozenset((0x01, 0xD8))
_COEFFICIENTS = 64


def check_jpeg(content: bytes) -> None:
    """Raise `Refusal` when a scan, or data of one, is missing, and Pillow's error for a bomb.

    Every coefficient of every component must have been sent in full (ITU-T T.81, annex G).
    """
    # How many low bits of each coefficient were never sent, by component.
    missing: dict[int, list[int]] = {}
    for marker, body, _, _ in _segments(content):
        if marker in _FRAMES and len(body) > 5:
            pixels = int.from_bytes(body[1:3]) * int.from_bytes(body[3:5])
            if pixels > (Image.MAX_IMAGE_PIXELS or sys.maxsize):
                raise Image.DecompressionBombError
            components = body[6 : 6 + 3 * body[5] : 3]
            missing = {one: [_COEFFICIENTS] * _COEFFICIENTS for one in components}
        elif marker == _SCAN and body:
            count = body[0]
            first, last, bits = body[1 + 2 * count : 4 + 2 * count]
            for component in body[1 : 1 + 2 * count : 2]:
                if component in missing:
                    places = slice(first, min(last, _COEFFICIENTS - 1) + 1)
                    missing[component][places] = [bits & 15] * len(missing[component][places])
    if any(max(bits) > 0 for bits in missing.values()):
        raise damaged("scans of the JPEG are missing")
    try:  # the smallest picture is enough: all data are read for it
        simplejpeg.decode_jpeg(content, "GRAY", min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        left = _LEFT.search(str(error))
        if _MISSING.search(str(error)) or (left and int(left[1]) > _PADDING):
            raise damaged(str(error)) from None


def without_broken_headers(content: bytes) -> bytes:
    """A JPEG without what Pillow dies of and decoders of the pixels pass over: headers cut short.

    They are JFIF's (APP0) of fewer than 14 bytes, Adobe's (APP14) of fewer than 12, and a colour
    profile's (APP2) without its number.
    """
    parts, place = [], 0
    for marker, body, start, end in _segments(content):
        if marker == _SCAN:
            break
        name, shortest = _HEADERS.get(marker, (b"", 0))
        if body.startswith(name) and len(body) < shortest:
            parts.append(content[place:start])
            place = end
    return b"".join([*parts, content[place:]]) if parts else content


def _segments(content: bytes) -> Iterator[tuple[int, bytes, int, int]]:
    """Yield the first picture's markers, their bodies, and where each starts and ends.

    A scan's data are stepped over.
    """
    place = 0
    while marker_match := _MARKER.search(content, place):
        marker, place = marker_match[1][0], marker_match.end()
        if marker == _END:
            return
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(content[place : place + 2], "big")
        body, place = content[place + 2 : place + length], place + max(length, 2)
        yield marker, body, marker_match.start(), place

"""Damage is what changes pixels, found as far as a format allows; metadata do no harm."""

from __future__ import annotations

import io
import os
import re
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
import tifffile
from numpy.typing import NDArray
from PIL import Image
from raw_images import SIGNATURE, chunk, png, tiff
from skimage import data

from gandetect.data.integrity import check_folder
from gandetect.data.streaming import Decoded, DecodeOptions, decode

ROWS, COLUMNS = np.mgrid[:28, :28]
GREY = (ROWS * 9 + COLUMNS).astype(np.uint8)
OPTIONS = DecodeOptions(channels=1, size=28, fit="pad", background=0)
MEGABYTES = b"workflow" * (1 << 18)  # two of them


def read(content: bytes) -> Decoded:
    return decode(Path("a.png"), OPTIONS, content)


def refused(content: bytes) -> str:
    answer = read(content)
    assert answer.pixels is None
    assert "damaged" in str(answer.error)
    assert "\n" not in str(answer.error)
    return str(answer.error)


def intact(content: bytes) -> str:
    """See that the picture is read, and nothing else is; returns the remark."""
    answer = read(content)
    assert answer.error is None
    assert np.array_equal(answer.pixels[0], GREY)
    assert answer.conversion == ""
    return answer.remark


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def chunks(content: bytes) -> list[bytes]:
    found, start = [], len(SIGNATURE)
    while start < len(content):
        end = start + 12 + struct.unpack(">I", content[start : start + 4])[0]
        found.append(content[start:end])
        start = end
    return found


PLAIN = png(GREY)
PALETTE = saved(Image.fromarray(GREY).convert("RGB").quantize(64), "PNG", transparency=3)
ANIMATED = saved(
    Image.fromarray(GREY), "PNG", save_all=True, append_images=[Image.fromarray(255 - GREY)]
)


# PNG: checksums


@pytest.mark.parametrize("name", [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"])
def test_a_wrong_checksum_of_what_makes_pixels_is_damage(name: bytes) -> None:
    wrong = [
        one[:-1] + bytes([one[-1] ^ 1]) if one[4:8] == name else one for one in chunks(PALETTE)
    ]
    assert f"checksum of PNG chunk {name.decode()}" in refused(b"".join([SIGNATURE, *wrong]))


@pytest.mark.parametrize("name", [b"acTL", b"fcTL", b"fdAT"])
def test_a_wrong_checksum_in_a_further_frame_is_damage_too(name: bytes) -> None:
    wrong = [
        one[:-1] + bytes([one[-1] ^ 1]) if one[4:8] == name else one for one in chunks(ANIMATED)
    ]
    assert f"checksum of PNG chunk {name.decode()}" in refused(b"".join([SIGNATURE, *wrong]))


def test_any_changed_bit_of_a_png_is_damage() -> None:
    """Stored without packing, so that nothing but a checksum could tell."""
    content = png(GREY, level=0)
    assert intact(content) == ""
    for place in range(len(SIGNATURE), len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        assert read(bytes(changed)).pixels is None, place


@pytest.mark.parametrize("length", [1, 4, 11, 12, 13, 40])
def test_a_png_that_is_cut_off_is_damaged_however_little_is_missing(length: int) -> None:
    refused(PLAIN[:-length])


def test_pixels_that_fail_the_checksum_of_their_packing_are_damage() -> None:
    head, pixels, end = chunks(png(GREY, level=0))
    other = bytearray(pixels[8:-4])
    other[50] ^= 255
    refused(b"".join([SIGNATURE, head, chunk(b"IDAT", bytes(other)), end]))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("depth", [1, 8, 16])
def test_a_png_whose_packed_data_end_at_a_row_is_damaged(depth: int, interlaced: bool) -> None:
    samples = GREY[:25, :27] >> 7 if depth == 1 else GREY[:25, :27]
    head, pixels, end = chunks(png(samples, depth=depth, interlaced=interlaced))
    data = zlib.decompress(pixels[8:-4])
    last = 1 + -(-27 * depth // 8)  # bytes of a row
    for kept in (data[:-last], data[: -7 * last], data[:-1]):
        refused(b"".join([SIGNATURE, head, chunk(b"IDAT", zlib.compress(kept)), end]))
    for more in (b"", b"\0", bytes(last)):
        whole = chunk(b"IDAT", zlib.compress(data + more))
        assert read(b"".join([SIGNATURE, head, whole, end])).error is None


def test_a_checksum_of_packed_data_counts_in_a_chunk_of_its_own_and_when_it_is_missing() -> None:
    head, pixels, end = chunks(png(GREY, level=0))
    packed = bytearray(pixels[8:-4])
    packed[50] ^= 255
    for tail in ([], [chunk(b"IDAT", bytes(packed[-4:]))]):
        refused(b"".join([SIGNATURE, head, chunk(b"IDAT", bytes(packed[:-4])), *tail, end]))


@pytest.mark.parametrize(
    "parts", ["IHDR IHDR IDAT IEND", "IDAT IHDR IEND", "IHDR IEND", "IDAT IEND"]
)
def test_chunks_that_are_doubled_missing_or_out_of_order_are_damage(parts: str) -> None:
    known = {one[4:8].decode(): one for one in chunks(PLAIN)}
    refused(b"".join([SIGNATURE, *(known[name] for name in parts.split())]))


def test_a_chunk_that_a_decoder_must_know_is_refused_by_name() -> None:
    answer = read(png(GREY, before=[chunk(b"CgBI", b"\0" * 4)]))
    assert "CgBI" in str(answer.error)


@pytest.mark.parametrize("surplus", [1, 100, 300])
@pytest.mark.parametrize("colours", [64, 256])
def test_alpha_of_colours_that_a_palette_does_not_have_changes_nothing(
    surplus: int, colours: int
) -> None:
    samples = np.minimum(GREY, colours - 1)
    palette = chunk(b"PLTE", bytes(value for value in range(colours) for _ in range(3)))
    alpha = bytes([255, 99] * (colours // 2))
    usual, more = (
        read(png(samples, 3, before=[palette, chunk(b"tRNS", one)]))
        for one in (alpha, alpha + bytes(surplus))
    )
    assert more.error is None
    assert np.array_equal(more.pixels, usual.pixels)


def test_a_palette_with_alpha_makes_no_library_print(capfd: pytest.CaptureFixture[str]) -> None:
    palette = chunk(b"PLTE", bytes(value for value in range(256) for _ in range(3)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = read(png(GREY, 3, before=[palette, chunk(b"tRNS", b"\xff" * 99)]))
    assert np.array_equal(answer.pixels[0], GREY)
    assert answer.conversion == ""
    assert caught == []
    assert capfd.readouterr().err == ""


# PNG: metadata


HARMLESS = {
    "text of 2 MB": (chunk(b"zTXt", b"workflow\0\0" + zlib.compress(MEGABYTES)), "larger than"),
    "plain text of 2 MB": (chunk(b"tEXt", b"workflow\0" + MEGABYTES), "larger than"),
    "international text of 2 MB": (
        chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(MEGABYTES)), "larger than"
    ),
    "a colour profile of 2 MB": (
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(MEGABYTES)), "larger than"
    ),
    "an exif text of 2 MB": (
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(MEGABYTES)), "larger than"
    ),
    "text that is no packed data": (chunk(b"zTXt", b"a\0\0nonsense"), ""),
    "a colour profile that is none": (chunk(b"iCCP", b"a\0\7nonsense"), ""),
    "text with a wrong checksum": (chunk(b"tEXt", b"a\0b")[:-1] + b"!", "tEXt is damaged"),
    "EXIF that is none": (chunk(b"eXIf", b"\0\x08\0\2nonsense"), "EXIF cannot be read"),
    "EXIF that is cut off": (chunk(b"eXIf", b"II*\0\x08\0\0\0\xff"), ""),
    "a chunk of somebody's own": (chunk(b"prVt", b"anything"), ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", HARMLESS)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_metadata_of_a_png_change_nothing_and_are_said(kind: str, place: str) -> None:
    part, said = HARMLESS[kind]
    assert said in intact(png(GREY, **{place: [part]}))


def test_an_orientation_is_obeyed_though_its_checksum_is_wrong() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    part = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    turned = np.ascontiguousarray(np.rot90(GREY))
    answer = read(png(turned, before=[part[:-1] + bytes([part[-1] ^ 1])]))
    assert np.array_equal(answer.pixels[0], GREY)
    assert "orientation" in answer.conversion
    assert "eXIf is damaged" in answer.remark


def test_what_lies_behind_a_pngs_end_changes_nothing_and_is_said() -> None:
    assert intact(PLAIN + b"junk") == "has 4 bytes behind its end"
    assert intact(PLAIN) == ""


def test_a_bomb_of_text_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zlib.compress(bytes(1 << 26))
    real, unpacked = zlib.decompressobj, []

    class Watched:
        def __init__(self) -> None:
            self.real = real()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def decompress(self, packed: bytes, length: int) -> bytes:
            piece = self.real.decompress(packed, length)
            if len(piece) > GREY.size + len(GREY):  # no pixels
                unpacked.append(len(piece))
            return piece

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    assert "larger" in intact(png(GREY, before=[chunk(b"zTXt", b"a\0\0" + packed)]))
    assert unpacked
    assert sum(unpacked) <= (1 << 20) + 1


def test_check_warns_of_metadata_and_never_calls_such_a_file_bad(tmp_path: Path) -> None:
    for number, (part, _) in enumerate(HARMLESS.values()):
        samples = np.roll(GREY, number)
        (tmp_path / f"{number:02}.png").write_bytes(png(samples, before=[part]))
    checked = check_folder(tmp_path)
    assert checked.bad == {}
    assert {one.kind for one in checked.findings} == {"metadata"}
    warned = sum(bool(said) for _, said in HARMLESS.values())
    assert len(checked.findings) == warned
    assert all("changes no pixel" in one.reason for one in checked.findings)


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("exif", [b"nonsense", b"II*\0\xff\xff\0\0", b"II*\0\x08\0\0\0\xff\xff"])
def test_broken_exif_of_other_formats_changes_nothing(form: str, exif: bytes) -> None:
    picture = Image.fromarray(GREY)
    plain = saved(picture, form)
    if form == "TIFF":  # a directory that lies outside of the file
        broken = saved(picture, form, tiffinfo={34665: 99_999_999})
    else:
        broken = saved(picture, form, exif=b"Exif\0\0" + exif)
    assert broken != plain
    answer = read(broken)
    assert answer.error is None
    assert np.array_equal(answer.pixels, read(plain).pixels)
    assert (answer.remark == "EXIF cannot be read") == (exif == b"nonsense" and form != "TIFF")


def test_a_tiffs_broken_directories_of_metadata_change_nothing() -> None:
    for tag in (330, 34665, 34853, 40965):
        content = tiff(GREY, 8, **{f"t{tag}": 0xFFFFFFFF})
        signed = struct.pack("<HHI", tag, 9, 1)  # before the file's beginning
        assert intact(content.replace(struct.pack("<HHI", tag, 4, 1), signed)) == ""


# JPEG


PHOTO = Image.fromarray(data.astronaut()[:256, :256])
SCANS = {"baseline": {}, "progressive": {"progressive": True}, "grey": {},
         "restarts": {"restart_marker_rows": 2}}  # fmt: skip


def jpeg(kind: str) -> bytes:
    return saved(PHOTO.convert("L") if kind == "grey" else PHOTO, "JPEG", **SCANS[kind])


@pytest.mark.parametrize("kind", SCANS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9", b"\0" * 999, b"\0" * 999 + b"\xff\xd9"])
def test_a_jpeg_without_all_of_its_data_is_damaged(kind: str, share: float, end: bytes) -> None:
    content = jpeg(kind)
    refused(content[: int(len(content) * share)] + end)


def test_a_jpeg_without_its_last_scan_is_damaged() -> None:
    content = jpeg("progressive")
    scans = [one.start() for one in re.finditer(rb"\xff\xda", content)]
    assert len(scans) > 5
    for start in scans[1:]:
        assert "scans of the JPEG are missing" in refused(content[:start] + b"\xff\xd9")


def test_a_jpeg_without_its_last_two_bytes_is_damaged() -> None:
    for kind in SCANS:
        refused(jpeg(kind)[:-2])


@pytest.mark.parametrize("kind", SCANS)
def test_an_intact_jpeg_is_read_whatever_lies_behind_it(kind: str) -> None:
    content = jpeg(kind)
    expected = read(content)
    assert expected.error is None
    for other in (content + b"a phone's moving picture", content[:-2] + b"\0\0" + content[-2:]):
        answer = read(other)
        assert np.array_equal(answer.pixels, expected.pixels)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("keys", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 100}])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (64, 64)])
def test_no_intact_jpeg_is_called_damaged(mode: str, keys: Any, size: Any) -> None:
    picture = PHOTO.resize(size).convert(mode)
    assert read(saved(picture, "JPEG", **keys)).error is None


@pytest.mark.parametrize(
    "broken",
    [
        b"\xff\xe0\0\7JFIF\0", b"\xff\xe0\0\x0bJFIF\0\1\1\0\0", b"\xff\xee\0\7Adobe",
        b"\xff\xee\0\x0aAdobe\0\x64\0", b"\xff\xe2\0\x0eICC_PROFILE\0", b"\xff\xe0\0\2",
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_header_of_a_jpeg_that_is_cut_short_changes_nothing(mode: str, broken: bytes) -> None:
    content = saved(PHOTO.convert(mode), "JPEG")
    answer = read(content[:2] + broken + content[2:])
    assert answer.error is None
    assert np.array_equal(answer.pixels, read(content).pixels)


def test_data_of_a_jpeg_are_checked_by_another_decoder_only_if_its_size_is_safe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *_, **__: pytest.fail("was called"))
    assert "bomb" in str(read(jpeg("baseline")).error)


# TIFF


@pytest.mark.parametrize("packing", ["tiff_adobe_deflate", "lzma"])
def test_any_changed_bit_of_a_packed_tiff_with_checksums_is_damage(packing: str) -> None:
    content = saved(Image.fromarray(GREY), "TIFF", compression=packing)
    tags = Image.open(io.BytesIO(content)).tag_v2
    start, length = tags[273][0], tags[279][0]
    for place in range(start, start + length, 3):
        changed = bytearray(content)
        changed[place] ^= 4
        answer = read(bytes(changed))
        assert answer.error is not None or np.array_equal(answer.pixels[0], GREY), place


def in_parts(samples: NDArray[Any], drop: int, **options: Any) -> bytes:
    """A TIFF of strips or tiles whose tags leave out the last ones."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, samples, **options)
    content = stream.getvalue()
    for tag in (273, 279, 324, 325):
        line = re.search(struct.pack("<HH", tag, 3) + b"|" + struct.pack("<HH", tag, 4), content)
        if line:
            place = line.start() + 4
            count = struct.unpack("<I", content[place : place + 4])[0] - drop
            content = content[:place] + struct.pack("<I", count) + content[place + 4 :]
    return content


PARTS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 5}, "tiles": {"tile": (16, 16)},
    "packed strips": {"rowsperstrip": 5, "compression": "zlib"},
    "packed tiles": {"tile": (16, 16), "compression": "zlib"},
}  # fmt: skip


@pytest.mark.parametrize("kind", [*PARTS, "planes"])
def test_a_tiff_that_lacks_strips_tiles_or_planes_is_damaged(kind: str) -> None:
    samples, options = GREY, PARTS.get(kind, {})
    if kind == "planes":
        samples = np.stack([GREY] * 3)
        options = {"rowsperstrip": 7, "photometric": "rgb", "planarconfig": "separate"}
    intact(in_parts(samples, 0, **options))
    for drop in (1, 2):
        assert "parts that its size demands" in refused(in_parts(samples, drop, **options))


def test_a_strip_that_lies_outside_of_the_file_or_is_too_short_is_damage() -> None:
    plain = tiff(GREY, 8)
    assert intact(plain) == intact(tiff(GREY, 8, t279=400)) == ""
    for start in (0, 5, len(plain) - 1, 1 << 31):
        line = struct.pack("<HHI", 273, 4, 1)
        place = plain.index(line) + len(line)
        moved = plain[:place] + struct.pack("<I", start) + plain[place + 4 :]
        assert "do not fit" in refused(moved)
    assert "parts that its size demands" in refused(tiff(GREY, 8, t278=10))


def test_a_tiff_without_a_tag_is_damaged() -> None:
    refused(b"II*\0\x08\0\0\0\0\0\0\0\0\0")
    said = refused(tiff(GREY, 8).replace(struct.pack("<HH", 256, 4), struct.pack("<HH", 255, 4)))
    assert "without whole tags: its size is missing" in said
    refused(b"II*\0\x08\0\0\0")


def jpeg_tiff(content: bytes, size: int) -> bytes:
    """A grey TIFF of one strip, which is a JPEG."""
    plain = tiff(np.zeros((size, size), np.uint8), 8, t259=7, t279=len(content))
    return plain[: -size * size] + content


@pytest.mark.parametrize("kind", ["grey", "grey progressive"])
def test_a_jpeg_within_a_tiff_is_checked_as_one_in_a_file_is(kind: str) -> None:
    content = saved(PHOTO.convert("L"), "JPEG", progressive="progressive" in kind)
    whole = read(jpeg_tiff(content, 256))
    assert whole.error is None
    assert np.array_equal(whole.pixels, read(content).pixels)
    for share in (0.3, 0.8, 0.95):
        for end in (b"", b"\xff\xd9"):
            refused(jpeg_tiff(content[: int(len(content) * share)] + end, 256))


def test_jpegs_of_a_tiff_that_share_tables_are_checked_one_by_one() -> None:
    content = saved(PHOTO, "TIFF", compression="jpeg", strip_size=256 * 3 * 64)
    tags = Image.open(io.BytesIO(content)).tag_v2
    assert len(tags[273]) > 2
    assert len(tags[347]) > 100
    assert read(content).error is None
    start, length = tags[273][1], tags[279][1]
    hole = slice(start + length // 2, start + length - 2)
    refused(content[: hole.start] + bytes(hole.stop - hole.start) + content[hole.stop :])


def test_a_jpeg_of_grey_and_alpha_within_a_tiff_is_not_called_damaged() -> None:
    assert read(saved(PHOTO.convert("LA"), "TIFF", compression="jpeg")).error is None


def test_a_jpeg_within_a_tiff_that_says_it_is_huge_is_not_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = saved(PHOTO.convert("L"), "JPEG")
    place = content.index(b"\xff\xc0") + 5
    huge = content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :]
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *_, **__: pytest.fail("was called"))
    assert "bomb" in str(read(jpeg_tiff(huge, 256)).error)


def test_old_jpeg_data_in_a_tiff_are_refused_and_not_called_damaged() -> None:
    answer = read(tiff(GREY, 8, t259=6))
    assert "old JPEG" in str(answer.error)
    assert "damaged" not in str(answer.error)


def test_what_libtiff_prints_becomes_the_error_and_is_not_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    picture = Image.fromarray(GREY).convert("1")
    content = saved(picture, "TIFF", compression="group3")
    tags = Image.open(io.BytesIO(content)).tag_v2
    said = []
    for place in range(tags[273][0], tags[273][0] + tags[279][0] - 2, 3):
        answer = read(content[:place] + b"\0\0" + content[place + 2 :])
        said.append(str(answer.error))
    fax = [one for one in said if "(Fax3" in one]
    assert fax
    assert all(one.startswith("'a.png' is truncated or damaged (Fax3") for one in fax)
    assert capfd.readouterr().err == ""


def test_the_process_keeps_its_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    read(saved(Image.fromarray(GREY), "TIFF", compression="tiff_lzw"))
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"

"""Damaged PNGs are refused, and broken metadata of any format change nothing."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damaged_pictures import GREY, intact, read, refused, saved
from PIL import Image
from raw_images import SIGNATURE, chunk, png

from gandetect.data.integrity import check_folder

MEGABYTES = b"workflow" * (1 << 18)  # two of them


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

"""What headers tell of image files, and that only headers are read."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from photographs import patches
from PIL import Image
from raw_images import chunk, png

from gandetect.data.file_facts import LOOKS_AT, file_facts, file_features
from gandetect.errors import DataError


def saved(path: Path, **how: object) -> Path:
    Image.fromarray(patches()[0]).save(path, **how)
    return path


@pytest.mark.parametrize("quality", [1, 20, 50, 75, 90, 95, 100])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(tmp_path: Path, quality: int) -> None:
    facts = file_facts(saved(tmp_path / "a.jpg", quality=quality))
    assert facts.quality == quality
    assert [len(table) for table in facts.tables] == [64, 64]


def test_subsampling_and_progression_of_a_jpeg_are_told(tmp_path: Path) -> None:
    fine = file_facts(saved(tmp_path / "a.jpg", subsampling=0))
    coarse = file_facts(saved(tmp_path / "b.jpg", subsampling=2, progressive=True))
    assert (fine.subsampling, fine.progressive) == (0, False)
    assert (coarse.subsampling, coarse.progressive) == (2, True)


def test_format_size_and_metadata_are_told(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "camera"
    with_exif = file_facts(saved(tmp_path / "a.jpg", exif=exif))
    plain = file_facts(saved(tmp_path / "a.png"))
    assert (with_exif.exif, plain.exif) == (True, False)
    assert (plain.format, plain.mode, plain.width, plain.height) == ("PNG", "RGB", 96, 96)
    assert plain.bytes == (tmp_path / "a.png").stat().st_size
    assert plain.quality is None
    assert plain.tables == ()


def test_the_picture_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [saved(tmp_path / "a.jpg"), saved(tmp_path / "a.png")]

    def refuse(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    assert [file_facts(path).width for path in paths] == [96, 96]


def test_every_probe_has_numbers_for_every_kind_of_file(tmp_path: Path) -> None:
    facts = [file_facts(saved(tmp_path / f"a.{form}")) for form in ("jpg", "png", "webp", "bmp")]
    features = file_features(facts)
    assert set(features) == set(LOOKS_AT)
    for values in features.values():
        assert values.dtype == np.float64
        assert len(values) == len(facts)
    assert (features["JPEG tables"][1:] == -9).all()
    assert features["JPEG tables"][0].min() >= 0
    np.testing.assert_allclose(features["bytes a pixel"][3], facts[3].bytes / 96**2)
    assert len(np.unique(features["file format"], axis=0)) == len(facts)


def test_what_is_no_image_is_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(DataError, match=r"text\.jpg' is no image"):
        file_facts(tmp_path / "text.jpg")
    with pytest.raises(DataError, match="cannot be read"):
        file_facts(tmp_path / "missing.png")


def test_large_metadata_of_a_png_are_facts_and_no_hindrance(tmp_path: Path) -> None:
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 22)))
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 22)))
    (tmp_path / "a.png").write_bytes(png(np.zeros((9, 7), np.uint8), before=[profile, text]))
    facts = file_facts(tmp_path / "a.png")
    assert (facts.icc_profile, facts.exif, facts.width, facts.height) == (True, False, 7, 9)


def test_what_a_conversion_obeys_is_told(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = file_facts(saved(tmp_path / "a.jpg", exif=exif))
    assert (turned.orientation, turned.depth, turned.transparency) == (6, 8, False)
    assert file_facts(saved(tmp_path / "b.png", exif=exif)).orientation == 6
    assert file_facts(saved(tmp_path / "c.jpg", icc_profile=bytes(300))).icc_profile == 300
    clear = Image.fromarray(patches()[0]).convert("RGBA")
    clear.putalpha(100)
    clear.save(tmp_path / "d.webp")
    clear.quantize(16).save(tmp_path / "e.png")
    assert file_facts(tmp_path / "d.webp").transparency
    assert file_facts(tmp_path / "e.png").transparency
    deep = Image.fromarray(patches()[0][..., 0].astype(np.uint16) * 257)
    for name in ("f.png", "f.tif"):
        deep.save(tmp_path / name)
        assert file_facts(tmp_path / name).depth == 16
    assert file_facts(saved(tmp_path / "g.tif")).depth == 8

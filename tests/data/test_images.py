"""Any image file becomes ``(C, size, size) uint8``, or one clear sentence."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gandetect.data.images import find_images, read_image
from gandetect.data.reading import examine
from gandetect.data.streaming import DecodeOptions, decode
from gandetect.errors import DataError

Pixels = NDArray[np.uint8]


@pytest.fixture
def grey() -> Pixels:
    """A picture with every value: 28 x 28, no symmetry."""
    return (np.arange(784) * 7 % 256).astype(np.uint8).reshape(28, 28)


def _save(picture: Image.Image, path: Path, **options: object) -> Path:
    picture.save(path, **options)
    return path


def _flat(mode: str, color: object, size: tuple[int, int] = (28, 28)) -> Image.Image:
    return Image.new(mode, size, color)  # type: ignore[arg-type]


def test_a_grey_png_of_the_right_size_is_kept_bit_for_bit(tmp_path: Path, grey: Pixels) -> None:
    path = _save(Image.fromarray(grey), tmp_path / "a.png")
    for fit in ("pad", "crop", "stretch"):
        image = read_image(path, fit=fit)
        assert image.shape == (1, 28, 28)
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        assert np.array_equal(image[0], grey)


def test_a_colour_png_of_the_right_size_is_kept_bit_for_bit(tmp_path: Path, grey: Pixels) -> None:
    pixels = np.stack([grey, grey.T, 255 - grey], axis=-1)
    image = read_image(_save(Image.fromarray(pixels), tmp_path / "a.png"), channels=3)
    assert image.flags.c_contiguous
    assert np.array_equal(image, pixels.transpose(2, 0, 1))


def test_grey_in_three_channels_is_the_same_in_each(tmp_path: Path, grey: Pixels) -> None:
    image = read_image(_save(Image.fromarray(grey), tmp_path / "a.png"), channels=3)
    assert np.array_equal(image, np.stack([grey] * 3))


def test_colour_becomes_luminance(tmp_path: Path) -> None:
    image = read_image(_save(_flat("RGB", (255, 0, 0)), tmp_path / "a.png"))
    assert (image == 76).all()  # 0.299 * 255


@pytest.mark.parametrize(("background", "expected"), [(0, 0), (255, 255), (80, 80)])
def test_transparency_is_laid_over_the_background(
    tmp_path: Path, background: int, expected: int
) -> None:
    picture = _flat("RGBA", (200, 200, 200, 0))
    picture.paste((200, 200, 200, 255), (0, 0, 14, 28))
    image = read_image(_save(picture, tmp_path / "a.png"), background=background)
    assert (image[0, :, :14] == 200).all()
    assert (image[0, :, 14:] == expected).all()


def test_half_transparency_mixes(tmp_path: Path) -> None:
    for mode, color in (("RGBA", (200, 200, 200, 128)), ("LA", (200, 128))):
        image = read_image(_save(_flat(mode, color), tmp_path / f"{mode}.png"), background=100)
        assert np.abs(image.astype(int) - 150).max() <= 1


def test_a_palette_with_transparency_is_laid_over_the_background(tmp_path: Path) -> None:
    picture = Image.new("P", (28, 28), 0)
    picture.putpalette([10, 10, 10, 240, 240, 240])
    picture.paste(1, (0, 0, 28, 14))
    path = _save(picture, tmp_path / "a.png", transparency=0)
    image = read_image(path, background=77)
    assert (image[0, :14] == 240).all()
    assert (image[0, 14:] == 77).all()


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    picture = _flat("1", 0)
    picture.paste(1, (0, 0, 14, 28))
    image = read_image(_save(picture, tmp_path / "a.png"))
    assert sorted(np.unique(image)) == [0, 255]


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path, grey: Pixels, suffix: str) -> None:
    path = _save(Image.fromarray(grey.astype(np.uint16) * 257), tmp_path / f"a.{suffix}")
    assert np.array_equal(read_image(path)[0], grey)


def test_a_dark_sixteen_bit_png_stays_dark(tmp_path: Path) -> None:
    pixels = np.full((28, 28), 200, np.uint16)  # 200 of 65,535 is nearly black
    for suffix in ("png", "tiff", "pgm"):
        image = read_image(_save(Image.fromarray(pixels), tmp_path / f"a.{suffix}"))
        assert (image == 1).all()


def test_cmyk_becomes_what_it_looks_like(tmp_path: Path) -> None:
    picture = _flat("RGB", (200, 60, 60)).convert("CMYK")
    image = read_image(_save(picture, tmp_path / "a.jpg", quality=95), channels=3)
    assert np.abs(image.astype(int) - np.array([200, 60, 60])[:, None, None]).max() <= 4


def test_of_an_animation_the_first_frame_counts(tmp_path: Path) -> None:
    frames = [_flat("L", value) for value in (30, 200, 120)]
    for suffix in ("gif", "png", "webp", "tiff"):
        path = tmp_path / f"a.{suffix}"
        options = {"lossless": True} if suffix == "webp" else {}
        frames[0].save(path, save_all=True, append_images=frames[1:], **options)
        assert (read_image(path) == 30).all(), suffix


def test_the_orientation_in_exif_is_obeyed(tmp_path: Path, grey: Pixels) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to look at it
    path = _save(Image.fromarray(grey), tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(path)[0], np.rot90(grey, -1))


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """White, twice as wide as high, with a black left quarter."""
    picture = _flat("L", 255, (112, 56))
    picture.paste(0, (0, 0, 28, 56))
    return _save(picture, tmp_path / "wide.png")


def test_pad_keeps_the_shape_and_fills_with_the_background(wide: Path) -> None:
    image = read_image(wide, fit="pad", background=90)[0]
    assert (image[:7] == 90).all()
    assert (image[21:] == 90).all()
    assert (image[7:21, :6] < 5).all()
    assert (image[7:21, 9:] > 250).all()


def test_crop_takes_the_centre(wide: Path) -> None:
    assert (read_image(wide, fit="crop") == 255).all()


def test_stretch_ignores_the_shape(wide: Path) -> None:
    image = read_image(wide, fit="stretch", background=90)[0]
    assert (image[:, :6] < 5).all()
    assert (image[:, 9:] > 250).all()


def test_an_image_with_one_right_side_is_padded_without_resampling(
    tmp_path: Path, grey: Pixels
) -> None:
    path = _save(Image.fromarray(grey[:20]), tmp_path / "a.png")
    image = read_image(path, fit="pad", background=5)[0]
    assert np.array_equal(image[4:24], grey[:20])
    assert (image[:4] == 5).all()
    assert (image[24:] == 5).all()


def test_colour_is_padded_with_the_background_too(tmp_path: Path) -> None:
    path = _save(_flat("RGB", (1, 2, 3), (10, 40)), tmp_path / "a.png")
    image = read_image(path, channels=3, size=32, background=9)
    assert (image[:, :, :12] == 9).all()
    assert (image[:, :, 12:20] == np.array([1, 2, 3])[:, None, None]).all()


def test_shrinking_averages_rather_than_picks(tmp_path: Path) -> None:
    checks = (np.indices((280, 280)).sum(0) % 2 * 255).astype(np.uint8)
    image = read_image(_save(Image.fromarray(checks), tmp_path / "a.png"))
    assert np.abs(image.astype(int) - 127).max() <= 3


@pytest.mark.parametrize("size", [(200_000, 1), (1, 200_000)])
def test_a_very_long_strip_does_not_fill_the_memory(tmp_path: Path, size: tuple[int, int]) -> None:
    path = _save(_flat("L", 255, size), tmp_path / "strip.png")
    for fit in ("pad", "crop", "stretch"):
        assert read_image(path, fit=fit).max() == 255


def _refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_image(path)
    message = str(caught.value)
    assert message.startswith(repr(str(path)))
    assert "\n" not in message
    return message.removeprefix(repr(str(path))).strip()


def _encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(buffer, form)
    return buffer.getvalue()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "none.png").startswith("does not exist")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert _refusal(tmp_path) == "is a folder, not an image"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert _refusal(tmp_path / "a.png").startswith("is empty (0 bytes)")


def test_a_text_file_is_refused_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("Dear moderator, this is not a picture.\n")
    assert _refusal(tmp_path / "a.png").startswith("is not an image")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF"])
def test_a_truncated_image_is_refused(tmp_path: Path, form: str) -> None:
    content = _encoded(form)
    path = tmp_path / f"a.{form.lower()}"
    path.write_bytes(content[: len(content) // 2])
    assert "truncated" in _refusal(path) or "damaged" in _refusal(path)


@pytest.mark.parametrize("limit", [100, 400], ids=["error range", "warning range"])
def test_a_decompression_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    path = _save(_flat("L", 0, (28, 28)), tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    assert _refusal(path).startswith(f"has more than {limit} pixels")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 784)
    assert read_image(path).shape == (1, 28, 28)


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert _refusal(tmp_path / "a.png").startswith("is not a regular file")


def test_a_name_that_no_system_takes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".png")
    assert "too long" in _refusal(path)
    with pytest.raises(DataError, match="does not exist"):
        list(find_images([path]))


def test_what_may_not_be_read_is_refused(
    tmp_path: Path, without_privileges: Callable[[], AbstractContextManager[None]]
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    path = _save(_flat("L", 0), secret / "a.png")
    read_image(path)
    secret.chmod(0)
    try:
        with without_privileges():
            assert _refusal(path) == "cannot be read: permission denied"
    finally:
        secret.chmod(0o700)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_whatever_bytes_are_damaged_there_is_an_image_or_one_sentence(
    tmp_path: Path, form: str
) -> None:
    generator = np.random.default_rng(0)
    content = _encoded(form)
    path = tmp_path / "a.png"
    for _ in range(60):
        damaged = bytearray(content)
        for position in generator.integers(0, min(len(damaged), 400), 4):
            damaged[position] = generator.integers(0, 256)
        path.write_bytes(damaged)
        try:
            assert read_image(path).shape == (1, 28, 28)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_whatever_a_decoder_dies_of_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*_: object, **__: object) -> Image.Image:
        return struct.unpack("<I", b"")  # type: ignore[return-value]

    path = _save(_flat("L", 0), tmp_path / "a.png")
    monkeypatch.setattr(Image, "open", dying)
    assert _refusal(path).startswith("is damaged and cannot be decoded (unpack requires")


def test_whatever_a_conversion_dies_of_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _save(_flat("RGBA", 0), tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "convert", lambda *_: {}["nothing"])
    assert _refusal(path).startswith("is damaged and cannot be decoded")
    assert "cannot be decoded" in str(decode(path, DecodeOptions(1, 28, "pad", 0)).error)
    assert "cannot be decoded" in str(examine(path).error)


def _touch(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def test_folders_are_walked_sorted_and_hidden_files_are_skipped(tmp_path: Path) -> None:
    _touch(tmp_path, "b.png", "a.JPG", "z/c.gif", "d/e/f.tiff", "notes.txt", "d/readme.md")
    _touch(tmp_path, ".hidden.png", ".cache/g.png", "d/.h.png")
    found = [str(path.relative_to(tmp_path)) for path in find_images([tmp_path])]
    assert found == ["a.JPG", "b.png", "d/e/f.tiff", "z/c.gif"]


def test_files_are_taken_as_given_whatever_their_name(tmp_path: Path) -> None:
    paths = _touch(tmp_path, "z", "a.txt", ".hidden.png")
    assert list(find_images(paths)) == paths


@pytest.mark.parametrize(
    "name",
    ["with space.png", "übung-鞋-👟.png", "two\nlines.png", "-dash.png", "--help.png", 'a,b".png'],
)
def test_odd_names_are_found_and_read(tmp_path: Path, grey: Pixels, name: str) -> None:
    path = tmp_path / name
    Image.fromarray(grey).save(path, "PNG")
    assert list(find_images([tmp_path])) == [path]
    assert np.array_equal(read_image(path)[0], grey)


def test_a_name_of_undecodable_bytes_is_found_read_and_shown(tmp_path: Path, grey: Pixels) -> None:
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with os.fdopen(descriptor, "wb") as file:
        file.write(buffer.getvalue())
    (found,) = find_images([tmp_path])
    assert os.fsencode(found) == name
    assert np.array_equal(read_image(found)[0], grey)
    found.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        read_image(found)
    str(caught.value).encode()  # can be printed


def test_a_folder_without_pictures_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no image files: it is empty"):
        list(find_images([tmp_path]))
    _touch(tmp_path, "notes.txt", ".hidden.png")
    with pytest.raises(DataError, match=r"1 file is no picture: .txt; 1 hidden .*: .hidden.png"):
        list(find_images([tmp_path]))


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none' does not exist; give an image file or a folder"):
        list(find_images([tmp_path / "none"]))


def test_a_broken_link_is_left_to_reading(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    (found,) = find_images([tmp_path])
    assert _refusal(found).startswith("does not exist")


def test_links_that_go_round_in_circles_are_not_followed(tmp_path: Path) -> None:
    _touch(tmp_path, "a/b.png")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert len(list(find_images([tmp_path]))) == 1


def test_a_folder_that_may_not_be_listed_is_not_passed_over_in_silence(
    tmp_path: Path,
    without_privileges: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _touch(tmp_path, "open.png", "closed/secret.png")
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    (tmp_path / "closed").chmod(0)
    try:
        with without_privileges():
            found = list(find_images([Path()]))
            assert found == [Path("open.png"), Path("closed")]
            assert _refusal(found[1]) == "cannot be read: permission denied"
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_finding_is_lazy(tmp_path: Path) -> None:
    _touch(tmp_path, "a.png")
    endless = iter(lambda: tmp_path / "a.png", None)
    found = find_images(endless)
    assert next(found) == next(found) == tmp_path / "a.png"

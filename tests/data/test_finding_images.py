"""Images are found in folders, in order, whatever their names."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from image_files import Pixels, grey_picture, refusal
from PIL import Image

from gandetect.data.images import find_images, read_image
from gandetect.errors import DataError


@pytest.fixture
def grey() -> Pixels:
    return grey_picture()


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
    assert refusal(found).startswith("does not exist")


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
            assert refusal(found[1]) == "cannot be read: permission denied"
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_finding_is_lazy(tmp_path: Path) -> None:
    _touch(tmp_path, "a.png")
    endless = iter(lambda: tmp_path / "a.png", None)
    found = find_images(endless)
    assert next(found) == next(found) == tmp_path / "a.png"


def test_a_detector_given_as_images_is_named(tmp_path) -> None:
    (tmp_path / "detector.json").write_text("{}")
    with pytest.raises(DataError, match="is a detector, and not a folder of images; give one at"):
        list(find_images([tmp_path]))

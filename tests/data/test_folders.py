"""Every file of a folder is a picture or is told, with the reason why it is none."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandetect.data.folders import (
    AGAIN,
    CYCLE,
    DENIED,
    HIDDEN,
    KINDS,
    NO_PICTURE,
    Found,
    PassedOver,
    behind_a_link,
    walk,
)
from gandetect.data.signatures import FORMATS, START, SUFFIXES, picture_format

GREY = (np.arange(784) % 256).astype(np.uint8).reshape(28, 28)


def saved(form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, form, **options)
    return stream.getvalue()


def found(folder: Path) -> dict[str, str]:
    return {one.path.relative_to(folder).as_posix(): one.passed for one in walk(folder)}


def filled(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


# Content


@pytest.mark.parametrize("form", [*FORMATS, "MPO"])
def test_pictures_of_every_format_that_is_read_are_known_by_their_first_bytes(form: str) -> None:
    start = saved(form, **({"save_all": True} if form == "MPO" else {}))[:START]
    assert picture_format(start) == ("JPEG" if form == "MPO" else form)


@pytest.mark.parametrize(
    ("start", "form"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x14ftypavif\0\0\0\0mif1", "AVIF"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "camera raw"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\xff\x0a\xfa", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\1\0\1\0\x20\x20\0\0\1\0", "ICO"),
        (b"P5\n# a comment\n28 28\n255\n", "PPM"),
        (b"P6\r# a comment\r# another\r28 28\r255\r", "PPM"),
        ((b"P5\n# " + b"c" * 200)[:START], "PPM"),
        ((b"P2 " + b"# cccccccc\n" * 20)[:START], "PPM"),
        (b"\0" * 128 + b"DICM", "DICOM"),
    ],
)
def test_pictures_that_are_not_read_are_known_too(start: bytes, form: str) -> None:
    assert picture_format(start) == form


@pytest.mark.parametrize(
    "start",
    [
        b"", b"\xff\xd8", b"P1 is the first of the points", b"P1 # a note", b"P1" + b" " * 99,
        (b"P1 # a note\nand more" * START)[:START], (b"P1# " + b"n" * START)[: START - 1],
 b"BMW and others\n" * 3,
        b"(\0\0\0 text",
        b"\0\0\0\x18ftypisom\0\0\0\0mp41isom", b"RIFF\0\0\0\0WAVEfmt ", b"%PDF-1.7", b"\x7fELF",
        b"PK\x03\x04", b"id,label\n1,real\n", b'{"a": 1}', b"PAR1", b"\0" * START, b"<svg",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
    ],
)  # fmt: skip
def test_other_files_are_no_pictures(start: bytes) -> None:
    assert picture_format(start) is None


@pytest.mark.parametrize(
    "name", ["a", "a.jpg_large", "a.jpg.1", "a.jpg ", "a.txt", "a.jfif", "a.jpe", "a.PJPEG", "ü"]
)
def test_a_picture_is_found_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(saved("JPEG"))
    assert found(tmp_path) == {name: ""}


def test_what_has_a_pictures_name_is_left_to_its_reader(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        (tmp_path / f"a{suffix}").touch()
    assert set(found(tmp_path).values()) == {""}


def test_files_with_a_pictures_name_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million of them would take as long as a million openings."""
    filled(tmp_path, **{"a.png": b"", "b.JPG": b"", "c.txt": b""})
    opened, real = [], Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *rest, **keys: opened.append(path) or real(path, *rest, **keys)
    )
    list(walk(tmp_path))
    assert [path.name for path in opened] == ["c.txt"]


def test_every_file_is_told_once_sorted_folder_by_folder(tmp_path: Path) -> None:
    filled(tmp_path, **{"b.png": b"", "Thumbs.db": b"x", ".DS_Store": b"", "a": saved("PNG")})
    filled(tmp_path / "z", **{"notes.txt": b"words"})
    filled(tmp_path / ".git", **{"c.png": b""})
    filled(tmp_path / "__MACOSX", **{"d.png": b""})
    assert list(found(tmp_path).items()) == [
        (".git", HIDDEN), ("__MACOSX", HIDDEN), (".DS_Store", HIDDEN), ("Thumbs.db", NO_PICTURE),
        ("a", ""), ("b.png", ""), ("z/notes.txt", NO_PICTURE),
    ]  # fmt: skip


def test_pipes_and_links_to_nothing_are_told_and_block_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    assert found(tmp_path) == {
        "pipe": "is not a regular file",
        "gone": "is a link that leads to nothing",
        "self": "is a link that leads to nothing",
    }


def test_what_may_not_be_read_is_left_to_its_reader(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    without_privileges: Callable[[], AbstractContextManager[None]],
) -> None:
    filled(tmp_path, secret=b"x")
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "secret").chmod(0)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with without_privileges():
        assert found(Path()) == {"secret": "", "closed": DENIED}


# Links


def test_linked_folders_are_read_behind_the_others(tmp_path: Path) -> None:
    filled(tmp_path / "elsewhere" / "deep", **{"c.png": b"", "no.txt": b""})
    filled(tmp_path / "data", **{"b.png": b""})
    (tmp_path / "data" / "a").symlink_to("../elsewhere")
    assert list(found(tmp_path / "data").items()) == [
        ("b.png", ""), ("a/deep/c.png", ""), ("a/deep/no.txt", NO_PICTURE)
    ]  # fmt: skip


def test_a_folder_is_read_once_and_under_its_own_name(tmp_path: Path) -> None:
    filled(tmp_path / "own", **{"a.png": b""})
    filled(tmp_path.parent / "other", **{"b.png": b""})
    (tmp_path / "an-own-link").symlink_to("own")
    for name in ("first", "second"):
        (tmp_path / name).symlink_to("../other")
    assert found(tmp_path) == {
        "own/a.png": "", "first/b.png": "", "an-own-link": AGAIN, "second": AGAIN
    }  # fmt: skip


def test_links_that_lead_in_circles_are_named_and_not_followed(tmp_path: Path) -> None:
    data = filled(tmp_path / "data" / "deep", **{"a.png": b""}).parent
    (data / "deep" / "up").symlink_to("..")
    (data / "out").symlink_to("../..")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "back").symlink_to("../data/deep")
    (data / "there").symlink_to("../other")
    assert found(data) == {
        "deep/a.png": "", "deep/up": CYCLE, "out": CYCLE, "there/back": AGAIN
    }  # fmt: skip


def test_a_folder_that_is_given_as_a_link_is_read(tmp_path: Path) -> None:
    filled(tmp_path / "data", **{"a.png": b""})
    (tmp_path / "link").symlink_to("data")
    assert found(tmp_path / "link") == {"a.png": ""}


def test_what_is_behind_a_link_is_told_from_a_linked_file(tmp_path: Path) -> None:
    filled(tmp_path / "elsewhere" / "deep", **{"a.png": b""})
    data = filled(tmp_path / "data" / "own", **{"b.png": b""}).parent
    (data / "link").symlink_to("../elsewhere")
    (data / "own" / "c.png").symlink_to("b.png")
    assert behind_a_link(data, "link/deep/a.png")
    assert not behind_a_link(data, "own/b.png")
    assert not behind_a_link(data, "own/c.png")


# Sentences


def test_what_is_passed_over_is_counted_by_suffix() -> None:
    passed = PassedOver()
    assert passed.sentences() == []
    for name in ("a.txt", "b.TXT", "c.db", "README"):
        passed.add(Found(Path(name), NO_PICTURE))
    passed.add(Found(Path("x/.git"), HIDDEN))
    passed.add(Found(Path("x/up"), CYCLE))
    assert passed.sentences() == [
        "4 files are no pictures: .txt 2, .db, no suffix",
        "1 hidden file or folder is passed over: .git",
        f"'x/up' {CYCLE}",
    ]


def test_many_kinds_and_many_links_stay_a_few_sentences() -> None:
    passed = PassedOver()
    for number in range(5000):
        passed.add(Found(Path(f"a.{number}"), NO_PICTURE))
        passed.add(Found(Path(f"{number}"), CYCLE))
    first, *others, last = passed.sentences()
    assert first == "5,000 files are no pictures: .0, .1, .2, .3, .4, others 4,995"
    assert len(passed.files) == KINDS + 1
    assert len(others) == 20
    assert last == "4,980 more links or folders are passed over"

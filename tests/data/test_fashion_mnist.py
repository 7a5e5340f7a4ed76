"""Whatever way the data came, nothing is used that is not the published data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from small_fashion_mnist import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    Files,
    bringing,
    put,
    small_files,
)

from gandetect.data import fashion_mnist as source
from gandetect.data.class_images import ClassImages
from gandetect.data.fashion_mnist import check, fetch, load, resolve_data_dir
from gandetect.errors import DataError


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Files:
    return small_files(monkeypatch, tmp_path)


def test_the_real_data_is_all_there(fashion_mnist: ClassImages) -> None:
    assert fashion_mnist.train_images.shape == (60_000, 1, 28, 28)
    assert fashion_mnist.test_images.shape == (10_000, 1, 28, 28)
    assert fashion_mnist.train_images.dtype == fashion_mnist.test_images.dtype == np.uint8
    assert np.bincount(fashion_mnist.train_labels).tolist() == [6_000] * 10
    assert np.bincount(fashion_mnist.test_labels).tolist() == [1_000] * 10
    assert fashion_mnist.train_labels[0] == 9  # the first training image is an ankle boot
    assert fashion_mnist.train_images.max() == 255


def test_images_and_labels_come_out_as_they_are_stored(files: Files, tmp_path: Path) -> None:
    put(files, tmp_path)
    dataset = load(tmp_path)
    assert dataset.train_images.tobytes() == files[TRAIN_IMAGES][16:]
    assert dataset.test_images.tobytes() == files[TEST_IMAGES][16:]
    assert dataset.train_labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert dataset.test_labels.tolist() == [0, 1, 2]
    assert dataset.route == str(tmp_path)


@pytest.mark.parametrize("layout", ["fashion-mnist", ".", "FashionMNIST/raw"])
@pytest.mark.parametrize("zipped", [True, False], ids=["gz", "decompressed"])
def test_every_layout_is_found(files: Files, tmp_path: Path, layout: str, zipped: bool) -> None:
    put(files, tmp_path / layout, zipped=zipped)
    assert len(load(tmp_path, download=False).train_images) == 6
    assert [line.split(":")[0] for line in check(tmp_path)] == ["ok"] * 4


def test_the_flag_goes_before_the_environment_before_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GANDETECT_DATA_DIR", raising=False)
    assert resolve_data_dir(None) == Path("data")
    monkeypatch.setenv("GANDETECT_DATA_DIR", "elsewhere")
    assert resolve_data_dir(None) == Path("elsewhere")
    assert resolve_data_dir(Path("here")) == Path("here")


@pytest.mark.parametrize("name", source.SHA256)
def test_a_missing_file_is_named(files: Files, tmp_path: Path, name: str) -> None:
    folder = put(files, tmp_path / "fashion-mnist")
    (folder / f"{name}.gz").unlink()
    with pytest.raises(DataError, match=rf"{name}' is missing.*fetch --force"):
        load(tmp_path)
    (bad,) = (line for line in check(tmp_path) if not line.startswith("ok: "))
    assert bad.startswith("bad: ")
    assert bad.endswith("`gandetect data fetch --force` gets all files afresh")


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999], ids=lambda share: f"{share:.1%}")
def test_a_truncated_gzip_is_refused(files: Files, tmp_path: Path, kept: float) -> None:
    path = put(files, tmp_path) / f"{TRAIN_IMAGES}.gz"
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(DataError, match=rf"{TRAIN_IMAGES}.gz' is (truncated|not the published)"):
        load(tmp_path)


@pytest.mark.parametrize("zipped", [True, False], ids=["gz", "decompressed"])
@pytest.mark.parametrize("name", source.SHA256)
def test_one_tampered_byte_is_noticed(
    files: Files, tmp_path: Path, name: str, zipped: bool
) -> None:
    content = bytearray(files[name])
    content[len(content) // 2] ^= 1
    put(files | {name: bytes(content)}, tmp_path, zipped=zipped)
    given = hashlib.sha256(content).hexdigest()[:12]
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    message = str(caught.value)
    assert name in message
    assert f"SHA-256 is {given}…, expected {source.SHA256[name][:12]}…" in message
    assert [line.split(":")[0] for line in check(tmp_path)].count("bad") == 1


def test_a_tampered_gzip_body_is_refused(files: Files, tmp_path: Path) -> None:
    path = put(files, tmp_path) / f"{TEST_IMAGES}.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{TEST_IMAGES}.gz' is "):
        load(tmp_path)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (TRAIN_IMAGES, TRAIN_LABELS),
        (TEST_IMAGES, TEST_LABELS),
        (TRAIN_IMAGES, TEST_IMAGES),
        (TRAIN_LABELS, TEST_LABELS),
    ],
)
def test_swapped_files_are_recognised(
    files: Files, tmp_path: Path, first: str, second: str
) -> None:
    put(files | {first: files[second], second: files[first]}, tmp_path)
    with pytest.raises(DataError, match=rf"{first}.gz' is not .* it holds the bytes of {second};"):
        load(tmp_path)


def test_damaged_local_files_are_never_passed_over_for_another_route(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(source, "DEBIAN_FOLDER", put(files, tmp_path / "debian"))
    monkeypatch.setattr(source, "_apt", bringing(files, called, "apt"))
    put(files | {TEST_LABELS: b"wrong"}, tmp_path / "data")
    with pytest.raises(DataError, match=TEST_LABELS):
        load(tmp_path / "data")
    with pytest.raises(DataError, match=TEST_LABELS):
        fetch(tmp_path / "data")
    assert not called


def test_the_readme_names_the_digests_that_are_checked() -> None:
    readme = Path(__file__).parents[2] / "data" / "README.md"
    text = readme.read_text(encoding="utf-8")
    for name, digest in source.SHA256.items():
        assert f"| `{name}` | `{digest}` |" in text
    for layout in source.LAYOUTS:
        assert layout in text

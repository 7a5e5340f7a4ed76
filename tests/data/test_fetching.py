"""Fashion-MNIST is fetched by the first route that brings the published data, or not at all."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from small_fashion_mnist import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_LABELS,
    Files,
    bringing,
    put,
    small_files,
)

from gandetect.data import fashion_mnist as source
from gandetect.data.fashion_mnist import fetch, load
from gandetect.errors import DataError


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Files:
    return small_files(monkeypatch, tmp_path)


def _everything_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


ZIPPED = sorted(f"fashion-mnist/{name}.gz" for name in source.SHA256)


def test_routes_are_tried_in_order(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    notified: list[str] = []

    def route(name: str) -> str:
        notified.clear()
        return load(tmp_path / name, notify=notified.append).route

    monkeypatch.setattr(source, "_apt", bringing(files, called, "apt"))
    assert route("a") == "apt-get"
    assert [line.split(" by ")[1] for line in notified] == ["torchvision's download", "apt-get"]
    monkeypatch.setattr(source, "_torchvision", bringing(files, called, "torchvision"))
    assert route("b") == "torchvision's download"
    monkeypatch.setattr(source, "DEBIAN_FOLDER", put(files, tmp_path / "debian"))
    assert route("c") == source.INSTALLED
    put(files, tmp_path / "d")
    assert route("d") == str(tmp_path / "d")
    assert called == ["apt", "torchvision"]
    assert not notified


def test_a_download_is_kept_and_an_installed_package_is_not_copied(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_apt", bringing(files, [], "apt"))
    load(tmp_path / "downloaded")
    assert _everything_under(tmp_path / "downloaded") == ZIPPED
    assert load(tmp_path / "downloaded").route == str(tmp_path / "downloaded")

    monkeypatch.setattr(source, "DEBIAN_FOLDER", put(files, tmp_path / "debian"))
    load(tmp_path / "untouched")
    assert not (tmp_path / "untouched").exists()


def test_a_route_that_brings_damaged_files_is_passed_over(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = files | {TEST_LABELS: files[TEST_LABELS][:-1] + b"\xff"}
    monkeypatch.setattr(source, "DEBIAN_FOLDER", put(damaged, tmp_path / "debian"))
    monkeypatch.setattr(source, "_torchvision", bringing(damaged, [], "torchvision"))
    with pytest.raises(DataError, match="is not the published file") as caught:
        load(tmp_path / "data")
    assert str(caught.value).count("is not the published file") == 2
    assert not (tmp_path / "data").exists()

    monkeypatch.setattr(source, "_apt", bringing(files, [], "apt"))
    assert load(tmp_path / "data").route == "apt-get"


def test_when_everything_fails_each_route_is_named_with_its_reason(
    files: Files, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path / "data")
    message = str(caught.value)
    assert "\n" not in message
    for expected in (
        f"{str(tmp_path / 'data')!r}: not there",
        "Debian's package dataset-fashion-mnist: not installed",
        "torchvision's download: the network is unreachable",
        "apt-get: not on this system",
        "Install",
        str(tmp_path / "data" / "fashion-mnist"),
    ):
        assert expected in message
    assert not (tmp_path / "data").exists()


def test_without_download_nothing_is_fetched(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(source, "_torchvision", bringing(files, called, "torchvision"))
    with pytest.raises(DataError, match="`gandetect data fetch` gets it"):
        load(tmp_path / "data", download=False)
    assert not called


def test_fetch_keeps_verified_files_and_leaves_nothing_else(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "DEBIAN_FOLDER", put(files, tmp_path / "debian"))
    folder = fetch(tmp_path / "data")
    assert folder == tmp_path / "data" / "fashion-mnist"
    assert _everything_under(tmp_path / "data") == ZIPPED
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["fashion-mnist"]
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert fetch(tmp_path / "data") == folder  # a second time there is nothing to do
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_force_mends_what_is_damaged(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_apt", bringing(files, [], "apt"))
    folder = put(files | {TRAIN_LABELS: b"wrong"}, tmp_path / "fashion-mnist")
    (folder / TEST_IMAGES).write_bytes(b"a damaged decompressed twin")
    (folder / f"{TEST_LABELS}.gz").unlink()
    fetch(tmp_path, force=True)
    assert _everything_under(tmp_path) == ZIPPED
    assert len(load(tmp_path, download=False).train_images) == 6


def test_force_mends_even_where_the_installed_package_is_damaged(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = files | {TRAIN_LABELS: b"wrong"}
    monkeypatch.setattr(source, "DEBIAN_FOLDER", put(damaged, tmp_path / "debian"))
    monkeypatch.setattr(source, "_apt", bringing(files, [], "apt"))
    fetch(tmp_path / "data", force=True)
    assert len(load(tmp_path / "data", download=False).train_images) == 6


@pytest.mark.parametrize("existing", [True, False], ids=["over-old-files", "afresh"])
def test_a_full_disk_while_fetching_changes_nothing(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    monkeypatch.setattr(source, "_apt", bringing(files, [], "apt"))
    if existing:
        put(files, tmp_path / "data" / "fashion-mnist", zipped=False)
    before = _everything_under(tmp_path / "data")
    synced: list[int] = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"cannot be kept in .*No space left on device"):
        fetch(tmp_path / "data", force=True)
    assert _everything_under(tmp_path / "data") == before
    assert len(list((tmp_path / "data").iterdir())) == existing

    if not existing:  # a study goes on with what it has in memory, and says that it was not kept
        synced.clear()
        notified: list[str] = []
        assert len(load(tmp_path / "data", notify=notified.append).train_images) == 6
        assert "could not be kept" in notified[-1]
        assert not _everything_under(tmp_path / "data")


def test_a_data_folder_that_is_a_file_is_one_clear_error(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "DEBIAN_FOLDER", put(files, tmp_path / "debian"))
    (tmp_path / "data").write_text("a file")
    assert len(load(tmp_path / "data").train_images) == 6
    with pytest.raises(DataError, match="cannot be kept in"):
        fetch(tmp_path / "data")


def test_a_linked_folder_stays_a_link(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_apt", bringing(files, [], "apt"))
    (tmp_path / "big-disk" / "kept").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "fashion-mnist").symlink_to(tmp_path / "big-disk" / "kept")
    fetch(tmp_path / "data")
    assert (tmp_path / "data" / "fashion-mnist").is_symlink()
    assert len(_everything_under(tmp_path / "big-disk")) == 4


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "forbidden"])
def test_an_unusable_data_folder_does_not_prevent_the_installed_package(
    files: Files,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    without_privileges: Callable[[], AbstractContextManager[None]],
    mode: int,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    monkeypatch.setattr(source, "DEBIAN_FOLDER", put(files, Path("debian")))
    data_dir = Path("data")
    data_dir.mkdir()
    data_dir.chmod(mode)
    request.addfinalizer(lambda: (tmp_path / "data").chmod(0o700))
    with without_privileges():
        assert load(data_dir).route == source.INSTALLED
        with pytest.raises(DataError, match=r"cannot be kept in .*Permission denied"):
            fetch(data_dir)


def test_torchvision_does_not_leave_its_timeout_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision.datasets

    seen: list[float | None] = []

    def unreachable(root: Path, download: bool) -> None:
        seen.append(socket.getdefaulttimeout())
        raise RuntimeError("unreachable")

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", unreachable)
    with pytest.raises(RuntimeError, match="unreachable"):
        source._torchvision(tmp_path)
    assert seen == [20]
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize(
    ("user", "expected"), [(0, ["download", "update", "download"]), (1000, ["download"])]
)
def test_apt_refreshes_stale_lists_only_as_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, expected: list[str]
) -> None:
    commands: list[str] = []

    def failing(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        commands.append(next(one for one in command if one in ("download", "update")))
        return subprocess.CompletedProcess(command, 100, "", "W: old\nE: Unable to locate it\n")

    monkeypatch.setattr(source, "_run", failing)
    monkeypatch.setattr(source.os, "geteuid", lambda: user)
    monkeypatch.setattr(source.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(DataError, match=r"failed \(E: Unable to locate it\)"):
        source._apt(tmp_path)
    assert commands == expected


@pytest.mark.slow
def test_apt_get_download_really_brings_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source.shutil.which("apt-get") is None:
        pytest.skip("this system has no apt-get")
    dataset = source._parse(source._verified(source._apt(tmp_path)), "apt-get")
    assert len(dataset.train_images) == 60_000

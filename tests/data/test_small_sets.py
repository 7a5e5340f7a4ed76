"""Small sets by name: what is bundled or lies on the disk is read, what cannot be had is said."""

from pathlib import Path

import numpy as np
import pytest

from gandetect.config import SmallSetConfig
from gandetect.data.sets import cifar10, svhn
from gandetect.data.small_sets import load_small_set
from gandetect.errors import DataError

NOWHERE = Path("no such folder")


def load(name, data_dir=NOWHERE, **options):
    config = SmallSetConfig(name=name, held_out=["0"], **options)
    return load_small_set(config, data_dir, lambda sentence: None)


def test_the_digits_are_always_there_and_become_28_pixels() -> None:
    digits = load("digits")
    assert digits.train_images.shape == (1797, 1, 28, 28)
    assert digits.train_images.max() == 255
    assert digits.one_file
    assert np.bincount(digits.train_labels).tolist()[0] == 178
    assert digits.digest == load("digits").digest != load("digits", image_size=32).digest


def test_grey_becomes_rgb_only_where_it_is_asked_for() -> None:
    images = load("digits", channels=3, image_size=32).train_images
    assert images.shape == (1797, 3, 32, 32)
    assert (images[:, 0] == images[:, 2]).all()


def test_torchvisions_files_on_the_disk_are_read_without_a_download(
    fashion_mnist, tmp_path, monkeypatch
) -> None:
    raw = tmp_path / "MNIST" / "raw"  # its format is that of Fashion-MNIST, whose images stand in
    raw.mkdir(parents=True)
    for part, images, labels in (
        ("train", fashion_mnist.train_images[:200], fashion_mnist.train_labels[:200]),
        ("t10k", fashion_mnist.test_images[:100], fashion_mnist.test_labels[:100]),
    ):
        write_idx(raw / f"{part}-images-idx3-ubyte", images[:, 0])
        write_idx(raw / f"{part}-labels-idx1-ubyte", labels.astype(np.uint8))
    monkeypatch.setattr("urllib.request.urlopen", None)
    mnist = load("mnist", tmp_path)
    np.testing.assert_array_equal(mnist.train_images, fashion_mnist.train_images[:200])
    np.testing.assert_array_equal(mnist.test_labels, fashion_mnist.test_labels[:100])
    assert not mnist.one_file


def test_cifar_is_read_from_its_binary_version(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    records = np.random.default_rng(0).integers(0, 256, (6, 4, 3073), np.uint8)
    records[:, :, 0] %= 10
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    for name, batch in zip(names, records, strict=True):
        (folder / f"{name}.bin").write_bytes(batch.tobytes())
    with pytest.raises(DataError, match="has 12,292 bytes, and CIFAR-10's has 30,730,000"):
        load("cifar-10", tmp_path)
    monkeypatch.setattr(cifar10, "BATCH", 4)
    cifar = load("cifar-10", tmp_path)
    assert cifar.train_images.shape == (20, 3, 32, 32)
    np.testing.assert_array_equal(cifar.test_images, records[5, :, 1:].reshape(4, 3, 32, 32))
    np.testing.assert_array_equal(cifar.train_labels, records[:5, :, 0].ravel())


def test_a_set_that_cannot_be_had_is_one_sentence(tmp_path, monkeypatch) -> None:
    def part(root, split, download):
        raise RuntimeError("no\nnetwork" if download else "Dataset not found.")

    monkeypatch.setattr(svhn, "_part", part)
    with pytest.raises(DataError) as caught:
        load("svhn", tmp_path)
    assert "data set 'svhn' is not in" in str(caught.value)
    assert "(Dataset not found.) and could not be downloaded (no network); put" in str(caught.value)


def write_idx(path, array) -> None:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(header + array.tobytes())

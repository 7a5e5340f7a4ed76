"""What a task is made of travels apart and comes together again, whatever holds it."""

from pathlib import Path

import numpy as np

from gandetect.cluster.packing import (
    outermost,
    pack,
    read_content,
    unpack,
    write_content,
)
from gandetect.data.stored import StoredImages
from gandetect.sources import ImageSet


def test_paths_travel_apart_and_come_back_wherever_they_stand() -> None:
    value = {"sets": [ImageSet(Path("a.npy")), ImageSet(Path("/b.npy"))], "seed": 3}
    packed = pack(value)
    assert packed.paths == [Path("a.npy").absolute(), Path("/b.npy")]
    found = unpack(packed.bytes, [Path("/elsewhere/a.npy"), Path("/c.npy")])
    assert [one.images for one in found["sets"]] == [Path("/elsewhere/a.npy"), Path("/c.npy")]
    assert found["seed"] == 3


def test_images_on_the_disk_travel_as_their_file(fashion_mnist, tmp_path) -> None:
    file, moved = tmp_path / "images.npy", tmp_path / "moved.npy"
    np.save(file, fashion_mnist.train_images[:300])
    packed = pack(StoredImages(file, np.array([5, 2])))
    assert packed.paths == [file]
    file.rename(moved)
    found = unpack(packed.bytes, [moved])
    np.testing.assert_array_equal(found[:], fashion_mnist.train_images[[5, 2]])


def test_a_folder_comes_back_as_it_was_without_what_is_unfinished(tmp_path) -> None:
    folder = tmp_path / "gans"
    (folder / "epochs").mkdir(parents=True)
    (folder / "epochs" / "weights").write_bytes(bytes(range(256)))
    (folder / "empty").touch()
    (folder / ".epochs.12345678.tmp").mkdir()
    (folder / ".epochs.12345678.tmp" / "half").touch()
    write_content(read_content(folder), tmp_path / "other")
    found = {path.relative_to(tmp_path / "other") for path in (tmp_path / "other").rglob("*")}
    assert found == {Path("epochs"), Path("epochs/weights"), Path("empty")}
    assert (tmp_path / "other/epochs/weights").read_bytes() == bytes(range(256))
    write_content(read_content(folder / "epochs" / "weights"), tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == bytes(range(256))


def test_what_lies_in_a_folder_that_travels_does_not_travel_twice() -> None:
    paths = [
        Path("/r/gans/a/images.npy"),
        Path("/r/gans/a"),
        Path("/r/gans/b/x"),
        Path("/r/gans/a"),
    ]
    assert outermost(paths) == [Path("/r/gans/a"), Path("/r/gans/b/x")]

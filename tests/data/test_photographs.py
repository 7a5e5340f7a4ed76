"""The labelled folder of real and edited photographs that the docs and other tests stand on."""

from __future__ import annotations

import csv
import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from labelled_layouts import make_photographs, photographs_module
from PIL import Image

from gandetect.errors import UsageError

PATCHES = 48


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs") / "made"
    assert make_photographs(folder, limit=PATCHES) == PATCHES
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "photographs.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def blocks_that_differ(first: Path, second: Path) -> np.ndarray:
    one, other = (np.asarray(Image.open(path)) for path in (first, second))
    size = one.shape[0] // 8
    return (one != other).reshape(size, 8, size, 8, 3).any(axis=(1, 3, 4))


def test_each_patch_is_there_twice_under_one_name(made) -> None:
    names = {path.name for path in (made / "real").iterdir()}
    assert names == {path.name for path in (made / "edited").iterdir()}
    assert len(names) == PATCHES
    assert all(re.fullmatch(r"[a-z]+-[0-9]{3}\.jpg", name) for name in names)
    assert len({name.split("-")[0] for name in names}) == 8, "each photograph in turn"


def test_the_table_names_every_file_and_what_was_done_to_it(made) -> None:
    rows = table(made)
    assert {row["image"] for row in rows} == set(contents(made)) - {"photographs.csv"}
    assert all(row["image"].startswith(f"{row['label']}/{row['photograph']}-") for row in rows)
    edits = {
        label: {r["edit"] for r in rows if r["label"] == label} for label in ("real", "edited")
    }
    assert edits == {"real": {""}, "edited": {"inpainted", "cloned", "blurred"}}


def test_nothing_but_the_edit_tells_the_classes_apart(made) -> None:
    kinds = set()
    for path in [*(made / "real").iterdir(), *(made / "edited").iterdir()]:
        with Image.open(path) as image:
            tables = tuple(map(tuple, image.quantization.values()))
            kinds.add((image.format, image.mode, image.size, tables, tuple(image.info)))
    assert len(kinds) == 1
    assert next(iter(kinds))[:3] == ("JPEG", "RGB", (64, 64))


def test_an_edit_changes_its_region_and_nothing_else(made) -> None:
    found = {pair.name: pair for pair in islice(photographs_module().pairs(64, 0), PATCHES)}
    for path in (made / "real").iterdir():
        pair = found[path.stem]
        assert (pair.real != pair.edited)[pair.region].any()
        inside = np.zeros((64, 64), dtype=bool)
        inside[pair.region] = True
        touched = inside.reshape(8, 8, 8, 8).any(axis=(1, 3))
        differ = blocks_that_differ(path, made / "edited" / path.name)
        assert differ.any()
        assert not (differ & ~touched).any(), path.name


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(made, tmp_path) -> None:
    make_photographs(tmp_path / "again", limit=PATCHES)
    assert contents(tmp_path / "again") == contents(made)
    make_photographs(tmp_path / "other", limit=10, seed=1)
    other = contents(tmp_path / "other")
    other.pop("photographs.csv")
    assert not other.items() <= contents(made).items()


def test_fewer_patches_are_some_of_the_same(made, tmp_path) -> None:
    make_photographs(tmp_path / "few", limit=10)
    few, many = contents(tmp_path / "few"), contents(made)
    few.pop("photographs.csv")
    assert len(few) == 20
    assert few.items() <= many.items()


def test_unpaired_patches_are_real_or_edited_and_never_both(made, tmp_path) -> None:
    assert make_photographs(tmp_path / "one", limit=PATCHES, unpaired=True) == PATCHES
    one, both = contents(tmp_path / "one"), contents(made)
    assert len(one) == PATCHES + 1 == len(table(tmp_path / "one")) + 1
    one.pop("photographs.csv")
    assert one.items() <= both.items()
    assert len({Path(name).name for name in one}) == PATCHES
    real = sum(name.startswith("real/") for name in one)
    assert PATCHES / 4 < real < 3 * PATCHES / 4


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="holds something already"):
        make_photographs(tmp_path, limit=2)
    assert contents(tmp_path) == {"mine.txt": b"keep"}


def test_a_failure_leaves_no_folder(tmp_path) -> None:
    with pytest.raises(UsageError, match="2000 px; give a smaller size"):
        make_photographs(tmp_path / "new", size=2000)
    assert not list(tmp_path.iterdir())


def test_the_command_fills_an_empty_folder_and_refuses_a_full_one(tmp_path) -> None:
    command = photographs_module().main
    arguments = [str(tmp_path), "--limit", "2", "--size", "32"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert len(table(tmp_path)) == 4
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1

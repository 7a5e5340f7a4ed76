"""Images from elsewhere: what is read of them, how they are split, and what is refused."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from shortcuts import Kept, context_in, make_stages

from gandetect.config import parse_experiment
from gandetect.config.source import source_table
from gandetect.data.images import read_image
from gandetect.data.streaming import DecodeOptions
from gandetect.detectors.protocol import Preprocessing
from gandetect.detectors.validation import without
from gandetect.errors import GandetectError
from gandetect.sources import ImageSet
from gandetect.sources.foreign import ForeignSource
from gandetect.stages.source_images import SourceImages, images_by_folder
from gandetect.study import Options, plan_study

GREY = Preprocessing(image_size=28, channels=1)
PLACE = "sources/x/28px"
OPTIONS = DecodeOptions(1, 28, "pad", 0)


@pytest.fixture(autouse=True)
def _modules(monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parent), *sys.path])


@pytest.fixture(scope="module")
def fakes() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (30, 1, 28, 28), dtype=np.uint8)


@pytest.fixture
def folder(fakes, tmp_path) -> Path:
    for number, image in enumerate(fakes):
        place = tmp_path / "fakes" / f"prompt-{number % 6}" / f"{number:02d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(place)
    return tmp_path / "fakes"


def stage(**keys) -> SourceImages:
    table = {"name": "x", "label": "generated", **keys}
    return SourceImages(source_table(table).model_validate(table), GREY)


def read(data_dir: Path, listener: Kept | None = None, **keys) -> tuple[np.ndarray, pd.DataFrame]:
    """The pixels and the table that the stage leaves."""
    make_stages(data_dir / "run", data_dir, stage(**keys), listener=listener)
    place = data_dir / "run" / PLACE
    return np.load(place / "images.npy"), pd.read_parquet(place / "images.parquet")


def test_images_of_a_folder_come_in_the_order_of_their_names(folder, fakes) -> None:
    pixels, table = read(folder.parent, path="fakes")
    order = sorted(range(30), key=lambda number: (number % 6, number))
    np.testing.assert_array_equal(pixels, fakes[order])
    assert table["path"][0] == "prompt-0/00.png"
    assert set(table["split"]) == {"test"}


def test_an_array_and_a_table_of_bytes_hold_the_same_images(folder, fakes) -> None:
    np.savez(folder.parent / "one.npz", fakes)
    np.save(folder.parent / "one.npy", fakes)
    files = sorted(folder.rglob("*.png"), key=lambda path: path.stem)
    table = pa.table({"bytes": [path.read_bytes() for path in files]})
    pq.write_table(table, folder.parent / "one.parquet")
    for name in ("one.npz", "one.npy", "one.parquet"):
        np.testing.assert_array_equal(read(folder.parent, path=name)[0], fakes)
        shutil.rmtree(folder.parent / "run")


def test_another_size_and_colours_are_fitted_as_those_of_a_file(tmp_path) -> None:
    image = np.random.default_rng(1).integers(0, 256, (3, 40, 20), dtype=np.uint8)
    Image.fromarray(image.transpose(1, 2, 0)).save(tmp_path / "one.png")
    np.savez(tmp_path / "many.npz", images=np.stack([image] * 20), other=np.zeros(3))
    pixels, _ = read(tmp_path, path="many.npz")
    assert pixels.shape == (20, 1, 28, 28)
    np.testing.assert_array_equal(pixels[7], read_image(tmp_path / "one.png"))


def test_a_function_is_given_the_count_and_the_seed_where_it_wants_one(tmp_path) -> None:
    from generators_of_others import seeded

    pixels, _ = read(tmp_path, object="generators_of_others:seeded", count=25, seed=3)
    np.testing.assert_array_equal(pixels, seeded(25, 3))
    shutil.rmtree(tmp_path / "run")
    pixels, _ = read(tmp_path, object="generators_of_others:unseeded", count=22)
    assert len(pixels) == 22


@pytest.mark.parametrize(
    "place", ["code/more/made.py:shade", "made_here:shade", "made.in_it:shade"]
)
def test_code_may_stand_in_a_file_or_beside_the_experiment_and_counts_when_it_changes(
    tmp_path, place
) -> None:
    file = tmp_path / f"{place.partition(':')[0].removesuffix('.py').replace('.', '/')}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent / "shades.py").write_text("SHADE = 7\n")
    code = "import numpy as np\ndef shade(count):\n    from shades import SHADE\n"
    file.write_text(f"{code}    return np.full((count, 1, 28, 28), SHADE, np.uint8)\n")
    one = stage(object=place, count=20)
    context = replace(context_in(tmp_path / "run"), home=tmp_path)
    before = one.outside(context)
    if "/" in place:
        assert (next(one.kind.images(tmp_path, OPTIONS, 1, print)).pixels == 7).all()
        file.write_text(f"{code}    return np.full((count, 1, 28, 28), SHADE + 1, np.uint8)\n")
        assert (next(one.kind.images(tmp_path, OPTIONS, 1, print)).pixels == 8).all()
        assert one.outside(context) != before
    else:
        assert one.kind.number(tmp_path) == 20


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import sys\nsys.exit('no licence')\n", "cannot be imported .SystemExit: no licence"),
        ("def made(count):\n    raise SystemExit(1)\n", "failed with SystemExit: 1 in mine.py"),
    ],
)
def test_code_that_ends_python_is_told_in_a_sentence(tmp_path, code, told) -> None:
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(GandetectError, match=told):
        next(stage(object="mine.py:made", count=20).kind.images(tmp_path, OPTIONS, 1, print))


def test_damaged_files_are_left_out_and_named(folder) -> None:
    (folder / "prompt-0" / "00.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    listener = Kept()
    pixels, table = read(folder.parent, listener, path="fakes")
    assert len(pixels) == len(table) == 29
    (sentence,) = listener.warnings
    assert sentence.startswith("source x: 1 file(s) are left out: prompt-0/00.png: is truncated")
    facts = json.loads((folder.parent / "run" / PLACE / "source.json").read_text())
    assert [one["path"] for one in facts["left_out"]] == ["prompt-0/00.png"]


def test_other_content_is_another_digest_and_another_place_is_not(folder) -> None:
    context = context_in(folder.parent / "run")
    here = stage(path=str(folder))
    there = stage(path=str(shutil.copytree(folder, folder.parent / "copy")))
    before = here.outside(context)
    assert there.outside(context) == before
    assert here.settings() == there.settings()
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(folder / "prompt-0" / "00.png")
    assert here.outside(context) != before


def test_without_train_every_image_is_for_testing(folder) -> None:
    read(folder.parent, path="fakes")
    run = folder.parent / "run"
    assert len(ForeignSource("generated:x", 0, PLACE).open(run, run)) == 30


@pytest.mark.parametrize(
    "rule", [{"group_folders": True}, {"group_pattern": r"^\d"}, {"near_duplicates": 0}, {}]
)
def test_no_group_stands_on_two_sides(folder, rule) -> None:
    for number in range(2):  # two pictures that stand there twice
        copy = folder / "prompt-0" / f"{90 + number}.png"
        shutil.copy(folder / f"prompt-{number}" / f"{number:02d}.png", copy)
    pixels, table = read(folder.parent, path="fakes", train=True, test_fraction=0.4, **rule)
    assert set(table["split"]) == {"train", "validation", "test"}
    keys = {"pixels": [one.tobytes() for one in pixels]}
    if "group_folders" in rule:
        keys["folder"] = list(table["folder"])
    if "group_pattern" in rule:
        keys["first letter"] = [Path(path).name[0] for path in table["path"]]
    for key in keys.values():
        assert len(pd.DataFrame({"key": key, "split": table["split"]}).drop_duplicates()) == len(
            set(key)
        )


def test_at_another_size_the_split_is_the_same(folder) -> None:
    first = stage(path="fakes", train=True)
    small = replace(first, preprocessing=Preprocessing(image_size=8), split_by=first)
    run = folder.parent / "run"
    make_stages(run, folder.parent, small)
    tables = [pd.read_parquet(run / one.place / "images.parquet") for one in (first, small)]
    assert tables[0]["split"].equals(tables[1]["split"])


def test_folders_of_real_images_are_classes(folder) -> None:
    read(folder.parent, path="fakes", label="real")
    classes = images_by_folder(folder.parent / "run" / PLACE, "real:x")
    assert set(classes["class_name"]) == {f"x/prompt-{number}" for number in range(6)}


EXPERIMENT = {"name": "e", "gans": [{"architecture": "dense"}]}


def experiment(**keys):
    return parse_experiment({**EXPERIMENT, "sources": [{"name": "x", **keys}]})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"path": "nothing"}, "'.*nothing' does not exist; give a folder"),
        ({"path": "empty"}, "folder '.*empty' holds no image files: it is empty"),
        ({"path": "one"}, "source 'x' has 1 usable image.s., and needs at least 20"),
        ({"path": "text.txt"}, "is neither a folder nor a Parquet"),
        ({"path": "torn.npz"}, "cannot be read as a NumPy file"),
        ({"path": "torn.parquet"}, "cannot be read as Parquet"),
        ({"path": "flat.npy"}, r"flat.npy': images \(N, C, H, W\) uint8 .* shape \(30, 784\)"),
        ({"path": "floats.npz"}, "it gives an array of float64; bring it to 0 … 255"),
        ({"path": "two.npz"}, "holds the arrays a, b; name the images' array 'images'"),
        ({"object": "no_such_module:f"}, "cannot be imported .there is no module 'no_such_module'"),
        ({"object": "code/absent.py:f"}, "cannot be imported .there is no file 'absent.py'"),
        ({"object": "generators_of_others:f"}, "'generators_of_others' has no 'f'"),
        ({"object": "generators_of_others:NUMBER"}, "is 5, no function"),
        ({"object": "generators_of_others:without_count"}, "no parameter count, but: number"),
        ({"object": "generators_of_others:seeded", "count": 3}, "has 3 usable image"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_before_anything_is_made(tmp_path, keys, sentence) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").mkdir()
    Image.new("L", (28, 28)).save(tmp_path / "one" / "one.png")
    for name in ("text.txt", "torn.npz", "torn.parquet"):
        (tmp_path / name).write_text("no images")
    np.save(tmp_path / "flat.npy", np.zeros((30, 784), np.uint8))
    np.savez(tmp_path / "floats.npz", np.zeros((30, 1, 28, 28)))
    np.savez(tmp_path / "two.npz", a=np.zeros(3), b=np.zeros(3))
    options = Options(tmp_path / "runs", data_dir=tmp_path)
    with pytest.raises(GandetectError, match=sentence):
        plan_study(experiment(label="generated", **keys), options)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("floats", "it gives an array of float64; bring it to 0 … 255"),
        ("channels_last", r"shape \(40, 28, 28, 3\); move the channels to the second place"),
        ("flat", r"an array of shape \(40, 784\)"),
        ("a_list", "it gives list, not an array"),
        ("too_few", "was asked for 40 images and returned 39"),
        ("exits", "SystemExit: 3 in generators_of_others.py, line"),
        ("raises", "RuntimeError: no weights for 40 images in generators_of_others.py, line"),
    ],
)
def test_what_a_function_does_wrong_is_one_sentence_with_its_place(
    tmp_path, function, sentence
) -> None:
    with pytest.raises(GandetectError, match=sentence) as raised:
        read(tmp_path, object=f"generators_of_others:{function}", count=40)
    assert str(raised.value).count("\n") == 0
    assert not (tmp_path / "run" / PLACE).exists()


def test_files_that_leave_too_few_images_are_told(folder) -> None:
    for path in sorted(folder.rglob("*.png"))[:11]:
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(GandetectError, match=r"has 19 usable image.*11 file.s. are left out"):
        read(folder.parent, path="fakes")


FAKES = {"label": "generated", "path": "fakes"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sources": [{"name": "dense", **FAKES}]}, "two entries, .* are named 'dense'"),
        ({"sources": [{"name": "x", **FAKES}] * 2}, "two entries, .* are named 'x'"),
        ({"sources": [{"name": "held-out", **FAKES}]}, "that of a group of images"),
        ({"sources": [{"name": "x", "label": "real"}]}, "has neither path nor object"),
        ({"sources": [{"name": "x", "object": "a:b", **FAKES}]}, "has both path and object"),
        ({"sources": [{"name": "x", **FAKES, "label": "fake"}]}, "sources.0.label = 'fake'"),
        ({"sources": [{"name": "x", "label": "real", "path": "p", "train": True}]},
         "train = true, which is for generated images"),
        ({"sources": [{"name": "x", "label": "real", "object": "no place"}]}, "sources.0.object"),
        ({"sources": {"name": "x"}}, r"sources is a list of tables, each written \[\[sources\]\]"),
        ({"sources": [{"name": "x", **FAKES}],
          "classifiers": [{"recipe": "cnn-small", "fakes_from": ["x"]}]},
         "fakes_from = 'x', a source that is only answered"),
        ({"sources": [{"name": "x", "train": True, **FAKES}],
          "classifiers": [{"recipe": "cnn-small", "fakes_from": ["y"]}]},
         "fakes_from 'y' is not known; choose one of: dense, x"),
        ({"sources": [{"name": "x", **FAKES}],
          "detectors": [{"kind": "fine-tuned", "name": "f", "gan": "dense", "fakes_from": ["x"]}]},
         "fakes_from = 'x', a source that is only answered"),
        ({"gans": [], "data": {"name": "folder", "path": "p",
                               "classes": {"a": "real", "x": "generated"}},
          "classifiers": [{"recipe": "cnn-small"}], "sources": [{"name": "x", **FAKES}]},
         "source 'x' is named as a class of the data"),
    ],
)  # fmt: skip
def test_tables_that_make_no_sense_are_refused(change, sentence) -> None:
    with pytest.raises(GandetectError, match=sentence):
        parse_experiment({**EXPERIMENT, **change})


def test_what_detectors_know_of_it_is_their_own() -> None:
    made = parse_experiment(
        {
            **EXPERIMENT,
            "sources": [{"name": "x", "train": True, **FAKES}, {"name": "y", **FAKES}],
            "classifiers": [{"recipe": "cnn-small", "fakes_from": ["x", "dense"]}],
            "detectors": [{"kind": "fine-tuned", "name": "f", "gan": "dense", "fakes_from": ["x"]}],
        }
    )
    assert made.known_to("cnn-small") == ("x", "dense")
    assert made.known_to("f") == ("dense", "x")
    assert parse_experiment(made.model_dump(mode="json")) == made


def test_images_are_drawn_once_before_any_comes_again(fakes) -> None:
    images = ImageSet(fakes, np.arange(10))
    rng = np.random.default_rng(0)
    few, all_of_them, more = (images.draw(count, rng) for count in (4, 10, 25))
    known = {one.tobytes() for one in fakes[:10]}
    assert len({one.tobytes() for one in few} & known) == 4
    assert {one.tobytes() for one in all_of_them} == known
    counts = Counter(one.tobytes() for one in more)
    assert set(counts) == known
    assert set(counts.values()) == {2, 3}


def test_what_is_held_back_is_not_learnt_though_it_comes_twice(fakes) -> None:
    left = without(np.concatenate([fakes, fakes]), fakes[3:5])
    assert len(left) == 56
    assert not {one.tobytes() for one in left} & {one.tobytes() for one in fakes[3:5]}

"""Every fault that is planted among real photographs is found, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from photographs import patches, save_two_classes
from PIL import Image

from gandetect.data.integrity import BAD, Finding, check_folder
from gandetect.data.reading import Examined
from gandetect.data.shortcuts import shortcuts, summary_by_class
from gandetect.errors import DataError

Plant = Callable[[Path], None]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of two classes in train and test folders; copy it before changing it."""
    folder = tmp_path_factory.mktemp("clean")
    save_two_classes(folder, 15, splits=("train", "test"))
    return folder


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "data"))


def found(folder: Path, **options: int) -> set[tuple[str, str]]:
    return {(one.kind, one.path) for one in check_folder(folder, **options).findings}


@pytest.mark.parametrize("form", ["jpg", "png"])
@pytest.mark.parametrize("splits", [("",), ("train", "test"), ("Train", "valid", "testing")])
def test_nothing_is_found_in_clean_data(form, splits, tmp_path: Path) -> None:
    count = 30 // len(splits)
    save_two_classes(tmp_path, count, form=form, splits=splits)
    checked = check_folder(tmp_path, near=2)
    assert checked.findings == []
    assert checked.bad == {}
    assert checked.shortcuts == []
    assert checked.passed_over == []
    assert checked.files == 2 * count * len(splits)
    assert list(checked.summary["formats"]) == ["fake", "real"]


def truncate(folder: Path) -> None:
    path = folder / "train/real/003.jpg"
    path.write_bytes(path.read_bytes()[:1500])


def corrupt(folder: Path) -> None:
    path = folder / "train/real/003.jpg"
    path.write_bytes(path.read_bytes()[:30] + b"\x00" * 3000)


def empty(folder: Path) -> None:
    (folder / "test/fake/004.jpg").write_bytes(b"")


def write_text(folder: Path) -> None:
    (folder / "train/real/notes.jpg").write_text("these are notes")


def name_wrongly(folder: Path) -> None:
    Image.fromarray(patches()[-1]).save(folder / "train/fake/picture.jpg", "PNG")


def copy(folder: Path) -> None:
    shutil.copy(folder / "train/real/005.jpg", folder / "train/real/005 (1).jpg")


def copy_across_splits(folder: Path) -> None:
    shutil.copy(folder / "train/real/006.jpg", folder / "test/real/other.jpg")


def copy_across_classes(folder: Path) -> None:
    shutil.copy(folder / "train/real/007.jpg", folder / "train/fake/seven.jpg")


def copy_in_another_format(folder: Path) -> None:
    with Image.open(folder / "train/real/008.jpg") as picture:
        picture.save(folder / "test/real/eight.png")


def link_to_nothing(folder: Path) -> None:
    (folder / "train/real/link.jpg").symlink_to("gone.jpg")


PLANTED: dict[Plant, set[tuple[str, str]]] = {
    truncate: {("damaged", "train/real/003.jpg")},
    corrupt: {("damaged", "train/real/003.jpg")},
    empty: {("empty", "test/fake/004.jpg")},
    write_text: {("not an image", "train/real/notes.jpg")},
    name_wrongly: {("wrongly named", "train/fake/picture.jpg")},
    copy: {("duplicate", "train/real/005.jpg")},
    copy_across_splits: {("cross-split duplicate", "train/real/006.jpg")},
    copy_across_classes: {
        ("cross-class duplicate", "train/real/007.jpg"),
        ("cross-class duplicate", "train/fake/seven.jpg"),
    },
    copy_in_another_format: {("cross-split duplicate", "train/real/008.jpg")},
    link_to_nothing: {("missing", "train/real/link.jpg")},
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found_and_nothing_else(plant: Plant, folder: Path) -> None:
    plant(folder)
    assert found(folder) == PLANTED[plant]


def test_all_planted_faults_are_found_together_also_side_by_side(folder: Path) -> None:
    for plant in PLANTED:
        if plant is not corrupt:
            plant(folder)
    expected = set().union(*PLANTED.values())
    checked = check_folder(folder, workers=2)
    assert {(one.kind, one.path) for one in checked.findings} == expected
    assert set(checked.bad) == {path for kind, path in expected if kind in BAD}
    assert "train/real/005.jpg" not in checked.bad  # a plain copy is a warning
    assert checked.counts()["cross-split duplicate"] == 2


def test_a_file_that_may_not_be_read_is_bad(
    folder: Path, monkeypatch: pytest.MonkeyPatch, without_privileges
) -> None:
    (folder / "train/real/000.jpg").chmod(0)
    monkeypatch.chdir(folder)
    for place in (Path(), *Path().rglob("*")):
        if place.is_dir():
            place.chmod(0o755)
    with without_privileges():
        assert found(Path()) == {("unreadable", "train/real/000.jpg")}


def test_reasons_name_the_other_file_and_what_to_do(folder: Path) -> None:
    copy_across_classes(folder)
    name_wrongly(folder)
    copy_in_another_format(folder)
    reasons = {one.path: one.reason for one in check_folder(folder).findings}
    assert reasons == {
        "train/real/007.jpg": "has the same bytes as train/fake/seven.jpg, of class 'fake'",
        "train/fake/seven.jpg": "has the same bytes as train/real/007.jpg, of class 'real'",
        "train/fake/picture.jpg": "holds PNG, not .jpg; rename it to end in .png",
        "train/real/008.jpg": "has the same pixels as test/real/eight.png",
    }


def test_of_a_picture_in_three_splits_the_test_copy_stays(tmp_path: Path) -> None:
    save_two_classes(tmp_path, 2, splits=("test", "train", "val"))
    for split in ("train", "val"):
        shutil.copy(tmp_path / "test/real/000.jpg", tmp_path / split / "real/x.jpg")
    assert found(tmp_path) == {
        ("cross-split duplicate", "train/real/x.jpg"),
        ("cross-split duplicate", "val/real/x.jpg"),
    }


def test_of_a_picture_to_train_and_to_validate_with_the_latter_stays(tmp_path: Path) -> None:
    save_two_classes(tmp_path, 2, splits=("train", "valid"))
    shutil.copy(tmp_path / "train/real/000.jpg", tmp_path / "valid/real/x.jpg")
    assert found(tmp_path) == {("cross-split duplicate", "train/real/000.jpg")}


def test_unlabelled_test_pictures_are_of_no_class(tmp_path: Path) -> None:
    save_two_classes(tmp_path, 3, splits=("train",))
    (tmp_path / "test").mkdir()
    shutil.copy(tmp_path / "train/real/000.jpg", tmp_path / "test/1.jpg")
    assert found(tmp_path) == {("cross-split duplicate", "train/real/000.jpg")}


def test_one_file_can_have_two_faults(folder: Path) -> None:
    with Image.open(folder / "train/real/002.jpg") as picture:
        picture.save(folder / "train/fake/two.jpg", "PNG")
    kinds = {kind for kind, path in found(folder) if path == "train/fake/two.jpg"}
    assert kinds == {"wrongly named", "cross-class duplicate"}
    reason = check_folder(folder).bad["train/fake/two.jpg"]
    assert "rename it" in reason
    assert "same pixels" in reason


def test_near_duplicates_are_found_when_asked_and_only_then(folder: Path) -> None:
    with Image.open(folder / "test/real/009.jpg") as picture:
        picture.resize((80, 80)).save(folder / "train/real/small.jpg", quality=60)
    assert found(folder) == set()
    (near,) = check_folder(folder, near=4).findings
    assert (near.kind, near.path, near.bad) == ("near duplicate", "train/real/small.jpg", False)
    assert near.reason.startswith("looks like test/real/009.jpg (")
    assert near.reason.endswith("of split 'test'")


def test_what_is_passed_over_is_told(folder: Path) -> None:
    (folder / "labels.csv").write_text("a,b\n")
    (folder / ".hidden.jpg").touch()
    (folder / "more").symlink_to("train")
    checked = check_folder(folder)
    assert checked.findings == []
    assert checked.passed_over == [
        {"path": ".hidden.jpg", "reason": "is hidden"},
        {"path": "labels.csv", "reason": "is no picture"},
        {"path": "more", "reason": "leads to a folder that is read already"},
    ]


@pytest.mark.parametrize("name", ["whole", "whole.jpg_large", "whole.jpg.1"])
def test_a_picture_without_a_pictures_name_is_read_and_its_name_is_a_warning(
    folder: Path, name: str
) -> None:
    picture = folder / "train/real/000.jpg"
    picture.rename(picture.with_name(name))
    (finding,) = check_folder(folder).findings
    assert (finding.kind, finding.bad) == ("unusual name", False)
    assert finding.reason == "holds JPEG, which its name does not say; rename it to end in .jpg"


@pytest.mark.parametrize(
    ("name", "words"), [("none", "does not exist"), ("a.jpg", "is not a folder"), ("e", "holds no")]
)
def test_a_folder_without_images_is_refused(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "a.jpg").touch()
    with pytest.raises(DataError, match=words):
        check_folder(tmp_path / name)


# Shortcuts


def files(count: int, form: str = "JPEG", mode: str = "RGB", size=(96, 96)) -> list[Examined]:
    sizes = [size] * count if isinstance(size, tuple) else size
    return [
        Examined(Path(f"{n}"), format=form, mode=mode, width=width, height=height)
        for n, (width, height) in enumerate(sizes)
    ]


def two(real: list[Examined], fake: list[Examined]) -> list[str]:
    return shortcuts(real + fake, ["real"] * len(real) + ["fake"] * len(fake))


def test_equal_classes_have_no_shortcut() -> None:
    assert two(files(50), files(50)) == []
    assert two([], files(50)) == []
    assert shortcuts([], []) == []


def test_a_format_of_one_class_alone_is_a_shortcut() -> None:
    mixed = files(30, "JPEG") + files(20, "PNG")
    (sentence,) = two(mixed, files(50, "PNG"))
    assert sentence == "format: JPEG is 0% of 'fake' and 60% of 'real'"


def test_a_mode_of_one_class_alone_is_a_shortcut() -> None:
    (sentence,) = two(files(50), files(50, mode="L"))
    assert sentence.startswith("mode: L is 100% of 'fake' and 0% of 'real'")


def test_a_size_of_one_class_alone_is_a_shortcut() -> None:
    rng = np.random.default_rng(0)
    any_size = files(50, size=rng.integers(90, 100, (50, 2)).tolist())
    (sentence,) = two(any_size, files(50, size=(512, 512)))
    assert sentence.startswith("size: 512 x 512 px is 100% of 'fake' and 0% of 'real'")


def test_larger_pictures_are_a_shortcut_though_no_two_are_of_one_size() -> None:
    small = files(40, size=[(100 + n, 150 + n) for n in range(40)])
    large = files(40, size=[(210 + 2 * n, 310 + 3 * n) for n in range(40)])
    assert any("area" in sentence and "AUROC of 1.00" in sentence for sentence in two(small, large))


def test_another_shape_is_a_shortcut() -> None:
    wide = files(40, size=[(400 + n, 300) for n in range(40)])
    tall = files(40, size=[(300, 400 + n) for n in range(40)])
    (sentence,) = two(wide, tall)
    assert "shape (width / height) is smaller in 'fake' than in 'real'" in sentence


@pytest.mark.parametrize("seed", range(5))
def test_chance_is_no_shortcut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    forms = rng.choice(["JPEG", "PNG", "WEBP"], 60)
    sizes = rng.integers(100, 900, (60, 2)).tolist()
    every = [
        Examined(Path(), format=str(form), mode="RGB", width=width, height=height)
        for form, (width, height) in zip(forms, sizes, strict=True)
    ]
    assert two(every[:30], every[30:]) == []


def test_few_files_make_no_shortcut() -> None:
    assert two(files(3), files(3, "PNG")) == []


def test_with_labels_real_classes_are_compared_with_generated_ones_alone() -> None:
    examined = files(40) + files(40, "PNG") + files(40) + files(40, "PNG")
    classes = [name for name in ("a", "b", "c", "d") for _ in range(40)]
    labels = ["real"] * 80 + ["generated"] * 80
    said = shortcuts(examined, classes, labels)
    assert len(said) == 2
    assert all(("'a'" in one and "'d'" in one) or ("'b'" in one and "'c'" in one) for one in said)
    assert len(shortcuts(examined, classes)) == 4  # each against the other three


def test_damaged_files_are_not_compared() -> None:
    damaged = [Examined(Path("x"), "damaged", "is truncated")] * 50
    assert two(files(50) + damaged, files(50)) == []


def test_the_summary_counts_formats_modes_and_sizes() -> None:
    real = [*files(3, size=[(10, 20), (30, 40), (10, 20)]), Examined(Path("x"), "empty", "is")]
    facts = summary_by_class(real + files(2, "PNG", "L"), ["real"] * 4 + ["fake"] * 2)
    assert facts["formats"] == {"fake": {"PNG": 2}, "real": {"JPEG": 3}}
    assert facts["modes"] == {"fake": {"L": 2}, "real": {"RGB": 3}}
    assert facts["sizes"]["real"] == {
        "median": [10, 20],
        "smallest": [10, 20],
        "largest": [30, 40],
        "commonest": [10, 20],
        "commonest_count": 2,
    }


def test_a_planted_shortcut_is_said(folder: Path) -> None:
    for path in [*folder.rglob("fake/*.jpg")]:
        with Image.open(path) as picture:
            picture.convert("L").save(path.with_suffix(".png"))
        path.unlink()
    checked = check_folder(folder)
    assert checked.findings == []
    assert [sentence.partition(":")[0] for sentence in checked.shortcuts] == ["format", "mode"]


def test_a_finding_knows_whether_it_is_bad() -> None:
    assert Finding("damaged", "a", "b").bad
    assert not Finding("duplicate", "a", "b").bad

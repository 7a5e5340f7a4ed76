"""What an experiment file may not say is refused in one sentence, before anything is done."""

from __future__ import annotations

import itertools
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from annotated_types import Ge, Gt, Le, Lt
from click.testing import CliRunner, Result
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from gandetect.cli import main
from gandetect.config import (
    ARCHITECTURES,
    SOURCES,
    Experiment,
    PicturesConfig,
    SmallSetConfig,
    load_experiment,
    parse_experiment,
)
from gandetect.config.data import DATA_TABLES
from gandetect.config.detector import detector_kinds
from gandetect.config.section import ConfigSection
from gandetect.engine import with_needs
from gandetect.errors import GandetectError, UsageError
from gandetect.stages.gan import TrainGan
from gandetect.study.compose import compose

GAN = '[[gans]]\narchitecture = "dcgan-bn"\n'
SMALL = f'name = "x"\n{GAN}'
LABELLED = """name = "x"
[data]
name = "folder"
path = "mine"
classes = { photos = "real", fakes = "generated" }
[[classifiers]]
recipe = "cnn-small"
"""


def dry_run(folder: Path, text: str | bytes, *overrides: str) -> Result:
    path = folder / "x.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    sets = [part for override in overrides for part in ("--set", override)]
    command = ["run", str(path), "--dry-run", "--out", str(folder / "runs"), *sets]
    return CliRunner().invoke(main, command, catch_exceptions=False)


@pytest.mark.parametrize(
    ("text", "overrides", "words"),
    [
        ('name = "x"\n[[data]]\nname = "folder"\n' + GAN, [], "data is one table, written [data]"),
        ('name = "x"\ndata = "folder"\n' + GAN, [], "data = 'folder' is a string"),
        ('name = "x"\nquality = [1]\n' + GAN, [], "quality is one table"),
        ('name = "x"\nevaluation = true\n' + GAN, [], "evaluation = true is a boolean"),
        ('name = "x"\n[gans]\narchitecture = "dcgan-bn"\n', [], "gans is a list of tables"),
        ('name = "x"\ngans = 3\n', [], "gans = 3 is an integer"),
        ('name = "x"\nvariants = "all"\n' + GAN, [], "each written [[variants]]"),
        ('name = "x"\n[data]\nname = ["digits"]\n' + GAN, [], "data set ['digits'] is not known"),
        ('name = "x"\n[data]\nname = 3\n' + GAN, [], "data set 3 is not known"),
        ('name = "x"\n[[gans]]\narchitecture = [1]\n', [], "architecture [1] is not known"),
        (SMALL, ["data=5"], "data = 5 is an integer"),
        (SMALL, ["seeds=[1]", "seeds.x.0=3"], "no entry 'x'; there are: 0"),
        (SMALL, ["gans=[1]"], "gans.0 = 1 is an integer, not a table"),
        (SMALL, ["gans=[[1]]"], "gans.0 = [1] is a list, not a table"),
        (SMALL, ["name.x=1"], "'name' is a value, not a table"),
        (SMALL, ["gans.5.epochs=1"], "no entry '5'; there are: dcgan-bn"),
        (SMALL, ["data..max_images=1"], "has an empty part in its key"),
        (SMALL, [".".join("abcdefghijklmnop") + "=1"], "names a key within 15 others"),
        (SMALL, ["data.max_images=2000\nname=1"], "for more than one line"),
        (SMALL, ["data.max_images=" + "9" * 5000], "an integer has more than 64 bits"),
        (SMALL, ["data.max_images=0x" + "F" * 5000], "is an integer of more than 64 bits"),
        (SMALL, ["data.max_images=" + "[" * 20_000 + "]" * 20_000], "brackets are nested too deep"),
        (SMALL, ["question=" + "[" * 30 + "]" * 30], "is nested too deep"),
        (SMALL, ["question=2020-01-01"], "is a date, which no key takes"),
        (SMALL, ["data.test_fraction=nan"], "is nan, not a finite number"),
        (f"seeds = [{'9' * 5000}]\n" + SMALL, [], "an integer has more than 64 bits"),
        (f"seeds = {'[' * 20_000}{']' * 20_000}\n" + SMALL, [], "brackets are nested too deep"),
        ("a." * 20_000 + "b = 1\n" + SMALL, [], "is nested too deep"),
        ('question = "\\u0000"\n' + SMALL, [], "has a NUL character"),
        (b"name = '\xff'", [], "is not UTF-8"),
        (SMALL, ['data.held_out=["1"]'], "held_out class '1' is not in fashion-mnist"),
        (SMALL, ["gans.0.epochs=5000000000000"], "less than or equal to 100000"),
        (
            SMALL,
            ["gans.0.epochs=true"],
            "epochs = true is not allowed: input should be a valid int",
        ),
        (SMALL, ['gans.0.epochs="3"'], "epochs = '3' is not allowed"),
        (SMALL, ["gans.0.epochs=3.0"], "epochs = 3.0 is not allowed"),
        (SMALL, ["gans.0.steps_per_epoch=9223372036854775808"], "more than 64 bits"),
        (SMALL, ["gans.0.generator_optimizer.learning_rate=1e38"], "less than or equal to 10"),
        (SMALL, ["gans.0.discriminator.spectral_norm=1"], "1 is neither true nor false"),
        (SMALL, ["gans.0.shared_noise=1"], "should be a valid boolean"),
        (LABELLED, ["classifiers.0.image_size=8"], "greater than or equal to 16"),
        (LABELLED, ["data.held_out=[0]"], "data.held_out.0 = 0 is not allowed"),
        (LABELLED, ["data.classes.a=5"], "data.classes.a = 5 is not allowed"),
    ],
)
def test_one_sentence_says_what_is_wrong(tmp_path, text, overrides, words) -> None:
    result = dry_run(tmp_path, text, *overrides)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert len(result.stderr) <= 620


def test_a_byte_order_mark_and_windows_lines_are_toml_too(tmp_path) -> None:
    content = b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode()
    assert dry_run(tmp_path, content).exit_code == 0


@pytest.mark.parametrize("what", ["name", "data.name", "k" * 5000, "gans.0.loss"])
def test_messages_are_cut_and_keep_both_their_ends(tmp_path, what) -> None:
    result = dry_run(tmp_path, SMALL, f"{what}=" + "v" * 5000)
    assert result.exit_code == 2
    assert len(result.stderr) <= 620
    assert "…" in result.stderr
    assert result.stderr.startswith("error: ")


def test_the_sentence_itself_is_cut_and_keeps_both_its_ends() -> None:
    @main.command("long")
    def _() -> None:
        raise UsageError("begin\x1b[31m" + "x" * 3000 + "end")

    try:
        result = CliRunner().invoke(main, ["long"])
    finally:
        del main.commands["long"]
    assert result.stderr.startswith("error: begin [31mx")
    assert result.stderr.endswith("xend\n")
    assert len(result.stderr) == len("error: \n") + 600


def test_of_many_problems_the_first_few_are_told(tmp_path) -> None:
    unknown = "".join(f"key{number} = 1\n" for number in range(50))
    result = dry_run(tmp_path, unknown + SMALL)
    assert "'key0'" in result.stderr
    assert result.stderr.endswith("; and 47 more\n")


@pytest.mark.parametrize(
    "option", ["--jobs", "--cpus-per-task", "--gpus-per-task", "--seed", "--device", "--engine"]
)
@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e300", "9" * 40, "x" * 3000, ""])
def test_options_of_absurd_values_are_refused_in_few_words(option, value, tmp_path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(SMALL)
    command = ["run", str(path), "--dry-run", "--out", str(tmp_path), option, value]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 2
    assert option in result.stderr
    assert len(result.stderr) < 900


# Every number has a range.


def sections() -> list[type[ConfigSection]]:
    """Every kind of table, from the experiment down."""
    kinds = [*DATA_TABLES.values(), PicturesConfig, SmallSetConfig, *detector_kinds().values()]
    kinds += [table for _, table in SOURCES.items()]
    found = dict.fromkeys([Experiment, *kinds, *(one.table for _, one in ARCHITECTURES.items())])
    waiting = list(found)
    while waiting:
        for field in waiting.pop().model_fields.values():
            for inner in kinds_in(field.annotation):
                if (
                    isinstance(inner, type)
                    and issubclass(inner, ConfigSection)
                    and inner not in found
                ):
                    found[inner] = None
                    waiting.append(inner)
    return list(found)


def kinds_in(annotation: Any) -> Iterator[Any]:
    """An annotation and all that stands within it, such as the int in a tuple of some."""
    yield annotation
    for inner in typing.get_args(annotation):
        if not isinstance(inner, str | int | float):
            yield from kinds_in(inner)


def numbers() -> list[tuple[str, list[Any]]]:
    """Each number of each table, with all that is said of it."""
    found = []
    for section in sections():
        for name, field in section.model_fields.items():
            for said in said_of_numbers(field.annotation, [*field.metadata]):
                found.append((f"{section.__name__}.{name}", said))
    return found


def said_of_numbers(annotation: Any, said: list[Any]) -> Iterator[list[Any]]:
    if annotation in (int, float):
        yield said
    elif typing.get_origin(annotation) is typing.Annotated:
        inner, *more = typing.get_args(annotation)
        flat = [one.metadata if isinstance(one, FieldInfo) else [one] for one in more]
        yield from said_of_numbers(inner, [*said, *itertools.chain(*flat)])
    elif typing.get_origin(annotation) in (tuple, typing.Union, types.UnionType):
        for inner in typing.get_args(annotation):
            yield from said_of_numbers(inner, said)


# Classes by number: how many there are only the data know.
BY_NUMBER = {"held_out", "selection", "validation"}


@pytest.mark.parametrize(
    ("key", "said"), numbers(), ids=lambda given: given if isinstance(given, str) else ""
)
def test_every_number_of_every_table_has_two_ends(key: str, said: list[Any]) -> None:
    if key.rpartition(".")[2] in BY_NUMBER:
        return
    assert any(isinstance(one, Ge | Gt) for one in said), key
    assert any(isinstance(one, Le | Lt) for one in said), key


def test_there_are_many_numbers() -> None:
    assert len(numbers()) > 60


BAD = [True, -1, -1e9, 1e38, 10**30, float("nan"), float("inf"), "3", "", [], [[1]], {}, {"a": 1}]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_no_key_of_any_table_takes_every_value_and_none_crashes(section) -> None:
    for name in section.model_fields:
        refused = 0
        for bad in BAD:
            try:
                section.model_validate({name: bad})
            except ValidationError as error:
                refused += any(one["loc"][:1] == (name,) for one in error.errors())
            except GandetectError:
                refused += 1
        assert refused, name


# More than a year, or than the disk holds.


def test_more_than_a_year_is_said_before_it_starts(tmp_path) -> None:
    result = dry_run(tmp_path, SMALL, "gans.0.epochs=100", "gans.0.steps_per_epoch=100000000")
    assert result.exit_code == 2
    assert "years at least" in result.stderr
    assert "a rough, low estimate" in result.stderr


def test_a_training_weighs_by_its_epochs_its_images_and_its_architecture() -> None:
    def weight(**keys: Any) -> float:
        gan = {"architecture": "dcgan-bn", "epochs": 1, "steps_per_epoch": 10, **keys}
        table = {"name": "one", "seeds": [0], "gans": [gan], "data": {"name": "fashion-mnist"}}
        stages = with_needs(compose(parse_experiment(table)).targets("gans"))
        (training,) = (one for one in stages if isinstance(one, TrainGan))
        return training.weight

    assert weight(epochs=7) == pytest.approx(7 * weight())
    assert weight(steps_per_epoch=20) == pytest.approx(2 * weight())
    assert weight(architecture="dcgan-plain", batch_size=64) > weight(batch_size=64)


def test_more_than_the_disk_holds_is_said_before_it_starts(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: types.SimpleNamespace(free=2 * 10**8))
    result = dry_run(tmp_path, SMALL, "evaluation.other_generated=300000")
    assert result.exit_code == 2
    assert "needs 0.45 GB" in result.stderr
    assert "0.13 GB are free" in result.stderr
    assert (
        dry_run(tmp_path, SMALL, "evaluation.other_generated=20", "gans.0.epochs=1").exit_code == 0
    )


def test_the_projects_own_experiments_are_feasible() -> None:
    from gandetect.study import Options, plan_study

    folder = Path(__file__).parents[2] / "experiments"
    for name in ("reference", "seeds", "digits", "cidaut", "ai-vs-real-resnet50"):
        plan_study(load_experiment(folder / f"{name}.toml"), Options())

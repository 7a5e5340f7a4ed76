"""Every command and snippet of the pages does what the page says, or is marked with why not."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
from analyses.tables.layouts import LAYOUTS
from jsonschema import Draft202012Validator
from PIL import Image

from gandetect.cli import main
from gandetect.config.schema import experiment_schema
from gandetect.data.class_images import ClassImages
from gandetect.data.fashion_mnist import resolve_data_dir

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md", "CONTRIBUTING.md", "SECURITY.md", "experiments/README.md", "data/README.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
]  # fmt: skip
# Commands by their start, or a page and the start of a command, and why they are not run here.
NOT_RUN = {
    "docs/tutorial.md:": "test_tutorial.py runs all of them, in their order",
    "docs/ray.md:": "they need Ray, which tests/cluster/ starts by itself",
    "docs/gpu.md:": "it needs a GPU; tests/gpu/ runs its parts",
    "docs/reference.md:": "days without a GPU; other files try every key of it",
    "docs/robust.md: gandetect run experiments/robust.toml": "hours, and a GPU",
    "docs/robust.md: pip": "no network here",
    "docs/robust.md: gandetect run experiments/robust-pretrained": "it needs those packages",
    "docs/super-resolution.md:": "networks from packages; tests/data/test_super_resolution.py",
    "python experiments/get_cifar10.py": "140 MB by npm; tests/data/test_get_cifar10.py",
    "python experiments/make_super_resolution.py": "tests/data/test_super_resolution.py",
    "data/README.md: pip": "no network here",
    "data/README.md: apt": "no network here",
    "docs/audits.md:": "minutes; the file is a test that draws less often",
    "docs/intervals.md:": "hours; the test of resampling simulates less",
    "docs/classifiers.md: .venv/bin/pip": "no network here, and it is installed for tests",
    "docs/classifiers.md: .venv/bin/gandetect run experiments/mine.toml": "README runs it",
    "docs/classifiers.md: .venv/bin/gandetect score": "README scores another detector",
    "docs/scoring.md: gandetect train": "GPUs or nodes; tests/training/test_data_parallel.py",
    "docs/scoring.md: NODE_RANK": "several nodes, as above",
    "docs/scoring.md: torchrun": "several processes, as above",
    "gandetect score DETECTOR images/ --out scores/ --engine ray": "tests/scoring/ has a Ray",
    "gandetect score DETECTOR tables/": "a cluster",
    "gandetect data check data/faces": "its pictures cannot be had without an account",
    "gandetect data check data/cidaut": "its pictures cannot be had without an account",
    "gandetect data fetch": "downloads; tests/data/test_fetching.py has a server",
    "make study": "it installs gigabytes, and then runs experiments/quick.toml",
    "make test": "it would run this test",
}
# Studies that take longer than a test may are resolved, and no more.
RESOLVED = ("photos.toml", "photographs.toml", "robust-small.toml", "sweep.toml", "leak.toml",
            "leak-honest.toml", "pretrained.toml")  # fmt: skip
QUICK = """
name = "quick"
seeds = [0]
[data]
max_images = 600
[[gans]]
architecture = "dcgan-bn"
epochs = 3
steps_per_epoch = 3
batch_size = 16
[[gans]]
architecture = "dcgan-plain"
epochs = 1
steps_per_epoch = 2
batch_size = 16
[quality]
classifier_epochs = 1
generated = 100
[evaluation]
own_generated = 60
other_generated = 60
"""


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands_of(page: str) -> Iterator[str]:
    """Commands in blocks of shell, and those that a table holds."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in blocks(page, "sh"):
        command = ""
        for line in block.replace("\\\n", " ").splitlines():
            command = f"{command}\n{line}".strip()
            if command.count('"') % 2 == 0:  # else the next line goes on
                yield from filter(None, [command])
                command = ""
    for command in re.findall(r"\| `(gandetect [^`]+)` \|", text):
        yield command.replace(r"\|", "|")


def words(command: str) -> list[str]:
    return shlex.split(command.partition(" > ")[0], comments=True)


COMMANDS = [(page, command) for page in PAGES for command in commands_of(page)]
ONCE: dict[str, tuple[str, str]] = {}
for where, what in COMMANDS:
    ONCE.setdefault(" ".join(words(what)).removeprefix(".venv/bin/"), (where, what))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_every_page_has_the_options_that_it_is_given(page: str) -> None:
    for command in commands_of(page):
        if not re.match(r"(\S+/)?gandetect ", command):
            continue
        _, *arguments = words(command)
        found: click.Command = main
        while isinstance(found, click.Group):
            assert arguments, command
            found = found.commands[arguments.pop(0)]
        left = found.make_parser(click.Context(found)).parse_args(list(arguments))[1]
        assert not left, command


@pytest.mark.parametrize("page", PAGES)
def test_every_target_of_make_that_a_page_names_is_there(page: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = (ROOT / page).read_text(encoding="utf-8")
    assert {*re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)} <= {*targets}


@pytest.mark.parametrize("page", PAGES)
def test_every_table_of_an_experiment_has_keys_that_there_are(page: str) -> None:
    validator = Draft202012Validator(without_required(experiment_schema()))
    for block in blocks(page, "toml"):
        assert not [error.message for error in validator.iter_errors(tomllib.loads(block))], block


def without_required(schema: Any) -> Any:
    """A schema that a part of a file follows, too."""
    if isinstance(schema, list):
        return [without_required(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: without_required(value) for key, value in schema.items() if key != "required"}


def test_no_reason_is_left_of_a_command_that_is_gone() -> None:
    starts = [(f"{page}: {command}", command) for page, command in COMMANDS]
    unused = [name for name in NOT_RUN if not any(
        one.startswith(name) for pair in starts for one in pair
    )]  # fmt: skip
    assert not unused


@pytest.fixture(scope="module")
def folder(fashion_mnist: ClassImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages speak of: experiments, pictures, tables of scores, and a finished run."""
    place = tmp_path_factory.mktemp("docs")
    for name in ("experiments", "examples"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("figures"))
    (place / "experiments" / "quick.toml").write_text(QUICK)
    (place / "data").mkdir()
    if (kept := resolve_data_dir(None).absolute() / "fashion-mnist").is_dir():
        (place / "data" / "fashion-mnist").symlink_to(kept)
    images = fashion_mnist.train_images[:, 0]
    noisy = images + np.random.default_rng(0).integers(0, 40, images.shape, np.uint8)
    reals = ("photos", "fakes", "folder", "data/mine/real", "mine/real", "new")
    for number, name in enumerate(reals):
        save_images(images[100 * number :][:100], place / name)
    for name in ("data/mine/generated", "mine/fake"):
        save_images(noisy[1000:1100], place / name)
    Image.fromarray(images[0]).save(place / "photo.png")
    for layout in LAYOUTS:
        layout(place)
    shutil.copytree(place / "photos", place / "images")
    assert run(place, "gandetect run experiments/quick.toml").returncode == 0
    assert run(place, "gandetect init mine --data data/mine").returncode == 0
    return place


def save_images(images: np.ndarray, folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:03d}.png")


def save_scores(place: Path, score: str, label: str) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    scores = 1 / (1 + np.exp(-rng.normal(2.0 * labels - 1)))
    pd.DataFrame({score: scores, label: labels}).to_csv(place / "scores.csv", index=False)


def run(place: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody would in that folder, whose runs have names that end in …."""
    command = command.replace("DETECTOR", "RUN/detectors/dcgan-plain/seed-0")
    command = command.replace("RUN/", "runs/quick-…/")
    runs = sorted(place.glob("runs/*-*"), key=lambda path: path.stat().st_mtime_ns)
    for name, digest in re.findall(r"runs/(\w+)-(…|\*)", command):
        of_name = [path for path in runs if path.name.startswith(f"{name}-")]
        found = of_name[-1] if of_name else runs[0]  # "other" is any
        command = command.replace(f"runs/{name}-{digest}", str(found.relative_to(place)))
    program, *arguments = words(command)
    if any(name in command for name in RESOLVED):
        arguments.append("--dry-run")
    if program == "pip":  # beside, and without a network
        options = ["--no-build-isolation", "--no-index", "-q", "--target", "plugins"]
        arguments = ["-m", "pip", *arguments, *options]
    elif Path(program).name == "gandetect":
        arguments = ["-m", "gandetect", *arguments]
    paths = [str(ROOT), "plugins", os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "BROWSER": "true", "PYTHONPATH": os.pathsep.join(paths)}
    environment.pop("GANDETECT_DATA_DIR", None)
    return subprocess.run(
        [sys.executable, *arguments], cwd=place, env=environment, text=True, capture_output=True
    )


@pytest.mark.slow
@pytest.mark.parametrize(("page", "command"), ONCE.values())
def test_it_runs_as_it_stands(page: str, command: str, folder: Path) -> None:
    for start, reason in NOT_RUN.items():
        if command.startswith(start) or f"{page}: {command}".startswith(start):
            pytest.skip(reason)
    if "tensorboard" in command and find_spec("tensorboard") is None:
        pytest.skip("TensorBoard is not installed: pip install 'gandetect[tensorboard]'")
    if "mine/(?P<label>" in command:
        scored = run(folder, "gandetect score DETECTOR mine/real mine/fake")
        (folder / "scores.csv").write_text(scored.stdout)
    elif "evaluate scores.csv" in command:
        names = re.search(r"score=(\w+),label=(\w+)", command)
        save_scores(folder, *(names.groups() if names else ("score", "label")))
    answer = run(folder, command)
    assert answer.returncode == 0, answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_its_python_runs_as_it_stands(page: str, folder: Path, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    made = next(folder.glob("runs/quick-*"))
    exported = f"gandetect export {made}/detectors/dcgan-plain/seed-0 --format onnx"
    if page == "docs/export.md":
        assert run(folder, exported).returncode == 0
    rng = np.random.default_rng(0)
    scores = {"label": ["real", "fake"] * 100, "source": ["coco", "flux"] * 100}
    names = {"images": np.zeros((3, 1, 28, 28), np.uint8),
             "dataframe": pd.DataFrame(scores | {"score": rng.random(200)})}  # fmt: skip
    for block in blocks(page, "python"):
        exec(block.replace("runs/quick-…", str(made)).replace("2_500_000", "2_500"), names)

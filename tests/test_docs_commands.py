"""Every command of the pages on one's own scores, detectors and images does what the page says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from analyses.tables.layouts import LAYOUTS
from PIL import Image

from gandetect.cli import main
from gandetect.data.class_images import ClassImages
from gandetect.data.fashion_mnist import resolve_data_dir

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", *(f"docs/{name}.md" for name in
         ("own-images", "own-detectors", "plugins", "export", "evaluate")))  # fmt: skip
NOT_RUN = {
    "make study": "it installs gigabytes, and then runs experiments/quick.toml",
    "make test": "it would run this test",
}
# Studies that take longer than a test may are resolved, and no more.
RESOLVED = ("photos.toml", "robust-small.toml", "sweep.toml")
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


def commands_of(page: str) -> Iterator[str]:
    """Commands in blocks of shell, and those that a table holds."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.replace("\\\n", " ").strip().splitlines()
    for command in re.findall(r"\| `(gandetect [^`]+)` \|", text):
        yield command.replace(r"\|", "|")


COMMANDS = [(page, command) for page in PAGES for command in commands_of(page)]


def words(command: str) -> list[str]:
    return shlex.split(command.partition(" > ")[0], comments=True)


def every_page() -> Iterator[str]:
    yield from PAGES
    yield from ("experiments/README.md", "data/README.md")
    yield from (f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", sorted({*every_page()}))
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
    for number, name in enumerate(("photos", "fakes", "folder", "data/mine/real")):
        save_images(images[100 * number :][:100], place / name)
    save_images(noisy[1000:1100], place / "data" / "mine" / "generated")
    Image.fromarray(images[0]).save(place / "photo.png")
    for layout in LAYOUTS:
        layout(place)
    assert run(place, "gandetect run experiments/quick.toml").returncode == 0
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
@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_it_runs_as_it_stands(page: str, command: str, folder: Path) -> None:
    if reason := next((NOT_RUN[name] for name in NOT_RUN if command.startswith(name)), None):
        pytest.skip(reason)
    if "tensorboard" in command and find_spec("tensorboard") is None:
        pytest.skip("TensorBoard is not installed: pip install 'gandetect[tensorboard]'")
    if "evaluate scores.csv" in command:
        names = re.search(r"score=(\w+),label=(\w+)", command)
        save_scores(folder, *(names.groups() if names else ("score", "label")))
    answer = run(folder, command)
    assert answer.returncode == 0, answer.stderr
    assert "Traceback" not in answer.stderr

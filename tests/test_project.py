"""What must hold of the project as a whole."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXTS = {".cfg", ".css", ".csv", ".j2", ".md", ".py", ".toml"}


def imported_by(program: str) -> set[str]:
    command = f"import sys; {program}; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in answer.stdout.splitlines()[-1].split()}


def test_help_and_completion_import_nothing_heavy() -> None:
    run = "from gandetect.cli import main; main(['--help'], standalone_mode=False)"
    heavy = {"torch", "numpy", "pandas", "sklearn", "matplotlib", "pydantic", "rich", "PIL"}
    assert not imported_by(run) & heavy


def test_statistics_analyses_and_report_import_no_torch() -> None:
    assert "torch" not in imported_by(
        "import gandetect.statistics, gandetect.analyses.registry as r; r.analyses()"
    )


def test_the_package_lists_what_it_offers() -> None:
    import gandetect

    for name in gandetect.__all__:
        assert getattr(gandetect, name) is not None


def project_texts() -> list[Path]:
    named = [ROOT / name for name in ("Makefile", "LICENSE", ".gitignore", "data/README.md")]
    top = [path for path in ROOT.iterdir() if path.suffix in TEXTS]
    folders = (".ci", "experiments", "gandetect", "tests")
    inside = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return named + top + [p for p in inside if p.suffix in TEXTS or p.parent.name == ".ci"]


def test_no_text_names_a_place_of_somebodys_machine() -> None:
    places = [f"/{name}/" for name in ("home", "root", "Users", "work")]
    texts = {path: path.read_text(encoding="utf-8") for path in project_texts()}
    assert len(texts) > 50
    assert not [(path.name, p) for path, text in texts.items() for p in places if p in text]


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A folder, with a space in its name, where `make` would start from nothing."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def make(folder: Path, *arguments: str, path: str = os.defpath) -> subprocess.CompletedProcess[str]:
    # Neither this machine's Python nor the flags of a `make` that runs these tests reach this one.
    return subprocess.run(
        [shutil.which("make") or "make", *arguments],
        cwd=folder,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def the_error(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.returncode != 0
    own = [line for line in answer.stderr.splitlines() if not line.startswith("make")]
    assert len(own) == 1, answer.stderr
    return own[0]


@pytest.fixture
def fake_python(tmp_path) -> Callable[[str, str, str], str]:
    """Make a command that says it is some Python and fails at code that holds a word."""

    def fake(name: str, version: str, fails_at: str) -> str:
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        cases = f'*platform*) echo {version};; *"{fails_at}"*) exit 1;;'
        command.write_text(f'#!/bin/sh\ncase "$2" in {cases} esac\n')
        command.chmod(0o755)
        return str(command.parent)

    return fake


def test_make_help_lists_every_target(checkout) -> None:
    (phony,) = re.findall(r"^\.PHONY: (help .*)", (ROOT / "Makefile").read_text(), re.M)
    listed = re.findall(r"^  ([a-z-]+) - \w", make(checkout, "help").stdout, re.M)
    assert sorted(listed) == sorted(phony.split())


def test_make_names_the_pythons_that_are_too_old(checkout, fake_python) -> None:
    fake_python("python3", "3.9.2", "version_info")
    path = fake_python("python", "2.7.18", "version_info")
    message = the_error(make(checkout, "study", path=path))
    assert message.startswith("error: Python 3.11 or newer is needed")
    assert "(python3 is 3.9.2, python is 2.7.18)" in message
    assert not (checkout / ".venv").exists()


def test_make_takes_no_other_python_than_the_one_it_is_given(checkout, fake_python) -> None:
    given = fake_python("python3.10", "3.10.1", "version_info") + "/python3.10"
    fine = str(Path(sys.executable).resolve().parent)
    assert "3.10.1" in the_error(make(checkout, "test", f"PYTHON={given}", path=fine))


def test_make_names_the_package_that_brings_the_venv_module(checkout, fake_python) -> None:
    path = fake_python("python3", "3.12.4", "ensurepip")
    assert "apt install python3-venv" in the_error(make(checkout, "study", path=path))


def test_make_looks_at_the_free_space_before_it_installs(checkout) -> None:
    answer = make(checkout, "study", f"PYTHON={sys.executable}", "NEEDED_GB=9999999")
    assert "needs 9999999 GB of disk space" in the_error(answer)
    assert not (checkout / ".venv").exists()


@pytest.mark.slow
def test_make_installs_again_after_a_failure_and_not_after_a_success(checkout) -> None:
    stamp = checkout / ".venv" / ".run"

    def install(pip: str) -> subprocess.CompletedProcess[str]:
        python = f"PYTHON={sys.executable}"
        return make(checkout, ".venv/.run", python, f"PIP={pip}", "NEEDED_GB=0")

    assert "the installation failed" in install("false").stderr
    assert not stamp.exists()
    assert "fake pip install -e ." in install("echo fake pip").stdout
    assert stamp.exists()
    assert "fake pip" not in install("echo fake pip").stdout

    moved = checkout.rename(checkout.with_name("moved"))
    checkout = moved
    assert "fake pip" in install("echo fake pip").stdout
    (moved / ".venv" / "bin" / "python").unlink()
    assert "fake pip" in install("echo fake pip").stdout
    assert (moved / ".venv" / "bin" / "python").exists()

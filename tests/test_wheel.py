"""The wheel, installed where the checkout is not, works."""

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: object, **options) -> str:
    answer = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "gandetect", source / "gandetect", ignore=skipped)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", source / "out", source)
    return next((source / "out").glob("*.whl"))


def check(python: Path, folder: Path) -> None:
    binary = python.parent / "gandetect"
    assert run(binary, "--version", cwd=folder).startswith("gandetect, version")
    assert "EXPERIMENT.toml" in run(binary, "run", "--help", cwd=folder)
    program = (
        "import gandetect, importlib.resources as r; from gandetect.report.render import to_html; "
        "files = r.files('gandetect'); assert files.joinpath('py.typed').is_file(); "
        "from gandetect.report.document import Document, Section, Table; "
        "page = to_html(Document('t', [Section('s', [Table('c', ['a'], [['b']])])])); "
        "assert 'hashchange' in page and '--paper' in page and '<table>' in page, page; "
        "print(gandetect.__file__)"
    )
    assert str(python.parent.parent) in run(python, "-c", program, cwd=folder)


@pytest.mark.slow
def test_the_wheel_works_in_an_environment_of_its_own(wheel, tmp_path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel)
    # Third-party packages are those of this environment. A path in a .pth file does not process
    # the .pth files over there, so the editable checkout stays out of sight.
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    check(python, tmp_path)
    run(tmp_path / "env" / "bin" / "gandetect", "info", "--json", cwd=tmp_path)


@pytest.mark.slow
def test_the_wheel_brings_all_it_needs(wheel, tmp_path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", wheel)
    check(python, tmp_path)

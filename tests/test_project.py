"""What must hold of the project as a whole."""

import subprocess
import sys
from pathlib import Path

from gandetect.config import TRAINING_DEFAULTS
from gandetect.models import ARCHITECTURES

ROOT = Path(__file__).parent.parent


def imported_by(program: str) -> set[str]:
    command = f"import sys; {program}; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in answer.stdout.splitlines()[-1].split()}


def test_every_architecture_has_training_defaults() -> None:
    assert set(ARCHITECTURES) == set(TRAINING_DEFAULTS)


def test_help_and_completion_import_nothing_heavy() -> None:
    run = "from gandetect.cli import main; main(['--help'], standalone_mode=False)"
    heavy = {"torch", "numpy", "pandas", "sklearn", "matplotlib", "pydantic", "rich", "PIL"}
    assert not imported_by(run) & heavy


def test_evaluation_and_report_import_no_torch() -> None:
    assert "torch" not in imported_by("import gandetect.evaluation, gandetect.report")


def test_the_package_lists_what_it_offers() -> None:
    import gandetect

    for name in gandetect.__all__:
        assert getattr(gandetect, name) is not None


def test_no_tracked_text_names_a_place_of_somebodys_machine() -> None:
    places = [f"/{name}/" for name in ("home", "root", "Users", "work")]
    found = []
    for path in [*ROOT.glob("*.*"), *ROOT.glob("Makefile"), *(ROOT / ".ci").iterdir()]:
        if path.is_file() and not path.name.startswith(".lock"):
            found += [(path.name, p) for p in places if p in path.read_text(errors="replace")]
    for folder in ("gandetect", "tests", "experiments"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".toml", ".md", ".j2", ".css", ".csv"}:
                found += [(path.name, p) for p in places if p in path.read_text(encoding="utf-8")]
    assert not found

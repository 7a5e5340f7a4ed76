"""Named things: found by name, imported when asked for, and known to nobody else by name."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import gandetect
from gandetect.config import ARCHITECTURES, DATA_SETS, DETECTORS, Architecture, DataSet
from gandetect.config.detector import detector_kinds
from gandetect.detectors.external import External
from gandetect.detectors.protocol import Kind, PostHoc
from gandetect.errors import UsageError
from gandetect.registry import Registry

PACKAGE = Path(gandetect.__file__).parent


@pytest.fixture
def shapes() -> Registry[object]:
    return Registry("shape", {"circle": "math:pi", "nothing": "no_such_module:thing"})


def test_a_thing_is_imported_when_it_is_first_asked_for(shapes) -> None:
    assert "nothing" in shapes
    assert list(shapes) == ["circle", "nothing"]
    assert shapes["circle"] == pytest.approx(3.14159, abs=1e-5)
    with pytest.raises(ModuleNotFoundError):
        shapes["nothing"]


@pytest.mark.parametrize("name", ["circel", None, ["circle"], 3])
def test_an_unknown_name_names_all_that_there_are(shapes, name) -> None:
    assert name not in shapes
    with pytest.raises(
        UsageError, match=r"^shape .*(not known|missing); choose one of: circle, nothing"
    ):
        shapes[name]


def test_a_name_is_taken_once(shapes) -> None:
    shapes.register("square", "math:e")
    assert len(shapes) == 3
    assert shapes["square"] == pytest.approx(2.71828, abs=1e-5)
    with pytest.raises(ValueError, match="already a shape 'square'"):
        shapes.register("square", 1)
    with pytest.raises(ValueError, match="already a shape 'circle'"):
        shapes.register("circle", 1)


def test_every_entry_is_there_and_is_what_it_should_be() -> None:
    assert all(issubclass(kind, Kind) for _, kind in DETECTORS.items())
    assert all(issubclass(kind, PostHoc | External) for kind in detector_kinds().values())
    assert all(isinstance(one, Architecture) for _, one in ARCHITECTURES.items())
    assert all(isinstance(one, DataSet) for _, one in DATA_SETS.items())


def test_a_kind_is_registered_under_the_name_that_its_table_has() -> None:
    for name, kind in detector_kinds().items():
        assert kind.model_fields["kind"].annotation.__args__ == (name,)


def test_experiments_with_every_named_thing_are_read_without_torch() -> None:
    """So that a report is drawn without it."""
    program = (
        "import sys; from gandetect.config import *; from gandetect.config.detector import *\n"
        "for registry in (ARCHITECTURES, DATA_SETS, DETECTORS): dict(registry.items())\n"
        "parse_experiment({'name': 'x', 'gans': [{'architecture': 'dense'}], 'detectors': "
        "[{'kind': 'checkpoint-ensemble', 'name': 'd', 'gan': 'dense'}]})\n"
        "print(len(detector_kinds()), 'torch' in sys.modules, 'sklearn' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "7 False False\n"


def test_nothing_else_knows_a_kind_of_detector_by_its_name() -> None:
    plain_words = {"probe", "selected", "python", "command"}  # they also mean something else
    names = set(detector_kinds()) - plain_words
    quoted = re.compile("|".join(f"[\"']{name}[\"']" for name in names))
    found = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if quoted.search(path.read_text(encoding="utf-8"))
    }
    lines = (PACKAGE / "config" / "detector.py").read_text().splitlines()
    assert found == {"config", "detectors"}
    assert sum(bool(quoted.search(line)) for line in lines) == len(names)
    others = [path for path in (PACKAGE / "config").glob("*.py") if path.name != "detector.py"]
    assert not [path.name for path in others if quoted.search(path.read_text(encoding="utf-8"))]

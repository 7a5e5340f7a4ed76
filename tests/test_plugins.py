"""Plug-ins that cannot be used are a sentence each, and everything else works."""

import pytest

from gandetect.analyses.analysis import Analysis
from gandetect.analyses.registry import _guarded
from gandetect.errors import UsageError
from gandetect.registry import API, Registry

GROUP = "gandetect.tests"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package with one module, an API version and entry points of `GROUP`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def installed(package, points, code="", api=API):
        (tmp_path / f"{package}.py").write_text(f"GANDETECT_API = {api}\n{code}\n")
        info = tmp_path / f"{package}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.0\n")
        lines = [f"{name} = {package}:{thing}\n" for name, thing in points.items()]
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{''.join(lines)}")

    return installed


@pytest.fixture
def shapes():
    def fits(thing):
        return isinstance(thing, float)

    return Registry("shape", {"circle": "math:pi"}, GROUP, fits)


def test_a_plug_in_is_known_by_name_and_by_its_package(install, shapes):
    install("plug_a", {"square": "SIDE"}, "SIDE = 4.0")
    assert shapes["square"] == 4.0
    assert list(shapes) == ["circle", "square"]
    assert len(shapes) == 2
    assert shapes.plugged_in() == {"square": "plug_a 2.0"}
    assert shapes.problems == {}


def test_one_that_is_built_in_is_had_without_looking_for_packages(shapes, monkeypatch):
    monkeypatch.setattr("gandetect.registry.entry_points", None)
    assert shapes["circle"] > 3


@pytest.mark.parametrize(
    ("package", "code", "api", "said"),
    [
        ("plug_b", "import no_such_module", API,
         r"plug_b:SIDE cannot be imported \(ModuleNotFoundError: No module named 'no_such_module'"),
        ("plug_c", "", API, r"plug_c:SIDE cannot be imported \(AttributeError"),
        ("plug_d", "SIDE = 4.0", API + 1, f"it is for API version {API + 1}, .* has {API}"),
        ("plug_e", "SIDE = 4.0", None, "it is for API version None"),
        ("plug_f", "SIDE = 'four'", API, "plug_f:SIDE is str, which is no shape"),
        ("plug_g", "raise SystemError", API, "cannot be imported"),
        ("plug_h", "raise SystemExit('no licence')", API, r"imported \(SystemExit: no licence"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_used_is_told_when_asked_for_and_costs_no_other(
    install, shapes, package, code, api, said
):
    install(package, {"square": "SIDE"}, code, api)
    install(f"{package}_too", {"line": "SIDE"}, "SIDE = 1.0")
    assert dict(shapes.items()) == {"circle": shapes["circle"], "line": 1.0}
    with pytest.raises(UsageError, match=f"shape 'square' of {package} 2.0 is not used: .*{said}"):
        shapes["square"]
    with pytest.raises(UsageError, match="shape 'sqare' is not known; choose one of: circle, line"):
        shapes["sqare"]


def test_of_two_with_one_name_neither_is_used(install, shapes):
    install("plug_h", {"square": "SIDE"}, "SIDE = 4.0")
    install("plug_i", {"square": "SIDE", "line": "SIDE"}, "SIDE = 5.0")
    assert dict(shapes.items()).keys() == {"circle", "line"}
    said = (
        r"'square' is not used: plug_h 2\.0 and plug_i 2\.0 bring one each; uninstall all but one"
    )
    with pytest.raises(UsageError, match=said):
        shapes["square"]


def test_one_with_the_name_of_a_built_in_one_is_not_used(install, shapes):
    install("plug_j", {"circle": "SIDE"}, "SIDE = 4.0")
    assert dict(shapes.items()) == {"circle": shapes["circle"]}
    assert shapes["circle"] != 4.0
    (sentence,) = shapes.problems.values()
    assert sentence.startswith("the shape 'circle' of plug_j 2.0 is not used: that name is one of")


def test_an_analysis_that_fails_is_not_measured():
    def numbers(study):
        raise ZeroDivisionError("no scores")

    def rows(metrics):
        raise AssertionError("there are none")

    guarded = _guarded(Analysis("mine", numbers, rows), "plug 2.0")
    metrics = guarded.numbers(None)
    (sentence,) = metrics["not_measured"]["plug-in mine"]
    assert "the analysis 'mine' of plug 2.0 failed (ZeroDivisionError('no scores'))" in sentence
    assert list(guarded.rows(metrics)) == []
    assert _guarded(Analysis("fine", lambda study: {"x": 1}), "plug 2.0").numbers(None) == {"x": 1}

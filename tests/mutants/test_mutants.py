"""The mutation tool itself: which mutants there are, which are drawn, and what becomes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mutants.operators import draw, mutants_of
from mutants.rooms import ROOMS, equivalents, key_of, modules_of, selected_tests

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {"x = (a <= b)", "x = (a >= b)"}),
        ("x = a - b", {"x = (a + b)"}),
        ("x = a and b", {"x = (a or b)"}),
        ("x = not a", {"x = (a)"}),
        ("x = a if b else c", {"x = a if (not (b)) else c"}),
        ("x = f(1)", {"x = f(2)", "x = f((0))"}),
        ("x = f(a, steps=b)", {"x = f(a)"}),
        ("while a:\n break", {"while (not (a)):\n break", "while a:\n continue"}),
        ("f(x)", {"pass"}),
        ("a.b = c", {"pass"}),
        ("a += b", {"pass"}),
        ("x = [y for y in z if y]", {"x = [y for y in z if (not (y))]"}),
        ("x = min(a, b)", {"x = max(a, b)"}),
        ("é = True; x = a == b", {"é = False; x = a == b", "é = True; x = (a != b)"}),
    ],
)  # fmt: skip
def test_one_expression_or_statement_is_replaced(source, expected) -> None:
    assert {one.apply(source) for one in mutants_of("m.py", source)} == expected


@pytest.mark.parametrize(
    "source",
    ["def f(x: a | b) -> a & b: ...", "@f(1)\ndef g(): ...", "assert a < 1", "x = f'{1 + a}'",
     "x = a / 'name' / b", "x = a / m.NAME",
     "zip(a, b, strict=True)[a]", "import a", "VERSION: int = 2", "if TYPE_CHECKING:\n    f()"],
)  # fmt: skip
def test_what_no_test_could_notice_is_left_alone(source) -> None:
    assert mutants_of("m.py", source) == []


def test_a_draw_is_of_different_places_and_is_not_changed_by_code_elsewhere() -> None:
    source = "def f(a, b):\n    return a < 1 + b, a * 2, g(a, b=3), not a\n"
    first = draw(mutants_of("m.py", source), 5, seed=0)
    moved = draw(mutants_of("n.py", "import g\n\n" + source), 5, seed=0)
    assert len({(one.start, one.end) for one in first}) == 5
    assert [key_of(one) for one in first] == [key_of(one) for one in moved]
    others = [draw(mutants_of("m.py", source), 5, seed) for seed in range(1, 5)]
    assert any([key_of(a) for a in one] != [key_of(b) for b in first] for one in others)


@pytest.mark.slow
def test_a_mutant_is_killed_survives_or_is_timed_out_and_its_tree_is_as_before(tmp_path) -> None:
    source = "def f(n):\n    while n > 0:\n        n -= 1\n    return n\n"
    (tmp_path / "module.py").write_text(source)
    (tmp_path / "test_module.py").write_text(
        "import module\n\ndef test_it():\n    assert module.f(3) == 0\n"
    )
    script = (
        "import json, sys; from pathlib import Path; from mutants.running import Attempt, run\n"
        "tree, sources = Path(sys.argv[1]), json.loads(sys.argv[2])\n"
        "tests = ('test_module.py',)\n"
        "attempts = [Attempt('module.py', one, tests, 6) for one in sources]\n"
        "print(json.dumps([[one.result, one.test] for one in run(attempts, [tree], warm='')]))"
    )
    sources = [source, source.replace("> 0", "> 1"), source.replace("-= 1", "+= 1")]
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), json.dumps(sources)],
        env={"PYTHONPATH": str(ROOT / "tests"), "PATH": ""},
        capture_output=True,
        check=True,
    )
    assert json.loads(told.stdout) == [
        ["survived", ""],
        ["killed", "test_module.py::test_it"],
        ["timed out", ""],
    ]
    assert (tmp_path / "module.py").read_text() == source


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_of_a_room_has_tests(room) -> None:
    modules = modules_of(ROOT, room)
    assert modules
    for module in modules:
        assert selected_tests(ROOT, room, module), module


def test_every_equivalent_mutant_has_a_reason() -> None:
    assert all(equivalents(Path(__file__).with_name("equivalent.toml")).values())

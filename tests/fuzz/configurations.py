"""Experiment files, overrides and options that nobody should write: the dry run answers each.

The files are the repository's own, changed: another value for a key, a key more or less, a table
where a value belongs, letters of the text swapped. Whatever comes, `gandetect run FILE --dry-run`
ends with its plan, or with one sentence.
"""

from __future__ import annotations

import copy
import json
import random
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .judging import problem_with

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
# Files of 30 studies take seconds to plan, each of them like the small one.
SLOW = ("better-detectors", "better-detectors-screen")


class Toml(str):
    """A value as it stands in TOML, valid or not."""

    __slots__ = ()


VALUES = [
    *("true", "false", "0", "1", "-1", "3", "64", "-0.0", "0.5", "1.0", "1e-300", "1e38", "5e12"),
    *("5000000000000", "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *("nan", "inf", "-inf", "9" * 5000, "0x" + "F" * 5000, "1979-05-27", "07:32:00", "1_0"),
    *("[]", "[[]]", "[1]", "[true]", '["a"]', '[["a"], ["b"]]', "[[1], 2]", "{}", "[{}]"),
    *("{ a = 1 }", '{ name = "adam" }', '[{ name = "x" }]', "[" * 40 + "]" * 40, "[" * 4000),
    *('""', '" "', '"all"', '"every 5"', '"{gan}"', '"*"', '"("', '"(a*)*b"'),
    *('"x\\ty"', '"\\u0000"', '"\\n"', '"\\U0001F600"', '"../../etc"', '"/"', "'\\xff'", "x", "="),
    *('"' + "x" * 3000 + '"', '["' + '", "'.join(map(str, range(3000))) + '"]', '"fashion-mnist"'),
    *('"folder"', '"csv"', '"digits"', '"real"', '"dcgan-bn"', '"cnn-small"', '"one-class"'),
]
KEYS = ["x", "name", "epochs", "data", "gans", "seeds", "classes", "held_out", "recipe", "kind"]
KEYS += [
    "architecture",
    "extends",
    "changes",
    "image_size",
    "variants",
    "compared_with",
    "",
    "k" * 3000,
]
PATHS = ["data", "seeds.x.0", "seeds.0", "gans", "gans.0", "gans.9.epochs", "gans.x", "quality"]
PATHS += ["name.x", "data.classes.a.b", "..", "a" * 3000, ".".join("a" * 40), "evaluation.overlap"]
PATHS += ["classifiers.0.head.hidden", "gans.0.epochs.x", "data.held_out.0", "detectors.0.gan", " "]
OPTIONS = {
    "--jobs": ["0", "-1", "9" * 40, "nan", "x" * 3000, "1024"],
    "--seed": ["-1", "4294967296", "1.5", "x"],
    "--device": ["abacus", "cuda", "x" * 3000],
    "--engine": ["ray", "x"],
    "--cpus-per-task": ["0", "1", "9" * 30],
    "--gpus-per-task": ["nan", "inf", "-1", "1e300", "0.5"],
    "--address": ["", "x" * 3000, "nowhere:1"],
    "--reuse": ["nowhere", "x" * 3000],
    "--variant": ["x", ""],
    "--data-dir": ["nowhere", "x" * 3000],
    "--nonsense": ["x" * 3000],
}


def run(count: int, seed: int, until: float) -> list[str]:
    """Try so many configurations, fewer where time is up; what went wrong, as text."""
    rng, failures = random.Random(seed), []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _pictures(folder / "data" / "photos")
        bases = _bases()
        for number in range(count):
            if time.monotonic() > until:
                break
            arguments, written = _drawn(rng, bases, folder)
            problem = problem_with(arguments)
            if problem is not None:
                failures.append(f"configuration {number}: {problem}\n{_shown(arguments, written)}")
    return failures


def _bases() -> list[dict[str, Any]]:
    return [
        tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(EXPERIMENTS.glob("*.toml"))
        if path.stem not in SLOW
    ]


def _drawn(
    rng: random.Random, bases: list[dict[str, Any]], folder: Path
) -> tuple[list[str], bytes]:
    """A command, and the experiment file that it names."""
    table = copy.deepcopy(rng.choice(bases))
    for _ in range(rng.choice([0, 1, 1, 1, 2, 5])):
        rng.choice(CHANGES)(rng, table)
    content = "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items()).encode()
    if rng.random() < 0.15:
        content = _scrambled(rng, content)
    path = folder / "experiment.toml"
    path.write_bytes(rng.choice([b"", b"", b"", b"\xef\xbb\xbf"]) + content)
    arguments = ["run", str(path), "--dry-run", "--out", str(folder / "runs")]
    arguments += ["--data-dir", str(folder / "data")]
    for _ in range(rng.choice([0, 0, 1, 2])):
        where = rng.choice([".".join(_some_path(rng, table)), rng.choice(PATHS)])
        arguments += ["--set", where + rng.choice(["=", "=", "=", "", " = "]) + rng.choice(VALUES)]
    if rng.random() < 0.1:
        option = rng.choice(sorted(OPTIONS))
        arguments += [option, rng.choice(OPTIONS[option])]
    return arguments, content


# Changes of a table, in place.


def _other_value(rng: random.Random, table: dict[str, Any]) -> None:
    holder, key = _place(rng, table)
    holder[key] = Toml(rng.choice(VALUES))


def _without(rng: random.Random, table: dict[str, Any]) -> None:
    holder, key = _place(rng, table)
    del holder[key]


def _one_more(rng: random.Random, table: dict[str, Any]) -> None:
    holder, _ = _place(rng, table)
    if isinstance(holder, dict):
        holder[rng.choice(KEYS)] = Toml(rng.choice(VALUES))
    else:
        holder.append(copy.deepcopy(rng.choice(holder)) if holder else Toml(rng.choice(VALUES)))


def _in_a_list(rng: random.Random, table: dict[str, Any]) -> None:
    holder, key = _place(rng, table)
    holder[key] = [holder[key]]


def _from_elsewhere(rng: random.Random, table: dict[str, Any]) -> None:
    (holder, key), (other, of) = _place(rng, table), _place(rng, table)
    holder[key] = copy.deepcopy(other[of])


CHANGES: list[Callable[[random.Random, dict[str, Any]], None]] = [
    *(_other_value, _other_value, _other_value),
    *(_without, _one_more, _in_a_list, _from_elsewhere),
]


def _place(rng: random.Random, table: dict[str, Any]) -> tuple[Any, Any]:
    """A table or list somewhere within, and a key or number that it has."""
    places: list[tuple[Any, Any]] = [(table, "name")] if "name" in table else []
    stack: list[Any] = [table]
    while stack:
        holder = stack.pop()
        for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
            places.append((holder, key))
            if isinstance(value, dict | list):
                stack.append(value)
    if not places:
        table["name"] = Toml('"x"')
        return table, "name"
    return rng.choice(places)


def _some_path(rng: random.Random, table: dict[str, Any]) -> list[str]:
    """The way to a key somewhere within, as `--set` names it."""
    parts: list[str] = []
    node: Any = table
    while isinstance(node, dict | list) and node and (not parts or rng.random() < 0.8):
        entries = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
        key, node = rng.choice(entries)
        parts.append(str(key))
    return parts or ["name"]


def _scrambled(rng: random.Random, content: bytes) -> bytes:
    letters = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(letters) or 1)
        letters[place : place + rng.randint(0, 3)] = rng.randbytes(rng.randint(0, 2))
    return bytes(letters)


def _key(key: Any) -> str:
    return json.dumps(str(key))


def _value(value: Any) -> str:
    if isinstance(value, Toml):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _shown(arguments: list[str], written: bytes) -> str:
    said = " ".join(one if len(one) < 200 else f"{one[:100]}…" for one in arguments)
    return f"{said}\n{written.decode(errors='backslashreplace')[:3000]}"


def _pictures(folder: Path) -> None:
    """Class folders for the studies on pictures of one's own; a dry run reads their names alone."""
    for name in ("everyday", "instrument"):
        (folder / name).mkdir(parents=True)

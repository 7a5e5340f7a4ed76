"""The command: draws mutants of every room, runs their tests, prints the table and survivors."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from fnmatch import fnmatch
from pathlib import Path

import click

from mutants.operators import Mutant, draw, mutants_in
from mutants.rooms import ROOMS, equivalents, key_of, modules_of, selected_tests
from mutants.running import LOG, ROOT, Attempt, copy_tree, run

KEPT = ROOT / "build" / "mutants"
LONGEST = 3600.0  # seconds for all tests of a room
NOTICED = ("killed", "timed out")
OUTCOMES = (*NOTICED, "survived", "broken", "equivalent")


@click.command()
@click.option(
    "--room", "rooms", multiple=True, type=click.Choice(list(ROOMS)), help="Default: all."
)
@click.option("--draw", "count", type=click.IntRange(1), default=30, show_default=True, metavar="N")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S")
@click.option("--only", default="*", metavar="GLOB", help="Mutate only modules that match.")
@click.option("--skip", multiple=True, metavar="GLOB", help="Leave out modules that match.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, metavar="N")
def main(
    rooms: tuple[str, ...],
    count: int,
    seed: int,
    only: str,
    skip: tuple[str, ...],
    jobs: int,
) -> None:
    """Draw mutants of each room and run its tests; exits with 1 where under 90 % are killed.

    Given again, it goes on: a mutant is not run twice for the same module and tests.
    """
    known = equivalents(Path(__file__).with_name("equivalent.toml"))
    table, survivors = [], []
    with ExitStack() as stack:
        trees = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(jobs)]
        for tree in trees:
            copy_tree(ROOT, tree)
        root = trees[0]  # so that what is edited meanwhile changes nothing
        for room in rooms or ROOMS:
            paths = [
                path
                for path in modules_of(root, room)
                if fnmatch(path, only) and not any(fnmatch(path, one) for one in skip)
            ]
            drawn = draw(mutants_in(root, paths), count, seed)
            outcomes = {one: "equivalent" for one in drawn if key_of(one) in known}
            outcomes |= _tried(room, [one for one in drawn if one not in outcomes], trees)
            table.append(_row(room, Counter(outcomes.values())))
            survivors += [
                one.diff((root / one.path).read_text("utf-8"))
                for one, outcome in outcomes.items()
                if outcome == "survived"
            ]
    click.echo("".join(f"{diff}\n\n" for diff in survivors), nl=False)
    click.echo(
        f"{'room':12}{'drawn':>7}" + "".join(f"{name:>12}" for name in OUTCOMES) + "   score"
    )
    click.echo("\n".join(text for text, _ in table))
    sys.exit(any(score < 0.9 for _, score in table))


def _row(room: str, counts: Mapping[str, int]) -> tuple[str, float]:
    total = sum(counts.values())
    noticed = sum(counts.get(name, 0) for name in NOTICED)
    score = noticed / max(1, total - counts.get("equivalent", 0))
    cells = "".join(f"{counts.get(name, 0):>12}" for name in OUTCOMES)
    return f"{room:12}{total:>7}{cells}{score:>8.0%}", score


def _tried(room: str, mutants: list[Mutant], trees: list[Path]) -> Iterator[tuple[Mutant, str]]:
    """The outcome of each mutant: from an earlier run, or by running its tests now."""
    root = trees[0]
    results = Results(KEPT / f"{room}.jsonl")
    waiting = []
    for one in mutants:
        tests = selected_tests(root, room, one.path)
        outcome = results.get(_mutated(root, one), _digest(_texts(root, tests)))
        if outcome is None:
            waiting.append(one)
        else:
            yield one, outcome
    if not waiting:
        return
    limit = _limit(room, waiting, trees, results)
    attempts = [
        Attempt(one.path, _mutated(root, one), tuple(selected_tests(root, room, one.path)), limit)
        for one in waiting
    ]
    for outcome in run(attempts, trees):
        one, attempt = waiting[outcome.number], attempts[outcome.number]
        results.add(attempt.source, _digest(_texts(root, attempt.tests)), outcome.result)
        told = f"{outcome.result:10}{outcome.seconds:5.0f} s  {one.path}: {one.line}  ->  {one.new}"
        click.echo(f"{told}  {outcome.test}".rstrip(), err=True)
        yield one, outcome.result


def _limit(room: str, mutants: list[Mutant], trees: list[Path], results: Results) -> float:
    """Seconds that a mutant's tests may take: of what they take without a fault, some times more.

    Raises `click.ClickException` when a test fails without any mutant.
    """
    root = trees[0]
    tests = tuple(dict.fromkeys(t for one in mutants for t in selected_tests(root, room, one.path)))
    everything = "\0".join(_texts(root, ["gandetect"]))
    known = results.get(everything, _digest(_texts(root, tests)))
    if known is not None:
        return float(known)
    path = mutants[0].path
    whole = Attempt(path, (root / path).read_text("utf-8"), tests, LONGEST)
    (outcome,) = run([whole], trees[:1])
    if outcome.result != "survived":
        log = (trees[0] / LOG).read_text("utf-8", errors="replace")
        raise click.ClickException(f"{room}: its tests fail without any mutant\n{log[-3000:]}")
    click.echo(f"{room}: its tests take {outcome.seconds:.0f} s", err=True)
    limit = 30 + 3 * outcome.seconds
    results.add(everything, _digest(_texts(root, tests)), str(limit))
    return limit


def _mutated(root: Path, mutant: Mutant) -> str:
    return mutant.apply((root / mutant.path).read_text("utf-8"))


class Results:
    """What came of mutants before: one line each, in a file that only grows.

    A mutant that was killed stays so; one that survived is tried again when its tests change.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        self._kept = {tuple(key): outcome for key, outcome in map(json.loads, lines)}

    def get(self, source: str, tests: str) -> str | None:
        """The outcome of a module's mutated source, given the digest of its tests."""
        name = _digest([source])
        return self._kept.get((name, "")) or self._kept.get((name, tests))

    def add(self, source: str, tests: str, outcome: str) -> None:
        """Keep an outcome."""
        key = _digest([source]), "" if outcome in NOTICED else tests
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps([key, outcome]) + "\n")


def _texts(root: Path, tests: Sequence[str]) -> Iterator[str]:
    for place in tests:
        folder = root / place
        for file in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            yield file.read_text("utf-8")


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


if __name__ == "__main__":
    main()

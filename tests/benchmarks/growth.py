"""How the cost of a study grows with epochs and seeds, and what a repeated or extended run costs.

Whole small studies are run from the shell. What counts is processor time, of the command and of
all that it started: two cores that share the work, or another program beside it, change the clock
and not the cost.
"""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from .commands import gandetect
from .results import Measured, Settings

SECTION = "growth"
EXPERIMENT = Path(__file__).parents[2] / "experiments" / "smoke.toml"
STEPS = (60, 48)  # of an epoch of each GAN, so that training is not lost beside the rest
COUNTS = (1, 2, 4)


def measure(settings: Settings) -> Measured:
    """Run 1, 2 and 4 epochs, and 1, 2 and 4 seeds; then the last again, and with one seed more."""
    measured = Measured()
    steps = (6, 5) if settings.quick else STEPS
    epochs = [_cost(steps, epochs=count) for count in COUNTS]
    seeds = [_cost(steps, seeds=count) for count in COUNTS]
    measured.add_rows(SECTION, "s CPU", {
        **{f"a small study, {n} epoch(s)": [cost] for n, cost in zip(COUNTS, epochs, strict=True)},
        **{f"a small study, {n} seed(s)": [cost] for n, cost in zip(COUNTS, seeds, strict=True)},
    })  # fmt: skip
    for name, costs in (("epochs", epochs), ("seeds", seeds)):
        # 1 where the second step, twice as long, costs twice as much as the first.
        twice = (costs[2] - costs[1]) / 2
        measured.add_ratio(SECTION, f"{name}: (4 less 2) / 2 / (2 less 1)", [twice],
                           [costs[1] - costs[0]])  # fmt: skip
    with TemporaryDirectory() as temporary:
        out = Path(temporary)
        first = _run(out, steps, seeds=2)
        again = _run(out, steps, seeds=2)
        one_more = _run(out, steps, seeds=3)
    measured.add_rows(SECTION, "s CPU", {
        "the study of 2 seeds": [first],
        "the same command again": [again],
        "with one seed more": [one_more],
    })  # fmt: skip
    return measured


def _cost(steps: Sequence[int], epochs: int = 1, seeds: int = 1) -> float:
    with TemporaryDirectory() as temporary:
        return _run(Path(temporary), steps, epochs, seeds)


def _run(out: Path, steps: Sequence[int], epochs: int = 1, seeds: int = 1) -> float:
    """Run the study in a folder; processor seconds of everything that it took."""
    command = [gandetect(), "-q", "run", str(EXPERIMENT), "--out", str(out)]
    for number, count in enumerate(steps):
        command += ["--set", f"gans.{number}.epochs={epochs}"]
        command += ["--set", f"gans.{number}.steps_per_epoch={count}"]
    for seed in range(seeds):
        command += ["--seed", str(seed)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

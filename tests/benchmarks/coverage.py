"""How often 95 % intervals hold the truth, by simulation: `python -m benchmarks.coverage`.

Scores are drawn from known distributions. Each run shifts its fakes by an amount of its own, and
two runs' scores of one image are correlated. The truth is the expectation of a figure over draws
of everything that its interval covers: the mean over all studies of a design.
"""

from __future__ import annotations

import json
import math
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, product
from pathlib import Path
from typing import Any

import click
import numpy as np
from scipy.special import ndtr
from scipy.stats import t as student

from gandetect.analyses.calibration.numbers import calibration
from gandetect.analyses.comparisons.numbers import compare_all
from gandetect.analyses.costs.numbers import costs
from gandetect.analyses.ranking.numbers import METRICS, relatives
from gandetect.analyses.reference_study.numbers import general_figures_of
from gandetect.statistics.contrasts import difference_auroc, difference_correct
from gandetect.statistics.cost_model import EXAMPLE_COSTS
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages
from gandetect.statistics.operating_points import youden
from gandetect.statistics.ranking import pair_metrics
from gandetect.statistics.scored_detectors import ScoredDetector

REAL, FITTED_FAKES, TEST = "real:calibration", "generated:calibration", "real:in-distribution"
VALID, VALID_FAKES, FAKE = "real:validation", "generated:validation", "generated:a"
SCORES = ("normal", "t3", "mixture")
CALIBRATION = (20, 50, 100, 1000, 7000)
RUNS = (1, 3, 5, 10)
IMAGES = 1000  # test images of each kind
ALPHA = 0.05
ALIKE = 0.6  # correlation of two runs' scores of one image
APART, SPREAD = 1.8, 0.3  # fakes from reals, in standard deviations of the reals; over runs
BETTER = 0.6  # how much further apart the fakes are for the detector that is better

PAGE = """# How often 95 % intervals hold the truth

[Intervals](intervals.md) says what is simulated, and what the tables say. This page was printed by
`python -m benchmarks.coverage --table --studies {studies}`, of as many studies a design or more.

Of `tests` stands the share of comparisons with p below 5 %, and in brackets the share of families
with any such after Holm's correction; of `power` the share of real differences that are found after
it; of all other parts, so many of 100 intervals hold the truth. A dash was not measured.
"""

Found = dict[str, tuple[float, float, float]]  # by figure: value, low and high; or p-values


@dataclass(frozen=True)
class Design:
    """What studies of one cell of the table have in common."""

    part: str
    scores: str
    calibration: int
    runs: int
    shared: bool = True

    @property
    def stream(self) -> list[int]:
        """Numbers that seed its studies."""
        words = f"{self.part} {self.scores} {self.shared}".encode()
        return [zlib.crc32(words), self.calibration, self.runs]


def quantiles(name: str, z: Any) -> Any:
    """Scores with a named distribution from standard normal ones."""
    if name == "normal":
        return z
    if name == "t3":
        return student.ppf(ndtr(z), 3) / np.sqrt(3)
    x = np.linspace(-5, 8, 4001)  # a mixture: one real of ten lies far up
    return np.interp(ndtr(z), 0.9 * ndtr(x / 0.7) + 0.1 * ndtr((x - 2) / 0.7), x)


def detectors(design: Design, rng: np.random.Generator, aparts: Sequence[float] = (APART,),
              groups: Sequence[str] = (REAL, TEST, FAKE)) -> list[DetectorRuns]:  # fmt: skip
    """One study: the runs of a detector for each of ``aparts``, all on the same images."""
    sizes = {TEST: IMAGES, FAKE: IMAGES}
    common: dict[Any, Any] = {}
    found = []
    for position, apart in enumerate(aparts):
        images: dict[int, dict[str, ScoredImages]] = {}
        for seed in range(design.runs):
            moved = apart + (SPREAD * rng.standard_normal() if design.runs > 1 else 0.0)
            images[seed] = {}
            for source in groups:
                fake, chooses = source.startswith("generated"), source not in sizes
                own = seed + 1 if fake or (chooses and not design.shared) else 0
                n = sizes.get(source, design.calibration)
                of_images = common.setdefault((source, own), rng.standard_normal(n))
                z = np.sqrt(ALIKE) * of_images + np.sqrt(1 - ALIKE) * rng.standard_normal(n)
                scores = quantiles(design.scores, z) + (moved if fake else 0.0)
                images[seed][source] = ScoredImages(np.arange(n) + own * 10**6, scores)
        cuts = {seed: _thresholds(of) for seed, of in images.items()}
        found.append(DetectorRuns(f"d{position}", (FAKE,), cuts, images, same_fakes=False))
    return found


def _thresholds(images: Mapping[str, ScoredImages]) -> dict[str, float]:
    cuts = {"native": APART / 2}
    if REAL in images:
        cuts["calibrated"] = conformal(images[REAL].scores)
    if VALID in images:
        cuts["youden"] = youden(images[VALID_FAKES].scores, images[VALID].scores)
    return cuts


def conformal(reals: Any) -> float:
    """The split-conformal threshold: a new real exceeds it with probability `ALPHA` at most."""
    return float(np.sort(reals)[math.ceil((1 - ALPHA) * (len(reals) + 1)) - 1])


def shares(design: Design, rng: np.random.Generator) -> Found:
    """Shares at the calibrated threshold, a difference of two detectors, and F1."""
    one, other = detectors(design, rng, (APART, APART))
    seeds = one.seeds
    found = {
        "accepted": one.share_correct(seeds, TEST, "calibrated"),
        "caught": one.share_correct(seeds, FAKE, "calibrated"),
        "F1": general_figures_of(one, seeds, "calibrated")["generated: f1-score"],
    }
    moved = difference_correct(one, other, seeds, (FAKE, FAKE), "calibrated")
    return {name: (of.mean, *of.ci95()) for name, of in found.items()} | {
        "difference": (moved.mean, *moved.ci95(share=False))
    }


def ranking(design: Design, rng: np.random.Generator) -> Found:
    """AUROC, its relatives, and a difference of two AUROCs."""
    one, other = detectors(design, rng, (APART, APART), (TEST, FAKE))
    pairs = [{"detector_seed": seed, "generated": FAKE, "real": TEST,
              **pair_metrics(one.images[seed][FAKE].scores, one.images[seed][TEST].scores)}
             for seed in one.seeds]  # fmt: skip
    found = {"auroc": one.auroc(one.seeds, FAKE, TEST), **relatives(pairs, one)}
    moved = difference_auroc(one, other, one.seeds, (FAKE, FAKE), TEST)
    return {name: (found[name].mean, *found[name].ci95()) for name in METRICS} | {
        "difference": (moved.mean, *moved.ci95(share=False))
    }


def youdens(design: Design, rng: np.random.Generator) -> Found:
    """Shares at Youden's threshold."""
    (one,) = detectors(design, rng, groups=(VALID, VALID_FAKES, TEST, FAKE))
    found = {"accepted": one.share_correct(one.seeds, TEST, "youden"),
             "caught": one.share_correct(one.seeds, FAKE, "youden")}  # fmt: skip
    return {name: (of.mean, *of.ci95()) for name, of in found.items()}


def fitted(design: Design, rng: np.random.Generator) -> Found:
    """What is fitted on calibration images of both kinds: expected cost, and ECE."""
    (one,) = detectors(design, rng, groups=(REAL, FITTED_FAKES, TEST, FAKE))
    sources = {name: np.sort(of.scores) for name, of in one.images[0].items()}
    subject = ScoredDetector("d0", 0, 1, (FAKE,), sources, dict(one.thresholds[0]))
    (row,), _ = costs([subject], EXAMPLE_COSTS)
    found = {"cost": (row["cost"], *row["ci95"]["cost"])}
    rows, _, _ = calibration([subject])
    return found | {f"ECE, {row['method']}": (row["ece"], *row["ece_ci95"]) for row in rows}


def compared(design: Design, rng: np.random.Generator, better: float = 0.0) -> Found:
    """Smallest p-values of comparisons of three detectors, raw and corrected, and of the better."""
    aparts = (APART + better, APART, APART)
    rows = compare_all({one.detector: one for one in detectors(design, rng, aparts)})
    found: Found = {}
    for metric, of in groupby(sorted(rows, key=lambda row: row["metric"]), lambda r: r["metric"]):
        family = [row for row in of if better == 0 or (row["first"], row["source"]) == ("d0", FAKE)]
        p, p_holm = ([row[key] for row in family] for key in ("p", "p_holm"))
        moved = float(np.mean([row["difference"] for row in family]))
        found[metric] = float(np.mean(np.array(p) < ALPHA)), float(min(p_holm) < ALPHA), moved
        if better:
            found[metric] = float(np.mean(np.array(p_holm) < ALPHA)), 0.0, moved
    return found


def covered(studies: Sequence[Found]) -> dict[str, Any]:
    """The share of studies whose interval holds the truth, by figure, and the mean width."""
    rows = {}
    for name in studies[0]:
        value, low, high = np.array([one[name] for one in studies]).T
        truth = value.mean()
        rows[name] = {"covered": float(np.mean((low <= truth) & (truth <= high))),
                      "truth": float(truth), "width": float(np.mean(high - low))}  # fmt: skip
    return rows


def rejected(studies: Sequence[Found]) -> dict[str, Any]:
    """The share of comparisons with p < 5 %, of families with any such, and the difference."""
    keys = ("single", "family", "difference")
    return {name: dict(zip(keys, np.mean([one[name] for one in studies], axis=0).tolist(),
                           strict=True)) for name in studies[0]}  # fmt: skip


Part = tuple[Callable[..., Found], Callable[[Sequence[Found]], dict[str, Any]], list[Design]]


def parts() -> dict[str, Part]:
    """What is simulated, by name: what a study gives, how it is summed up, and the designs."""

    def designs(
        part: str,
        scores: Sequence[str] = SCORES,
        calibration: Sequence[int] = CALIBRATION,
        runs: Sequence[int] = RUNS,
        shared: Sequence[bool] = (True,),
    ) -> list[Design]:
        every = product([part], scores, calibration, runs, shared)
        return [Design(*one) for one in every
                if one[1] == "normal" or one[3] < max(RUNS)]  # fmt: skip

    few = (3, 5, 10)
    return {
        "shares": (shares, covered, designs("shares")),
        "own calibration": (shares, covered,
                            designs("own", ("normal",), runs=few, shared=(False,))),
        "ranking": (ranking, covered, designs("ranking", calibration=(0,))),
        "youden": (youdens, covered, designs("youden", ("normal",), (100, 1000), (1, 5))),
        "fitted": (fitted, covered, designs("fitted", runs=(1,))),
        "tests": (compared, rejected, designs("tests", ("normal",), (100, 1000), few)),
        "power": (partial(compared, better=BETTER), rejected,
                  designs("power", ("normal",), (100, 1000), few)),
    }  # fmt: skip


def lines(name: str, found: Mapping[Design, dict[str, Any]]) -> Iterator[str]:
    """One part as a Markdown table, a line for each design but for the runs."""
    first = next(iter(found.values()))
    runs = sorted({design.runs for design in found})
    heads = ["scores", "calibration images", *first]
    yield from (f"## {name}: {' / '.join(map(str, runs))} runs", "")
    yield from (f"| {' | '.join(heads)} |", "|---" * len(heads) + "|")
    for key, of in groupby(found.items(), lambda one: (one[0].scores, one[0].calibration)):
        by_runs = {design.runs: value for design, value in of}
        cells = [key[0], f"{key[1]:,}" if key[1] else "none"]
        for figure in first:
            cells.append(
                " / ".join(_said(by_runs[run][figure]) if run in by_runs else "–" for run in runs)
            )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _said(one: Mapping[str, float]) -> str:
    if "covered" in one:
        return f"{100 * one['covered']:.1f}"
    # Of a real difference only what is found after Holm counts, which is no matter of a family.
    family = f" ({100 * one['family']:.1f})" if one["family"] else ""
    return f"{100 * one['single']:.1f}{family}"


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(parts())), help="Repeatable.")
@click.option("--studies", type=click.IntRange(2), default=200, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default="coverage.jsonl",
              show_default=True, help="One line a design; those it holds are kept.")  # fmt: skip
@click.option("--table", is_flag=True, help="Simulate nothing; print what the file holds.")
def main(only: tuple[str, ...], studies: int, seed: int, out: Path, table: bool) -> None:
    """Simulate studies and print how many of 100 intervals hold the truth."""
    wanted = {name: part for name, part in parts().items() if not only or name in only}
    done = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    known = {json.dumps([one["design"], one["seed"]]): one["found"]
             for one in done if one["studies"] >= studies}  # fmt: skip
    found: dict[str, dict[Design, Any]] = {name: {} for name in wanted}
    every = [(name, design) for name, part in wanted.items() for design in part[2]]
    # Few runs first: they are the quickest.
    for name, design in sorted(every, key=lambda one: (one[1].runs, SCORES.index(one[1].scores))):
        about = [vars(design), seed]
        if json.dumps(about) not in known and table:
            continue
        if json.dumps(about) not in known:
            study, summed, _ = wanted[name]
            rng = np.random.default_rng([seed, *design.stream])
            known[json.dumps(about)] = summed([study(design, rng) for _ in range(studies)])
            row = {"design": vars(design), "studies": studies, "seed": seed}
            with out.open("a") as file:
                file.write(json.dumps({**row, "found": known[json.dumps(about)]}) + "\n")
        found[name][design] = known[json.dumps(about)]
    if table:
        click.echo(PAGE.format(studies=studies))
    for name, part in wanted.items():
        if rows := {design: found[name][design] for design in part[2] if design in found[name]}:
            click.echo("\n".join(lines(name, rows)))


if __name__ == "__main__":
    sys.exit(main())

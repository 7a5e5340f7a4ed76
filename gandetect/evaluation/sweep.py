"""What a study's answer owes to the classes that were held out: several choices side by side.

Every choice is a study of its own, with other held-out classes and newly trained networks. A class
is held out in one choice and trained on in others, so what it is to be unknown can be told from
what it is to be that class.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from gandetect.statistics.bootstrap import over_runs
from gandetect.statistics.intervals import Interval, difference
from gandetect.statistics.scores import Metrics

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]
Measured = tuple[float, float]  # a number, and its variance from drawing images
ROLES = ("own", "other", "in-distribution", "held-out")
CSV_COLUMNS = ("figure", "detector", "operating_point", "class_name", "choice", "n", "value", "low",
               "high", "covers")  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """One choice of held-out classes: its study's `metrics.json` and rows of `by_class`."""

    held_out: tuple[str, ...]
    metrics: Metrics
    by_class: Sequence[Row]


def compare_choices(choices: Sequence[Chosen]) -> dict[str, Rows]:
    """Everything that `sweep.json` holds of the numbers; choices are counted from 1.

    ``by_class`` and ``on_average`` say how much oftener a class is delayed when nobody trained on
    it; ``shares`` and ``shares_across`` how the four shares differ from choice to choice.
    """
    classes = class_rows(choices)
    shares = share_rows(choices)
    return {
        "by_class": classes,
        "on_average": average_rows(classes),
        "shares": shares,
        "shares_across": shares_across(shares),
    }


def class_rows(choices: Sequence[Chosen]) -> Rows:
    """Every class by detector and operating point: delayed when trained on and when held out.

    A choice counts once, as the mean over its seeds. The interval of the ``difference`` (held out
    minus trained on, shares) is Student's for two groups of choices with one spread, and never
    narrower than Newcombe's over images; with one choice on each side it is Newcombe's alone.
    ``covers`` says which. A class that was never on both sides has no difference.
    """
    found: dict[tuple[str, str, str], dict[bool, Rows]] = {}
    for number, choice in enumerate(choices, start=1):
        for (detector, point, name, held_out), rows in _grouped(choice.by_class).items():
            sides = found.setdefault((detector, point, name), {False: [], True: []})
            share = float(np.mean([row["delayed"] for row in rows]))
            sides[held_out].append({"choice": number, "delayed": share, "n": int(rows[0]["n"])})
    return [
        {
            "detector": detector,
            "operating_point": point,
            "class_name": name,
            "trained": _side(sides[False]),
            "held_out": _side(sides[True]),
            **_difference(sides[True], sides[False]),
        }
        for (detector, point, name), sides in sorted(found.items())
    ]


def average_rows(classes: Sequence[Row]) -> Rows:
    """The mean difference over classes, by choice, and over choices with a 95 % interval.

    A choice's figure is the mean over the classes that it held out: each one's share there minus
    its mean share where it was trained on. The interval is `over_runs`'s, choices being the runs.
    """
    found: dict[tuple[str, str], dict[int, list[Measured]]] = defaultdict(lambda: defaultdict(list))
    for row in classes:
        if row["difference"] is None:
            continue
        new, known = row["held_out"], row["trained"]
        of_known = _of_images(known["mean"], sum(known["n"]))
        for choice, share, n in zip(new["choices"], new["delayed"], new["n"], strict=True):
            measured = share - known["mean"], _of_images(share, n) + of_known
            found[row["detector"], row["operating_point"]][choice].append(measured)
    rows = []
    for (detector, point), by_choice in found.items():
        chosen = sorted(by_choice)
        values = [float(np.mean([value for value, _ in by_choice[one]])) for one in chosen]
        variances = [_of_mean([variance for _, variance in by_choice[one]]) for one in chosen]
        rows.append(
            {
                "detector": detector,
                "operating_point": point,
                "choices": chosen,
                "differences": values,
                "difference": float(np.mean(values)),
                **_over_choices(values, variances, share=False),
            }
        )
    return rows


def share_rows(choices: Sequence[Chosen]) -> Rows:
    """The four shares answered correctly, choice by choice: own, other, familiar and novel.

    ``correct`` is the mean over seeds and over sources in that role; ``seeds`` holds each seed's,
    and ``n`` how many images of each source a seed has answered.
    """
    rows = []
    for number, choice in enumerate(choices, start=1):
        cells: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for row in choice.metrics["across_seeds"]:
            if row["role"] in ROLES:
                cells[row["detector"], row["operating_point"], row["role"]].append(row)
        for (detector, point, role), sources in sorted(cells.items(), key=_by_role):
            by_seed = np.mean([row["correct"] for row in sources], axis=0)
            rows.append(
                {
                    "choice": number,
                    "held_out": list(choice.held_out),
                    "detector": detector,
                    "operating_point": point,
                    "role": role,
                    "sources": [row["source"] for row in sources],
                    "correct": float(by_seed.mean()),
                    "seeds": [float(value) for value in by_seed],
                    "n": [int(row["n"][0]) for row in sources],
                    "ci95": list(sources[0]["ci95"]) if len(sources) == 1 else None,
                }
            )
    return rows


def shares_across(shares: Sequence[Row]) -> Rows:
    """Each of the four shares over all choices: mean, interval, extremes, standard deviation.

    ``sd`` is that between choices. ``sd_expected`` is what training's chance alone would make it:
    the standard deviation between seeds of one choice, over the root of their number; None for
    one seed, which cannot tell the two apart.
    """
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in shares:
        groups[row["detector"], row["operating_point"], row["role"]].append(row)
    rows = []
    for (detector, point, role), group in groups.items():
        values = [row["correct"] for row in group]
        variances = [_of_mean([_of_images(row["correct"], n) for n in row["n"]]) for row in group]
        rows.append(
            {
                "detector": detector,
                "operating_point": point,
                "role": role,
                "choices": values,
                "mean": float(np.mean(values)),
                "low": min(values),
                "high": max(values),
                "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                "sd_expected": _expected([row["seeds"] for row in group]),
                **_of_shares(values, variances, [sum(row["n"]) for row in group]),
            }
        )
    return rows


def sweep_table(results: Mapping[str, Sequence[Row]]) -> pd.DataFrame:
    """All numbers of `compare_choices` as one long table, for `sweep.csv`."""
    rows: Rows = []
    for row in results["by_class"]:
        name = {key: row[key] for key in ("detector", "operating_point", "class_name")}
        for side, words in (("trained", "trained on"), ("held_out", "held out")):
            of_side = row[side]
            values = zip(of_side["choices"], of_side["delayed"], of_side["n"], strict=True)
            rows += [{**name, "figure": f"delayed when {words}", "choice": choice, "value": share,
                      "n": n} for choice, share, n in values]  # fmt: skip
        if row["difference"] is not None:
            rows.append({**name, "figure": "difference", "value": row["difference"],
                         **_bounds(row)})  # fmt: skip
    for row in results["on_average"]:
        rows.append({"figure": "mean difference", "detector": row["detector"],
                     "operating_point": row["operating_point"], "value": row["difference"],
                     **_bounds(row)})  # fmt: skip
    for row in results["shares"]:
        rows.append({"figure": f"correct: {row['role']}", "detector": row["detector"],
                     "operating_point": row["operating_point"], "choice": row["choice"],
                     "value": row["correct"], **_bounds(row)})  # fmt: skip
    table = pd.DataFrame(rows, columns=list(CSV_COLUMNS))
    return table.astype({"choice": "Int64", "n": "Int64"})


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str, str, bool], list[Row]]:
    groups: dict[tuple[str, str, str, bool], list[Row]] = defaultdict(list)
    for row in rows:
        key = (row["detector"], row["operating_point"], row["class_name"], row["held_out"])
        groups[key].append(row)
    return groups


def _side(rows: Sequence[Row]) -> dict[str, Any]:
    shares = [row["delayed"] for row in rows]
    return {
        "choices": [row["choice"] for row in rows],
        "delayed": shares,
        "n": [row["n"] for row in rows],
        "mean": float(np.mean(shares)) if shares else None,
    }


def _difference(held_out: Sequence[Row], trained: Sequence[Row]) -> dict[str, Any]:
    if not held_out or not trained:
        return {"difference": None, "ci95": None, "covers": None}
    new, known = (np.array([row["delayed"] for row in side]) for side in (held_out, trained))
    centre = float(new.mean() - known.mean())
    of_images = difference(*_counts(held_out), *_counts(trained))
    freedom = len(new) + len(known) - 2
    if not freedom:
        return {"difference": centre, "ci95": of_images, "covers": "images"}
    variance = (new.var() * len(new) + known.var() * len(known)) / freedom
    error = np.sqrt(variance * (1 / len(new) + 1 / len(known)))
    reach = float(student.ppf(0.975, freedom) * error)
    low, high = min(centre - reach, of_images[0]), max(centre + reach, of_images[1])
    interval = [max(low, -1.0), min(high, 1.0)]
    return {"difference": centre, "ci95": interval, "covers": "choices and images"}


def _counts(rows: Sequence[Row]) -> tuple[int, int]:
    """Images delayed and images seen, over all choices of a side."""
    return round(sum(row["delayed"] * row["n"] for row in rows)), sum(row["n"] for row in rows)


def _over_choices(
    values: Sequence[float], variances: Sequence[float], *, share: bool
) -> dict[str, Any]:
    """The interval of a mean over choices; a single choice has none.

    ``variances`` are those from drawing images: where all choices agree, they keep it from being
    a point.
    """
    if len(values) < 2:
        return {"ci95": None, "covers": None}
    interval: Interval = over_runs(values, np.diag(variances), share=share)
    return {"ci95": interval, "covers": "choices"}


def _of_shares(
    shares: Sequence[float], variances: Sequence[float], images: Sequence[int]
) -> dict[str, Any]:
    """The interval of a mean share, also where no choice has made, or spared, a mistake."""
    # Taken of the shares with imagined images, as the logit of 0 or of 1 is infinite.
    inside = [_with_imagined(share, n) for share, n in zip(shares, images, strict=True)]
    found = _over_choices(inside, variances, share=True)
    if found["ci95"] is not None:
        low, high = found["ci95"]
        mean = float(np.mean(shares))
        found["ci95"] = [min(low, mean), max(high, mean)]
    return found


def _of_images(share: float, n: int) -> float:
    """Variance of a share of n images."""
    centre = _with_imagined(share, n)
    return centre * (1 - centre) / (n + 4)


def _with_imagined(share: float, n: int) -> float:
    """A share of n images and four more, two of each kind (Agresti and Coull 1998)."""
    return (share * n + 2) / (n + 4)


def _of_mean(variances: Sequence[float]) -> float:
    """Variance of the mean of independent numbers."""
    return sum(variances) / len(variances) ** 2


def _expected(seeds: Sequence[Sequence[float]]) -> float | None:
    several = [np.array(values) for values in seeds if len(values) > 1]
    if not several or len(several) < len(seeds):
        return None
    return float(np.sqrt(np.mean([values.var(ddof=1) / len(values) for values in several])))


def _by_role(cell: tuple[tuple[str, str, str], Any]) -> tuple[str, str, int]:
    detector, point, role = cell[0]
    return detector, point, ROLES.index(role)


def _bounds(row: Row) -> dict[str, Any]:
    low, high = row["ci95"] or (None, None)
    return {"low": low, "high": high, "covers": row.get("covers")}

"""What a detector's false alarms owe to a class being held out: variants that hold out others.

Each such variant is a study of its own, with newly trained networks. A class is held out in one
and trained on in others, so what it is to be unknown can be told from what it is to be that class.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from gandetect.analyses.variants.measured import Row, Rows
from gandetect.statistics.bootstrap import over_runs
from gandetect.statistics.intervals import difference
from gandetect.statistics.rows import chosen, grouped
from gandetect.statistics.scores import Metrics

CLASS = ("detector", "operating_point", "class_name")


@dataclass(frozen=True)
class Choice:
    """A variant's choice of held-out classes, and its rows of `by_class`."""

    variant: str
    held_out: frozenset[str]
    by_class: Sequence[Row]

    @classmethod
    def of(cls, variant: str, metrics: Metrics) -> Choice:
        """That of a study's `metrics.json`; no classes where there are none."""
        rows = metrics.get("by_class", [])
        held_out = frozenset(row["class_name"] for row in rows if row["held_out"])
        return cls(variant, held_out, rows)


def class_rows(choices: Sequence[Choice]) -> Rows:
    """Every class by detector and operating point: flagged when trained on and when held out.

    A variant counts once, as the mean over its seeds. The interval of the ``difference`` (held out
    minus trained on, shares) is Student's for two groups of variants with one spread, and never
    narrower than Newcombe's over images; with one variant on each side it is Newcombe's alone.
    ``covers`` says which. A class that was never on both sides has no difference.
    """
    flagged: Rows = [
        {
            **dict(zip((*CLASS, "is_held_out"), key, strict=True)),
            "variant": choice.variant,
            "flagged": float(np.mean([row["delayed"] for row in rows])),
            "n": int(rows[0]["n"]),
        }
        for choice in choices
        for key, rows in grouped(choice.by_class, *CLASS, "held_out").items()
    ]
    compared = []
    for key, rows in sorted(grouped(flagged, *CLASS).items()):
        trained, held_out = (chosen(rows, is_held_out=side) for side in (False, True))
        sides = {"trained": _side(trained), "held_out": _side(held_out)}
        about = dict(zip(CLASS, key, strict=True))
        compared.append({**about, **sides, **_difference(held_out, trained)})
    return compared


def average_rows(classes: Sequence[Row], variants: Sequence[str]) -> Rows:
    """The mean difference over classes, by variant, and over ``variants`` with a 95 % interval.

    A variant's figure is the mean over the classes that it held out: each one's share there minus
    its mean share where it was trained on. The interval is `over_runs`'s, variants being the runs;
    a single one has none.
    """
    found: dict[tuple[str, str], dict[str, list[tuple[float, float]]]] = {}
    for row in classes:
        if row["difference"] is None:
            continue
        new, known = row["held_out"], row["trained"]
        by_variant = found.setdefault((row["detector"], row["operating_point"]), defaultdict(list))
        of_known = _variance(known["mean"], sum(known["n"]))
        for variant, share, n in zip(new["variants"], new["flagged"], new["n"], strict=True):
            by_variant[variant].append((share - known["mean"], _variance(share, n) + of_known))
    return [
        {"detector": detector, "operating_point": point, **_average(by_variant, variants)}
        for (detector, point), by_variant in found.items()
    ]


def _average(
    by_variant: dict[str, list[tuple[float, float]]], order: Sequence[str]
) -> dict[str, Any]:
    variants = [name for name in order if name in by_variant]
    values = [float(np.mean([value for value, _ in by_variant[name]])) for name in variants]
    variances = [sum(variance for _, variance in by_variant[name]) / len(by_variant[name]) ** 2
                 for name in variants]  # fmt: skip
    several = len(values) > 1
    return {
        "variants": variants,
        "differences": values,
        "difference": float(np.mean(values)),
        "ci95": over_runs(values, np.diag(variances), share=False) if several else None,
        "covers": "variants" if several else None,
    }


def _side(rows: Sequence[Row]) -> dict[str, Any]:
    shares = [row["flagged"] for row in rows]
    return {
        "variants": [row["variant"] for row in rows],
        "flagged": shares,
        "n": [row["n"] for row in rows],
        "mean": float(np.mean(shares)) if shares else None,
    }


def _difference(held_out: Sequence[Row], trained: Sequence[Row]) -> dict[str, Any]:
    if not held_out or not trained:
        return {"difference": None, "ci95": None, "covers": None}
    new, known = (np.array([row["flagged"] for row in side]) for side in (held_out, trained))
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
    return {"difference": centre, "ci95": interval, "covers": "variants and images"}


def _counts(rows: Sequence[Row]) -> tuple[int, int]:
    """Images flagged and images seen, over all variants of a side."""
    return round(sum(row["flagged"] * row["n"] for row in rows)), sum(row["n"] for row in rows)


def _variance(share: float, n: int) -> float:
    """Variance of a share of n images and four more, two of each kind (Agresti and Coull 1998)."""
    centre = (share * n + 2) / (n + 4)
    return centre * (1 - centre) / (n + 4)

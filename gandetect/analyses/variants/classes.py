"""What a detector's false alarms owe to a class being held out: variants that hold out others.

Each such variant is a study of its own, with newly trained networks. A class is held out in one
and trained on in others, so what it is to be unknown can be told from what it is to be that class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from gandetect.statistics.bootstrap import over_runs
from gandetect.statistics.intervals import difference
from gandetect.statistics.rows import Row, Rows, chosen, grouped

CLASS = ("detector", "operating_point", "class_name")
LISTS = ("variants", "flagged", "n")  # of a side, an entry for each of its variants


def class_rows(by_class: Mapping[str, Sequence[Row]]) -> Rows:
    """Every class by detector and operating point: flagged when trained on and when held out.

    ``by_class`` are rows of that name of each variant's `metrics.json`.
    A variant counts once, as the mean over its seeds. The interval of the ``difference`` (held out
    minus trained on, shares) is Student's for two groups of variants with one spread, and never
    narrower than Newcombe's over images; with one variant on each side it is Newcombe's alone.
    ``covers`` says which. A class that was never on both sides has no difference.
    """
    flagged: Rows = [
        {
            **dict(zip((*CLASS, "is_held_out"), key, strict=True)),
            "variants": variant,
            "flagged": float(np.mean([row["flagged"] for row in rows])),
            "n": int(rows[0]["n"]),
        }
        for variant, of_variant in by_class.items()
        for key, rows in grouped(of_variant, *CLASS, "held_out").items()
    ]
    compared: Rows = []
    for key, rows in sorted(grouped(flagged, *CLASS).items()):
        trained, held_out = (_side(chosen(rows, is_held_out=side)) for side in (False, True))
        sides = {"trained": trained, "held_out": held_out}
        about = dict(zip(CLASS, key, strict=True))
        compared.append({**about, **sides, **_difference(held_out, trained)})
    return compared


def average_rows(classes: Sequence[Row], variants: Sequence[str]) -> Rows:
    """The mean difference over classes, by variant, and over ``variants`` with a 95 % interval.

    A variant's figure is the mean over the classes that it held out: each one's share there minus
    its mean share where it was trained on. The interval is `over_runs`'s, variants being the runs;
    a single one has none.
    """
    moved: Rows = [
        {
            **{key: row[key] for key in CLASS},
            "variant": variant,
            "difference": share - known["mean"],
            "variance": _variance(share, n) + _variance(known["mean"], sum(known["n"])),
        }
        for row in classes
        if row["difference"] is not None
        for known in [row["trained"]]
        for variant, share, n in zip(*(row["held_out"][key] for key in LISTS), strict=True)
    ]
    averages: Rows = []
    for (detector, point), rows in grouped(moved, "detector", "operating_point").items():
        by_variant = {name: of for name in variants if (of := chosen(rows, variant=name))}
        values = [float(np.mean([row["difference"] for row in of])) for of in by_variant.values()]
        of_images = [sum(row["variance"] for row in of) / len(of) ** 2
                     for of in by_variant.values()]  # fmt: skip
        several = len(by_variant) > 1
        averages.append(
            {
                "detector": detector,
                "operating_point": point,
                "variants": list(by_variant),
                "differences": values,
                "difference": float(np.mean(values)),
                "ci95": over_runs(values, np.diag(of_images), share=False) if several else None,
                "covers": "variants" if several else None,
            }
        )
    return averages


def _side(rows: Sequence[Row]) -> dict[str, Any]:
    lists = {key: [row[key] for row in rows] for key in LISTS}
    return {**lists, "mean": float(np.mean(lists["flagged"])) if rows else None}


def _difference(held_out: Row, trained: Row) -> dict[str, Any]:
    new, known = (np.array(side["flagged"]) for side in (held_out, trained))
    if not len(new) or not len(known):
        return {"difference": None, "ci95": None, "covers": None}
    centre = float(new.mean() - known.mean())
    low, high = of_images = difference(*_counts(held_out), *_counts(trained))
    freedom = len(new) + len(known) - 2
    if not freedom:
        return {"difference": centre, "ci95": of_images, "covers": "images"}
    variance = (new.var() * len(new) + known.var() * len(known)) / freedom
    error = np.sqrt(variance * (1 / len(new) + 1 / len(known)))
    reach = float(student.ppf(0.975, freedom) * error)
    interval = [max(min(centre - reach, low), -1.0), min(max(centre + reach, high), 1.0)]
    return {"difference": centre, "ci95": interval, "covers": "variants and images"}


def _counts(side: Row) -> tuple[int, int]:
    """Images flagged and images seen, over all variants of a side."""
    flagged = sum(share * n for share, n in zip(side["flagged"], side["n"], strict=True))
    return round(flagged), sum(side["n"])


def _variance(share: float, n: int) -> float:
    """Variance of a share of n images and four more, two of each kind (Agresti and Coull 1998)."""
    centre = (share * n + 2) / (n + 4)
    return centre * (1 - centre) / (n + 4)

"""What pages that lay several studies side by side have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from gandetect.statistics.bootstrap import holm
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import Metrics

ALPHA = 0.05


def figures(metrics: Metrics) -> Iterator[dict[str, Any]]:
    """Every figure over runs of a `metrics.json`: shares correct, then AUROCs, in one shape.

    A row has ``metric`` ("correct" or "auroc"), ``detector``, ``source``, ``role``, ``seeds``, the
    runs' ``values``, their ``mean``, its ``ci95`` and what that ``covers``. ``operating_point`` is
    None of an AUROC, and ``real_source`` of a share.
    """
    for row in metrics["across_seeds"]:
        keys = ("detector", "source", "operating_point", "role", "seeds", "mean", "ci95", "covers")
        shared = {key: row[key] for key in keys}
        yield {"metric": "correct", "real_source": None, "values": row["correct"], **shared}
    for row in metrics["pairs_across_seeds"]:
        yield {
            "metric": "auroc",
            "operating_point": None,
            "source": row["generated"],
            "real_source": row["real"],
            "values": row["auroc"],
            "mean": row["mean_auroc"],
            **{key: row[key] for key in ("detector", "role", "seeds")},
            **{key: row[key]["auroc"] for key in ("ci95", "covers")},
        }


def correct_together(differences: Sequence[dict[str, Any]]) -> None:
    """Add ``p_holm`` to differences that are one family: their ``p``, corrected after Holm."""
    corrected = holm([one["p"] for one in differences])
    for one, p in zip(differences, corrected, strict=True):
        one["p_holm"] = p


def long_table(rows: Iterable[Row], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as one table; ``low`` and ``high`` of a column are the ends of its ``ci95``.

    >>> long_table([{"a_ci95": [0.1, 0.2], "b": 1}], ["b", "a_low", "a_high"]).values.tolist()
    [[1.0, 0.1, 0.2]]
    """
    flat = []
    for row in rows:
        ends = [(key.removesuffix("ci95"), row[key]) for key in row if key.endswith("ci95")]
        bounds = {f"{name}{end}": value for name, interval in ends if interval
                  for end, value in zip(("low", "high"), interval, strict=True)}  # fmt: skip
        flat.append({**row, **bounds})
    return pd.DataFrame(flat, columns=list(columns))

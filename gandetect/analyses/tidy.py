"""One row of the tidy table, as every analysis makes its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gandetect.statistics.rows import Row

SHARED = ("detector", "detector_seed", "source", "role", "operating_point", "n")


def tidy_row(
    kind: str,
    origin: Mapping[str, Any],
    metric: str,
    value: Any,
    ci95: Sequence[float] | None = None,
    **more: Any,
) -> Row:
    """One number as a row of the tidy table; ``low`` and ``high`` bound its 95 % interval.

    An ``origin`` that is a pair of sources names both, and counts the images of both.
    """
    row = {key: origin[key] for key in SHARED if key in origin}
    if "generated" in origin and "real" in origin:
        row |= {"source": origin["generated"], "real_source": origin["real"]}
        if "n_generated" in origin:
            row["n"] = origin["n_generated"] + origin["n_real"]
    low, high = ci95 or (None, None)
    return {"kind": kind, **row, "metric": metric, "value": value, "low": low, "high": high, **more}

"""What the reference study reports, as plain data, to stand beside our own numbers.

Its Net 1 is our `dcgan-bn` and its Net 2 our `dcgan-plain`: two DCGANs for Fashion-MNIST from two
public Keras notebooks, one run each, decided at D = 0.5, without intervals. Printed are two
decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NETS = {"dcgan-bn": "Net 1", "dcgan-plain": "Net 2"}


def _row(precision: float, recall: float, f1: float, n: int) -> dict[str, float]:
    return {"precision": precision, "recall": recall, "f1-score": f1, "support": n}


# By detector a classification report of own generated images and all test reals, and under
# "groups" recall, F1 and n of the groups of one label, by role.
PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "dcgan-bn": {
        "generated": _row(0.59, 0.82, 0.69, 22_200),
        "real": _row(0.71, 0.44, 0.54, 22_200),
        "accuracy": 0.63,
        "macro avg": _row(0.65, 0.63, 0.61, 44_400),
        "weighted avg": _row(0.65, 0.63, 0.61, 44_400),
        "groups": {
            "held-out": {"recall": 0.43, "f1": 0.60, "n": 18_000},
            "in-distribution": {"recall": 0.46, "f1": 0.63, "n": 4_200},
            "other": {"recall": 0.79, "f1": 0.88, "n": 10_000},
        },
    },
    "dcgan-plain": {
        "generated": _row(0.69, 0.94, 0.79, 22_200),
        "real": _row(0.91, 0.57, 0.70, 22_200),
        "accuracy": 0.76,
        "macro avg": _row(0.80, 0.76, 0.75, 44_400),
        "weighted avg": _row(0.80, 0.76, 0.75, 44_400),
        "groups": {
            "held-out": {"recall": 0.57, "f1": 0.72, "n": 18_000},
            "in-distribution": {"recall": 0.61, "f1": 0.75, "n": 4_200},
            "other": {"recall": 1.00, "f1": 1.00, "n": 10_000},
        },
    },
}

"""What a detector answers at a threshold: shares, confusion, and the reference study's tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gandetect.statistics.intervals import difference, wilson
from gandetect.statistics.scores import Scores


def correct_answers(scores: Scores, label: str, threshold: float) -> int:
    """Count right answers in one group `(N,)`: generated means a score above the threshold."""
    called_generated = int(np.count_nonzero(scores > threshold))
    return called_generated if label == "generated" else len(scores) - called_generated


def share_correct(scores: Scores, label: str, threshold: float) -> dict[str, Any]:
    """Share answered correctly in one group, with its 95 % Wilson interval and n."""
    right = correct_answers(scores, label, threshold)
    return {"n": len(scores), "correct": right / len(scores), "ci95": wilson(right, len(scores))}


def confusion(generated: Scores, real: Scores, threshold: float) -> list[list[int]]:
    """Counts `[[rr, rg], [gr, gg]]`: rows are the truth, columns the answer; real, generated."""
    gg = correct_answers(generated, "generated", threshold)
    rr = correct_answers(real, "real", threshold)
    return [[rr, len(real) - rr], [len(generated) - gg, gg]]


def general_table(matrix: list[list[int]]) -> dict[str, Any]:
    """Precision, recall, F1 and support as scikit-learn's `classification_report` gives them.

    A class that is never answered has precision 0, as scikit-learn puts it.
    """
    (rr, rg), (gr, gg) = matrix
    table: dict[str, Any] = {}
    for name, value in general_figures(gg, rr, gr + gg, rr + rg).items():
        group, _, figure = name.rpartition(": ")
        of_group = table.setdefault(group, {}) if group else table
        of_group[figure] = float(value)
    support = {"generated": gr + gg, "real": rr + rg}
    for group in ("generated", "real", "macro avg", "weighted avg"):
        table[group]["support"] = support.get(group, sum(support.values()))
    return table


def general_figures(
    caught: npt.ArrayLike, accepted: npt.ArrayLike, fakes: int, reals: int
) -> dict[str, Scores]:
    """The same figures of counts of right answers to each kind, ``"real: precision"`` and so on.

    Counts are of any shape, such as one for each draw of a bootstrap.
    """
    right = {"generated": np.asarray(caught, float), "real": np.asarray(accepted, float)}
    n = {"generated": fakes, "real": reals}
    figures: dict[str, Scores] = {}
    for kind, other in (("generated", "real"), ("real", "generated")):
        answered = right[kind] + n[other] - right[other]
        precision = right[kind] / np.where(answered > 0, answered, 1)
        figures |= {f"{kind}: precision": precision, f"{kind}: recall": right[kind] / n[kind]}
        figures[f"{kind}: f1-score"] = 2 * right[kind] / (answered + n[kind])
    figures["accuracy"] = (right["generated"] + right["real"]) / (fakes + reals)
    for name, weights in (("macro avg", (1, 1)), ("weighted avg", (fakes, reals))):
        for figure in ("precision", "recall", "f1-score"):
            both = (weight * figures[f"{kind}: {figure}"]
                    for weight, kind in zip(weights, n, strict=True))  # fmt: skip
            figures[f"{name}: {figure}"] = sum(both, np.zeros(())) / sum(weights)
    return figures


def binary_figures(matrix: list[list[int]]) -> dict[str, float]:
    """Accuracy, precision, recall, specificity and F1 with generated as the positive class.

    A ratio whose denominator is zero is 0, as scikit-learn puts it.
    """
    (rr, rg), (gr, gg) = matrix
    return {
        "accuracy": _ratio(rr + gg, rr + rg + gr + gg),
        "precision": _ratio(gg, gg + rg),
        "recall": _ratio(gg, gg + gr),
        "specificity": _ratio(rr, rr + rg),
        "f1": _ratio(2 * gg, 2 * gg + rg + gr),
    }


def single_label_table(scores: Scores, label: str, threshold: float) -> dict[str, Any]:
    """Recall and F1 of a group that holds one class only, as the reference study prints them.

    Nothing of the other class can be mistaken for it, so precision is 1 and
    F1 = 2 R / (1 + R): it holds no more than the recall does.
    """
    recall = correct_answers(scores, label, threshold) / len(scores)
    return {"recall": recall, "f1": 2 * recall / (1 + recall), "n": len(scores)}


def train_test_gap(train: Scores, test: Scores, threshold: float) -> dict[str, Any]:
    """Share of reals answered correctly on training minus on unseen images, with interval."""
    right = [correct_answers(scores, "real", threshold) for scores in (train, test)]
    return {
        "training": share_correct(train, "real", threshold),
        "in-distribution": share_correct(test, "real", threshold),
        "difference": right[0] / len(train) - right[1] / len(test),
        "difference_ci95": difference(right[0], len(train), right[1], len(test)),
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0

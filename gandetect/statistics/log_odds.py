"""Answers of any detector as scores: the log-odds that an image is generated."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

FURTHEST = 37.0  # log-odds of probabilities of 0 and 1; a double tells no larger ones from 1
Output: TypeAlias = Literal["logit", "probability"]
Positive: TypeAlias = Literal["generated", "real"]


def as_log_odds(
    answers: ArrayLike, n: int, output: Output = "logit", positive: Positive = "generated"
) -> NDArray[np.float64]:
    """What a detector answered for ``n`` images, as scores ``(n,)``.

    Answers are logits or probabilities ``(n,)`` or ``(n, 1)`` of the class ``positive``, or
    ``(n, 2)`` with that class in the second column. Raises `ValueError` for another shape, for what
    is not a finite number, and for probabilities outside [0, 1].

    >>> as_log_odds([0.5, 1.0], 2, "probability").round(2).tolist()
    [0.0, 37.0]
    >>> as_log_odds([[1.0, 3.0]], 1, positive="real").tolist()
    [-2.0]
    """
    try:
        values = np.asarray(answers, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"answered with {type(answers).__name__}, no array of numbers") from None
    if values.shape not in ((n,), (n, 1), (n, 2)):
        raise ValueError(
            f"answered with an array of shape {values.shape} for {n} images; expected ({n},), "
            f"({n}, 1) or ({n}, 2)"
        )
    rows = values.reshape(n, -1)
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise ValueError(
            f"answered {int(bad.sum())} of {n} images with what is not a finite number, the first "
            f"of them image {int(bad.argmax())}"
        )
    scores: NDArray[np.float64]
    if output == "probability":
        if rows.size and (rows.min() < 0 or rows.max() > 1):
            raise ValueError(
                f"answered from {rows.min():g} to {rows.max():g}, which are no probabilities; "
                'give output = "logit"'
            )
        scores = of_probabilities(rows[:, -1])
    else:
        scores = rows[:, -1] - (rows[:, 0] if rows.shape[1] == 2 else 0.0)
    return scores if positive == "generated" else -scores


def of_probabilities(
    probabilities: NDArray[np.float64], out: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The log-odds of probabilities, at most `FURTHEST` from 0; ``out`` may hold them.

    >>> of_probabilities(np.array([0.0, 0.5, 1.0])).tolist()
    [-37.0, 0.0, 37.0]
    """
    odds = logit(probabilities, out=out)
    clipped: NDArray[np.float64] = np.clip(odds, -FURTHEST, FURTHEST, out=out)
    return clipped

"""Scores to answers: cross-evaluation, metrics, operating points and their uncertainty.

Numbers only. Nothing here reads a file, draws a figure or knows a network: whoever holds a table of
scores can use it. The positive class is `generated` everywhere, and a score is the log-odds of it.
"""

from gandetect.evaluation.cross_evaluation import evaluate
from gandetect.evaluation.operating_points import OPERATING_POINTS, calibrate
from gandetect.evaluation.scores import Metrics, role_of, validate_scores
from gandetect.evaluation.tidy import tidy

__all__ = [
    "OPERATING_POINTS",
    "Metrics",
    "calibrate",
    "evaluate",
    "role_of",
    "tidy",
    "validate_scores",
]

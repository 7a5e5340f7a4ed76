"""Scores to answers: cross-evaluation, metrics, operating points and their uncertainty.

Numbers only. Nothing here reads a file, draws a figure or knows a network: whoever holds a table of
scores can use it. The positive class is `generated` everywhere, and a score is the log-odds of it.
"""

from gandetect.evaluation.costs import Market
from gandetect.evaluation.cross_evaluation import evaluate
from gandetect.evaluation.further import EXAMPLE_MARKET, evaluate_further
from gandetect.evaluation.operating_points import OPERATING_POINTS, calibrate, oracle, youden
from gandetect.evaluation.scores import Metrics, role_of, validate_scores
from gandetect.evaluation.subjects import detectors_of, thresholds_from
from gandetect.evaluation.tidy import tidy

__all__ = [
    "EXAMPLE_MARKET",
    "OPERATING_POINTS",
    "Market",
    "Metrics",
    "calibrate",
    "detectors_of",
    "evaluate",
    "evaluate_further",
    "oracle",
    "role_of",
    "thresholds_from",
    "tidy",
    "validate_scores",
    "youden",
]

"""Scores files and folders with a saved detector: streaming, in constant memory."""

from gandetect.scoring.conversions import ConversionTally
from gandetect.scoring.paths import ScoredImage, cuts_at, decode_options, score_batch, score_paths
from gandetect.scoring.writing import Form, write_scores

__all__ = [
    "ConversionTally",
    "Form",
    "ScoredImage",
    "cuts_at",
    "decode_options",
    "score_batch",
    "score_paths",
    "write_scores",
]

"""What analyses share: the table of scores, intervals, ranking, thresholds, runs and contrasts.

Numbers in, numbers out, with NumPy, SciPy, scikit-learn and pandas alone. The positive class is
`generated` everywhere, and a score is the log-odds of it.
"""

"""The report of several variants, from their studies' `metrics.json` and scores."""

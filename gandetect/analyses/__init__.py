"""One folder a question: its numbers, its rows of the tidy table, its words and its figure.

`registry.py` lists them; `build.py` makes metrics, figures and the report of a run from them.
"""

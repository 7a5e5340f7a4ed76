"""The pieces of a study, a file a kind: what each needs, where it writes and what it does.

`engine/stage.py` says what a stage is; `study/compose.py` puts them together.
"""

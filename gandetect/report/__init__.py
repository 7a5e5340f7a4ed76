"""The document, its templates and the figures' common style, drawn from a run's files.

Nothing here knows an analysis by name or loads a network.
"""

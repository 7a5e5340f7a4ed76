"""The document, its templates and the figures' common style, drawn from a run's files.

Nothing here knows an analysis by name or loads a network.
"""

from gandetect.report.grids import image_grid

__all__ = ["image_grid"]

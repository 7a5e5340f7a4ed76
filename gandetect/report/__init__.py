"""What people look at: tables, figures, image grids and the report, drawn from a run's files.

Nothing here loads a network: a report can be rebuilt on a machine without torch.
"""

from gandetect.report.build import ReportPaths, build_report
from gandetect.report.grids import image_grid

__all__ = ["ReportPaths", "build_report", "image_grid"]

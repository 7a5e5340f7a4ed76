"""Several runs side by side on one page: what was changed, and which figures moved."""

from gandetect.report.compare.build import ComparisonPaths, build_comparison, comparison_folder

__all__ = ["ComparisonPaths", "build_comparison", "comparison_folder"]

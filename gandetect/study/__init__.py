"""A study: sources x detectors, composed as a graph of stages and run from where it stands.

`compose.py` is what a study is made of, `plan.py` where and how it runs, `run.py` runs it;
`variants.py` runs several as one graph and joins their reports.
"""

from gandetect.study.plan import Options, Study, plan_lines, plan_study
from gandetect.study.run import run_study

__all__ = ["Options", "Study", "plan_lines", "plan_study", "run_study"]

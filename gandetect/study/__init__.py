"""The whole study, stage by stage; what is complete is skipped, what is damaged is made afresh.

data -> feature classifier -> GANs -> classifiers -> scores -> metrics, figures and report

`run.py` is the order of things; each other module plans the pieces of one stage.
"""

from gandetect.study.gans import evaluation_counts
from gandetect.study.plan import Options, Study, plan_lines, plan_study
from gandetect.study.run import run_study

__all__ = ["Options", "Study", "evaluation_counts", "plan_lines", "plan_study", "run_study"]

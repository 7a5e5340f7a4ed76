"""Runs a graph of stages, each as soon as what it needs is complete: here, or by another engine.

`stage.py` says what a stage is, `graph.py` runs many, `local.py` gives them to processes of this
machine.
"""

from gandetect.engine.graph import Plan, planned, remaining, run_graph
from gandetect.engine.local import InlineEngine, LocalEngine, inline_engine, local_engine
from gandetect.engine.stage import BEGUN, Context, Facts, Stage, gap_in, perform, with_needs
from gandetect.engine.tasks import (
    Engine,
    Finished,
    Task,
    as_finished,
    prepare_process,
    run_all,
)

__all__ = [
    "BEGUN",
    "Context",
    "Engine",
    "Facts",
    "Finished",
    "InlineEngine",
    "LocalEngine",
    "Plan",
    "Stage",
    "Task",
    "as_finished",
    "gap_in",
    "inline_engine",
    "local_engine",
    "perform",
    "planned",
    "prepare_process",
    "remaining",
    "run_all",
    "run_graph",
    "with_needs",
]

"""Runs independent pieces of a study side by side: in processes here, or on a Ray cluster.

Each piece is a plain function and its arguments; it reports progress through a `notify` callable.
"""

from gandetect.engine.local import LocalEngine, local_engine
from gandetect.engine.opening import EngineOptions, open_engine
from gandetect.engine.tasks import Engine, Event, Notify, Task, prepare_process

__all__ = [
    "Engine",
    "EngineOptions",
    "Event",
    "LocalEngine",
    "Notify",
    "Task",
    "local_engine",
    "open_engine",
    "prepare_process",
]

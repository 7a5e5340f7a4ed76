"""What a step is told, and what it tells: one JSON file, complete after every case."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time
from typing import Any

LAST_LINES = 12  # of a traceback

Case = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """Where a step computes and writes; ``tiny`` asks whether it runs, and nothing else.

    ``out`` is for the few files that come back, ``work`` for all else; ``deadline`` is the time,
    as `time.time` has it, at which the step is ended; ``study`` is the experiment of the last step.
    """

    device: str
    tiny: bool
    out: Path
    work: Path
    deadline: float = float("inf")
    study: Path = Path("experiments/reference.toml")

    @property
    def cuda(self) -> bool:
        return self.device == "cuda"

    @property
    def left(self) -> float:
        """Seconds until the step is ended."""
        return self.deadline - time()


class Record:
    """The cases of one step: what held, what failed and how, what was left out and why."""

    def __init__(self, path: Path, step: str) -> None:
        self._path = path
        self.cases: list[Case] = []
        self._content = {"schema": 1, "step": step, "status": "running", "cases": self.cases}
        self.write()

    @contextmanager
    def case(self, name: str) -> Iterator[Case]:
        """Measure or check something; what is put into the dict is kept, an error is too.

        The next case goes on after an error. The file holds the case while it runs, so that one
        that never ends is known by its name.
        """
        case: Case = {"name": name, "status": "running"}
        self.cases.append(case)
        self.write()
        started = perf_counter()
        try:
            yield case
            if case["status"] == "running":
                case["status"] = "ok"
        except Exception as error:
            case["status"] = "failed"
            case["reason"] = f"{type(error).__name__}: {error}"[:500]
            case["traceback"] = traceback.format_exc().splitlines()[-LAST_LINES:]
        finally:
            case["seconds"] = round(perf_counter() - started, 2)
            self.write()

    def skip(self, name: str, reason: str) -> None:
        """Leave a case out, and say why."""
        self.cases.append({"name": name, "status": "skipped", "reason": reason})
        self.write()

    def finish(self, **facts: Any) -> bool:
        """Close the record; returns whether no case has failed."""
        failed = [case["name"] for case in self.cases if case["status"] == "failed"]
        self._content |= {"status": "failed" if failed else "done", "failed": failed, **facts}
        self.write()
        return not failed

    def write(self) -> None:
        """Put all that is known into the file, at once."""
        write_json(self._path, self._content)


def write_json(path: Path, content: Any) -> None:
    """Write a file completely or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """What stands in a file; nothing where there is none."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content

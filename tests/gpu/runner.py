"""Runs steps one after the other, each in a process of its own that is ended at its limit."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from multiprocessing.context import BaseContext
from pathlib import Path
from time import perf_counter, time
from typing import Any

from .packing import over_the_limits
from .settings import Record, Settings, read_json, write_json

LOG = "log.txt"
SUMMARY = "summary.json"
FACTS = "facts"
LONGEST_LOG = 1_000_000  # bytes, the last ones
WIDEST = 11_000  # characters of the printed summary: tools often keep the last 12,000

Run = Callable[[Settings, Record], None]


def run_steps(
    steps: Mapping[str, tuple[str, float]],
    settings: Settings,
    context: BaseContext,
    *,
    minutes: float,
    reserve: float = 10.0,
) -> bool:
    """Run steps, each a module with ``run(settings, record)`` and its limit in seconds.

    A step whose limit is infinite gets what is left of the ``minutes``. Returns whether all went
    well; what happened is in ``summary.json``, which stands after every step.
    """
    ends = time() + 60 * minutes - reserve
    settings.out.mkdir(parents=True, exist_ok=True)
    settings.work.mkdir(parents=True, exist_ok=True)
    summary: dict[str, Any] = {"schema": 1, "device": settings.device, "tiny": settings.tiny}
    summary["steps"] = {}
    for name, (module, limit) in steps.items():
        left = ends - time()
        found: dict[str, Any]
        if summary["steps"].get(FACTS, {}).get("status") == "failed":
            found = {"status": "skipped", "reason": "the device cannot be used, see above"}
        elif left <= 0:
            found = {"status": "skipped", "reason": "no time was left for it"}
        else:
            found = run_step(name, module, settings, context, min(limit, left))
        summary["steps"][name] = found
        if name == FACTS:  # a file of its own would be one too many
            summary["facts"] = read_json(settings.out / f"{name}.json").get("cases", [])
            (settings.out / f"{name}.json").unlink(missing_ok=True)
        write_json(settings.out / SUMMARY, summary)
        print(_line(name, found), file=sys.stderr, flush=True)
    problems = tidy(settings.out)
    print(status(summary, settings.out), *problems, sep="\n", flush=True)
    return all(found["status"] in ("done", "skipped") for found in summary["steps"].values())


def run_step(
    name: str, module: str, settings: Settings, context: BaseContext, limit: float
) -> dict[str, Any]:
    """Run one step for at most ``limit`` seconds; returns what became of it."""
    started = perf_counter()
    path = settings.out / f"{name}.json"
    path.unlink(missing_ok=True)
    given = replace(settings, deadline=time() + limit)
    process = context.Process(target=_work, args=(name, module, given))  # type: ignore[attr-defined]
    process.start()
    process.join(limit)
    hung = process.is_alive()
    if hung:
        _end(process.pid)
    process.join()
    record = read_json(path) or {"step": name, "cases": []}
    if hung:
        record["status"] = "out of time"
        record["reason"] = f"it was ended after {limit:.0f} s"
    elif record.get("status") not in ("done", "failed"):
        record["status"] = "failed"
        record["reason"] = f"its process ended with {process.exitcode}"
    for case in record["cases"]:
        if case["status"] == "running":
            case |= {"status": "failed", "reason": record.get("reason", "it did not end")}
    record["seconds"] = round(perf_counter() - started, 1)
    write_json(path, record)
    counts = [case["status"] for case in record["cases"]]
    return {
        "status": record["status"],
        **({"reason": record["reason"]} if "reason" in record else {}),
        "seconds": record["seconds"],
        "cases": {status: counts.count(status) for status in dict.fromkeys(counts)},
    }


def tidy(out: Path) -> list[str]:
    """Leave nothing half-written and no endless log; returns what is too much all the same."""
    for stray in out.glob(".*.tmp"):
        stray.unlink()
    log = out / LOG
    if log.is_file() and log.stat().st_size > LONGEST_LOG:
        log.write_bytes(log.read_bytes()[-LONGEST_LOG:])
    return [f"too much to come back: {problem}" for problem in over_the_limits(out)]


def status(summary: Mapping[str, Any], out: Path) -> str:
    """What came of all steps, in lines that fit a small window: failures before figures."""
    lines = []
    for name, found in summary["steps"].items():
        lines.append(_line(name, found))
        kept = summary.get(FACTS, []) if name == FACTS else []
        cases = read_json(out / f"{name}.json").get("cases", kept)
        order = {"failed": 0, "unfinished": 1, "ok": 2, "skipped": 3}
        for case in sorted(cases, key=lambda case: order.get(case["status"], 0)):
            lines.append(f"  {case['status']}: {case['name']}{_figures(case)}")
    text, shown = "", 0
    for line in lines:
        if len(text) + len(line) > WIDEST:
            return f"{text}… {len(lines) - shown} more lines in {out.name}/*.json\n"
        text, shown = f"{text}{line}\n", shown + 1
    return text


def _work(name: str, module: str, settings: Settings) -> None:
    """A step's process: a group of its own, what it says goes to the log."""
    os.setpgid(0, 0)
    log = os.open(settings.out / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(log, stream)
    record = Record(settings.out / f"{name}.json", name)
    try:
        run: Run = import_module(module).run
        run(settings, record)
    except Exception:  # of what lies between its cases
        with record.case("the step as a whole"):
            raise
    sys.exit(not record.finish())


def _end(group: int | None) -> None:
    """End a process and all that it has started."""
    assert group is not None
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:  # it was ended before it had a group of its own
        os.kill(group, signal.SIGKILL)


def _line(name: str, found: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in found.get("cases", {}).items())
    why = f" ({found['reason']})" if "reason" in found else ""
    return f"{name}: {found['status']}{why} in {found.get('seconds', 0)} s; {counts or 'no cases'}"


def _figures(case: Mapping[str, Any]) -> str:
    shown = {key: value for key, value in case.items() if isinstance(value, int | float | str)}
    for key in ("name", "status", "seconds"):
        shown.pop(key, None)
    if not shown:
        return ""
    return (
        ": "
        + ", ".join(
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in shown.items()
        )[:300]
    )

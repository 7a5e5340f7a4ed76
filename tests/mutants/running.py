"""Runs the tests of mutants, each in a process forked from one that has imported torch.

A mutant lives in a copy of the tree. What its tests leave behind (files, caches, processes) goes
with the copy.
"""

from __future__ import annotations

import compileall
import importlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest
from hypothesis import Phase, settings

# What the package and its tests import: seconds of every mutant, unless it is there already.
WARM = """
    click hypothesis jinja2 lightning.pytorch matplotlib.pyplot pandas PIL.Image pyarrow.parquet
    pydantic rich.progress safetensors.torch scipy.stats sklearn.ensemble sklearn.metrics
    sklearn.svm torch torchmetrics torchvision.transforms.v2
"""
ROOT = Path(__file__).parents[2]
OWN = "GANDETECT_MUTANT"  # an environment variable, by which a mutant's processes are known
LOG = "tests.log"  # of the last mutant of a tree
TEST_LIMIT = 30.0  # seconds that a test may compute in its own process
PROFILE = "mutants"  # of Hypothesis: always the same examples, and failing ones as they come
MEMORY = 8 << 30  # bytes that a mutant may take


@dataclass(frozen=True)
class Attempt:
    """One run of tests: ``source`` takes the place of the module at ``path``."""

    path: str
    source: str
    tests: tuple[str, ...]
    limit: float  # seconds


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt: "killed", "survived", "timed out", or "broken": no test ran.

    ``test`` is the one that failed.
    """

    number: int
    result: str
    seconds: float
    test: str


@dataclass
class _Running:
    number: int
    tree: Path
    until: float
    began: float


def copy_tree(root: Path, tree: Path) -> None:
    """Copy what git knows or would add, and Fashion-MNIST where it is in the data folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=root, check=True, capture_output=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (root / name).is_file() and not (root / name).is_symlink():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, tree / name)
    data = root / "data" / "fashion-mnist"
    if data.is_dir():
        shutil.copytree(data, tree / "data" / "fashion-mnist")
    # A mutant may be as long as the original and a second younger: hashes tell them apart.
    compileall.compile_dir(tree, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)


def run(attempts: Iterable[Attempt], trees: list[Path], warm: str = WARM) -> Iterator[Outcome]:
    """Run every attempt, one in each tree at a time; yields outcomes as they come."""
    for name in warm.split():
        if find_spec(name.split(".")[0]):
            importlib.import_module(name)
    phases = Phase.explicit, Phase.generate
    settings.register_profile(PROFILE, deadline=None, derandomize=True, phases=phases)
    waiting = deque(enumerate(attempts))
    free, running = list(trees), dict[int, _Running]()
    originals: dict[int, tuple[Path, str]] = {}
    while waiting or running:
        while waiting and free:
            number, attempt = waiting.popleft()
            tree = free.pop()
            module = tree / attempt.path
            originals[number] = module, module.read_text("utf-8")
            module.write_text(attempt.source, "utf-8")
            now = time.monotonic()
            pid = os.fork() or _test(tree, attempt.tests)
            running[pid] = _Running(number, tree, now + attempt.limit, now)
        time.sleep(0.1)
        for pid, one in list(running.items()):
            result = _result(pid, one)
            if result is None:
                continue
            _kill_processes_of(one.tree)
            shutil.rmtree(one.tree / "data" / "cache", ignore_errors=True)
            module, source = originals.pop(one.number)
            module.write_text(source, "utf-8")
            del running[pid]
            free.append(one.tree)
            failed = re.findall(r"(?m)^(?:FAILED|ERROR) (\S+)", _log(one.tree))
            seconds = time.monotonic() - one.began
            yield Outcome(one.number, result, seconds, failed[-1] if failed else "")


def _result(pid: int, one: _Running) -> str | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended:
        code = os.waitstatus_to_exitcode(status)
        no_tests = code == pytest.ExitCode.NO_TESTS_COLLECTED
        endless = code == -signal.SIGPROF
        return {0: "survived"}.get(
            code, "broken" if no_tests else "timed out" if endless else "killed"
        )
    if time.monotonic() < one.until:
        return None
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "timed out"


def _log(tree: Path) -> str:
    return (tree / LOG).read_text("utf-8", errors="replace") if (tree / LOG).exists() else ""


def _test(tree: Path, tests: tuple[str, ...]) -> int:
    """Test the package of a tree; this process ends here."""
    code = 3
    try:
        os.setsid()
        os.chdir(tree)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's "&" ignores it
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        os.environ |= {OWN: str(tree), "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
        os.environ["OMP_NUM_THREADS"] = "1"
        ours = {"", str(ROOT), str(ROOT / "tests")}
        sys.path[:] = [str(tree), *(one for one in sys.path if one not in ours)]
        sys.dont_write_bytecode = True
        for name in [one for one in sys.modules if one.split(".")[0] in ("mutants", "gandetect")]:
            del sys.modules[name]
        with (tree / LOG).open("wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={tree / 'tmp'}"]
        # Hypothesis is imported already, so that pytest cannot rewrite its assertions.
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        options += [f"--hypothesis-profile={PROFILE}"]
        code = int(pytest.main([*options, *tests], plugins=[_EndlessLoops()]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class _EndlessLoops:
    """Ends this process when a test computes for too long, without waiting for the limit."""

    def pytest_runtest_setup(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, TEST_LIMIT)


def _kill_processes_of(tree: Path) -> None:
    """Kill what a mutant's tests started and left behind, where the system has /proc."""
    mark = f"{OWN}={tree}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in environment.read_bytes().split(b"\0"):
                os.kill(int(environment.parent.name), signal.SIGKILL)
        except OSError:
            continue

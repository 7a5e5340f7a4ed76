"""What a Ray worker does with a task, and what it tells the driver meanwhile."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gandetect.cluster.packing import Content, read_content, unpack, write_content
from gandetect.engine.tasks import prepare_process
from gandetect.errors import GandetectError, RunError
from gandetect.events import Event, Notify
from gandetect.machine import own_version

VERSION = own_version()
LAST_WORDS = 5.0  # seconds that a finished task waits until what it told has arrived
HELD = 120.0  # seconds to wait for a worker that Ray has lost and that still writes
SHARED = 5.0  # seconds until a new file is seen on a shared path


@dataclass(frozen=True)
class Token:
    """A file that says whether a shared path is seen: where it is and what stands in it."""

    file: Path
    words: str

    def seen(self) -> bool:
        """Whether it is there, with just these words."""
        try:
            return self.file.read_text(encoding="utf-8") == self.words
        except OSError:
            return False


@dataclass(frozen=True)
class RemoteTask:
    """A task as it is sent to a worker, and how to run it.

    Progress events are sent ``steps_apart`` seconds apart. Without a ``token`` there is no shared
    path, and the content of ``stored`` paths is sent.
    """

    name: str
    parts: bytes
    paths: Sequence[Path]
    stored: Sequence[Path]
    folder: Path | None
    base: Path
    threads: int
    steps_apart: float
    token: Token | None


@dataclass(frozen=True)
class TaskResult:
    """The result of a task, or an error that the user can act on.

    Without a shared path also the content of its folder, complete or not.
    """

    result: Any = None
    error: Exception | None = None
    content: Content | None = None


class Mailbox:
    """An actor that keeps the events of tasks until the driver takes them."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def put(self, event: Event) -> None:
        """Keep an event."""
        self._events.append(event)

    def take(self) -> list[Event]:
        """Give all events, in the order they came in, and forget them."""
        events, self._events = self._events, []
        return events


def look_around(token: Token | None) -> tuple[str, bool]:
    """A node's gandetect version, and whether it sees the shared path, if there is one."""
    until = time.monotonic() + SHARED
    while token is not None and not token.seen():
        if time.monotonic() > until:
            return VERSION, False
        time.sleep(0.2)
    return VERSION, True


def work(remote_task: RemoteTask, mailbox: Any, *contents: Content) -> TaskResult:
    """Do a task; ``contents`` are those of the paths that it reads."""
    prepare_process(remote_task.threads)
    place: Callable[[Path], Path] = Path  # a shared path is where it is
    with ExitStack() as stack:
        try:
            if remote_task.token is None:
                root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gandetect-")))
                place = _placed_below(root, remote_task.base)
                for path, content in zip(remote_task.stored, contents, strict=True):
                    write_content(content, place(path))
            else:
                if not look_around(remote_task.token)[
                    1
                ]:  # it has joined since the others were asked
                    raise RunError(not_shared(os.uname().nodename, remote_task.token.file.parent))
                if remote_task.folder is not None:
                    stack.enter_context(_alone(remote_task.folder))
            task = unpack(remote_task.parts, [place(path) for path in remote_task.paths])
            with _telling(remote_task, mailbox) as notify:
                result = task(notify=notify)
            return TaskResult(result, content=_left_behind(remote_task, place))
        except (GandetectError, OSError) as error:  # what the local engine raises as it is, too
            return TaskResult(error=error, content=_left_behind(remote_task, place))


def lock_file(folder: Path) -> Path:
    """What a worker holds while it writes a folder; named like all that is unfinished."""
    return folder.with_name(f".{folder.name}.lock.tmp")


def _left_behind(remote_task: RemoteTask, place: Callable[[Path], Path]) -> Content | None:
    if remote_task.token is not None or remote_task.folder is None:
        return None
    return read_content(place(remote_task.folder))


def _placed_below(root: Path, base: Path) -> Callable[[Path], Path]:
    """Where a driver's path is on this worker: the run folder's and all others', below ``root``."""

    def place(path: Path) -> Path:
        if path.is_relative_to(base):
            return root / "run" / path.relative_to(base)
        return root / "other" / path.relative_to(path.anchor)

    return place


def not_shared(node: str, folder: Path) -> str:
    """What to say of a node that does not see the run folder."""
    return (
        f"Ray's node {node} does not see the run folder {str(folder)!r}; choose an --out that all "
        "nodes share; a study may also be given --no-shared-path, which sends files through Ray"
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder for this worker: the one that Ray believes dead may still be writing to it.

    Raises `RunError` when that one does not end.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + HELD
    with lock_file(folder).open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise RunError(
                        f"{str(folder)!r} is being written by a worker that Ray has lost; end "
                        "that one, then the same command goes on"
                    ) from None
                time.sleep(0.1)
        yield


@contextmanager
def _telling(remote_task: RemoteTask, mailbox: Any) -> Iterator[Notify]:
    """Tell the driver of events, steps only now and then; if some get lost, nothing else is."""
    last = float("-inf")
    sent: list[Any] = []  # the last of them: they arrive in order

    def notify(event: Event) -> None:
        nonlocal last
        now = time.monotonic()
        is_step = event["event"] == "step" and event["done"] != event["total"]
        if is_step and now - last < remote_task.steps_apart:
            return
        last = now if is_step else last
        sent[:] = [mailbox.put.remote({"task": remote_task.name, **event})]

    yield notify
    if sent:
        import ray

        ray.wait(sent, timeout=LAST_WORDS)

"""Runs tasks on a Ray cluster, or on a Ray of its own on this machine.

A task whose node dies is done again elsewhere, from its last complete epoch where the run folder is
shared.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from gandetect import runs
from gandetect.cluster.connection import Resources, answers, connected, nodes_with_room
from gandetect.cluster.packing import outermost, pack, read_content, write_content
from gandetect.cluster.worker import (
    VERSION,
    Mailbox,
    RemoteTask,
    TaskResult,
    Token,
    lock_file,
    look_around,
    not_shared,
    work,
)
from gandetect.engine.tasks import Finished, Task
from gandetect.errors import RunError
from gandetect.events import Notify

__all__ = ["RayEngine", "Resources", "ray_engine"]

RETRIES = 3  # times that a task is begun again because its node or process died
POLL = 0.2  # seconds
HEARTBEAT = 5.0  # seconds between two looks whether the head still answers
STEPS = 100  # steps a second, of all tasks together, that the driver is told of
TO_END = 15.0  # seconds that workers are given to end when a study is given up
TO_LOOK = 120.0  # seconds that nodes are given to start a worker and look around


class RayEngine:
    """Tasks of one study on a Ray that this process has joined."""

    def __init__(
        self, ray: Any, resources: Resources, folder: Path, token: Token | None, listen: Notify
    ) -> None:
        self._ray, self._resources, self._token, self._listen = ray, resources, token, listen
        self._folder = folder
        self._address = ray.get_runtime_context().gcs_address
        self._mailbox = _mailbox(ray)
        self._post: Any = None  # what was last asked of the mailbox
        self._pending: dict[Any, Task] = {}
        self._contents: dict[Path, Any] = {}
        self._heard = time.monotonic()
        self._steps_apart = 1.0

    @property
    def shared(self) -> bool:
        """Whether its workers see the run folder."""
        return self._token is not None

    def room(self) -> int:
        """How many more tasks are handed to Ray: those that run, and as many to follow."""
        nodes = nodes_with_room(self._ray, self._resources)
        places = sum(int(node["Resources"]["CPU"] // self._resources.cpus) for node in nodes)
        self._steps_apart = max(1.0, places / STEPS)
        return max(0, 2 * max(1, places) - len(self._pending))

    def start(self, task: Task) -> None:
        """Hand a task to Ray."""
        self._pending[self._submit(task)] = task

    def finished(self) -> list[Finished]:
        """Wait a moment; the tasks that have ended, and the failure of one is raised.

        Raises `RunError` when a task's process dies again and again, or when Ray itself ends.
        """
        done, _ = self._ray.wait(list(self._pending), timeout=POLL)
        self.hear()
        ended = []
        for reference in done:
            task = self._pending.pop(reference)
            ended.append(Finished(task, self._result(task, reference)))
        if ended:
            self._contents.clear()  # later tasks may read what these have written
        self._check_head()
        return ended

    def _submit(self, task: Task) -> Any:
        """Hand a task to Ray; work that computes gets its share of a GPU."""
        gpus = self._resources.gpus if task.computes else 0.0
        packed = pack(task.work)
        folder = task.folder.absolute() if task.folder else None
        reads = [path.absolute() for path in task.reads]
        stored = [] if self._token else [one for one in outermost(reads) if one.exists()]
        remote_task = RemoteTask(
            name=task.name,
            parts=packed.bytes,
            paths=packed.paths,
            stored=stored,
            folder=folder,
            base=self._folder,
            threads=self._resources.cpus,
            steps_apart=self._steps_apart,
            token=self._token,
        )
        for path in stored:  # put once for all tasks of a run
            if path not in self._contents:
                self._contents[path] = self._ray.put(read_content(path))
        sent = [self._contents[path] for path in stored]
        remote = self._ray.remote(work).options(
            name=task.name, num_cpus=self._resources.cpus, num_gpus=gpus, max_retries=RETRIES
        )
        return remote.remote(remote_task, self._mailbox, *sent)

    def _result(self, task: Task, reference: Any) -> Any:
        """A task's result, its folder in place; raises the error that it ended with."""
        exceptions = self._ray.exceptions
        try:
            task_result: TaskResult = self._ray.get(reference)
        except exceptions.RayTaskError as error:
            raise error.cause from error
        except exceptions.RayError as error:
            raise RunError(
                f"{task.name} was given up: Ray lost its worker {RETRIES + 1} times or could not "
                f"start one ({_first_line(error)}); look for nodes without memory, then the same "
                "command goes on from what is complete"
            ) from None
        if task.folder is not None:
            lock_file(task.folder).unlink(missing_ok=True)
            if task_result.content:
                with runs.atomic_folder(task.folder) as fresh:
                    write_content(task_result.content, fresh)
        if task_result.error is not None:
            raise task_result.error
        return task_result.result

    def hear(self, last: bool = False) -> None:
        """Pass on the events that have arrived; with ``last`` wait for the rest."""
        ray = self._ray
        for _ in range(2 if last else 1):
            if self._post is None:
                self._post = self._mailbox.take.remote()
            ready, _ = ray.wait([self._post], timeout=POLL * 10 if last else 0)
            if not ready:
                return
            post, self._post = self._post, None
            try:
                events = ray.get(post)
            except ray.exceptions.RayError:  # they are for eyes only
                return
            for event in events:
                self._listen(event)

    def _check_head(self) -> None:
        if time.monotonic() - self._heard < HEARTBEAT:
            return
        if not answers(self._address):
            raise RunError(
                f"Ray's head at {self._address} has stopped; what is complete is kept, and the "
                "same command goes on from there, with another Ray or without --engine ray"
            )
        self._heard = time.monotonic()

    def give_up(self) -> None:
        """Cancel tasks, and wait until none writes any more, as far as Ray can still tell."""
        references = list(self._pending) if answers(self._address) else []
        for reference in references:
            self._ray.cancel(reference, force=True)
        if references:
            self._ray.wait(references, num_returns=len(references), timeout=TO_END)


@contextmanager
def ray_engine(
    address: str | None, resources: Resources, shared: bool, folder: Path, listen: Notify
) -> Iterator[RayEngine]:
    """Join the Ray at ``address``, or start one, for tasks that write below ``folder``.

    Raises `GandetectError` when it cannot be used: none answers, another version, too small a
    cluster, or nodes that do not see ``folder`` though it is said to be ``shared``.
    """
    folder = folder.absolute()
    with ExitStack() as stack:
        token = stack.enter_context(_token(folder)) if shared else None
        ray = stack.enter_context(connected(address, resources))
        _check_nodes(ray, resources, token)
        engine = RayEngine(ray, resources, folder, token, listen)
        try:
            yield engine
        except BaseException:
            engine.give_up()
            raise
        engine.hear(last=True)


@contextmanager
def _token(folder: Path) -> Iterator[Token]:
    words = uuid4().hex
    file = folder / f".shared.{words[:8]}.tmp"
    file.write_text(words, encoding="utf-8")
    try:
        yield Token(file, words)
    finally:
        file.unlink(missing_ok=True)


def _check_nodes(ray: Any, resources: Resources, token: Token | None) -> None:
    """Ask every node that may get tasks whether it can do them."""
    affinity = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    probe = ray.remote(look_around)
    probed = {}
    for node in nodes_with_room(ray, resources):
        strategy = affinity(node["NodeID"], soft=False)
        probed[probe.options(num_cpus=0, scheduling_strategy=strategy).remote(token)] = node
    ray.wait(list(probed), num_returns=len(probed), timeout=TO_LOOK)
    for reference, node in probed.items():
        name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
        try:
            version, seen = ray.get(reference, timeout=0)
        except ray.exceptions.RayError as error:
            raise RunError(
                f"Ray's node {name} cannot run gandetect ({_first_line(error)}); install "
                f"gandetect {VERSION} there, or take it out of the cluster"
            ) from None
        if version != VERSION:
            raise RunError(
                f"Ray's node {name} has gandetect {version}, and here it is {VERSION}; "
                "install the same everywhere"
            )
        if token is not None and not seen:
            raise RunError(not_shared(name, token.file.parent))


def _mailbox(ray: Any) -> Any:
    """A mailbox on this node, so that it does not die with another."""
    here = ray.get_runtime_context().get_node_id()
    affinity = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
    return ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=affinity).remote()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

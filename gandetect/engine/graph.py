"""Runs a graph of stages: each as soon as what it needs is complete, the longest chains first.

One place asks whether a stage is complete, takes it over from another run, says what is made
afresh and why, and hands the rest to an engine.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path

from gandetect import runs
from gandetect.engine.stage import Context, Stage, begun_with, gap_in, perform, with_needs
from gandetect.engine.tasks import Engine, Task
from gandetect.events import Listener


@dataclass(frozen=True)
class Plan:
    """The stages of one run folder that are wanted, with all that they need.

    Complete stages with the same digest are taken over from the run folders in ``reuse``. Stages
    that the plan ``after`` has, too, are made there first, and taken over. ``label`` is what a user
    is shown beside a stage's title, where there is more than one plan.
    """

    context: Context
    targets: Sequence[Stage]
    reuse: Sequence[Path] = ()
    after: Plan | None = None
    label: str = ""

    def stages(self) -> list[Stage]:
        """Every stage, each after those that it needs."""
        return with_needs(self.targets)


Key = tuple[Path, str]  # a run folder and a place in it


@dataclass
class _Node:
    plan: Plan
    stage: Stage
    before: list[Key]
    chain: float = 0.0  # seconds of work from here to the end of the longest chain
    digest: str = ""

    @property
    def title(self) -> str:
        label = self.plan.label
        return f"{self.stage.title}, {label}" if label else self.stage.title

    @property
    def folder(self) -> Path:
        return self.plan.context.run / self.stage.place

    @property
    def context(self) -> Context:
        return replace(self.plan.context, folder=self.folder)


def run_graph(plans: Sequence[Plan], engine: Engine, listener: Listener) -> None:
    """Make complete every stage of every plan; the first failure is raised.

    The results depend neither on the order in which stages end nor on how many run at a time.
    """
    nodes = _nodes(plans)
    sorter = TopologicalSorter({key: node.before for key, node in nodes.items()})
    sorter.prepare()
    running: dict[str, Key] = {}
    ready: list[Key] = []
    here: list[Key] = []
    while sorter.is_active():
        for key in sorter.get_ready():
            _decide(nodes[key], nodes, listener)
            if _stands(nodes[key], listener):
                sorter.done(key)
            elif _runs_here(nodes[key].stage, engine):
                here.append(key)
            else:
                ready.append(key)
        ready.sort(key=lambda key: -nodes[key].chain)
        while ready and engine.room():
            key = ready.pop(0)
            task = _task(nodes[key], running)
            running[task.name] = key
            listener.say(nodes[key].title)
            engine.start(task)
        if here:  # one at a time, so that what it makes ready does not wait for the others
            # What only scoring needs comes first: its faults are told before anything is trained.
            here.sort(key=lambda key: nodes[key].chain)
            key = here.pop(0)
            listener.say(nodes[key].title)
            perform(nodes[key].stage, nodes[key].digest, nodes[key].context, listener.event)
            sorter.done(key)
        elif running:
            for one in engine.finished():
                sorter.done(running.pop(one.task.name))


def planned(plan: Plan) -> Iterator[tuple[Stage, bool]]:
    """Every stage and whether it stands already, for a dry run; nothing is read."""
    for stage in plan.stages():
        yield stage, (plan.context.of(stage) / runs.RECORD).exists()


def remaining(plans: Sequence[Plan]) -> tuple[float, float]:
    """Seconds of work that is left, by the weights of stages, and of its longest chain.

    Stages with a record here or in a run that is reused count as done, and of what is begun the
    epochs of GANs; no file is read.
    """
    chains: dict[Key, float] = {}
    total = 0.0
    for key, node in _nodes(plans).items():
        places = (node.plan.context.run, *node.plan.reuse)
        stands = any((run / node.stage.place / runs.RECORD).exists() for run in places)
        is_shared = any(place == node.stage.place for _, place in node.before)
        weight = 0.0 if stands or is_shared else node.stage.weight_left(node.folder)
        chains[key] = weight + max((chains.get(one, 0.0) for one in node.before), default=0.0)
        total += weight
    return total, max(chains.values(), default=0.0)


def _nodes(plans: Sequence[Plan]) -> dict[Key, _Node]:
    nodes: dict[Key, _Node] = {}
    for plan in plans:
        run = plan.context.run
        shared = {one.place: one for one in plan.after.stages()} if plan.after else {}
        for stage in plan.stages():
            before = [(run, needed.place) for needed in stage.needs()]
            if plan.after is not None and _same(stage, shared.get(stage.place)):
                before.append((plan.after.context.run, stage.place))
            nodes[run, stage.place] = _Node(plan, stage, before)
    for node in reversed(nodes.values()):  # whatever comes after a node stands behind it
        node.chain += node.stage.weight
        for earlier in node.before:
            nodes[earlier].chain = max(nodes[earlier].chain, node.chain)
    return nodes


def _same(stage: Stage, other: Stage | None) -> bool:
    """Whether two stages come to the same result, as far as one can tell before they run."""
    return (
        type(stage) is type(other)
        and other is not None
        and stage.settings() == other.settings()
        and all(_same(*pair) for pair in zip(stage.needs(), other.needs(), strict=True))
    )


def _decide(node: _Node, nodes: Mapping[Key, _Node], listener: Listener) -> None:
    """Set a node's digest, now that all it needs is complete."""
    run = node.plan.context.run
    needed = [nodes[run, stage.place].digest for stage in node.stage.needs()]
    outside = node.stage.outside(replace(node.context, notify=listener.event))
    node.digest = node.stage.digest(outside, needed)


def _stands(node: _Node, listener: Listener) -> bool:
    """Whether a stage is complete, here or taken over; what is damaged is named and removed."""
    problem = runs.problem_with(node.folder, node.digest)
    if problem is None and gap_in(node.folder) is None:
        return True
    if node.stage.WRITES == "in-place":
        return False
    if _taken_over(node, listener) and gap_in(node.folder) is None:
        return True
    if problem:
        listener.warn(f"{node.stage.place} is not used: {problem}; it is made afresh")
    if node.stage.WRITES == "afresh" or not begun_with(node.folder, node.digest):
        shutil.rmtree(node.folder, ignore_errors=True)
    return False


def _runs_here(stage: Stage, engine: Engine) -> bool:
    """Whether a stage reads or writes what the engine's workers do not see."""
    return stage.HERE or (stage.WRITES == "in-place" and not engine.shared)


def _taken_over(node: _Node, listener: Listener) -> bool:
    places = list(node.plan.reuse)
    if node.plan.after is not None:
        places.insert(0, node.plan.after.context.run)
    for place in places:
        if runs.take_over(node.folder, place / node.stage.place, node.digest):
            if place in node.plan.reuse:
                listener.say(f"Taking {node.stage.place} over from {place}")
            return True
    return False


def _task(node: _Node, running: Mapping[str, Key]) -> Task:
    context = node.context
    name = node.stage.subject
    needed = [context.of(stage) for stage in node.stage.needs()]
    return Task(
        name=f"{name} of {context.run.name}" if name in running else name,
        work=partial(perform, node.stage, node.digest, context),
        computes=node.stage.COMPUTES,
        folder=context.folder,
        reads=[context.folder, *needed, *node.stage.reads(context)],
    )

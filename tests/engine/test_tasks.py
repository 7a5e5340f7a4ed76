"""Independent tasks come back in their own order, whichever ends first."""

from __future__ import annotations

from collections.abc import Callable

from gandetect.engine import Finished, Task, as_finished, run_all


class LastFirst:
    """An engine with room for three, of which the last one to start ends first."""

    shared = True

    def __init__(self) -> None:
        self.running: list[Task] = []
        self.most = 0

    def room(self) -> int:
        return 3 - len(self.running)

    def start(self, task: Task) -> None:
        assert self.room() > 0
        self.running.append(task)
        self.most = max(self.most, len(self.running))

    def finished(self) -> list[Finished]:
        task = self.running.pop()
        return [Finished(task, task.work(notify=lambda event: None))]


def number(value: int) -> Callable[..., int]:
    return lambda *, notify: value


def test_results_stand_in_the_order_of_the_tasks_and_all_room_is_used() -> None:
    engine = LastFirst()
    tasks = [Task(f"task {value}", number(value)) for value in range(7)]
    assert run_all(engine, tasks) == list(range(7))
    assert engine.most == 3
    assert run_all(engine, []) == []


def test_tasks_come_as_they_end_and_no_more_run_at_a_time_than_are_asked_for() -> None:
    engine = LastFirst()
    tasks = [Task(f"task {value}", number(value)) for value in range(5)]
    assert [one.result for one in as_finished(engine, tasks, most=2)] == [1, 2, 3, 4, 0]
    assert engine.most == 2

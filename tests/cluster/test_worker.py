"""What a worker does with a task, without a Ray around it."""

import fcntl
from pathlib import Path

import numpy as np
import pieces
import pytest
import torch

from gandetect.cluster import worker
from gandetect.cluster.packing import outermost, pack, read_content
from gandetect.cluster.worker import Mailbox, RemoteTask, TaskResult, Token, lock_file, work
from gandetect.errors import RunError, TrainingError


class Remote:
    """Calls an actor's method at once."""

    def __init__(self, method) -> None:
        self.remote = method


class Box:
    """A mailbox in this process."""

    def __init__(self) -> None:
        self.kept = Mailbox()
        self.put = Remote(self.kept.put)


@pytest.fixture(autouse=True)
def no_ray(monkeypatch) -> None:
    monkeypatch.setattr("ray.wait", lambda sent, timeout: None)


@pytest.fixture
def base(tmp_path) -> Path:
    (tmp_path / "run" / "gans").mkdir(parents=True)
    (tmp_path / "run" / "gans" / "read.txt").write_text("read")
    return tmp_path / "run"


def remote_task(piece, base: Path, token: Token | None) -> tuple[RemoteTask, list]:
    packed = pack(piece)
    stored = [] if token else [path for path in outermost(packed.paths) if path.exists()]
    task_sent = RemoteTask(
        name="piece",
        parts=packed.bytes,
        paths=packed.paths,
        stored=stored,
        folder=piece.folder,
        base=base,
        threads=torch.get_num_threads(),
        steps_apart=60.0,
        token=token,
    )
    return task_sent, [*map(read_content, stored)]


def do(piece, base: Path, token: Token | None) -> tuple[TaskResult, list]:
    task_sent, sent = remote_task(piece, base, token)
    box = Box()
    return work(task_sent, box, *sent), box.kept.take()


def test_without_a_shared_path_the_folder_comes_back_and_nothing_is_written(
    base, fashion_mnist
) -> None:
    images = fashion_mnist.train_images[:500]
    np.save(base / "gans" / "images.npy", images)
    folder, read = base / "sums", base / "gans" / "read.txt"
    piece = pieces.Sums(folder, base / "gans" / "images.npy", read)
    task_result, events = do(piece, base, None)
    assert task_result.result == int(images.sum(dtype=int))
    assert task_result.content is not None
    assert set(task_result.content) == {"sums.json", "inner/read.txt", "record.json"}
    assert [path.name for path in base.iterdir()] == ["gans"]
    assert events == [{"task": "piece", "event": "epoch", "epoch": 1}]


def test_what_was_begun_travels_and_comes_back_with_an_error(base) -> None:
    folder = base / "begun"
    folder.mkdir()
    (folder / "attempts").write_text("before\n")
    task_result, events = do(pieces.Fails(folder), base, None)
    assert isinstance(task_result.error, TrainingError)
    assert task_result.content is not None
    assert task_result.content["attempts"].tobytes() == b"before\none\n"
    assert (folder / "attempts").read_text() == "before\n"
    assert [event["message"] for event in events] == ["about to fail"]


def test_a_worker_that_does_not_see_the_shared_path_writes_nothing(base, monkeypatch) -> None:
    monkeypatch.setattr(worker, "SHARED", 0.1)
    task_result, _ = do(pieces.Fails(base / "new"), base, Token(base / "token", "words"))
    assert isinstance(task_result.error, RunError)
    assert "does not see the run folder" in str(task_result.error)
    assert "--no-shared-path" in str(task_result.error)
    assert not (base / "new").exists()


def test_two_workers_never_write_a_folder_at_once(base, monkeypatch) -> None:
    monkeypatch.setattr(worker, "HELD", 0.2)
    (base / "token").write_text("words")
    token, folder = Token(base / "token", "words"), base / "new"
    with lock_file(folder).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        task_result, _ = do(pieces.Fails(folder), base, token)
        assert "is being written by a worker that Ray has lost" in str(task_result.error)
        assert not folder.exists()
    task_result, _ = do(pieces.Fails(folder), base, token)
    assert isinstance(task_result.error, TrainingError)


def test_steps_are_told_now_and_then_and_all_else_at_once(base) -> None:
    task_sent, _ = remote_task(pieces.Fails(base / "new"), base, None)
    box = Box()
    with worker._telling(task_sent, box) as notify:
        for done in range(1, 101):
            notify({"event": "step", "done": done, "total": 100})
        notify({"event": "epoch", "epoch": 1})
    told = [(event["event"], event.get("done")) for event in box.kept.take()]
    assert told == [("step", 1), ("step", 100), ("epoch", None)]

"""Studies on a real Ray cluster on loopback, as processes of this machine would do them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pieces
import pytest
from shortcuts import in_this_process, without_figures

from gandetect import runs
from gandetect.cluster import engine as on_ray_module
from gandetect.config import parse_experiment
from gandetect.engine import Task, run_all
from gandetect.errors import RunError, TrainingError, UsageError
from gandetect.study import Options, run_study
from gandetect.study.engines import EngineOptions, open_engine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestWarning"),
]

TABLE = {
    "name": "tiny",
    "data": {"max_images": 1000},
    "gans": [{"architecture": "dcgan-plain", "epochs": 3, "steps_per_epoch": 6}],
    "classifiers": [
        {
            "recipe": "cnn-small",
            "name": "cnn",
            "fakes_from": ["dcgan-plain"],
            "epochs": 2,
            "max_images": 100,
        },
    ],
    "quality": {"classifier_epochs": 1, "generated": 100},
    "evaluation": {"own_generated": 60, "other_generated": 60},
}
GAN = "dcgan-plain seed 0"
FIRST_EPOCH = "gans/dcgan-plain/seed-0/epochs/0001"
# Times stand in these, or what is made of them. Figures are drawn by workers alone, see `quick`.
OF_THIS_RUN = {"history.csv", "manifest.json", "report.html", "report.md", "record.json", ".lock"}


class Listener:
    """Does something at the first epoch of the GAN."""

    def __init__(self, at_first_epoch: Callable[[], object] = lambda: None) -> None:
        self.at_first_epoch = at_first_epoch
        self.epochs: list[tuple[str, int]] = []
        self.warnings: list[str] = []

    def say(self, message: str) -> None:
        pass

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def event(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "epoch":
            self.epochs.append((event["task"], event["epoch"]))
            if len(self.epochs) == 1:
                self.at_first_epoch()


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """One thread a task, and no figures: what is compared does not need them."""
    without_figures(monkeypatch)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setattr("gandetect.machine.cores", lambda: 1)


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Path:
    """The study as the local engine does it, undisturbed."""
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        without_figures(patch)
        patch.setattr("gandetect.machine.cores", lambda: 1)
        return run_study(parse_experiment(TABLE), Options(tmp_path_factory.mktemp("local")))


@contextmanager
def a_cluster(*cpus: int) -> Iterator[Any]:
    """A head without CPUs and a node for each number of them."""
    from ray.cluster_utils import Cluster

    memory = {"object_store_memory": 100 << 20}
    head = {"num_cpus": 0, "_system_config": {"worker_niceness": 0}, **memory}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # where workers find `pieces`
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            for number in cpus:
                cluster.add_node(num_cpus=number, **memory)
            yield cluster
        finally:
            cluster.shutdown()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with a_cluster(1, 1) as found:
        yield found


def on_ray(out: Path, cluster: Any, listener: Any = None, **options) -> Path:
    engine = EngineOptions("ray", cluster.address, **{"cpus_per_task": 1, **options})
    return run_study(parse_experiment(TABLE), Options(out, engine=engine), listener)


def compare(folder: Path, other: Path) -> None:
    """The same files with the same bytes, and the same digests of all stages."""

    def files(run: Path) -> dict[str, str]:
        paths = sorted(path for path in run.rglob("*") if path.is_file())
        untold = {path for path in paths if path.name in OF_THIS_RUN or path.suffix == ".svg"}
        return {str(p.relative_to(run)): "" if p in untold else runs.file_digest(p) for p in paths}

    assert files(folder) == files(other)
    digests = [runs.read_json(run / "manifest.json")["digests"] for run in (folder, other)]
    assert digests[0] == digests[1]


@contextmanager
def engine_on(cluster: Any, folder: Path, said: list, **options) -> Iterator[Any]:
    given = EngineOptions("ray", cluster.address, **options)
    folder.mkdir(exist_ok=True)
    with open_engine(
        given, jobs=1, threads=1, device="cpu", folder=folder, listen=said.append
    ) as engine:
        yield engine


def test_a_study_on_ray_equals_the_local_one(cluster, local, tmp_path) -> None:
    listener = Listener()
    compare(on_ray(tmp_path, cluster, listener), local)
    assert listener.warnings == []
    assert listener.epochs == [(GAN, 1), (GAN, 2), (GAN, 3), ("cnn seed 0", 1), ("cnn seed 0", 2)]


def test_without_a_shared_path_the_run_folder_is_the_same(
    cluster, local, tmp_path, monkeypatch
) -> None:
    """Begun by the local engine, interrupted, and gone on with by workers that see no file."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        with pytest.raises(KeyboardInterrupt):
            run_study(parse_experiment(TABLE), Options(tmp_path), Listener(interrupt))
    assert [*tmp_path.glob(f"*/{FIRST_EPOCH}")]
    listener = Listener()
    compare(on_ray(tmp_path, cluster, listener, shared_path=False), local)
    assert listener.epochs[:2] == [(GAN, 2), (GAN, 3)]


def test_detectors_from_elsewhere_are_sent_with_what_they_read_and_learn_from(
    cluster, tmp_path
) -> None:
    (tmp_path / "shade.py").write_text(
        "def score(images):\n"
        "    from middle import GREY\n"
        "    return images.mean(axis=(1, 2, 3)) - GREY\n"
    )
    (tmp_path / "middle.py").write_text("GREY = 90\n")
    learns = {
        "kind": "python", "name": "fitted", "object": "sklearn.linear_model:LogisticRegression",
        "flatten": True, "scaling": "0..1", "fit": True, "max_images": 60,
        "trained_on": ["dcgan-plain"],
    }  # fmt: skip
    beside = {"kind": "python", "name": "shade", "object": "shade.py:score", "files": ["middle.py"]}
    table = {key: value for key, value in TABLE.items() if key != "classifiers"}
    made = parse_experiment({**table, "detectors": [learns, beside]})
    engine = EngineOptions("ray", cluster.address, cpus_per_task=1, shared_path=False)
    run = run_study(made, Options(tmp_path, engine=engine, home=tmp_path), listener := Listener())
    assert listener.warnings == []
    assert not (run / "left-out.json").exists()
    scored = {path.parts[-3] for path in run.glob("detectors/*/seed-0/detector.json")}
    assert scored == {"dcgan-plain", "fitted", "shade"}


def test_a_node_that_is_killed_changes_nothing(local, tmp_path) -> None:
    with a_cluster(1) as cluster:
        (only,) = cluster.worker_nodes

        def kill() -> None:
            cluster.remove_node(only, allow_graceful=False)
            assert not [*tmp_path.glob("*/gans/*/*/record.json")]
            cluster.add_node(num_cpus=1, object_store_memory=100 << 20)

        listener = Listener(kill)
        compare(on_ray(tmp_path, cluster, listener), local)
    assert {(GAN, 1), (GAN, 2), (GAN, 3)} <= set(listener.epochs)


def test_errors_of_ours_arrive_as_they_are_and_are_not_retried(cluster, tmp_path) -> None:
    said: list = []
    with engine_on(cluster, tmp_path / "run", said) as engine:
        folder = tmp_path / "run" / "piece"
        with pytest.raises(TrainingError, match=r"^the loss is not finite$"):
            run_all(engine, [Task("piece", pieces.Fails(folder), folder=folder)])
    assert (folder / "attempts").read_text() == "one\n"
    assert not [*(tmp_path / "run").glob(".*.tmp")]


def test_a_process_that_dies_is_replaced(cluster, tmp_path) -> None:
    with engine_on(cluster, tmp_path / "run", []) as engine:
        folder = tmp_path / "run" / "piece"
        assert run_all(engine, [Task("piece", pieces.DiesOnce(folder), folder=folder)]) == ["done"]


def test_a_file_that_many_tasks_read_is_sent_once(
    cluster, tmp_path, fashion_mnist, monkeypatch
) -> None:
    images, put = fashion_mnist.train_images[:2000], []
    run = tmp_path / "run"
    run.mkdir()
    np.save(run / "images.npy", images)
    read = run / "read.txt"
    read.write_text("read")
    with engine_on(cluster, run, [], shared_path=False) as engine:
        ray = sys.modules["ray"]
        stored = ray.put
        monkeypatch.setattr(ray, "put", lambda value: put.append(value) or stored(value))
        tasks = [
            Task(
                f"piece {number}",
                pieces.Sums(run / f"{number}", run / "images.npy", read),
                folder=run / f"{number}",
                reads=[run / "images.npy", read],
            )
            for number in range(3)
        ]
        assert run_all(engine, tasks) == [int(images.sum(dtype=int))] * 3
    assert len(put) == 2
    assert (run / "2" / "inner" / "read.txt").read_text() == "read"


def test_a_path_that_nodes_do_not_see_is_said(cluster, tmp_path, monkeypatch) -> None:
    @contextmanager
    def elsewhere(folder: Path) -> Iterator[Any]:
        yield on_ray_module.Token(folder / "not-there", "words")

    monkeypatch.setattr(on_ray_module, "_token", elsewhere)
    with (
        pytest.raises(RunError, match=r"node .* does not see the run folder.*--no-shared-path"),
        engine_on(cluster, tmp_path / "run", []),
    ):
        pass


def test_a_cluster_too_small_or_of_another_version_is_refused(
    cluster, tmp_path, monkeypatch
) -> None:
    with pytest.raises(UsageError, match=r"no node of this Ray has both \(at most 1 CPU"):
        on_ray(tmp_path, cluster, cpus_per_task=64)
    with pytest.raises(UsageError, match=r"and 0 GPU\(s\)\); give less"):
        on_ray(tmp_path, cluster, gpus_per_task=1.0)
    import ray

    with monkeypatch.context() as patch:
        patch.setattr(ray, "__version__", "2.9.0")
        with pytest.raises(RunError, match=r"cannot be joined .*Ray: 2\.9\.0"):
            on_ray(tmp_path, cluster)


START = """
from pathlib import Path
from gandetect import machine, study
from gandetect.cli import main
machine.cores = lambda: 1
main({arguments!r})
"""


@contextmanager
def started(tmp_path: Path, *given: str) -> Iterator[subprocess.Popen[str]]:
    """A study of a process of its own that has just written its first epoch."""
    experiment = parse_experiment(TABLE)
    (tmp_path / "tiny.toml").write_text(runs.to_toml(experiment))
    arguments = ["run", str(tmp_path / "tiny.toml"), "--out", str(tmp_path), "--engine", "ray"]
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(arguments=[*arguments, *given])],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 180
        while not [*tmp_path.glob(f"*/{FIRST_EPOCH}")]:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_head_that_stops_leaves_a_run_that_goes_on_locally(local, tmp_path, monkeypatch) -> None:
    with (
        a_cluster(1) as cluster,
        started(tmp_path, "--address", cluster.address, "--cpus-per-task", "1") as process,
    ):
        cluster.remove_node(cluster.head_node, allow_graceful=False)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert "has stopped; what is complete is kept" in said
    assert "Traceback" not in said
    in_this_process(monkeypatch)
    compare(run_study(parse_experiment(TABLE), Options(tmp_path), Listener()), local)


def test_an_interrupt_ends_the_ray_of_this_machine_and_leaves_a_resumable_run(
    local, tmp_path, monkeypatch
) -> None:
    with started(tmp_path) as process:
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "give the same command again to go on" in said
    in_this_process(monkeypatch)
    compare(run_study(parse_experiment(TABLE), Options(tmp_path), Listener()), local)

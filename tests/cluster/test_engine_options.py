"""An engine that cannot be had is refused in one sentence, before anything is done."""

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gandetect.cli import main
from gandetect.cluster import connection as cluster
from gandetect.cluster.connection import answers
from gandetect.config import load_experiment
from gandetect.errors import GandetectError, UsageError
from gandetect.study import Options, engines, plan_study
from gandetect.study.engines import EngineOptions

SMOKE = Path(__file__).parents[2] / "experiments" / "smoke.toml"
RAY = EngineOptions("ray")


def refused(options: EngineOptions) -> str:
    with pytest.raises(GandetectError) as caught:
        options.check()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("flag", "given"),
    [
        ("--address", {"address": "head:6379"}),
        ("--cpus-per-task", {"cpus_per_task": 2}),
        ("--gpus-per-task", {"gpus_per_task": 0.5}),
        ("--no-shared-path", {"shared_path": False}),
    ],
)
def test_what_is_for_ray_is_refused_without_it(flag, given) -> None:
    said = refused(EngineOptions(**given))
    assert said.startswith(f"{flag} was given without --engine ray")


def test_ray_that_is_not_installed_says_how_to_install_it(monkeypatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert "pip install 'gandetect[ray]'" in refused(RAY)


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "auto", "head:port", ":6379"])
def test_what_is_no_address_is_refused_with_what_is_one(address) -> None:
    said = refused(replace(RAY, address=address))
    assert repr(address) in said
    assert "HOST:PORT" in said


def test_an_address_where_nothing_answers_is_said(monkeypatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert f"no Ray answers at --address 127.0.0.1:{port}" in refused(
        replace(RAY, address=f"127.0.0.1:{port}")
    )


def test_a_server_that_says_nothing_is_no_ray(monkeypatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not answers(f"127.0.0.1:{silent.getsockname()[1]}")


def test_a_server_of_another_kind_is_no_ray() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        other = threading.Thread(target=serve)
        other.start()
        assert not answers(f"127.0.0.1:{server.getsockname()[1]}")
        other.join()


def test_parts_of_several_gpus_are_refused() -> None:
    assert "--gpus-per-task 1.5" in refused(replace(RAY, gpus_per_task=1.5))
    replace(RAY, gpus_per_task=2.0).check()
    replace(RAY, gpus_per_task=0.25).check()


@pytest.mark.parametrize(
    ("given", "engine", "said"),
    [
        ({"jobs": 2}, {"address": "head:6379"}, "--jobs 2"),
        ({"device": "cpu"}, {"gpus_per_task": 1.0}, "--gpus-per-task 1"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(given, engine, said, monkeypatch) -> None:
    monkeypatch.setattr(cluster, "answers", lambda address: True)
    with pytest.raises(UsageError, match=said):
        plan_study(load_experiment(SMOKE), Options(**given, engine=replace(RAY, **engine)))


def test_a_task_has_the_threads_that_it_is_given_cpus(monkeypatch) -> None:
    monkeypatch.setattr("gandetect.machine.cores", lambda: 4)
    experiment = load_experiment(SMOKE)

    def share(**given) -> tuple[int, int]:
        study = plan_study(experiment, Options(engine=replace(RAY, **given)))
        return study.context.jobs, study.context.threads

    assert share() == (2, 2)  # two trainings on four cores, as without Ray
    assert share(cpus_per_task=1) == (4, 1)
    assert share(cpus_per_task=4) == (1, 4)


def test_more_cpus_than_this_machine_has_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(cluster, "cores", lambda: 2)
    with pytest.raises(UsageError, match="--cpus-per-task 64 was given, and this machine has 2"):
        cluster._start(None, cluster.Resources(1, 64, 0.0))


def test_a_ray_of_another_version_is_said_with_both_versions() -> None:
    from ray._private.utils import check_version_info

    other = {"ray_version": "2.9.0", "python_version": "3.9.1"}
    with pytest.raises(RuntimeError) as caught:
        check_version_info(other, "here")
    said = cluster._why_not_joined("head:6379", str(caught.value))
    assert said.startswith("the Ray at head:6379 cannot be joined from this machine (Version mis")
    assert "Ray: 2.9.0 Python: 3.9.1" in said
    assert said.endswith("make this one a node: ray start --address=head:6379 --num-cpus=0")
    assert "\n" not in said


class Nodes:
    """A cluster as Ray lists it."""

    def __init__(self, *resources: dict[str, float]) -> None:
        self._resources = resources

    def nodes(self) -> list[dict[str, object]]:
        return [{"Alive": True, "Resources": one} for one in self._resources]


@pytest.mark.parametrize(
    ("share", "said"),
    [
        ((1, 8, 0.0), r"8 CPU\(s\) and 0 GPU\(s\) .* \(at most 4 CPU\(s\), and 2 GPU\(s\)\)"),
        ((1, 1, 4.0), r"1 CPU\(s\) and 4 GPU\(s\) .*; give less with --cpus-per-task or --gpus"),
        ((1, 4, 1.0), "no node of this Ray has both"),
    ],
)
def test_what_no_node_can_hold_is_refused_and_not_waited_for(share, said) -> None:
    nodes = Nodes({"CPU": 4.0}, {"CPU": 2.0, "GPU": 2.0}, {})
    with pytest.raises(UsageError, match=said):
        cluster._check_room(nodes, cluster.Resources(*share))
    cluster._check_room(nodes, cluster.Resources(1, 2, 2.0))


def test_a_cluster_without_gpus_says_so() -> None:
    with pytest.raises(UsageError, match=r"and 0 GPU\(s\)\); give less"):
        cluster._check_room(Nodes({"CPU": 4.0}), cluster.Resources(1, 1, 0.5))


def test_the_command_line_says_it_without_a_traceback() -> None:
    given = ["run", str(SMOKE), "--dry-run", "--cpus-per-task", "2"]
    answer = CliRunner().invoke(main, given)
    assert answer.exit_code == 2
    assert answer.stderr.startswith("error: --cpus-per-task was given without --engine ray")


def test_a_dry_run_says_whose_room_is_shared(monkeypatch) -> None:
    monkeypatch.setattr(cluster, "answers", lambda address: True)
    given = ["run", str(SMOKE), "--dry-run", "--engine", "ray", "--address", "head:6379"]
    answer = CliRunner().invoke(main, [*given, "--cpus-per-task", "3"])
    assert answer.exit_code == 0
    assert "as many as head:6379 has room for at a time with 3 thread(s) each" in answer.stdout

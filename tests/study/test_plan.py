"""How a study is laid out on a machine: shares of the cores, folders, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandetect.config import Experiment, parse_experiment
from gandetect.engine import Plan
from gandetect.errors import UsageError
from gandetect.study.engines import EngineOptions
from gandetect.study.plan import Options, plan_lines, plan_study

GAN = {"architecture": "dcgan-plain", "epochs": 1}


def experiment(*gans: dict, **tables: object) -> Experiment:
    return parse_experiment({"name": "x", "gans": list(gans or (GAN,)), **tables})


@pytest.fixture(autouse=True)
def six_cores(monkeypatch) -> None:
    monkeypatch.setattr("gandetect.machine.cores", lambda: 6)


@pytest.mark.parametrize(
    ("trainings", "jobs", "expected"),
    [(1, None, (1, 6)), (2, None, (2, 3)), (4, None, (6, 1)), (9, None, (6, 1)),
     (9, 2, (2, 1)), (2, 3, (3, 2)), (1, 4, (4, 1)), (2, 1, (1, 3))],
)  # fmt: skip
def test_cores_are_shared_among_trainings_and_threads_do_not_rise_with_fewer_jobs(
    trainings, jobs, expected, tmp_path
) -> None:
    one = experiment(seeds=[*range(trainings)])
    study = plan_study(one, Options(tmp_path, device="cpu", jobs=jobs))
    assert (study.context.jobs, study.context.threads) == expected


@pytest.mark.parametrize(("jobs", "expected"), [(None, (1, 6)), (2, (2, 3)), (8, (8, 1))])
def test_a_gpu_is_one_trainings_own_unless_more_jobs_are_asked_for(
    jobs, expected, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("gandetect.machine.resolve_device", lambda device: "cuda")
    monkeypatch.setattr("gandetect.machine.native_precision", lambda device: "float32")
    study = plan_study(experiment(seeds=[1, 2, 3]), Options(tmp_path, jobs=jobs))
    assert (study.context.jobs, study.context.threads) == expected


def test_a_task_of_ray_computes_on_the_gpu_that_it_is_given(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gandetect.machine.resolve_device", lambda device: "cpu")
    ray = EngineOptions("ray", gpus_per_task=1.0)
    assert plan_study(experiment(), Options(tmp_path, engine=ray)).context.device == "cuda"
    without = EngineOptions("ray", cpus_per_task=2)
    study = plan_study(experiment(), Options(tmp_path, engine=without))
    assert (study.context.device, study.context.threads) == ("cpu", 2)


def test_pixels_are_cached_beside_the_data_here_and_below_the_runs_on_a_cluster(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.delenv("GANDETECT_CACHE_DIR", raising=False)
    monkeypatch.setattr("gandetect.cluster.connection.answers", lambda address: True)
    data = tmp_path / "data"
    here = plan_study(experiment(), Options(tmp_path / "runs", data))
    assert here.context.cache == data / "cache"
    assert (
        here.share
        == f"{here.context.jobs} at a time with 6 thread(s) each, on {here.context.device}"
    )
    cluster = Options(tmp_path / "runs", data, engine=EngineOptions("ray", address="head:6379"))
    there = plan_study(experiment(), cluster)
    assert there.context.cache == tmp_path / "runs" / "cache"
    assert there.share.startswith("as many as head:6379 has room for at a time")


def test_a_dry_run_tells_of_trainings_one_by_one_and_of_all_others_together(tmp_path) -> None:
    study = plan_study(
        experiment({**GAN, "name": "one"}, {**GAN, "name": "two"}), Options(tmp_path)
    )
    (study.folder / "gans/one/seed-0").mkdir(parents=True)
    (study.folder / "gans/one/seed-0/record.json").write_text("{}")
    lines = plan_lines(study)
    assert lines[0] == f"# would be put in {study.folder}; {study.share}"
    assert "# Training one seed 0: stands already, would be verified" in lines
    assert "# Training two seed 0: to do" in lines
    stages = len(study.plan("report").stages())
    assert f"# and {stages - 2} shorter stages, from the data to the report" in lines


@pytest.mark.parametrize(
    ("tables", "options", "said"),
    [
        ({}, {"stop_after": "classifiers"}, r"no \[\[classifiers\]\] to train"),
        ({"gans": [{**GAN, "role": "source"}]}, {}, "has no detector: every GAN has role"),
        ({"evaluation": {"perturbations": ["nois"]}}, {}, "did you mean 'noise'"),
        ({"data": {"held_out": ["Bags"]}}, {}, "did you mean 'Bag'"),
    ],
)
def test_what_could_only_fail_later_is_refused_at_once(tables, options, said, tmp_path) -> None:
    with pytest.raises(UsageError, match=said):
        plan_study(parse_experiment({"name": "x", "gans": [GAN], **tables}),
                   Options(tmp_path, **options))  # fmt: skip
    assert not [*tmp_path.iterdir()]


def test_a_gan_without_a_detector_can_be_trained(tmp_path) -> None:
    one = experiment({**GAN, "role": "source"})
    plan = plan_study(one, Options(tmp_path, stop_after="gans")).plan("gans")
    assert isinstance(plan, Plan)
    assert not any(stage.place == "." for stage in plan.stages())


def test_a_folder_without_gans_is_nothing_to_reuse(tmp_path) -> None:
    from gandetect import runs

    one = experiment()
    empty = runs.run_folder(tmp_path, one)
    empty.mkdir(parents=True)
    runs.open_run(empty, one)
    with pytest.raises(UsageError, match="has no GANs to take over"):
        plan_study(one, Options(tmp_path / "other", reuse=(empty,)))
    (empty / "gans").mkdir()
    study = plan_study(one, Options(tmp_path / "other", reuse=(empty,)))
    assert study.plan("report").reuse == (Path(empty),)

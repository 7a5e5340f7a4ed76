"""A study that could never end, or never fit, is refused by an estimate that follows its sizes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from gandetect import machine
from gandetect.config import ARCHITECTURES, parse_experiment
from gandetect.engine import Context
from gandetect.errors import UsageError
from gandetect.runs import RECORD
from gandetect.stages import speeds
from gandetect.study import estimate
from gandetect.study.estimate import require_feasible
from gandetect.study.plan import Study

GAN = {"architecture": "dcgan-plain", "epochs": 100_000, "batch_size": 60, "steps_per_epoch": 7000}
# Of one core: 100,000 epochs of 420,000 images at 300 a second.
YEARS = 100_000 * 420_000 / 300 / (365 * 86400)


@pytest.fixture(autouse=True)
def four_cores(monkeypatch) -> None:
    monkeypatch.setattr("gandetect.machine.cores", lambda: 4)


ERRORS = 0.051  # numbers are told to a tenth


def study(folder: Path, *gans: dict, **tables: object) -> Study:
    experiment = parse_experiment({"name": "x", "gans": list(gans), **tables})
    return Study(experiment, Context(folder, folder, folder, folder, "cpu", 1, 1, 1))


def years(one: Study) -> float:
    with pytest.raises(UsageError) as caught:
        require_feasible(one)
    said = re.search(r"about ([0-9,]+\.\d) years", str(caught.value))
    assert said, caught.value
    return float(said[1].replace(",", ""))


def test_a_gan_takes_its_images_at_its_speed_on_all_cores_for_every_seed(tmp_path) -> None:
    def of(*gans: dict, **tables: object) -> float:
        return years(study(tmp_path, *gans, seeds=[*range(100)], **tables))

    once = 100 * YEARS / 4
    assert of(GAN) == pytest.approx(once, abs=ERRORS)
    assert of(GAN, {**GAN, "name": "other"}) == pytest.approx(2 * once, abs=ERRORS)
    assert of({**GAN, "architecture": "dcgan-bn"}) == pytest.approx(once / 3.3, abs=ERRORS)
    wasserstein = {**GAN, "architecture": "wgan-gp", "critic_steps": 3}  # a batch in each step
    assert of(wasserstein) == pytest.approx(once / 3.3, abs=ERRORS)


def test_images_twice_as_wide_take_four_times_as_long(tmp_path) -> None:
    data = {"name": "folder", "path": "x", "channels": 1, "held_out": ["a"]}
    small, large = (
        years(study(tmp_path, GAN, data={**data, "image_size": size}, seeds=[*range(100)]))
        for size in (32, 64)
    )
    assert small == pytest.approx(100 * YEARS / 4 * (32 / 28) ** 2, abs=ERRORS)
    assert large == pytest.approx(4 * small, abs=0.21)


def test_an_epoch_is_the_data_where_no_steps_are_given(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(estimate, "YEAR", 86400.0)  # so that it tells of days
    gan = {**GAN, "steps_per_epoch": None}
    of_all, of_some, of_few = (
        years(study(tmp_path, gan, data={"max_images": images}, seeds=[*range(1000)]))
        for images in (None, 40_000, 600)
    )
    assert of_all == pytest.approx(1000 * 365 * YEARS / 4 / 420_000 * 30_000, abs=0.1)
    assert of_some == pytest.approx(of_all * 20 / 30, abs=0.1)
    assert of_few == pytest.approx(of_all * 0.3 / 30, abs=0.1)


def test_a_gpu_is_far_faster_and_a_cluster_trains_all_side_by_side(tmp_path) -> None:
    here = study(tmp_path, GAN, {**GAN, "name": "other"}, seeds=[*range(1000)])
    of_all = years(here)
    on_gpu = years(replace(here, context=replace(here.context, device="cuda")))
    assert on_gpu == pytest.approx(of_all * 4 / estimate.CORES_OF_A_GPU, abs=ERRORS)
    on_cluster = years(replace(here, cluster="head:6379"))
    assert on_cluster == pytest.approx(YEARS / 4, abs=ERRORS)


def test_detectors_and_classifiers_take_their_time_too(tmp_path) -> None:
    gan = {**GAN, "epochs": 2, "steps_per_epoch": 1}
    after = {"kind": "fine-tuned", "name": "after", "gan": "dcgan-plain", "batch_size": 60_000,
             "updates": 100_000}  # fmt: skip
    found = years(study(tmp_path, gan, detectors=[after], seeds=[*range(1000)]))
    assert found == pytest.approx(1000 * 6e9 / 300 / 4 / (365 * 86400), abs=ERRORS)
    one = {"recipe": "cnn-small", "fakes_from": ["dcgan-plain"], "epochs": 100_000,
           "max_images": 20_000, "image_size": 56}  # fmt: skip
    images_a_second = (
        speeds.CLASSIFIER * estimate.AT_BEST * 4 / 4
    )  # four cores, four times the pixels
    expected = 1000 * 100_000 * 20_000 / images_a_second / (365 * 86400)
    found = years(study(tmp_path, gan, classifiers=[one], seeds=[*range(1000)]))
    assert found == pytest.approx(expected, abs=ERRORS)


def test_a_year_is_the_limit(tmp_path, monkeypatch) -> None:
    one = study(tmp_path, {**GAN, "epochs": 100, "steps_per_epoch": 60})
    seconds = 100 * 3600 / 300 / 4
    monkeypatch.setattr(estimate, "YEAR", seconds * 1.001)
    require_feasible(one)
    monkeypatch.setattr(estimate, "YEAR", seconds * 0.999)
    assert years(one) == 1.0


def gigabytes(one: Study, monkeypatch: pytest.MonkeyPatch, free: int = 0) -> float:
    """What a study is said to need on a disk with so many bytes to use."""
    disk = SimpleNamespace(free=free + machine.SPARE)
    monkeypatch.setattr("shutil.disk_usage", lambda _: disk)
    with pytest.raises(UsageError) as caught:
        require_feasible(one)
    said = re.search(r"needs ([0-9,]+\.\d+) GB in", str(caught.value))
    assert said, caught.value
    return float(said[1].replace(",", ""))


def test_the_disk_holds_generated_images_and_the_networks_of_every_epoch(
    tmp_path, monkeypatch
) -> None:
    gan = {**GAN, "epochs": 5000, "steps_per_epoch": 1}
    evaluation = {"own_generated": 300_000, "other_generated": 100}
    architecture = ARCHITECTURES["dcgan-plain"]
    networks = [architecture.build(name) for name in ("generator", "discriminator")]
    weights = 4 * sum(one.numel() for network in networks for one in network.parameters())
    one = (300_000 * 28 * 28 + 5000 * weights) / 1e9
    small = study(tmp_path, gan, evaluation=evaluation)
    assert gigabytes(small, monkeypatch) == pytest.approx(one, abs=ERRORS)
    seeds = [1, 2, 3]
    several = study(tmp_path, gan, evaluation=evaluation, seeds=seeds)
    assert gigabytes(several, monkeypatch) == pytest.approx(3 * one, abs=ERRORS)
    data = {"name": "folder", "path": "x", "channels": 3, "image_size": 56, "held_out": ["a"]}
    others = {"own_generated": None, "other_generated": 10_000_000}
    large = study(tmp_path, {**gan, "epochs": 1}, data=data, evaluation=others)
    assert gigabytes(large, monkeypatch) == pytest.approx(1e7 * 3 * 56 * 56 / 1e9, abs=0.2)


def test_what_stands_already_needs_no_room_again(tmp_path, monkeypatch) -> None:
    one = study(tmp_path, {**GAN, "epochs": 1, "steps_per_epoch": 1}, evaluation={
        "own_generated": None, "other_generated": 1000})  # fmt: skip
    gigabytes(one, monkeypatch)
    (tmp_path / "gans").mkdir()
    with (tmp_path / "gans" / "weights").open("wb") as file:
        file.truncate(1 << 30)
    require_feasible(one)


def minutes(*studies: Study, jobs: int = 1, threads: int = 1, flops: float = 1.0) -> float | None:
    """What is said at the start, on a machine of so many times the FLOP/s reckoned with."""
    changed = [replace(one.context, jobs=jobs, threads=threads) for one in studies]
    studies = tuple(replace(one, context=new) for one, new in zip(studies, changed, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "matrix_speed", lambda cores: flops * estimate.RECKONED)
        line = estimate.duration_line(studies, [one.plan("report") for one in studies])
    told = line and re.search(r"about (a|\d+) minute", line)
    return told and float(told[1].replace("a", "1"))


# Of one core: 15 epochs of 60,000 images at 330 a second.
OF_45_MINUTES = {
    "architecture": "dcgan-bn",
    "epochs": 15,
    "batch_size": 60,
    "steps_per_epoch": 1000,
}


def test_the_start_tells_of_the_work_the_jobs_and_the_machine(tmp_path) -> None:
    one = study(tmp_path, OF_45_MINUTES, seeds=[0])
    assert minutes(one) == pytest.approx(45 + 1.5, abs=2)  # and what comes after training
    assert minutes(one, jobs=2) == pytest.approx(45 + 1.5, abs=2)  # one training is not shared out
    assert minutes(one, flops=2) == pytest.approx(minutes(one) / 2, abs=1)
    two = study(tmp_path, OF_45_MINUTES, seeds=[0, 1])
    assert minutes(two) == pytest.approx(2 * minutes(one), abs=2)
    assert minutes(two, jobs=2) == pytest.approx(minutes(one), abs=2)
    assert minutes(one, threads=2) == pytest.approx(minutes(one) / 2**0.7, abs=1)
    elsewhere = study(tmp_path / "elsewhere", OF_45_MINUTES, seeds=[0, 1])
    assert minutes(one, elsewhere, flops=3) == pytest.approx(minutes(one), abs=2)


# 20,000 images through a network that trains on 330 a second.
OF_A_MINUTE = {
    "kind": "probe",
    "name": "probe",
    "features_of": ["dcgan-bn"],
    "fakes_from": ["dcgan-bn"],
    "max_images": 10_000,
}


def test_the_start_tells_of_detectors_too(tmp_path) -> None:
    five = [{**OF_A_MINUTE, "name": f"probe-{number}"} for number in range(5)]
    quick = {"kind": "selected", "name": "selected", "gan": "dcgan-bn"}
    data = {"selection": ["Coat"]}
    with_them = study(tmp_path, OF_45_MINUTES, seeds=[0], detectors=[*five, quick], data=data)
    without = study(tmp_path, OF_45_MINUTES, seeds=[0], data=data)
    assert minutes(with_them) == pytest.approx(minutes(without) + 5, abs=2)


def test_what_nobody_can_know_at_the_start_is_not_told(tmp_path) -> None:
    pictures = {"name": "folder", "path": "x", "channels": 1, "image_size": 28, "held_out": ["a"]}
    assert minutes(study(tmp_path, OF_45_MINUTES, data=pictures)) is None
    one = study(tmp_path, OF_45_MINUTES)
    assert minutes(one) is not None
    assert minutes(replace(one, cluster="head:6379")) is None
    of_code = {"kind": "python", "name": "mine", "object": "mine.py:score"}
    for unknown in (
        {"detectors": [of_code]},
        {"detectors": [{**OF_A_MINUTE, "features_of": "imagenet:efficientnet-lite0"}]},
        {"sources": [{"name": "mine", "path": "x", "label": "generated"}]},
        {"classifiers": [{"recipe": "resnet18", "fakes_from": ["dcgan-bn"]}]},
        {"quality": {"features": ["own", "resnet18"]}},
    ):
        other = study(tmp_path, OF_45_MINUTES, **unknown)
        assert minutes(other) is None
        assert minutes(one, other) is None
    assert minutes(replace(one, context=replace(one.context, device="cuda"))) is None


def test_what_stands_or_is_taken_over_is_not_counted(tmp_path) -> None:
    one = study(tmp_path, OF_45_MINUTES)
    stages = one.plan("report").stages()

    def complete(place: str) -> None:
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / RECORD).write_text("{}")

    for epoch in range(1, 11):
        complete(f"gans/dcgan-bn/seed-0/epochs/{epoch:04d}")
    assert minutes(one) == pytest.approx(15 + 1.5, abs=2)
    complete("gans/dcgan-bn/seed-0")
    assert minutes(one) <= 4
    other = study(tmp_path / "other", OF_45_MINUTES)
    assert minutes(other) > 40
    assert minutes(replace(other, reuse=(tmp_path,))) <= 4
    for stage in stages:
        complete(stage.place)
    assert minutes(one) is None

"""What a study is composed of: which detector meets which images, of which run, and how many."""

from __future__ import annotations

from collections import Counter

import pytest

from gandetect.config import parse_experiment
from gandetect.sources.generators import GeneratedSource
from gandetect.sources.labelled import LabelledSource
from gandetect.sources.splits import SplitSource
from gandetect.study.audits import AUDITED, AUDITED_LARGE
from gandetect.study.compose import MAPPED, MAPPED_LARGE, MAPPED_SHOWN, Composed, compose

GANS = [
    {"architecture": "dcgan-bn"},
    {"architecture": "dcgan-plain", "name": "shown", "role": "source"},
    {"architecture": "dcgan-plain", "name": "unshown", "role": "detector"},
]
CLASSIFIER = {"recipe": "cnn-small", "name": "cnn", "fakes_from": ["dcgan-bn", "unshown"]}
EVALUATION = {"own_generated": 500, "other_generated": 70, "trajectory": "every 2",
              "perturbations": ["noise"], "perturbed_images": 40}  # fmt: skip
REALS = ("in-distribution", "held-out", "calibration")


def of_gans(**more: object) -> Composed:
    tables = {"name": "x", "seeds": [3, 5, 8], "gans": GANS, "evaluation": EVALUATION, **more}
    return compose(parse_experiment(tables))


@pytest.fixture(scope="module")
def study() -> Composed:
    return of_gans(classifiers=[CLASSIFIER])


def sources(study: Composed, detector: str, seed: int) -> set[tuple]:
    (stage,) = (one for one in study.report.scores if (one.trained.config.name, one.trained.seed)
                == (detector, seed))  # fmt: skip
    return {
        (one.name, one.seed, one.gan, one.purpose, one.count, one.part)
        if isinstance(one, GeneratedSource)
        else (one.split, one.most, one.as_many_as)
        for one in stage.sources
    }


def drawn(gan: str, seed: int, count: int) -> tuple:
    return (f"generated:{gan}", seed, gan, "evaluation", count, None)


def calibration(gan: str, seed: int, number: int, parts: int) -> tuple:
    return ("generated:calibration", seed, gan, "calibration", None, (number, parts))


@pytest.mark.parametrize(("seed", "another"), [(3, 5), (5, 8), (8, 3)])
def test_a_discriminator_meets_its_own_the_other_and_another_runs_fakes(
    study, seed, another
) -> None:
    assert sources(study, "dcgan-bn", seed) == {
        drawn("dcgan-bn", seed, 500),
        drawn("shown", seed, 70),
        drawn("dcgan-bn", another, 70),
        calibration("dcgan-bn", seed, 0, 1),
        *((name, None, None) for name in REALS),
        ("training", None, "in-distribution"),
    }


def test_a_classifier_meets_the_fakes_of_all_it_knows_and_no_training_images(study) -> None:
    assert sources(study, "cnn", 5) == {
        *(drawn(name, 5, 500) for name in ("dcgan-bn", "unshown")),
        *(drawn(name, 8, 70) for name in ("dcgan-bn", "unshown")),
        drawn("shown", 5, 70),
        calibration("dcgan-bn", 5, 0, 2),
        calibration("unshown", 5, 1, 2),
        *((name, None, None) for name in REALS),
    }


def test_with_one_seed_there_is_no_other_run_to_meet() -> None:
    found = sources(of_gans(seeds=[4]), "unshown", 4)
    assert [one for one in found if one[0] == "generated:unshown"] == [drawn("unshown", 4, 500)]


def test_so_many_training_reals_as_asked_for_are_scored() -> None:
    found = sources(of_gans(evaluation={**EVALUATION, "training_reals": 30}), "dcgan-bn", 3)
    assert ("training", 30, None) in found


def test_a_gan_that_is_a_source_alone_is_no_detector(study) -> None:
    scored = Counter(one.trained.config.name for one in study.report.scores)
    assert scored == {"dcgan-bn": 3, "unshown": 3, "cnn": 3}
    assert Counter(one.config.name for one in study.report.gans) == {
        "dcgan-bn": 3, "shown": 3, "unshown": 3}  # fmt: skip


def test_a_detector_needs_the_images_that_it_is_scored_on_and_no_others(study) -> None:
    for stage in study.report.scores:
        needed = {(one.gan.config.name, one.gan.seed, one.purpose)
                  for one in stage.images if hasattr(one, "purpose")}  # fmt: skip
        used = {(one.gan, one.seed, one.purpose)
                for one in stage.sources if isinstance(one, GeneratedSource)}  # fmt: skip
        assert needed == used


def test_trajectories_are_of_discriminators_on_images_that_all_epochs_share(study) -> None:
    stages = {(one.gan.config.name, one.gan.seed): one for one in study.report.trajectories}
    assert set(stages) == {(name, seed) for name in ("dcgan-bn", "unshown") for seed in (3, 5, 8)}
    met = {(one.name, one.seed) for one in stages["dcgan-bn", 5].sources}
    assert met == {("generated:shown", 5), *((f"real:{name}", 0) for name in REALS)}
    last = of_gans(evaluation={**EVALUATION, "trajectory": "last"})
    assert last.report.trajectories == ()


def test_processed_images_are_fakes_of_the_same_run_and_test_reals(study) -> None:
    (stage,) = (one for one in study.report.perturbed
                if (one.trained.config.name, one.trained.seed) == ("cnn", 8))  # fmt: skip
    assert {(one.name, one.seed) for one in stage.sources} == {
        *((f"generated:{name}", 8) for name in ("dcgan-bn", "shown", "unshown")),
        ("real:in-distribution", 0),
        ("real:held-out", 0),
    }
    assert (stage.perturbations, stage.most, stage.sampled) == (("noise",), 40, False)
    assert of_gans(evaluation={}).report.perturbed == ()


def test_every_generator_of_every_seed_is_audited_beside_training_reals(study) -> None:
    found = {(one.generated.gan, one.generated.seed): one for one in study.report.audits}
    assert set(found) == {(gan, seed) for gan in ("dcgan-bn", "shown", "unshown")
                          for seed in (3, 5, 8)}  # fmt: skip
    one = found["shown", 5]
    assert one.real == SplitSource("training")
    assert one.generated.purpose == "calibration"
    assert one.generated.part == (0, 1)
    assert one.most == AUDITED


def test_the_pixels_of_every_generator_and_of_the_test_reals_are_summed_up_once(study) -> None:
    stage = study.report.statistics
    assert Counter((one.name, one.seed) for one in stage.sources) == Counter(
        [(f"generated:{gan}", seed) for gan in ("dcgan-bn", "shown", "unshown")
         for seed in (3, 5, 8)] + [("real:in-distribution", 0), ("real:held-out", 0)]
    )  # fmt: skip
    assert stage.most == AUDITED


def test_what_moves_a_score_is_mapped_for_the_images_that_its_scoring_keeps(study) -> None:
    found = {(one.trained.config.name, one.trained.seed): one for one in study.report.saliency}
    assert len(found) == 9
    stage = found["dcgan-bn", 5]
    assert {(one.name, one.seed) for one in stage.sources} == {
        ("generated:dcgan-bn", 5), ("generated:shown", 5),
        ("real:in-distribution", 0), ("real:held-out", 0),
    }  # fmt: skip
    assert stage.scores in study.report.scores
    assert stage.scores.trained == stage.trained
    assert (stage.most, stage.shown) == (MAPPED, MAPPED_SHOWN)


@pytest.mark.parametrize(
    ("stop_after", "kinds"),
    [("gans", {"TrainGan", "DrawImages"}), ("classifiers", {"TrainClassifier"}),
     ("report", {"Report"})],
)  # fmt: skip
def test_a_study_stops_where_it_is_told_to(study, stop_after, kinds) -> None:
    assert {type(one).__name__ for one in study.targets(stop_after)} == kinds


@pytest.mark.parametrize(("channels", "expected"), [(1, 1), (3, 3)])
def test_detectors_take_images_as_the_data_have_them(channels, expected) -> None:
    data = {"name": "folder", "path": "x", "channels": channels, "image_size": 32,
            "held_out": ["a"], "fit": "stretch"}  # fmt: skip
    for one in of_gans(data=data).report.scores:
        shape = one.preprocessing
        assert (shape.image_size, shape.channels, shape.fit) == (32, expected, "stretch")
    assert of_gans().report.scores[0].preprocessing.fit == "pad"


CLASSES = {"photo": "real", "old": "real", "fake": "generated", "other": "generated"}
LABELLED = {"name": "folder", "path": "mine", "classes": CLASSES, "held_out": ["other"]}


def of_labelled(**data: object) -> Composed:
    small = {"recipe": "cnn-small", "name": "small", "image_size": 32, "copies": 2}
    large = {"recipe": "cnn-small", "name": "large", "image_size": 64, "resize": 65, "copies": 2}
    tables = {"classifiers": [large, small], "evaluation": {"perturbations": ["noise"]}}
    data = {**LABELLED, **data}
    return compose(parse_experiment({"name": "x", "seeds": [3, 5], "data": data, **tables}))


def test_a_labelled_classifier_meets_every_class_of_fakes_and_both_kinds_of_reals() -> None:
    study = of_labelled()
    scored = {(one.trained.config.name, one.trained.seed): one for one in study.report.scores}
    assert set(scored) == {(name, seed) for name in ("small", "large") for seed in (3, 5)}
    test, both = ("test",), ("test", "held-out")
    assert set(scored["small", 5].sources) == {
        LabelledSource("generated:fake", 5, 32, both, "generated", "fake"),
        LabelledSource("generated:other", 5, 32, both, "generated", "other"),
        LabelledSource("real:in-distribution", 0, 32, test, "real"),
        LabelledSource("real:held-out", 0, 32, ("held-out",), "real"),
    }
    assert scored["large", 3].images[0].size == 65
    assert {(one.most, one.sampled) for one in study.report.perturbed} == {(1000, True)}


def test_classes_that_are_trained_on_are_audited_fewer_of_them_where_images_are_large() -> None:
    (one,) = of_labelled().report.audits
    assert one.generated == LabelledSource(
        "generated:fake", 0, 65, ("train",), "generated", "fake", originals=True
    )
    assert one.real == LabelledSource(
        "real:training", 0, 65, ("train",), "real", None, originals=True
    )
    assert one.most == AUDITED_LARGE < AUDITED


def test_labelled_images_are_summed_up_at_the_smallest_size_and_mapped_at_each() -> None:
    report = of_labelled().report
    assert {(one.name, one.seed, one.size) for one in report.statistics.sources} == {
        ("generated:fake", 3, 32), ("generated:other", 3, 32),
        ("real:in-distribution", 0, 32), ("real:held-out", 0, 32),
    }  # fmt: skip
    mapped = {one.trained.config.name: one for one in report.saliency}
    assert (mapped["small"].most, mapped["large"].most) == (MAPPED, MAPPED_LARGE)
    assert {one.size for one in mapped["large"].sources} == {65}


def test_folds_are_counted_from_one_for_every_classifier_and_the_first_seed() -> None:
    found = {(one.config.name, one.seed, one.fold, one.folds) for one in
             of_labelled(folds=3).report.folds}  # fmt: skip
    assert found == {(name, 3, fold, 3) for name in ("small", "large") for fold in (1, 2, 3)}
    assert of_labelled().report.folds == ()


def test_copies_are_made_before_the_split_in_a_leaky_study_alone() -> None:
    assert of_labelled().report.data.copies == 0
    assert of_labelled(leak="augment-before-split").report.data.copies == 2
    one = {"recipe": "cnn-small", "copies": 3}
    data = {**LABELLED, "leak": "augment-before-split"}
    alone = parse_experiment({"name": "x", "data": data, "classifiers": [one]})
    assert compose(alone).report.data.copies == 3

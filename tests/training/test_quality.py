import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.models.scaling import quantise, to_unit_range
from gandetect.training.quality import QualityEvaluator

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (900, 1, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def classifier() -> FeatureClassifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FeatureClassifier().eval()


@pytest.fixture(scope="module")
def evaluator(images, classifier) -> QualityEvaluator:
    return QualityEvaluator(classifier, images[:500], CPU)


def test_fid_agrees_with_torch_fidelity_on_the_same_features(evaluator, images, classifier) -> None:
    other = (images[500:] * 0.7).astype(np.uint8)
    with torch.no_grad():
        features = [classifier.features(to_unit_range(torch.from_numpy(x))) for x in
                    (images[:500], other)]  # fmt: skip
    statistics = [fid_features_to_statistics(feature.double()) for feature in features]
    answer = fid_statistics_to_metric(*statistics, verbose=False)
    theirs = answer["frechet_inception_distance"]
    assert evaluator.assess(other, seed=0).fid == pytest.approx(theirs, rel=1e-3)


def test_kid_agrees_with_torch_fidelity_where_a_subset_is_all_there_is(images, classifier) -> None:
    reals, other = images[:300], (images[300:600] * 0.7).astype(np.uint8)
    with torch.no_grad():
        features = [classifier.features(to_unit_range(torch.from_numpy(x))) for x in (reals, other)]
    subsets = {"kid_subsets": 1, "kid_subset_size": 300}
    theirs = kid_features_to_metric(*features, **subsets, rng_seed=0, verbose=False)
    quality = QualityEvaluator(classifier, reals, CPU).assess(other, seed=0)
    expected = theirs["kernel_inception_distance_mean"]
    assert quality.kid == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert quality.kid_std == pytest.approx(0.0, abs=1e-6)


def test_worse_images_are_farther_away(evaluator, images) -> None:
    near = evaluator.assess(images[500:], seed=0)
    far = evaluator.assess(images[500:] // 2, seed=0)
    assert far.fid > 3 * abs(near.fid)
    assert far.kid > near.kid


def test_judging_is_repeatable_and_leaves_the_global_stream_alone(evaluator, images) -> None:
    before = torch.random.get_rng_state()
    first, second = (evaluator.assess(images[500:], seed=3) for _ in range(2))
    assert first == second
    assert torch.equal(before, torch.random.get_rng_state())


def test_few_images_once_do_not_change_how_many_are_judged_later(evaluator, images) -> None:
    before = evaluator.assess(images[500:], seed=0)
    evaluator.assess(images[:50], seed=0)
    assert evaluator.assess(images[500:], seed=0) == before


def test_class_shares_add_up_to_one(evaluator, images) -> None:
    quality = evaluator.assess(images[500:], seed=0)
    assert sum(quality.class_shares) == pytest.approx(1.0, abs=1e-5)
    assert 0.1 <= quality.confidence <= 1.0


def test_quantising_inverts_scaling() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(quantise(to_unit_range(every)), every)
    assert quantise(torch.tensor([-7.0, 7.0])).tolist() == [0, 255]

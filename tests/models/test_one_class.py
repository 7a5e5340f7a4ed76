"""Detectors that were fitted to reals alone, and what they look at."""

import numpy as np
import pytest
import torch

from gandetect.config import ARCHITECTURES
from gandetect.data.class_images import ClassImages
from gandetect.models.classifiers import build_classifier
from gandetect.models.features import Features, before_last_layer
from gandetect.models.one_class import METHODS, OneClass, sizes_of
from gandetect.models.scaling import to_unit_range


@pytest.fixture(scope="module")
def reals(fashion_mnist: ClassImages) -> torch.Tensor:
    """Real shirts, `(120, 1, 28, 28)` in [-1, 1]."""
    shirts = fashion_mnist.train_images[fashion_mnist.train_labels == 6][:120]
    return to_unit_range(torch.from_numpy(shirts.copy()))


@pytest.fixture(scope="module")
def bags(fashion_mnist: ClassImages) -> torch.Tensor:
    """Real bags, which are no shirts."""
    bags = fashion_mnist.train_images[fashion_mnist.train_labels == 8][:60]
    return to_unit_range(torch.from_numpy(bags.copy()))


def fitted(method: str, reals: torch.Tensor) -> OneClass:
    detector = OneClass(method, Features(None))
    detector.learn(detector.features.raw(reals).numpy())
    return detector


@pytest.mark.parametrize("method", METHODS)
def test_what_is_normal_scores_higher(method, reals, bags) -> None:
    detector = fitted(method, reals[:80])
    assert detector(reals[80:]).median() > detector(bags).median()


@pytest.mark.parametrize("method", METHODS)
def test_a_loaded_one_is_fitted_to_the_same(method, reals, bags) -> None:
    stored = fitted(method, reals)
    sizes = sizes_of(stored)
    features = Features(None, sizes.pop("features"), sizes.pop("dimensions"))
    loaded = OneClass(features=features, **sizes)
    loaded.load_state_dict({name: one.clone() for name, one in stored.state_dict().items()})
    assert torch.equal(loaded(bags), stored(bags))


@pytest.mark.parametrize("method", ["isolation-forest", "nearest-neighbours"])
def test_a_twentieth_of_the_fitted_reals_lies_below_0(method, reals) -> None:
    detector = fitted(method, reals[:100])
    own = METHODS[method](detector.fitted.numpy().astype(np.float64), 5)[1]
    assert np.mean(own < detector._centre) == 0.05


def test_neighbours_are_those_of_the_fitted_reals(reals, bags) -> None:
    detector = fitted("nearest-neighbours", reals)
    seen = detector.features(bags).numpy().astype(np.float64)
    known = detector.fitted.numpy().astype(np.float64)
    distances = np.linalg.norm(seen[:, None] - known[None], axis=2)
    nearest = np.sort(distances, axis=1)[:, :5].mean(axis=1)
    expected = (-nearest - detector._centre) / detector._unit
    np.testing.assert_allclose(detector(bags).numpy(), expected, rtol=1e-6)


def test_features_are_what_stands_before_the_last_layer(reals) -> None:
    with torch.inference_mode():
        discriminator = ARCHITECTURES["dcgan-plain"].build("discriminator").eval()
        features = before_last_layer(discriminator, reals)
        assert torch.allclose(discriminator.dense(features).squeeze(1), discriminator(reals))
        classifier = build_classifier("cnn-small", channels=1, image_size=28).eval()
        features = Features(classifier).raw(reals)
        assert features.shape == (120, 128)
        stored = ((reals + 1) * 127.5).round().to(torch.uint8)
        logits = classifier(classifier.prepare(stored))
        assert torch.allclose(classifier.head[-1](features), logits, atol=1e-6)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="'forest'"):
        OneClass("forest", Features(None))

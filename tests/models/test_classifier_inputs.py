"""What a classifier does to images before its network sees them."""

from collections.abc import Iterator

import pytest
import torch
from recipes import photographs
from torchvision.transforms import v2

from gandetect.models.classifiers import (
    build_classifier,
)


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Initial weights and dropout come from the global stream; leave it as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def test_images_of_the_stored_size_are_cut_and_scaled_as_torchvision_does() -> None:
    classifier = build_classifier(
        "resnet18", channels=3, image_size=32, stored_size=48, normalise="imagenet"
    )
    reference = v2.Compose(
        [
            v2.CenterCrop(32),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    images = photographs(2, 48)
    torch.testing.assert_close(classifier.prepare(images), reference(images))
    # What training has cut already is only scaled.
    torch.testing.assert_close(classifier.normalise(images[..., 8:40, 8:40]), reference(images))


def test_images_of_another_size_are_resized_with_antialiasing() -> None:
    classifier = build_classifier("cnn-small", channels=3, image_size=32, normalise="unit")
    images = photographs(2, 200)
    reference = v2.functional.resize(images, [32, 32], antialias=True)
    prepared = classifier.prepare(images)
    torch.testing.assert_close(prepared, reference / 255)
    # A pattern finer than the result's pixels becomes even grey, not another pattern.
    stripes = torch.zeros(1, 3, 256, 256, dtype=torch.uint8)
    stripes[..., ::2] = 200
    inside = classifier.prepare(stripes)[..., 2:-2]
    torch.testing.assert_close(inside, torch.full_like(inside, 100 / 255), atol=0.02, rtol=0)


@pytest.mark.parametrize(("normalise", "black", "white"), [("half", -1.0, 1.0), ("unit", 0.0, 1.0)])
def test_normalisations_have_the_range_they_are_named_for(normalise, black, white) -> None:
    classifier = build_classifier("cnn-small", channels=1, image_size=8, normalise=normalise)
    images = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    images[..., 4:] = 255
    assert classifier.prepare(images).unique().tolist() == [black, white]


@pytest.mark.parametrize("normalise", ["imagenet", "half", "unit"])
def test_grey_images_are_repeated_for_backbones(normalise) -> None:
    grey = build_classifier("resnet18", channels=1, image_size=32, normalise=normalise)
    colour = build_classifier("resnet18", channels=3, image_size=32, normalise=normalise)
    images = photographs(2, 32, 1)
    expected = colour.prepare(images.repeat(1, 3, 1, 1))
    assert torch.equal(grey.prepare(images), expected)


def test_preparing_leaves_the_stored_images_as_they_are() -> None:
    classifier = build_classifier("cnn-small", channels=3, image_size=32)
    images = photographs(2, 32)
    before = images.clone()
    classifier.prepare(images)
    assert torch.equal(images, before)


@pytest.mark.parametrize(
    "images", [torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8, dtype=torch.uint8)]
)
def test_images_that_are_not_what_was_asked_for_are_refused(images) -> None:
    classifier = build_classifier("cnn-small", channels=3, image_size=8)
    with pytest.raises(ValueError, match=r"takes torch.uint8 of shape \(N, 3, H, W\)"):
        classifier.prepare(images)

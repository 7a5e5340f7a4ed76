import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from torchvision.transforms.v2 import functional as F

from gandetect.config.classifier import AugmentationConfig
from gandetect.training.augmentation import augment, changes_anything, fixed_copy

EACH = {
    "rotation": {"rotation": 20.0},
    "shift": {"shift": 0.2},
    "horizontal_flip": {"horizontal_flip": 1.0},
    "random_crop": {"random_crop": True},
    "brightness": {"brightness": 0.4},
    "contrast": {"contrast": 0.4},
    "saturation": {"saturation": 0.4},
    "hue": {"hue": 0.2},
    "blur": {"blur": 1.0, "blur_sigma": (1.0, 2.0)},
    "jpeg": {"jpeg": 1.0, "jpeg_quality": (30, 60)},
}


def photographs(channels: int = 3, size: int = 32, count: int = 6) -> np.ndarray:
    """Patches of a real photograph."""
    picture = data.astronaut().transpose(2, 0, 1)[:channels]
    patches = [picture[:, 60 * i : 60 * i + size, 100 : 100 + size] for i in range(count)]
    return np.stack(patches)


def changed(images: np.ndarray, first_seed: int = 0, image_size: int = 28, **options) -> np.ndarray:
    seeds = np.arange(first_seed, first_seed + len(images))
    config = AugmentationConfig(**options)
    return augment(images, config, image_size=image_size, seeds=seeds).numpy()


def centre(images: np.ndarray, size: int = 28) -> np.ndarray:
    edge = (images.shape[-1] - size) // 2
    return images[..., edge : edge + size, edge : edge + size]


def test_no_change_is_the_centre_cut() -> None:
    images = photographs()
    assert np.array_equal(changed(images), centre(images))


@pytest.mark.parametrize("name", EACH)
def test_each_option_changes_the_images(name: str) -> None:
    images = photographs()
    assert changes_anything(AugmentationConfig(**EACH[name]))
    assert not np.array_equal(changed(images, **EACH[name]), centre(images))


def test_every_option_of_the_schema_is_tried_here() -> None:
    parameters_only = {"blur_kernel", "blur_sigma", "jpeg_quality"}
    assert set(EACH) == set(AugmentationConfig.model_fields) - parameters_only


@settings(max_examples=25)
@given(
    names=st.sets(st.sampled_from(sorted(EACH))),
    channels=st.sampled_from([1, 3]),
    size=st.integers(8, 40),
    cut=st.integers(0, 8),
    seed=st.integers(0, 2**62),
)
def test_any_mix_keeps_type_and_shape_and_is_repeatable(names, channels, size, cut, seed) -> None:
    images = photographs(channels, size, count=2)
    options = {key: value for name in names for key, value in EACH[name].items()}
    image_size = max(size - cut, 8)
    once = changed(images, seed, image_size, **options)
    assert once.dtype == np.uint8
    assert once.shape == (2, channels, image_size, image_size)
    assert np.array_equal(once, changed(images, seed, image_size, **options))


def test_an_image_is_changed_alike_in_any_batch() -> None:
    images = photographs()
    everything = {key: value for options in EACH.values() for key, value in options.items()}
    together = changed(images, **everything)
    alone = [changed(images[i : i + 1], first_seed=i, **everything)[0] for i in range(len(images))]
    assert np.array_equal(together, np.stack(alone))


def test_each_image_has_a_draw_of_its_own() -> None:
    same = photographs(count=1).repeat(8, axis=0)
    assert len(np.unique(changed(same, rotation=20.0), axis=0)) == 8


def test_a_random_cut_is_a_part_of_the_image_and_reaches_every_corner() -> None:
    image = np.arange(100, dtype=np.uint8).reshape(1, 1, 10, 10)
    config = AugmentationConfig(random_crop=True)
    cuts = augment(image.repeat(300, axis=0), config, image_size=8, seeds=np.arange(300)).numpy()
    corners = cuts[:, 0, 0, 0]
    assert set(corners.tolist()) == {0, 1, 2, 10, 11, 12, 20, 21, 22}
    for cut, corner in zip(cuts[:, 0], corners, strict=True):
        top, left = divmod(int(corner), 10)
        assert np.array_equal(cut, image[0, 0, top : top + 8, left : left + 8])


def test_flips_come_as_often_as_asked() -> None:
    images = photographs(count=1).repeat(400, axis=0)
    flipped = changed(images, image_size=32, horizontal_flip=0.25)
    mirror = (flipped == images[..., ::-1]).all(axis=(1, 2, 3))
    untouched = (flipped == images).all(axis=(1, 2, 3))
    assert np.all(mirror ^ untouched)
    assert 70 <= mirror.sum() <= 130


def test_what_a_shift_uncovers_is_black() -> None:
    white = np.full((20, 1, 20, 20), 255, dtype=np.uint8)
    assert set(np.unique(changed(white, image_size=20, shift=0.4))) == {0, 255}


def test_blur_is_torchvisions_with_the_kernel_given() -> None:
    images = photographs(count=2)
    ours = changed(images, image_size=32, blur=1.0, blur_kernel=(7, 13), blur_sigma=(6.0, 6.0))
    theirs = F.gaussian_blur(torch.from_numpy(images), [7, 13], [6.0, 6.0]).numpy()
    assert np.array_equal(ours, theirs)


def test_a_blur_wider_than_the_image_still_works() -> None:
    assert changed(photographs(size=8), image_size=8, blur=1.0, blur_sigma=(9.0, 9.0)).any()


def test_images_of_another_side_are_resized_first() -> None:
    images = photographs(channels=1, size=28)
    config = AugmentationConfig(random_crop=True)
    ready = augment(images, config, image_size=40, stored_size=48, seeds=np.arange(6))
    assert ready.shape == (6, 1, 40, 40)
    assert abs(float(ready.float().mean()) - images.mean()) < 10


def test_fixed_copies_are_fixed_and_differ_by_number_and_image() -> None:
    image = photographs(count=1)[0]
    config = AugmentationConfig(rotation=20.0, brightness=0.3, random_crop=True)
    first = fixed_copy(image, 1, 7, config, 28)
    assert first.shape == image.shape
    assert np.array_equal(first, fixed_copy(image, 1, 7, config, 28))
    assert not np.array_equal(first, fixed_copy(image, 2, 7, config, 28))
    assert not np.array_equal(first, fixed_copy(image, 1, 8, config, 28))
    assert np.array_equal(image, fixed_copy(image, 0, 7, config, 28))


def test_the_images_given_are_not_touched() -> None:
    images = photographs()
    images.setflags(write=False)
    before = images.copy()
    changed(images, horizontal_flip=1.0, brightness=0.4)
    assert np.array_equal(images, before)

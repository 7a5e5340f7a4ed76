import numpy as np
import pytest

from gandetect.config.processing import PERTURBATIONS
from gandetect.data.perturbations import NONE, perturb
from gandetect.errors import DataError, UsageError

CASES = [(name, level) for name, kind in PERTURBATIONS.items() for level in kind.levels]


def photos(channels: int, n: int = 8, side: int = 28) -> np.ndarray:
    """Smooth blobs with an edge, so that every perturbation has something to change."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    centre = rng.uniform(8, 20, (n, channels, 2, 1, 1))
    far = (y - centre[:, :, 0]) ** 2 + (x - centre[:, :, 1]) ** 2
    images = 40 + 160 * np.exp(-far / 60)
    images[..., : side // 3] = 30
    return images.astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "level"), CASES)
def test_shape_and_type_are_kept_and_the_input_is_left_alone(name, level, channels):
    images = photos(channels)
    before = images.copy()
    changed = perturb(images, name, level, seed=0)
    assert (changed.shape, changed.dtype) == (images.shape, np.uint8)
    assert not np.array_equal(changed, images)
    assert np.array_equal(images, before)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_equal_seed_name_and_level_give_equal_bytes(name):
    level = PERTURBATIONS[name].levels[0]
    first, again = (perturb(photos(3), name, level, seed=5) for _ in range(2))
    assert np.array_equal(first, again)


def test_noise_differs_by_seed_and_has_the_sd_it_says():
    grey = np.full((200, 1, 28, 28), 128, np.uint8)
    drawn = [perturb(grey, "noise", 10, seed=seed).astype(float) - 128 for seed in (0, 1)]
    assert not np.array_equal(*drawn)
    assert drawn[0].std() == pytest.approx(10, rel=0.02)
    assert drawn[0].mean() == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("name", ["jpeg", "blur", "noise", "resize"])
def test_a_stronger_level_changes_more(name):
    images = photos(1)
    change = [
        np.abs(perturb(images, name, level, seed=0).astype(int) - images).mean()
        for level in PERTURBATIONS[name].levels
    ]
    assert change == sorted(change)
    assert change[0] < change[-1]


def test_blur_and_resize_keep_the_mean_brightness():
    images = photos(3)
    for name, level in (("blur", 1), ("resize", 0.5)):
        assert perturb(images, name, level, seed=0).mean() == pytest.approx(images.mean(), abs=2)


def test_channels_are_not_mixed_up():
    images = photos(3)
    images[:, 2] = 255
    images[:, 0] = 0
    for name in ("jpeg", "blur", "resize"):
        changed = perturb(images, name, PERTURBATIONS[name].levels[0], seed=0)
        assert changed[:, 2].mean() > 240
        assert changed[:, 0].mean() < 15


def test_images_are_not_square_by_assumption():
    images = photos(3)[:, :, :20]
    for name, kind in PERTURBATIONS.items():
        assert perturb(images, name, kind.levels[-1], seed=0).shape == images.shape


def test_an_image_is_perturbed_on_its_own_but_for_noise():
    images = photos(1)
    for name in ("jpeg", "blur", "resize", "brightness", "flip"):
        level = PERTURBATIONS[name].levels[-1]
        together = perturb(images, name, level, seed=0)
        assert np.array_equal(perturb(images[3:4], name, level, seed=0), together[3:4])


def test_none_is_the_image_as_it_is():
    images = photos(3)
    same = perturb(images, NONE, 0.0, seed=0)
    assert np.array_equal(same, images)
    assert same is not images


def test_brightness_stays_within_grey_levels():
    images = np.array([[[[0, 100], [200, 255]]]], np.uint8)
    assert perturb(images, "brightness", 1.5, seed=0).ravel().tolist() == [0, 150, 255, 255]


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(UsageError, match=r"'jpg' is not known; choose one of: none, jpeg"):
        perturb(photos(1), "jpg", 95, seed=0)


def test_a_level_out_of_range_is_refused():
    with pytest.raises(UsageError, match=r"level 0.9 of perturbation 'jpeg'.* from 1 to 100"):
        perturb(photos(1), "jpeg", 0.9, seed=0)


@pytest.mark.parametrize("images", [np.zeros((2, 1, 4, 4)), np.zeros((2, 4, 4), np.uint8),
                                    np.zeros((1, 2, 4, 4), np.uint8)])  # fmt: skip
def test_other_arrays_are_refused(images):
    with pytest.raises(DataError, match="expected uint8, N x C x H x W"):
        perturb(images, "blur", 1, seed=0)

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from gandetect.config.processing import Processing
from gandetect.data.perturbations import process
from gandetect.errors import UsageError

UPLOADS = TypeAdapter(Processing).validate_python("uploads")


def photos(count: int = 200) -> np.ndarray:
    return np.random.default_rng(0).integers(60, 180, (count, 1, 16, 16), np.uint8)


def test_each_step_takes_its_share_of_images_at_levels_of_its_range():
    chain = TypeAdapter(Processing).validate_python(
        ({"name": "brightness", "probability": 0.25, "range": (0.5, 0.8)},)
    )
    grey = np.full((2000, 1, 2, 2), 100, np.uint8)
    changed = process(grey, chain, np.random.default_rng(1))[:, 0, 0, 0]
    assert (changed != 100).mean() == pytest.approx(0.25, abs=0.03)
    assert (changed.min(), changed[changed != 100].max()) == (50, 80)
    assert grey.min() == 100


def test_equal_streams_give_equal_bytes_and_others_do_not():
    first, again = (process(photos(), UPLOADS, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, process(photos(), UPLOADS, np.random.default_rng(6)))


def test_processing_tells_nothing_of_the_side_that_an_image_is_from():
    """Two halves of the same images, processed apart, cannot be told from each other."""
    halves = [process(photos(3000), UPLOADS, np.random.default_rng(seed)) for seed in (0, 1)]
    facts = [
        np.column_stack([f(one.astype(int), axis=(1, 2, 3)) for f in (np.mean, np.std, np.max)])
        for one in halves
    ]
    spread = facts[0].std(0) * np.sqrt(2 / 3000)
    assert (np.abs(facts[0].mean(0) - facts[1].mean(0)) < 4 * spread).all()


def test_no_chain_changes_nothing():
    images = photos()
    assert process(images, (), np.random.default_rng(0)) is images


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("upload", "names no chain"),
        (({"name": "jpeg", "probability": 0.5, "range": (90.0, 40.0)},), "smaller number first"),
        (({"name": "jpg", "probability": 0.5},), "jpeg"),
        (({"name": "jpeg", "probability": 0.5},), "needs the range"),
    ],
)
def test_chains_that_do_not_exist_are_refused(chain, message):
    with pytest.raises((ValidationError, UsageError), match=message):
        TypeAdapter(Processing).validate_python(chain)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandetect.errors import UsageError
from gandetect.report.grids import image_grid


@given(
    n=st.integers(1, 20),
    channels=st.sampled_from([1, 3]),
    columns=st.integers(1, 8),
    pad=st.integers(0, 3),
    scale=st.integers(1, 3),
)
def test_every_image_is_found_where_it_belongs(n, channels, columns, pad, scale):
    rng = np.random.default_rng(n)
    images = rng.integers(0, 256, (n, channels, 5, 4), dtype=np.uint8)
    picture = np.asarray(image_grid(images, columns, pad, scale=scale))
    picture = picture.reshape(*picture.shape[:2], channels)
    columns = min(columns, n)
    for index, image in enumerate(images):
        top = pad + index // columns * (5 * scale + pad)
        left = pad + index % columns * (4 * scale + pad)
        found = picture[top : top + 5 * scale : scale, left : left + 4 * scale : scale]
        assert (found == image.transpose(1, 2, 0)).all()


def test_captions_make_room_for_themselves():
    images = np.zeros((3, 1, 28, 28), np.uint8)
    plain = image_grid(images, columns=3)
    captioned = image_grid(images, columns=3, captions=["+1.0", "-2.0", "+3.5"])
    assert captioned.height > plain.height
    below = np.asarray(captioned)[plain.height :]
    assert below.min() < 128  # ink under the images


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 28, 28), np.uint8), r"shape \(2, 28, 28\)"),
        (np.zeros((2, 1, 28, 28), np.float32), "float32"),
        (np.zeros((2, 4, 28, 28), np.uint8), "1 or 3 channels"),
        (np.zeros((0, 1, 28, 28), np.uint8), "0 images"),
    ],
)
def test_other_arrays_are_refused(images, message):
    with pytest.raises(UsageError, match=message):
        image_grid(images)


def test_captions_must_match_the_images():
    with pytest.raises(UsageError, match="1 captions were given for 2 images"):
        image_grid(np.zeros((2, 1, 8, 8), np.uint8), captions=["a"])

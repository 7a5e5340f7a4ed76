"""Networks grow with the images by one rule, and at 28 x 28 are what they always were."""

import pytest
import torch

from gandetect.config import ARCHITECTURES
from gandetect.models.common import Growth

CONVOLUTIONAL = ("dcgan-bn", "dcgan-plain", "wgan-gp", "vae")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [28, 32, 48, 56, 64, 96, 112, 128])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_serves_every_side_of_the_rule(name, side, channels) -> None:
    with torch.device("meta"):
        generator = ARCHITECTURES[name].build("generator", side, channels).eval()
        (partner,) = (one for one in ARCHITECTURES[name].networks if one != "generator")
        images = generator(torch.zeros(2, 100))
        answer = ARCHITECTURES[name].build(partner, side, channels)(images)
    assert images.shape == (2, channels, side, side)
    assert (answer[0].shape == (2, 100)) if name == "vae" else (answer.shape == (2,))


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_below_56_pixels_nothing_is_added(name) -> None:
    small, same, large = (
        set(ARCHITECTURES[name].build("generator", side).state_dict()) for side in (28, 52, 56)
    )
    assert small == same
    assert len(large) > len(small)


def test_a_generator_starts_from_7_to_13_pixels_and_a_stage_has_512_channels_at_most() -> None:
    sides = [*range(28, 56, 4), *range(56, 112, 8), *range(112, 129, 16)]
    assert {Growth.of(side).side for side in sides} == set(range(7, 14))
    assert Growth.of(112).channels(128) == [256, 512]
    assert Growth.of(128).channels(256) == [512, 512]
    assert Growth.of(28).channels(128) == []


@pytest.mark.parametrize(
    ("side", "said"),
    [
        (30, "image_size is 30, .* 2 times .* multiple of 4, such as 28 or 32"),
        (60, "image_size is 60, .* 3 times .* multiple of 8, such as 56 or 64"),
        (4, "image_size is 4, .* such as 8"),
    ],
)
def test_a_side_that_the_rule_cannot_serve_is_refused_with_the_nearest_ones(side, said) -> None:
    with pytest.raises(ValueError, match=said):
        ARCHITECTURES["dcgan-bn"].build("generator", side)

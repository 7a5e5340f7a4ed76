"""Maps stand where a detector looks, in its own log-odds, whatever kind of detector it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gandetect.analyses.saliency.numbers import by_pixel
from gandetect.detectors.network import NetworkDetector, as_detector
from gandetect.detectors.protocol import Detector, DetectorDescription
from gandetect.events import silent
from gandetect.sources import ImageSet
from gandetect.stages import saliency

DESCRIPTION = DetectorDescription(name="corner", architecture="corner")
MEAN = np.full((1, 28, 28), 51, np.uint8)


class Corner(nn.Module):
    """Answers like a discriminator, by the mean of the 3 x 3 pixels at the lower right."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, 0, -3:, -3:].mean((1, 2))


class Cut(Detector):
    """Says 1 or -1, without any gradient: whether a pixel is light."""

    description = DESCRIPTION

    def decision_function(self, images):
        return np.where(np.asarray(images)[:, 0, 13, 13] > 127, 1.0, -1.0)


def images(n: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 1, 28, 28), dtype=np.uint8)


def detector(network: nn.Module) -> NetworkDetector:
    return as_detector(network, DESCRIPTION, torch.device("cpu"))


def test_a_detector_that_looks_at_one_corner_has_its_map_there() -> None:
    given = images()
    maps = saliency.occlusion_maps(detector(Corner()), given, MEAN)
    assert maps.shape == (3, 9, 9)
    assert not maps[:, :8].any()
    assert not maps[:, :, :8].any()
    corner = given[:, 0, -3:, -3:].mean(axis=(1, 2))
    # High means real: a lighter corner speaks for real, so the map is below 0 there.
    np.testing.assert_allclose(maps[:, 8, 8], (51 - corner) / 127.5, atol=1e-5)
    strongest = np.abs(by_pixel(maps, 28)) > 0
    assert strongest[:, 24:, 24:].any()
    assert not strongest[:, :24].any()


def test_a_detector_without_gradients_is_mapped_as_well() -> None:
    light = np.full((1, 1, 28, 28), 200, np.uint8)
    maps = saliency.occlusion_maps(Cut(), light, MEAN)
    assert maps[0, 4, 4] == 2.0  # rows and columns 12 to 15
    assert np.count_nonzero(maps) == 1


def test_a_map_depends_on_no_other_image() -> None:
    network, given = detector(small_network()), images(4)
    together = saliency.occlusion_maps(network, given, MEAN)
    for one in range(4):
        alone = saliency.occlusion_maps(network, given[one : one + 1], MEAN)
        np.testing.assert_array_equal(alone[0], together[one])
    assert saliency.occlusion_maps(network, given[:0], MEAN).shape == (0, 9, 9)


def test_pixels_change_by_as_much_as_they_differ_from_the_mean() -> None:
    given = np.repeat(MEAN[None], 2, axis=0)
    given[1, 0, 0, 0] += 98
    changes = saliency.pixel_changes(given, MEAN)
    assert not changes[0].any()
    assert changes[1, 0, 0] == pytest.approx(98 / 784)
    assert np.count_nonzero(changes) == 1


def test_the_mean_image_is_rounded() -> None:
    pair = np.stack([np.full((1, 4, 4), 10, np.uint8), np.full((1, 4, 4), 13, np.uint8)])
    assert (saliency.mean_image(ImageSet(pair)) == 12).all()


def small_network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(676, 1), nn.Flatten(0)
        )


def test_shuffled_weights_are_the_same_numbers_elsewhere_and_always_the_same() -> None:
    network = detector(small_network())
    before = {name: one.clone() for name, one in network.network.state_dict().items()}
    first, second = (saliency.with_shuffled_weights(network) for _ in range(2))
    assert first is not None
    assert second is not None
    for name, one in network.network.state_dict().items():
        assert torch.equal(one, before[name])
        shuffled = first.network.state_dict()[name]
        assert torch.equal(shuffled.flatten().sort().values, one.flatten().sort().values)
        assert torch.equal(shuffled, second.network.state_dict()[name])
    assert not torch.equal(first.network.state_dict()["0.weight"], before["0.weight"])
    assert first.description is network.description


def test_without_weights_there_is_nothing_to_shuffle() -> None:
    assert saliency.with_shuffled_weights(detector(Corner())) is None


class Given:
    """Stands for a source, for a training and for the context that opens both."""

    def __init__(self, folder, name="", images=None, network=None) -> None:
        self.folder = self.run = self.cache = folder
        self.name, self.images, self.network = name, images, network
        self.notify = silent

    def open(self, run, cache) -> ImageSet:
        return ImageSet(self.images)

    def detector(self, context, preprocessing) -> NetworkDetector:
        return detector(self.network)

    def of(self, stage) -> Path:
        return self.folder


def test_a_stage_maps_some_images_of_each_source_and_those_that_were_kept(tmp_path) -> None:
    sources = {
        "generated:a": images(7),
        "real:in-distribution": 255 - images(5),
        "real:none": images(0),
    }
    kept = images(4)[::-1]
    for kind, n in (("surest", 4), ("mistakes", 1)):
        np.savez(tmp_path / f"{kind}.npz", **{f"{name}/images": kept[:n] for name in sources})
    network = small_network()
    saliency.MapSaliency(
        Given(tmp_path, network=network),
        tuple(Given(tmp_path, *one) for one in sources.items()),
        images=(),
        preprocessing=DESCRIPTION.preprocessing,
        scores=None,
        most=6,
        shown=2,
    ).run(Given(tmp_path))
    mean = saliency.mean_image(ImageSet(sources["real:in-distribution"]))
    with np.load(tmp_path / saliency.SALIENCY) as stored:
        shapes = {key: stored[key].shape[0] for key in stored.files}
        surest, all_maps = stored["generated:a/surest"], stored["generated:a/maps"]
        assert not np.array_equal(all_maps, stored["generated:a/shuffled"])
    each = {"maps": 6, "shuffled": 6, "pixels": 6, "surest": 2, "mistakes": 1}
    reals = each | {"maps": 5, "shuffled": 5, "pixels": 5}
    assert shapes == {
        **{f"generated:a/{name}": n for name, n in each.items()},
        **{f"real:in-distribution/{name}": n for name, n in reals.items()},
    }
    expected = saliency.occlusion_maps(detector(network), kept[:2], mean)
    np.testing.assert_array_equal(surest, expected)
    drawn = ImageSet(sources["generated:a"]).sample(6)
    expected = saliency.occlusion_maps(detector(network), images(7)[drawn.all_rows()], mean)
    np.testing.assert_array_equal(all_maps, expected)

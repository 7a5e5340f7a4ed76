"""Differentiable augmentation: how far images are changed, each by chance of its own."""

from __future__ import annotations

import torch

from gandetect.training.diff_augment import AUGMENTATIONS


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_brightness_adds_one_number_to_each_image_up_to_a_half_either_way() -> None:
    images = torch.rand(400, 2, 4, 6, generator=rng(1))
    added = (AUGMENTATIONS["brightness"](images, rng()) - images).flatten(1)
    assert torch.allclose(added, added[:, :1].expand_as(added), atol=1e-6)
    each = added[:, 0]
    assert len(each.unique()) == 400
    assert -0.5 <= float(each.min()) < -0.48
    assert 0.48 < float(each.max()) < 0.5


def test_a_cut_is_a_square_of_half_the_side_around_a_point_of_the_image() -> None:
    seen = AUGMENTATIONS["cutout"](torch.ones(3000, 1, 8, 8), rng())[:, 0]
    rows, columns = ((seen == 0).any(axis) for axis in (2, 1))
    # A rectangle: what is cut is every row that is cut, in every column that is.
    assert torch.equal(seen == 0, rows[:, :, None] & columns[:, None, :])
    for cut in (rows, columns):
        places = torch.arange(8).expand_as(cut)
        first = torch.where(cut, places, 8).min(1).values
        last = torch.where(cut, places, -1).max(1).values
        found = set(zip(first.tolist(), last.tolist(), strict=True))
        # Centres from one edge to the other, half of the side around each.
        assert found == {(max(c - 2, 0), min(c + 1, 7)) for c in range(9)}


def test_translation_reaches_every_place_within_an_eighth_and_brings_zeros_in() -> None:
    images = torch.zeros(3000, 3, 16, 24)
    images[:, :, 8, 12] = torch.tensor([1.0, 2.0, 3.0])
    seen = AUGMENTATIONS["translation"](images, rng())
    places = {tuple(one) for one in (seen[:, 0] == 1).nonzero()[:, 1:].tolist()}
    assert places == {(row, column) for row in range(6, 11) for column in range(9, 16)}
    assert torch.equal(seen[:, 1], 2 * seen[:, 0])
    assert torch.equal(seen[:, 2], 3 * seen[:, 0])
    whole = AUGMENTATIONS["translation"](torch.ones(300, 1, 16, 24), rng())
    assert set(whole.unique().tolist()) == {0.0, 1.0}
    assert int(whole.flatten(1).sum(1).min()) == 14 * 21


def test_shuffling_uses_another_order_for_each_image() -> None:
    images = torch.arange(16.0).repeat_interleave(4).expand(200, 64)
    cells = images.reshape(200, 1, 4, 4, 2, 2).transpose(3, 4).reshape(200, 1, 8, 8)
    seen = AUGMENTATIONS["shuffle"](cells, rng())
    orders = {tuple(one.tolist()) for one in seen[:, 0, ::2, ::2].flatten(1)}
    assert len(orders) == 200
    assert all(sorted(one) == list(range(16)) for one in orders)

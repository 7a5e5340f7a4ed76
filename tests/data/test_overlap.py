"""Pictures that stand in two splits are found, exactly and nearly, and refused unless told."""

import numpy as np
import pytest

from gandetect.data.overlap import find_duplicates, overlap_facts, perceptual_hashes, refuse_overlap
from gandetect.errors import DataError

TEST = ("in-distribution", "held-out")


@pytest.fixture
def splits(fashion_mnist):
    images = fashion_mnist.train_images
    return {
        "training": images[:2000].copy(),
        "calibration": images[2000:2500].copy(),
        "in-distribution": images[2500:3000].copy(),
        "held-out": images[3000:3500].copy(),
    }


def test_the_real_data_set_has_no_picture_on_two_sides(splits):
    assert find_duplicates(splits, TEST) == []


def test_a_copy_is_found_where_it_stands(splits):
    splits["in-distribution"][7] = splits["training"][11]
    splits["held-out"][0] = splits["calibration"][3]
    found = find_duplicates(splits, TEST)
    places = {(t.split, t.index, t.other_split, t.other_index, t.exact) for t in found}
    assert places == {
        ("held-out", 0, "calibration", 3, True),
        ("in-distribution", 7, "training", 11, True),
    }


def test_a_copy_is_found_among_many_pictures_of_one_hash(splits):
    splits["training"][:200] = splits["training"][0]
    splits["training"][:200, 0, 0, 0] = np.arange(200)
    splits["held-out"][4] = splits["training"][150]
    found = find_duplicates(splits, TEST)
    assert ("training", 150) in {(t.other_split, t.other_index) for t in found if t.exact}


def test_a_nearly_equal_copy_is_found_and_is_not_exact(splits):
    copy = splits["training"][11].astype(int) + 1
    splits["in-distribution"][7] = np.clip(copy, 0, 255)
    (duplicate,) = find_duplicates(splits, TEST)
    assert not duplicate.exact
    assert 0 < duplicate.difference <= 1


def test_copies_among_images_that_nobody_is_tested_on_do_not_matter(splits):
    splits["training"][0] = splits["calibration"][0]
    assert find_duplicates(splits, TEST) == []


def test_exact_copies_are_refused_in_one_sentence_that_says_what_to_do(splits):
    splits["in-distribution"][:3] = splits["training"][:3]
    sizes = {name: len(images) for name, images in splits.items()}
    with pytest.raises(DataError, match=r'3 of 500 in-distribution .* training, .* "exclude"'):
        refuse_overlap(find_duplicates(splits, TEST), sizes)


def test_a_few_near_twins_are_told_and_many_are_refused(splits):
    sizes = {name: len(images) for name, images in splits.items()}
    splits["held-out"][:5] = np.clip(splits["training"][:5].astype(int) + 1, 0, 255)
    few = find_duplicates(splits, TEST)
    refuse_overlap(few, sizes)
    facts = overlap_facts(few, sizes, "refuse")
    assert facts["counts"] == [{"split": "held-out", "other": "training", "kind": "near", "n": 5}]
    splits["held-out"][:6] = np.clip(splits["training"][:6].astype(int) + 1, 0, 255)
    with pytest.raises(DataError, match="6 of 500 held-out test images have a near twin"):
        refuse_overlap(find_duplicates(splits, TEST), sizes)


def test_hashes_tell_pictures_apart_and_forgive_little(fashion_mnist):
    images = fashion_mnist.train_images[:3000]
    hashes = perceptual_hashes(images)
    assert len(np.unique(hashes)) > 2900
    louder = np.clip(images.astype(int) + 1, 0, 255).astype(np.uint8)
    assert np.mean(perceptual_hashes(louder) == hashes) > 0.5

"""No test image may stand where detectors are trained: looked for once, before any scoring."""

from __future__ import annotations

from pathlib import Path

from gandetect import runs
from gandetect.config import digest_of
from gandetect.data.overlap import find_twins, overlap_facts, refuse_overlap
from gandetect.preparation.class_images import SplitImages

OVERLAP = "overlap.json"
TEST = ("in-distribution", "held-out")


def guard_overlap(images: SplitImages, folder: Path, *, version: int, policy: str) -> None:
    """Look for test images among the others, and keep in ``folder`` what was found.

    Raises `DataError` when there are such images and ``policy`` is "refuse".
    """
    splits = {
        "training": images.training,
        "calibration": images.calibration,
        "in-distribution": images.in_distribution,
        "held-out": images.held_out,
    }
    sizes = {name: len(array) for name, array in splits.items()}
    digest = digest_of(["overlap", version, images.digest, policy])
    if runs.problem_with(folder, digest) is None:
        return
    twins = find_twins(splits, TEST)
    if policy == "refuse":
        refuse_overlap(twins, sizes)
    with runs.atomic_folder(folder) as fresh:
        runs.write_json(fresh / OVERLAP, overlap_facts(twins, sizes, policy))
        runs.write_record(fresh, digest, [OVERLAP])

"""What is kept of the scored images to be looked at, and how near fakes are to training images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from gandetect.data.stored import Images
from gandetect.sources import ImageSet, Indices, Source
from gandetect.statistics.scores import IN_DISTRIBUTION, NOT_REPORTED, TRAINING

Scored = Sequence[tuple[Source, ImageSet, NDArray[np.float64]]]
Arrays = dict[str, Any]
MISTAKES, SUREST, HARDEST = "mistakes.npz", "surest.npz", "hardest.npz"
NEIGHBOURS, DISTANCES = "neighbours.npz", "neighbours.json"
FEW = 12  # images of a kind that are there for comparison
COMPARED = 500  # fakes, and real test images, whose nearest training image is looked for
CHUNK = 1024  # training images at a time: their products stay in the processor's cache
EXACT_IN_SINGLE = 1024  # so many products of two bytes add up to at most 2**24


def images_to_look_at(scored: Scored, seed: int, most: int) -> dict[str, Arrays]:
    """Of every test source the most confident mistakes, the surest right answers, the hardest.

    Keys are the files they belong in, each with ``<source>/images``, ``/scores`` and ``/indices``.
    """
    arrays: dict[str, Arrays] = {MISTAKES: {}, SUREST: {}, HARDEST: {}}
    for one, images, scores in scored:
        if not is_shown(one, seed):
            continue
        for file, places in chosen(one.name, scores, most).items():
            arrays[file] |= {
                f"{one.name}/images": images.pixels(places),
                f"{one.name}/scores": scores[places],
                f"{one.name}/indices": images.indices()[places],
            }
    return arrays


def is_shown(source: Source, seed: int) -> bool:
    """Whether images of a source are kept to be looked at: none of other seeds' generators."""
    own = source.name.startswith("real:") or source.seed == seed
    return own and source.name not in (*NOT_REPORTED, TRAINING)


def chosen(name: str, scores: NDArray[np.float64], most: int) -> dict[str, Indices]:
    """Places in ``scores`` ``(M,)`` of the images to keep of source ``name``, by file.

    Mistakes at the native threshold, the most confident first; right answers, the surest first,
    and the scores nearest the threshold: at most a dozen of these. A score of exactly 0 is
    neither sure nor a confident mistake.
    """
    sureness = scores if name.startswith("generated:") else -scores  # of the right answer
    worst_first = np.argsort(sureness, kind="stable")
    best_first = np.argsort(-sureness, kind="stable")
    few = min(most, FEW)
    return {
        MISTAKES: worst_first[sureness[worst_first] < 0][:most],
        SUREST: best_first[sureness[best_first] > 0][:few],
        HARDEST: np.argsort(np.abs(scores), kind="stable")[:few],
    }


def neighbours(
    scored: Scored, own: str, seed: int, training: Images
) -> tuple[Arrays, dict[str, Any]]:
    """Is the generator copying? The training images ``(T, C, H, W) uint8`` nearest its fakes.

    Looked for are the neighbours of the fakes of source ``own`` that its discriminator took for
    real most confidently, of the first fakes, and of real test images for scale. Returns the
    pictures of `NEIGHBOURS` and the figures of `DISTANCES`.
    """
    fakes, scores = next((i, s) for one, i, s in scored if (one.name, one.seed) == (own, seed))
    reals = next(i for one, i, _ in scored if one.name == IN_DISTRIBUTION).sample(COMPARED)
    best = np.argsort(scores, kind="stable")[:FEW]
    queries = {
        "best": (fakes, best),
        "fakes": (fakes, np.arange(min(len(fakes), COMPARED))),
        "reals": (reals, np.arange(len(reals))),
    }
    arrays: Arrays = {"best/scores": scores[best]}
    for group, (source, places) in queries.items():
        images = source.pixels(places)
        nearest_ones, distances = nearest(images, training)
        arrays |= {
            f"{group}/images": images[:FEW],
            f"{group}/indices": source.indices()[places][:FEW],
            f"{group}/neighbours": training[nearest_ones[:FEW]],
            f"{group}/neighbour_indices": nearest_ones[:FEW],
            f"{group}/distances": distances,
        }
    figures = compared(arrays["fakes/distances"], arrays["reals/distances"])
    return arrays, {"training_images": len(training), **figures}


def nearest(images: Images, among: Images) -> tuple[Indices, NDArray[np.float64]]:
    """The nearest of ``among`` to each of ``images``: places ``(N,)`` and distances ``(N,)``.

    Both are ``(…, C, H, W) uint8`` of one shape. The distance is the root of the mean squared
    difference of the pixels, in grey levels from 0 to 255; of equally near ones the first counts.
    All of ``among`` is searched, and nothing is rounded but the root: around 128, squares are so
    small that their sums are exact.
    """
    pixels = int(np.prod(images.shape[1:]))
    small = pixels <= EXACT_IN_SINGLE
    exact, whole = (np.float32, np.int32) if small else (np.float64, np.int64)
    ours: NDArray[Any] = images[:].reshape(len(images), -1).astype(exact) - 128
    best = np.full(len(ours), np.iinfo(np.int64).max)
    places = np.zeros(len(ours), np.int64)
    rows = np.arange(len(ours))
    for start in range(0, len(among), CHUNK):
        some = among[start : start + CHUNK]
        part: NDArray[Any] = some.reshape(len(some), -1).astype(exact) - 128
        # |a - b|² is |b|² - 2ab, but for |a|², which changes no order.
        partly = _squares(part).astype(whole) - 2 * (ours @ part.T).astype(whole)
        first = partly.argmin(axis=1)
        nearest_here = partly[rows, first]
        nearer = nearest_here < best
        best[nearer], places[nearer] = nearest_here[nearer], start + first[nearer]
    return places, np.sqrt((best + _squares(ours)) / pixels)


def compared(fakes: NDArray[np.float64], reals: NDArray[np.float64]) -> dict[str, Any]:
    """Sum up distances to the nearest training image, ``(N,)`` of fakes beside ``(M,)`` of reals.

    ``below_cut`` counts those nearer than all but the nearest twentieth of the reals: copies would
    gather there, while a median also moves with how smooth images are.
    """
    cut = float(np.quantile(reals, 0.05, method="lower"))
    return {"cut": cut, "fakes": _summary(fakes, cut), "reals": _summary(reals, cut)}


def _summary(distances: NDArray[np.float64], cut: float) -> dict[str, Any]:
    return {
        "n": len(distances),
        "median": float(np.median(distances)),
        "ci95": median_interval(distances),
        "smallest": float(distances.min()),
        "copies": int((distances == 0).sum()),
        "below_cut": int((distances < cut).sum()),
    }


def median_interval(values: NDArray[np.float64]) -> list[float]:
    """95 % interval of a median from the sorted values, whatever their distribution.

    The ranks are those of the sign test (David and Nagaraja, Order Statistics, 2003, 7.1); fewer
    than 6 values do not reach 95 %, and then it is their range.
    """
    ordered = np.sort(values)
    rank = max(1, int(binom.ppf(0.025, len(ordered), 0.5)))
    return [float(ordered[rank - 1]), float(ordered[-rank])]


def _squares(flat: NDArray[Any]) -> Indices:
    squares: Indices = np.einsum("ij,ij->i", flat, flat).astype(np.int64)
    return squares

"""What `gandetect explain` tells of single images: which parts move the score, and their spectrum.

Both are what a study does with its own sources (`analyses/saliency`, `analyses/image_statistics`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import expit

from gandetect import runs
from gandetect.analyses.image_statistics.numbers import Arrays, split_by_source, summarise
from gandetect.analyses.saliency.figure import overlay
from gandetect.analyses.saliency.numbers import Images, starts_of, window_of
from gandetect.data.found import written
from gandetect.data.streaming import decode_batches
from gandetect.detectors.protocol import Detector
from gandetect.report.document import slug
from gandetect.report.reading import UNREADABLE, read_arrays
from gandetect.report.style import COLOURS, INK, house_style, legend_below, new_panels, without_grid
from gandetect.report.words import wrapped
from gandetect.scoring import decode_options
from gandetect.stages.image_statistics import STATISTICS
from gandetect.stages.saliency import occlusion_maps
from gandetect.statistics.scores import IN_DISTRIBUTION

RUN_MEAN = "the mean of the run's in-distribution reals"
OWN_MEAN = "the image's own mean colour"


@dataclass(frozen=True)
class Explained:
    """What is said of one image: plain values for JSON, and where its picture lies; or an error."""

    facts: dict[str, Any]
    picture: Path | None = None


def explain_images(
    detector: Detector,
    reals: Arrays | None,
    paths: Iterable[Path],
    out: Path,
    tell: Callable[[Any], None] = lambda entry: None,
) -> Iterator[Explained]:
    """Explain image files and folders in order; each gets a PNG and a JSON file in ``out``.

    ``reals`` are those of `reals_of_run`. What cannot be read becomes facts with an ``error``.
    """
    number = 0
    for batch in decode_batches(paths, decode_options(detector), 1, tell):
        for one in batch:
            facts: dict[str, Any] = {"path": written(one.path), "conversion": one.conversion}
            if one.pixels is None:
                yield Explained({**facts, "error": one.error})
                continue
            stem = out / f"{number:04d}-{slug(one.path.stem)}"
            number += 1
            facts |= explanation(detector, one.pixels, reals)
            with runs.atomic_file(stem.with_suffix(".png")) as temporary:
                temporary.write_bytes(_png(facts, one.pixels, reals))
            runs.write_json(stem.with_suffix(".json"), facts)
            yield Explained(facts, stem.with_suffix(".png"))


def reals_of_run(folder: Path) -> Arrays | None:
    """What the run in which a detector's folder lies keeps of its in-distribution reals.

    None where it lies in no run, or in one without image statistics.
    """
    place = folder.resolve()
    if len(place.parents) < 3:
        return None
    stored = place.parents[2] / "image-statistics" / STATISTICS
    try:
        return split_by_source(read_arrays(stored)).get((IN_DISTRIBUTION, 0))
    except UNREADABLE:
        return None


def explanation(detector: Detector, image: Images, reals: Arrays | None) -> dict[str, Any]:
    """The score of an image ``(C, H, W)``, its occlusion map and its spectrum, as plain values.

    ``map`` ``(K, K)`` is the change of the score, in log-odds, that covering a window takes away:
    above 0 the window speaks for "generated". ``spectrum`` is the mean log-power in dB over
    frequency, in units of the Nyquist frequency.
    """
    side, summed = image.shape[-1], summarise(image[None])
    score = float(detector.decision_function(image[None])[0])
    map_ = occlusion_maps(detector, image[None], _cover(image, reals))[0]
    spectrum = {"frequency": summed["radius"].tolist(), "image": summed["profile"].tolist()}
    if reals is not None:
        spectrum["reals"] = reals["profile"].tolist()
        spectrum["high_db"] = float(summed["high"] - reals["high"])
    return {
        "detector": detector.name,
        "score": score,
        "probability": float(expit(score)),
        "operating_points": dict(detector.operating_points),
        "covered_with": OWN_MEAN if reals is None else RUN_MEAN,
        "window": window_of(side),
        "starts": starts_of(side),
        "map": map_.tolist(),
        "spectrum": spectrum,
    }


def _cover(image: Images, reals: Arrays | None) -> Images:
    """What windows are replaced with, ``(C, H, W)``."""
    if reals is None:
        mean: NDArray[Any] = image.mean(axis=(1, 2), keepdims=True)
        return np.broadcast_to(np.rint(mean), image.shape).astype(np.uint8)
    stored = reals["mean"]  # of large images in blocks
    block = -(-image.shape[-1] // stored.shape[-1])
    whole = stored.repeat(block, axis=1).repeat(block, axis=2)
    margin = [(0, 0), *((0, max(0, side - n)) for side, n in
                        zip(image.shape[1:], whole.shape[1:], strict=True))]  # fmt: skip
    padded = np.pad(whole, margin, mode="edge")[:, : image.shape[1], : image.shape[2]]
    cover: Images = np.rint(padded).astype(np.uint8)
    return cover


def _png(facts: dict[str, Any], image: Images, reals: Arrays | None) -> bytes:
    with house_style():
        figure = _figure(facts, image, reals)
        buffer = io.BytesIO()
        figure.savefig(
            buffer, format="png", dpi=150, facecolor="white", metadata={"Software": None}
        )
    return buffer.getvalue()


def _figure(facts: dict[str, Any], image: Images, reals: Arrays | None) -> Figure:
    """The image, its map over it, and its spectrum beside that of the reals."""
    figure, ((left, middle, right),) = new_panels(
        9.6, 3.4, 1, 3, gridspec_kw={"width_ratios": [1, 1, 1.5]}
    )
    grey = image.shape[0] == 1
    left.imshow(image[0] if grey else image.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=255)
    left.set_title(wrapped(Path(facts["path"]).name, 26))
    map_ = np.array(facts["map"], np.float64)
    middle.imshow(overlay(image, map_))
    middle.set_title(f"score {facts['score']:+.2f}")
    most = f"{np.abs(map_).max():.2g}"
    middle.set_xlabel(f"orange: generated, blue: real;\nat most {most} log-odds a window")
    for axes in (left, middle):
        without_grid(axes)
        axes.set(xticks=[], yticks=[])
    spectrum = facts["spectrum"]
    right.plot(spectrum["frequency"], spectrum["image"], color=INK, label="this image")
    if reals is not None:
        label = "in-distribution reals of its run, mean"
        right.plot(
            spectrum["frequency"], spectrum["reals"], color=COLOURS["in-distribution"], label=label
        )
    right.set(
        title="Log-power", ylabel="dB", xlabel="frequency, 1 is the Nyquist frequency", xlim=(0, 1)
    )
    legend_below(figure, columns=2)
    return figure

"""Things to look at: the data, the training, and the samples of the generators."""

from __future__ import annotations

from functools import partial

import pandas as pd
from PIL import Image

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.generators import numbers
from gandetect.analyses.generators.figure import training_curves
from gandetect.analyses.generators.quality import quality, say
from gandetect.config import GanConfig
from gandetect.report import images as draw
from gandetect.report.document import Block, Frames, Heading, Text
from gandetect.report.inputs import Trained
from gandetect.report.reading import Images, Samples
from gandetect.report.results import StudyResults
from gandetect.report.words import number

MOST_FRAMES = 12


def training(results: StudyResults) -> list[Block]:
    """Losses, accuracies, FID and KID by epoch, for each generator."""
    blocks: list[Block] = []
    for gan in results.facts.gans:
        histories = results.inputs.histories
        runs = {seed: history for (name, seed), history in histories.items() if name == gan.name}
        blocks.append(Heading(gan.name))
        if not runs:
            seed = results.seeds[0]
            blocks += results.absent(f"gans/{gan.name}/seed-{seed}/history.csv")
            continue
        last = next(iter(runs.values())).iloc[-1].dropna().to_dict()
        loss = gan.loss if isinstance(gan, GanConfig) else ""
        draw = partial(training_curves, runs, loss)
        about = gan, loss, last, results.many_seeds
        blocks.append(say.figure("training", draw, *about, of=gan.name))
    return blocks


def samples(results: StudyResults) -> list[Block]:
    """What each generator made of the same noise, epoch by epoch, beside real images."""
    first = results.seeds[0]
    shown: list[Block] = []
    absent: list[Block] = []
    places: list[str] = []
    for gan in results.facts.gans:
        trained = (gan.name, first)
        if of_gan := results.inputs.samples.get(trained):
            shown.append(_frames(results, trained, of_gan))
            if of_gan.animation is not None:
                places.append(of_gan.animation.relative_to(results.inputs.run).as_posix())
        else:
            absent += results.absent(f"gans/{gan.name}/seed-{first}/samples")
    if shown:
        about = say.samples(first if results.many_seeds else None, places)
        shown = [Text(about), *shown, *_reals(results)]
    return [*shown, *absent]


def _frames(results: StudyResults, trained: Trained, samples: Samples) -> Frames:
    name = trained[0]
    epochs = sorted(samples.grids)
    history = results.inputs.histories.get(trained)
    progress, shown = draw.sample_progress(samples)
    frames = [
        (draw.sample_frame(samples.grids[epoch]), _epoch_words(epoch, epochs[-1], history))
        for epoch in draw.evenly(epochs, MOST_FRAMES)
    ]
    picture = say.image("samples", progress, name, shown, of=name)
    return Frames(f"Made by {results.title_of(trained)}", frames, picture, small=True)


def _epoch_words(epoch: int, last: int, history: pd.DataFrame | None) -> str:
    words = f"epoch {epoch} of {last}"
    if history is None or "fid" not in history:
        return words
    distances = history.loc[history["epoch"] == epoch, "fid"].dropna()
    return words if distances.empty else f"{words}, FID {number(float(distances.iloc[0]), 0)}"


def _reals(results: StudyResults) -> list[Block]:
    """A grid of real images of the classes that the generators are trained on."""
    if (grid := real_samples(results)) is None:
        return []
    image = Image.fromarray(grid[0] if len(grid) == 1 else grid.transpose(1, 2, 0))
    picture = say.image("samples-real", image, [*_trained_on(results).values()])
    frame = (draw.small_png(grid), "64 real images")
    return [Frames("Real images of the trained classes", [frame], picture, small=True)]


def real_samples(results: StudyResults) -> Images | None:
    """A grid ``(C, H, W)`` of real images of trained classes; None where they are too few."""
    return draw.real_grid(results.inputs.class_samples, [*_trained_on(results)])


def _trained_on(results: StudyResults) -> dict[str, str]:
    """Names of the classes that the generators are trained on, by place."""
    classes = map(str, results.inputs.data.get("classes", []))
    held_out = set(map(str, results.inputs.data.get("held_out", [])))
    return {str(place): name for place, name in enumerate(classes) if name not in held_out}


CHAPTERS = [
    Chapter("Look at the images", "", [samples]),
    Chapter("The training", "Quality of the fakes", [quality], say.finding, "quality"),
    Chapter("The training", "Training of the GANs", [training], say.trained, "training"),
]
ANALYSIS = Analysis("generators", numbers.numbers, numbers.rows, CHAPTERS, beyond_scores=True)

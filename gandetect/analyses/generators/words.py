"""Things to look at: the data, the training, and the samples of the generators."""

from __future__ import annotations

import pandas as pd
from PIL import Image

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.generators import numbers
from gandetect.analyses.generators.figure import training_curves
from gandetect.analyses.generators.quality import quality, say
from gandetect.config import GanConfig, GeneratorConfig
from gandetect.report import images as draw
from gandetect.report.document import Block, Frames, Heading, Picture, Text, slug
from gandetect.report.inputs import Trained
from gandetect.report.material import Material, drawn, pasted
from gandetect.report.reading import Samples
from gandetect.report.words import listing, number

CRITIC = (
    " Its discriminator is a Wasserstein critic: only differences between its answers are trained, "
    "so shares at a logit of 0 say little."
)


MOST_FRAMES = 12


def training(material: Material) -> list[Block]:
    """Losses, accuracies, FID and KID by epoch, for each generator."""
    blocks: list[Block] = []
    for gan in material.inputs.experiment.gans:
        found = {s: h for (name, s), h in material.inputs.histories.items() if name == gan.name}
        blocks.append(Heading(gan.name))
        if not found:
            seed = material.seeds[0]
            blocks += material.absent(f"gans/{gan.name}/seed-{seed}/history.csv")
            continue
        blocks.append(_training_picture(material, gan, found))
    return blocks


def samples(material: Material) -> list[Block]:
    """What each generator made of the same noise, epoch by epoch, beside real images."""
    first = material.seeds[0]
    blocks: list[Block] = []
    for gan in material.inputs.experiment.gans:
        trained = (gan.name, first)
        found = material.inputs.samples.get(trained)
        blocks.append(Heading(material.title_of(trained)))
        if found is None:
            blocks += material.absent(f"gans/{gan.name}/seed-{first}/samples")
            continue
        blocks += [_frames(material, trained, found), *_reals(material)]
        if found.animation is not None:
            place = found.animation.relative_to(material.inputs.run).as_posix()
            blocks.append(Text(f"As an animation of every epoch: {place} in the run folder.",
                               "note"))  # fmt: skip
    if not blocks:
        return []
    return [
        Text(say.samples(first if material.many_seeds else None)),
        *blocks,
    ]


def _frames(material: Material, trained: Trained, found: Samples) -> Frames:
    name = trained[0]
    epochs = sorted(found.grids)
    history = material.inputs.histories.get(trained)
    progress, shown = draw.sample_progress(found)
    return Frames(
        f"Made by {name} from the same noise",
        [
            (draw.sample_frame(found.grids[epoch]), _epoch_words(epoch, epochs[-1], history))
            for epoch in draw.evenly(epochs, MOST_FRAMES)
        ],
        pasted(
            f"samples-{slug(name)}",
            progress,
            f"Grids of images made by {name} after epoch {listing(list(map(str, shown)))}, "
            "from the same noise.",
            f"{name}: the same noise after epoch {listing(list(map(str, shown)))}.",
        ),
    )


def _epoch_words(epoch: int, last: int, history: pd.DataFrame | None) -> str:
    words = f"epoch {epoch} of {last}"
    if history is None or "fid" not in history:
        return words
    distances = history.loc[history["epoch"] == epoch, "fid"].dropna()
    return words if distances.empty else f"{words}, FID {number(float(distances.iloc[0]), 0)}"


def _reals(material: Material) -> list[Block]:
    """A grid of real images of the classes that the generators are trained on."""
    classes = list(map(str, material.inputs.data.get("classes", [])))
    held_out = set(map(str, material.inputs.data.get("held_out", [])))
    trained_on = [str(place) for place, name in enumerate(classes) if name not in held_out]
    grid = draw.real_grid(material.inputs.class_samples, trained_on)
    if grid is None:
        return []
    names = listing([classes[int(key)] for key in trained_on])
    picture = pasted(
        "samples-real",
        Image.fromarray(grid[0] if len(grid) == 1 else grid.transpose(1, 2, 0)),
        f"Grid of 64 real images of the trained classes: {names}.",
        "Real images of the classes that the generators are trained on.",
    )
    frame = (draw.small_png(grid), "64 real images")
    return [Frames("Real images of the classes it is trained on", [frame], picture)]


def _training_picture(
    material: Material, gan: GeneratorConfig, found: dict[int, pd.DataFrame]
) -> Picture:
    name, loss = gan.name, gan.loss if isinstance(gan, GanConfig) else ""
    last = next(iter(found.values())).iloc[-1]
    columns = ("discriminator_loss", "generator_loss", "accuracy_real", "accuracy_fake",
               "reconstruction", "divergence", "fid", "kid")  # fmt: skip
    shown = [f"{c.replace('_', ' ')} {number(float(last[c]))}" for c in columns
             if c in last and pd.notna(last[c])]  # fmt: skip
    return drawn(
        f"training-{slug(name)}",
        lambda: training_curves(found, loss),
        f"Training of {name}; after its last epoch ({int(last['epoch'])}): {listing(shown)}.",
        f"{name}, epoch by epoch"
        + (", a line for each seed." if material.many_seeds else ".")
        + (CRITIC if loss == "wasserstein" else ""),
    )


ANALYSIS = Analysis(
    "generators",
    numbers.numbers,
    numbers.rows,
    chapters=[
        Chapter("Look at the images", "Samples of the generators", [samples]),
        Chapter("The training", "How good are the fakes?", [quality]),
        Chapter("The training", "Training curves", [training]),
    ],
)

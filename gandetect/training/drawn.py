"""Images of a generator that a run has trained, drawn after the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from gandetect import runs
from gandetect.config import ClassImagesConfig
from gandetect.errors import RunError, UsageError, listed, require_known
from gandetect.models import NOISE_SIZE
from gandetect.models.scaling import quantise
from gandetect.randomness import integer_seed
from gandetect.training.checkpoints import epoch_folder, weights_file
from gandetect.training.images import generate, sample_grid
from gandetect.training.networks import load_generator

PURPOSE = "images asked for"  # a stream of its own: no training and no test has seen these images
WALKERS, STOPS, BETWEEN = 16, 6, 12  # images side by side in an animation, points, steps from each


def open_generator(folder: Path, epoch: int | None = None, device: str = "cpu") -> nn.Module:
    """The generator in ``RUN/gans/NAME/seed-S``, after its last epoch or after ``epoch``.

    Raises `RunError` for a folder of anything else, and for a training that has not ended;
    `UsageError` for an epoch that is not kept.
    """
    place = folder.resolve()
    run, name, seed = Path(*place.parts[:-3]), place.parent.name, place.name.removeprefix("seed-")
    is_generator = place.parent.parent.name == "gans" and seed.isdigit()
    if not is_generator or not (run / runs.STUDY).is_file():
        raise RunError(
            f"{str(folder)!r} is no generator of a run; give RUN/gans/NAME/seed-S, such as "
            "runs/quick-…/gans/dcgan-bn/seed-0"
        )
    experiment = runs.load_study(run)
    configs = {gan.name: gan for gan in experiment.gans}
    require_known("GAN", [name], configs)
    assert isinstance(experiment.data, ClassImagesConfig)
    config = configs[name]
    place = epoch_folder(folder, epoch)
    if not (place / weights_file(config.drawn_from)).is_file():
        epochs = listed([str(int(one.name)) for one in sorted((folder / "epochs").glob("[0-9]*"))])
        if epoch is not None:
            raise UsageError(f"{str(folder)!r} has no epoch {epoch}; it has: {epochs}")
        raise RunError(
            f"{str(folder)!r} has not been trained to the end; let `gandetect run` do it, or give "
            f"an epoch; it has: {epochs}"
        )
    return load_generator(config, place, experiment.data.shape, int(seed), torch.device(device))


def generate_images(
    folder: str | Path, count: int, *, seed: int = 0, epoch: int | None = None, device: str = "cpu"
) -> NDArray[np.uint8]:
    """Draw ``(count, C, H, W) uint8`` images of the generator in ``RUN/gans/NAME/seed-S``.

    The same seed gives the same images on the same device; raises as `open_generator` does.
    """
    generator = open_generator(Path(folder), epoch, device)
    return generate(generator, count, seed=seed, purpose=PURPOSE)


@torch.no_grad()
def interpolation(generator: nn.Module, seed: int) -> list[Image.Image]:
    """Grids of images whose noise walks from point to point and back to the first.

    Noise stays as long as noise is: it moves on great circles (White 2016, arXiv:1609.04468).
    """
    device = next(generator.parameters()).device
    rng = torch.Generator(device).manual_seed(integer_seed(seed, f"walk of {PURPOSE}"))
    points = torch.randn(STOPS, WALKERS, NOISE_SIZE, generator=rng, device=device)
    generator.eval()
    frames = []
    for start, end in zip(points, points.roll(-1, 0), strict=True):
        for step in range(BETWEEN):
            images = quantise(generator(_between(start, end, step / BETWEEN)))
            frames.append(sample_grid(np.ascontiguousarray(images.cpu().numpy()), columns=4))
    return frames


def _between(start: Tensor, end: Tensor, share: float) -> Tensor:
    """The points a share of the way from some points ``(N, Z)`` to others."""
    cosine = nn.functional.cosine_similarity(start, end, dim=1).clamp(-0.9999, 0.9999)
    angle = cosine.acos()[:, None]
    near, far = ((1 - share) * angle).sin(), (share * angle).sin()
    return (near * start + far * end) / angle.sin()

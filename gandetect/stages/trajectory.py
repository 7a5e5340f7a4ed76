"""Score every kept epoch's discriminator on every kept epoch's fakes, and on the same reals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import pandas as pd
import torch

from gandetect import runs
from gandetect.config import GanConfig
from gandetect.data.stored import Images
from gandetect.detectors import DetectorDescription, Preprocessing, as_detector
from gandetect.stages.common import Notify, ScoredSource, Source, reusable
from gandetect.stages.scores import score_source, ticker, tidy_scores
from gandetect.training.checkpoints import DISCRIMINATOR, GENERATOR, load_weights
from gandetect.training.images import generate
from gandetect.training.networks import build_gan

TRAJECTORY = "trajectory.parquet"


def trajectory_stage(
    folder: Path,
    digest: str,
    *,
    config: GanConfig,
    seed: int,
    trained: Path,
    epochs: Sequence[int],
    count: int,
    others: Sequence[ScoredSource],
    preprocessing: Preprocessing,
    device: str,
    notify: Notify,
) -> None:
    """Score ``count`` fakes of each kept epoch's generator, and ``others``, with each epoch.

    The fakes of all epochs are drawn from the same noise, so epochs differ by the generator alone.
    """
    if reusable(folder, digest, notify):
        return
    started = perf_counter()
    sources: Mapping[int, Sequence[ScoredSource]] = {
        epoch: [
            ScoredSource(
                f"generated:{config.name}",
                seed,
                Source(_fakes(config, seed, trained, epoch, count, preprocessing, device)),
            )
        ]
        for epoch in epochs
    }
    sources = {**sources, 0: others}  # epoch 0: whatever is not of this generator
    images = sum(len(one.source) for group in sources.values() for one in group)
    tick = ticker(images * len(epochs), notify)
    tables = []
    for epoch in epochs:
        weights = trained / "epochs" / f"{epoch:04d}" / DISCRIMINATOR
        where = torch.device(device)
        gan = build_gan(config, preprocessing.image_size, preprocessing.channels, seed, where)
        load_weights(gan.discriminator, weights)
        description = DetectorDescription(
            name=config.name,
            architecture=config.architecture,
            options=config.discriminator.model_dump(exclude_none=True),
            preprocessing=preprocessing,
        )
        detector = as_detector(gan.discriminator, description, where)
        for source_epoch, group in sources.items():
            for one in group:
                scores = score_source(detector, one.source, config, tick)
                rows = tidy_scores(config.name, seed, one.name, one.source.indices(), scores)
                tables.append(
                    rows.assign(source_seed=one.seed, epoch=epoch, source_epoch=source_epoch)
                )
    with runs.atomic_folder(folder) as fresh:
        pd.concat(tables, ignore_index=True).to_parquet(fresh / TRAJECTORY, index=False)
        runs.write_record(fresh, digest, [TRAJECTORY], seconds=perf_counter() - started)


def _fakes(
    config: GanConfig,
    seed: int,
    trained: Path,
    epoch: int,
    count: int,
    preprocessing: Preprocessing,
    device: str,
) -> Images:
    where = torch.device(device)
    gan = build_gan(config, preprocessing.image_size, preprocessing.channels, seed, where)
    load_weights(gan.generator, trained / "epochs" / f"{epoch:04d}" / GENERATOR)
    return generate(gan.generator, count, seed=seed, purpose="trajectory", device=where)

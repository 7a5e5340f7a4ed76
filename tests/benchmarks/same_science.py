"""Does speed change the answer? Both GANs of the quick study, trained plainly and fast.

Each seed is trained three ways: by the plain port (float32), by gandetect in float32, and by
gandetect in bf16. Every discriminator is then scored, as a study does, and the three ways are
compared seed by seed: the AUROC of each cell, and the FID of each generator's images. A difference
counts when its 95 % interval (Student's t over the seeds' paired differences) leaves out zero;
"spread" is the standard deviation, from seed to seed, of the plainest way that was trained.

    make same-science

It goes on from the last complete training when it is interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table
from scipy import stats
from sklearn.metrics import roc_auc_score
from torch import nn

from gandetect import runs
from gandetect.config import Experiment, GanConfig, load_experiment
from gandetect.data.fashion_mnist import resolve_data_dir
from gandetect.detectors.network import as_detector
from gandetect.detectors.protocol import DetectorDescription
from gandetect.engine import Context, LocalEngine, Task, local_engine, perform, run_all
from gandetect.events import silent
from gandetect.machine import cores, native_precision
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.sources.pixel_cache import cache_folder
from gandetect.sources.splits import HELD_OUT, IN_DISTRIBUTION, TRAINING, OpenSplits
from gandetect.stages.class_data import ClassData
from gandetect.training.adversarial import train_epoch
from gandetect.training.checkpoints import load_weights, save_weights
from gandetect.training.images import generate
from gandetect.training.networks import build_gan
from gandetect.training.quality import QualityEvaluator, train_feature_classifier

from . import plain_port

Images = NDArray[np.uint8]
CPU = torch.device("cpu")
EXPERIMENT = Path(__file__).parents[2] / "experiments" / "quick.toml"
WAYS = ("port", "fp32", "bf16")
COMPARED = (("fp32", "port"), ("bf16", "fp32"), ("bf16", "port"))
SCORED = 4200  # images of each source
CLASSIFIER = "feature-classifier.safetensors"


@click.command()
@click.option("--seeds", type=click.IntRange(2), default=5, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--way", "ways", multiple=True, type=click.Choice(WAYS), default=WAYS, help="Repeatable."
)
@click.option("--jobs", type=click.IntRange(1), default=cores, help="Trainings at once.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/same-science"))
def main(seeds: int, epochs: int, ways: tuple[str, ...], jobs: int, out: Path) -> None:
    """Train both GANs of the quick study plainly and fast, and compare the results."""
    if native_precision("cpu") != "bf16":
        raise click.ClickException("this processor has no bf16 instructions; there is no bf16 way")
    experiment = load_experiment(EXPERIMENT, [f"gans.{i}.epochs={epochs}" for i in range(2)])
    images = _splits(experiment, out)
    with local_engine(jobs, max(1, cores() // jobs), _say) as engine:
        _train_all(engine, experiment, images, out, ways, range(seeds))
        scoring = partial(results_of, folder=out, configs=experiment.gans, images=images)
        tasks = [
            Task(f"scores of {way}, seed {seed}", partial(scoring, way=way, seed=seed))
            for seed in range(seeds)
            for way in ways
        ]
        scored = run_all(engine, tasks)
    results = pd.DataFrame([row for rows in scored for row in rows])
    rows = list(compare(results))
    _print(rows, ways, seeds, epochs)
    runs.write_json(out / "same-science.json", {"epochs": epochs, "seeds": seeds, "rows": rows})
    results.to_csv(out / "results.csv", index=False)


def _splits(experiment: Experiment, out: Path) -> OpenSplits:
    """The study's images, split as there."""
    data_dir, folder = resolve_data_dir(None), out / "data"
    context = Context(out, folder, data_dir, cache_folder(data_dir), "cpu", 1, 1, cores())
    data = ClassData(experiment.data)
    perform(data, data.digest(data.outside(context), []), context, silent)
    return OpenSplits(folder, context.cache)


def _train_all(
    engine: LocalEngine,
    experiment: Experiment,
    images: OpenSplits,
    out: Path,
    ways: Sequence[str],
    seeds: range,
) -> None:
    epochs = experiment.quality.classifier_epochs
    evaluator = partial(train_judge, folder=out, images=images, epochs=epochs)
    run_all(engine, [Task("feature classifier", evaluator)])
    tasks = []
    for way in sorted(ways, key=WAYS.index, reverse=True):  # the slowest last
        for seed in seeds:
            for gan in experiment.gans:
                config = gan.model_copy(update={"precision": "bf16" if way == "bf16" else "fp32"})
                folder = _folder(out, way, config, seed)
                work = partial(
                    train, folder=folder, way=way, config=config, seed=seed, splits=images
                )
                tasks.append(Task(f"{gan.name}, {way}, seed {seed}", work))
    run_all(engine, tasks)


def train_judge(
    folder: Path, images: OpenSplits, epochs: int, notify: Callable[[Mapping[str, Any]], None]
) -> None:
    """Train the classifier whose features FID is measured in, once."""
    if (folder / CLASSIFIER).exists():
        return
    classifier = train_feature_classifier(
        images.images(TRAINING, HELD_OUT),
        images.labels(TRAINING, HELD_OUT),
        classes=10,
        epochs=epochs,
        seed=0,
        device=CPU,
    )
    save_weights(classifier, folder / CLASSIFIER)


def train(
    folder: Path,
    way: str,
    config: GanConfig,
    seed: int,
    splits: OpenSplits,
    notify: Callable[[Mapping[str, Any]], None],
) -> None:
    """Train one GAN one way, and keep its discriminator and some of its images."""
    if (folder / "losses.json").exists():
        return
    epochs = range(1, config.epochs + 1)
    images: Images = splits.images(TRAINING)[:]
    gan: Any
    if way == "port":
        gan = plain_port.build(config, images.shape[2], images.shape[1], seed)
        dataset = plain_port.dataset_of(images)
        losses = [plain_port.train_epoch(config, gan, dataset).mean(0).tolist() for _ in epochs]
    else:
        gan = build_gan(config, images.shape[2], images.shape[1], seed, CPU)
        reals = torch.from_numpy(images)
        losses = []
        for epoch in epochs:
            statistics = train_epoch(
                config, gan, reals, seed=seed, epoch=epoch, notify=lambda event: None
            )
            losses.append(statistics[:, :2].mean(0).tolist())
    fakes = generate(gan.generator, SCORED, seed=seed, purpose="evaluation")
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "fakes.npy", fakes, allow_pickle=False)
    save_weights(gan.discriminator, folder / "discriminator.safetensors")
    runs.write_json(folder / "losses.json", losses)
    notify({"event": "done"})


def results_of(
    folder: Path,
    way: str,
    configs: tuple[GanConfig, ...],
    seed: int,
    images: OpenSplits,
    notify: Callable[[Mapping[str, Any]], None],
) -> list[dict[str, Any]]:
    """Measure one seed's GANs: AUROC of generated images against both kinds of reals, and FID."""
    _, channels, side, _ = images.images(IN_DISTRIBUTION).shape
    classifier = FeatureClassifier(side, channels, 10)
    load_weights(classifier, folder / CLASSIFIER)
    evaluator = QualityEvaluator(classifier, images.images(IN_DISTRIBUTION), CPU)
    fakes = {
        config.name: np.load(_folder(folder, way, config, seed) / "fakes.npy") for config in configs
    }
    sources = {"real": IN_DISTRIBUTION, "novel": HELD_OUT}
    reals = {name: images.images(split)[:SCORED] for name, split in sources.items()}
    rows = []
    for config in configs:
        trained = _folder(folder, way, config, seed)
        discriminator = build_gan(config, side, channels, seed, CPU).discriminator
        load_weights(discriminator, trained / "discriminator.safetensors")
        score = _scorer(config, discriminator)
        scores = {name: score(given) for name, given in {**fakes, **reals}.items()}
        figures = {"FID": evaluator.assess(fakes[config.name], seed).fid}
        for generated in fakes:
            source = "own" if generated == config.name else "other"
            for real in reals:
                figures[f"AUROC {source} / {real}"] = _auroc(scores[generated], scores[real])
        rows += [
            {"gan": config.name, "way": way, "seed": seed, "figure": name, "value": value}
            for name, value in figures.items()
        ]
    return rows


def compare(results: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Compare the ways figure by figure; ``results`` has gan, way, seed, figure, value."""
    wide = results.pivot_table(index=["gan", "figure", "seed"], columns="way", values="value")
    for (gan, figure), group in wide.groupby(level=["gan", "figure"]):
        row: dict[str, Any] = {"gan": gan, "figure": figure}
        row |= {way: float(group[way].mean()) for way in group}
        row["spread"] = float(group[min(group, key=WAYS.index)].std())
        for fast, plain in compared(list(group)):
            differences = group[fast] - group[plain]
            reach = stats.t.ppf(0.975, len(differences) - 1) * stats.sem(differences)
            mean = float(differences.mean())
            interval = [mean - float(reach), mean + float(reach)]
            row[f"{fast} - {plain}"] = {"mean": mean, "ci95": interval}
        yield row


def compared(ways: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of ways to compare: the faster, and the plainer that it is held against."""
    return [pair for pair in COMPARED if set(pair) <= set(ways)]


def _scorer(config: GanConfig, discriminator: nn.Module) -> Callable[[Images], NDArray[np.float64]]:
    description = DetectorDescription(name=config.name, architecture=config.architecture)
    return as_detector(discriminator, description, CPU).decision_function


def _auroc(generated: NDArray[np.float64], real: NDArray[np.float64]) -> float:
    labels = np.repeat([1, 0], [len(generated), len(real)])
    return float(roc_auc_score(labels, np.concatenate([generated, real])))


def _folder(out: Path, way: str, config: GanConfig, seed: int) -> Path:
    return out / way / config.name / f"epochs-{config.epochs}" / f"seed-{seed}"


def _say(event: Mapping[str, Any]) -> None:
    if event["event"] == "done":
        click.echo(f"trained: {event['task']}", err=True)


def _print(rows: list[dict[str, Any]], ways: Sequence[str], seeds: int, epochs: int) -> None:
    table = Table(
        title=f"Plain and fast, {seeds} seeds, {epochs} epochs",
        box=box.SIMPLE,
        title_justify="left",
    )
    table.add_column("GAN and figure")
    pairs = compared(ways)
    for name in (*ways, "spread", *(f"{fast} - {plain} (95 %)" for fast, plain in pairs)):
        table.add_column(name, justify="right")
    for row in rows:
        digits = 1 if row["figure"] == "FID" else 3
        cells = [f"{row[name]:.{digits}f}" for name in (*ways, "spread")]
        for fast, plain in pairs:
            found = row[f"{fast} - {plain}"]
            low, high = found["ci95"]
            mark = "" if low <= 0 <= high else " *"
            cells.append(
                f"{found['mean']:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f}){mark}"
            )
        table.add_row(f"{row['gan']}: {row['figure']}", *cells)
    Console(width=160, soft_wrap=False).print(table)


if __name__ == "__main__":
    sys.exit(main())

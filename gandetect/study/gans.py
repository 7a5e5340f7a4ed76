"""The pieces of a GAN study's training: the feature classifier, and every GAN with every seed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from gandetect import runs
from gandetect.config import Experiment, GanConfig
from gandetect.engine import Engine, Task
from gandetect.preparation import SplitImages
from gandetect.progress import Listener
from gandetect.stages.common import DRAWN
from gandetect.study.plan import Pieces, Study, stage_digest


def feature_classifier(
    study: Study, images: SplitImages, engine: Engine, listener: Listener
) -> str:
    """Train the yardstick for the fakes, in all epochs of all GANs; returns its digest."""
    from gandetect.stages.gans import feature_classifier_stage

    config = study.experiment.quality
    digest = stage_digest("feature classifier", config.classifier_epochs, images.digest)
    folder = study.folder / "quality-classifier"
    for place in study.reuse:
        runs.take_over(folder, place / "quality-classifier", digest)
    if runs.problem_with(folder, digest) is None:
        return digest
    listener.say("Training the classifier of kinds that FID and KID are measured with")
    arguments = {
        "folder": folder,
        "digest": digest,
        "config": config,
        "images": images.labelled,
        "labels": images.labelled_labels,
        "test_images": images.in_distribution,
        "test_labels": images.in_distribution_labels,
        "classes": len(images.classes),
        "device": study.device,
    }
    engine.run([Task("feature classifier", feature_classifier_stage, arguments)])
    return digest


def train_gans(
    study: Study,
    images: SplitImages,
    classifier_digest: str,
    engine: Engine,
    listener: Listener,
) -> Pieces:
    """Train every architecture with every seed, side by side; returns their digests."""
    from gandetect.stages.gans import gan_stage

    experiment, digests, tasks = study.experiment, {}, []
    own, other = evaluation_counts(experiment, len(images.in_distribution), len(images.held_out))
    for seed in experiment.seeds:
        for gan in experiment.gans:
            quality = experiment.quality.model_dump(mode="json")
            digest = stage_digest("gan", gan.training_identity(), seed, quality, classifier_digest)
            digests[gan.name, seed] = digest
            drawn = {"evaluation": max(own, other), "calibration": len(images.calibration)}
            _take_over(study, gan.name, seed, digest, drawn, listener)
            arguments = {
                "folder": study.gan_folder(gan.name, seed),
                "digest": digest,
                "config": gan,
                "quality": experiment.quality,
                "seed": seed,
                "images": images.training,
                "reference_images": images.in_distribution,
                "classifier_folder": study.folder / "quality-classifier",
                "generated": drawn,
                "device": study.device,
            }
            if not _gan_is_complete(study, gan, seed, digest, drawn):
                tasks.append(Task(f"{gan.name} seed {seed}", gan_stage, arguments))
    if tasks:
        names = ", ".join(task.name for task in tasks)
        listener.say(f"Training {names}; {study.share}")
        engine.run(tasks)
    return digests


def _take_over(
    study: Study, gan: str, seed: int, digest: str, drawn: Mapping[str, int], listener: Listener
) -> None:
    """Take a GAN that was trained in just this way from a run that may be reused.

    Images that the other run has drawn from it are of no use where another number is wanted.
    """
    folder = study.gan_folder(gan, seed)
    for place in study.reuse:
        if runs.take_over(folder, place / "gans" / gan / f"seed-{seed}", digest):
            listener.say(f"Taking {gan} with seed {seed} over from {place}")
            for purpose, count in drawn.items():
                if runs.problem_with(folder / DRAWN[purpose], f"{digest}:{count}") is not None:
                    shutil.rmtree(folder / DRAWN[purpose], ignore_errors=True)


def _gan_is_complete(
    study: Study, gan: GanConfig, seed: int, digest: str, drawn: Mapping[str, int]
) -> bool:
    folder = study.gan_folder(gan.name, seed)
    return runs.problem_with(folder, digest) is None and all(
        runs.problem_with(folder / DRAWN[purpose], f"{digest}:{count}") is None
        for purpose, count in drawn.items()
    )


def evaluation_counts(
    experiment: Experiment, in_distribution: int, held_out: int
) -> tuple[int, int]:
    """How many images of its own and of another generator a detector is scored on.

    Own: as many as there are test reals, unless the experiment says otherwise.
    """
    evaluation = experiment.evaluation
    own = evaluation.own_generated or in_distribution + held_out
    return own, evaluation.other_generated

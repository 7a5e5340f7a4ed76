"""What is scored beyond the last epoch and the images as they are: trajectories and robustness."""

from __future__ import annotations

from gandetect import runs
from gandetect.config import ClassifierConfig
from gandetect.engine import Engine, Task
from gandetect.evaluation.scores import IN_DISTRIBUTION, NOT_REPORTED, TRAINING
from gandetect.preparation import SplitImages
from gandetect.preparation.labelled import LabelledImages
from gandetect.progress import Listener
from gandetect.stages.common import ScoredSource
from gandetect.study.classifiers import labelled_preprocessing, preprocessing_of
from gandetect.study.plan import Pieces, Study, stage_digest
from gandetect.study.scores import folder_of, gan_sources, labelled_sources, trained_networks


def score_trajectories(
    study: Study, images: SplitImages, gans: Pieces, engine: Engine, listener: Listener
) -> Pieces:
    """Score every kept epoch's discriminator on every kept epoch's fakes of its own generator.

    The reals, and the final fakes of the other generators, are the same at every epoch.
    """
    from gandetect.stages.trajectory import trajectory_stage

    evaluation = study.experiment.evaluation
    count = evaluation.trajectory_images
    digests, tasks = {}, []
    for seed in study.experiment.seeds:
        for gan in study.experiment.discriminators:
            epochs = evaluation.kept_epochs(gan.epochs)
            if not epochs:
                continue
            digest = stage_digest(
                "trajectory", gans[gan.name, seed], _of_seed(study, gans, seed), epochs, count,
                images.digest,
            )  # fmt: skip
            digests[gan.name, seed] = digest
            folder = study.trajectory_folder(gan.name, seed)
            if runs.problem_with(folder, digest) is None:
                continue
            others = [
                ScoredSource(one.name, one.seed, one.source.first(count))
                for one in gan_sources(study, images, gan, seed)
                if _met_at_every_epoch(one, gan.name, seed)
            ]
            arguments = {
                "folder": folder,
                "digest": digest,
                "config": gan,
                "seed": seed,
                "trained": study.gan_folder(gan.name, seed),
                "epochs": epochs,
                "count": count,
                "others": others,
                "preprocessing": preprocessing_of(images),
                "device": study.device,
            }
            tasks.append(Task(f"{gan.name} seed {seed}", trajectory_stage, arguments))
    if tasks:
        listener.say(f"Scoring the epochs of {len(tasks)} GAN(s), each against each")
        engine.run(tasks)
    return digests


def score_perturbed(
    study: Study,
    images: SplitImages | LabelledImages,
    networks: Pieces,
    engine: Engine,
    listener: Listener,
) -> Pieces:
    """Score every detector on processed fakes and processed reals; nothing unless asked for."""
    from gandetect.stages.robustness import robustness_stage

    evaluation = study.experiment.evaluation
    most = evaluation.perturbed_images
    digests: Pieces = {}
    tasks = []
    if not evaluation.perturbations:
        return digests
    for seed in study.experiment.seeds:
        generators = _of_seed(study, networks, seed)
        for trained in trained_networks(study.experiment):
            digest = stage_digest(
                "robustness", networks[trained.name, seed], generators, images.digest,
                evaluation.perturbations, evaluation.perturbed_images,
            )  # fmt: skip
            digests[trained.name, seed] = digest
            folder = study.robustness_folder(trained.name, seed)
            if runs.problem_with(folder, digest) is None:
                continue
            if isinstance(images, SplitImages):
                sources = gan_sources(study, images, trained, seed)
                preprocessing = preprocessing_of(images)
            else:
                assert isinstance(trained, ClassifierConfig)
                sources = labelled_sources(images, trained, seed)
                preprocessing = labelled_preprocessing(study, trained)
            arguments = {
                "folder": folder,
                "digest": digest,
                "config": trained,
                "seed": seed,
                "trained": folder_of(study, trained, seed),
                "sources": [  # files stand by class, so of them a sample is drawn
                    ScoredSource(one.name, one.seed, one.source.sample(most))
                    if study.labelled
                    else ScoredSource(one.name, one.seed, one.source.first(most))
                    for one in sources
                    if _is_perturbed(one, seed)
                ],
                "perturbations": evaluation.perturbations,
                "preprocessing": preprocessing,
                "provenance": {},
                "device": study.device,
            }
            tasks.append(Task(f"{trained.name} seed {seed}", robustness_stage, arguments))
    if tasks:
        listener.say(f"Scoring processed images with {len(tasks)} detector(s)")
        engine.run(tasks)
    return digests


def _of_seed(study: Study, gans: Pieces, seed: int) -> list[str]:
    """Digests of the generators whose images stand for fakes in a seed."""
    return [gans[gan.name, seed] for gan in study.experiment.gans]


def _met_at_every_epoch(one: ScoredSource, gan: str, seed: int) -> bool:
    if one.name.startswith("real:"):
        return one.name != TRAINING
    return one.name not in (*NOT_REPORTED, f"generated:{gan}") and one.seed == seed


def _is_perturbed(one: ScoredSource, seed: int) -> bool:
    if one.name.startswith("real:"):
        return one.name == IN_DISTRIBUTION
    return one.name not in NOT_REPORTED and one.seed == seed

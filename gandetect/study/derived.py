"""The pieces that make detectors of what was trained: ensembles, fine-tuned ones, one-class."""

from __future__ import annotations

from gandetect import runs
from gandetect.config import DetectorConfig, FineTunedConfig, OneClassConfig
from gandetect.engine import Engine, Task
from gandetect.preparation import SplitImages
from gandetect.progress import Listener
from gandetect.study.classifiers import preprocessing_of
from gandetect.study.plan import Pieces, Study, stage_digest


def derive_detectors(
    study: Study,
    images: SplitImages,
    gans: Pieces,
    classifiers: Pieces,
    engine: Engine,
    listener: Listener,
) -> Pieces:
    """Make every one of the `[[detectors]]`, with every seed; returns their digests."""
    from gandetect.stages.derived import derived_stage

    experiment, digests, tasks = study.experiment, {}, []
    trained = {
        **{gan.name: (gan, study.gan_folder) for gan in experiment.gans},
        **{one.name: (one, study.classifier_folder) for one in experiment.classifiers},
    }
    networks = {**gans, **classifiers}
    for seed in experiment.seeds:
        for detector in experiment.detectors:
            names = made_of(detector)
            of = {name: networks[name, seed] for name in names}
            digest = stage_digest("detector", detector.identity(), seed, of, images.digest)
            digests[detector.name, seed] = digest
            folder = study.derived_folder(detector.name, seed)
            if runs.problem_with(folder, digest) is None:
                continue
            arguments = {
                "folder": folder,
                "digest": digest,
                "config": detector,
                "trained": {
                    name: (config, place(name, seed))
                    for name, (config, place) in trained.items()
                    if name in names
                },
                "reals": images.training,
                "calibration": images.calibration,
                "seed": seed,
                "preprocessing": preprocessing_of(images),
                "device": study.device,
            }
            tasks.append(Task(f"{detector.name} seed {seed}", derived_stage, arguments))
    if tasks:
        listener.say(f"Making {', '.join(task.name for task in tasks)}")
        engine.run(tasks)
    return digests


def made_of(detector: DetectorConfig) -> tuple[str, ...]:
    """Names of the GANs and classifiers that a detector is made of; none for one on pixels."""
    if isinstance(detector, OneClassConfig):
        return () if detector.features_of == "pixels" else (detector.features_of,)
    others = detector.fakes_from if isinstance(detector, FineTunedConfig) else ()
    return tuple(dict.fromkeys((detector.gan, *others)))

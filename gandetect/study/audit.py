"""Trivial probes on every generator's fakes, and on labelled images before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gandetect import runs
from gandetect.config import LabelledDataConfig
from gandetect.data.fashion_mnist import resolve_data_dir
from gandetect.engine import Engine, Task
from gandetect.evaluation.audit import warnings_of
from gandetect.preparation import SplitImages
from gandetect.preparation.labelled import LabelledImages
from gandetect.progress import Listener
from gandetect.stages.audit import AUDIT, audit_stage
from gandetect.stages.common import DRAWN, GENERATED, Source
from gandetect.study.plan import Pieces, Study, stage_digest

MOST = 2000  # images of each side
MOST_LARGE = 500  # of those above 64 px
LARGE = 64


def audit_generators(
    study: Study, images: SplitImages, gans: Pieces, engine: Engine, listener: Listener
) -> Pieces:
    """Audit the fakes that each generator made for calibration, beside training reals."""
    digests, tasks = {}, []
    for seed in study.experiment.seeds:
        for gan in study.experiment.gans:
            digest = stage_digest("audit", gans[gan.name, seed], images.digest, MOST)
            digests[gan.name, seed] = digest
            for place in study.reuse:
                other = place / "audits" / gan.name / f"seed-{seed}"
                runs.take_over(study.audit_folder(gan.name, seed), other, digest)
            fakes = study.gan_folder(gan.name, seed) / DRAWN["calibration"] / GENERATED
            arguments: dict[str, Any] = {
                "name": f"generated:{gan.name}",
                "seed": seed,
                "real": Source(images.training),
                "generated": Source(fakes),
                "most": MOST,
            }
            tasks += _task(study, gan.name, seed, digest, arguments)
    _run(tasks, engine, listener)
    return digests


def audit_labelled(
    study: Study,
    images: LabelledImages,
    data_dir: Path | None,
    engine: Engine,
    listener: Listener,
) -> Pieces:
    """Audit each class of fakes beside all reals, files and pixels, of the training images."""
    data = study.experiment.data
    assert isinstance(data, LabelledDataConfig)
    root = resolve_data_dir(data_dir) / data.path
    size = max(images.pixels)
    table = images.table[(images.table["split"] == "train") & (images.table["copy"] == 0)]
    reals = table[table["label"] == "real"]
    most = MOST_LARGE if size > LARGE else MOST
    digests, tasks = {}, []
    names = sorted(set(table.loc[table["label"] == "generated", "class_name"]))
    for number, name in enumerate(names, start=1):
        digest = stage_digest("audit", images.digest, name, size, most)
        # A class may be called anything, a folder may not.
        place = f"class-{number:02d}"
        digests[place, 0] = digest
        fakes = table[table["class_name"] == name]
        arguments = {
            "name": f"generated:{name}",
            "seed": None,
            "real": _pixels(images.pixels[size], reals),
            "generated": _pixels(images.pixels[size], fakes),
            "real_files": [root / path for path in reals["path"]],
            "generated_files": [root / path for path in fakes["path"]],
            "most": most,
        }
        tasks += _task(study, place, 0, digest, arguments)
    _run(tasks, engine, listener)
    for sentence in warnings_of(audit_rows(study, digests)["rows"]):
        listener.warn(sentence)
    return digests


def audit_rows(study: Study, audits: Pieces) -> dict[str, Any]:
    """All rows and gaps that these audits have left."""
    found: dict[str, Any] = {"rows": [], "gaps": []}
    for name, seed in audits:
        one = runs.read_json(study.audit_folder(name, seed) / AUDIT)
        found["rows"] += one["rows"]
        found["gaps"] += one["gaps"]
    return found


def _pixels(file: Path, rows: pd.DataFrame) -> Source:
    return Source(file, rows["image"].to_numpy(np.int64))


def _task(study: Study, name: str, seed: int, digest: str, arguments: dict[str, Any]) -> list[Task]:
    folder = study.audit_folder(name, seed)
    if runs.problem_with(folder, digest) is None:
        return []
    arguments |= {"folder": folder, "digest": digest}
    return [Task(str(arguments["name"]), audit_stage, arguments)]


def _run(tasks: list[Task], engine: Engine, listener: Listener) -> None:
    if tasks:
        listener.say("Auditing for shortcuts: what trivial probes can tell apart")
        engine.run(tasks)

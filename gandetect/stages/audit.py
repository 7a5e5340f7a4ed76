"""Let trivial probes try to tell real images from generated ones, before detectors are trusted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from gandetect import runs
from gandetect.data.file_facts import file_facts, file_features
from gandetect.errors import DataError
from gandetect.evaluation.audit import audit, rows
from gandetect.evaluation.probes import Features, probe_features
from gandetect.randomness import stream
from gandetect.stages.common import Indices, Notify, Source, reusable

AUDIT = "audit.json"


def audit_stage(
    folder: Path,
    digest: str,
    *,
    name: str,
    seed: int | None,
    real: Source,
    generated: Source,
    most: int,
    real_files: Sequence[Path] = (),
    generated_files: Sequence[Path] = (),
    notify: Notify,
) -> None:
    """Audit at most ``most`` images of each side, drawn by a fixed seed; writes ``audit.json``.

    ``name`` is the generated source. Where images came as files, those are probed as well:
    ``real_files`` and ``generated_files`` hold a path for each image of a source.
    """
    if reusable(folder, digest, notify):
        return
    started = perf_counter()
    sides: list[Features] = []
    for source, files in ((real, real_files), (generated, generated_files)):
        chosen = _chosen(len(source), most)
        features = probe_features(np.asarray(source.array()[source.all_rows()[chosen]]))
        if files:
            features |= file_features([file_facts(files[place]) for place in chosen.tolist()])
        sides.append(features)
    found: dict[str, Any] = {"rows": [], "gaps": []}
    try:
        found["rows"] = rows(audit(*sides), name, seed)
    except DataError as error:  # too few images for probes: the study itself goes on
        found["gaps"] = [f"{name} was not audited: {error}"]
    with runs.atomic_folder(folder) as fresh:
        runs.write_json(fresh / AUDIT, found)
        runs.write_record(fresh, digest, [AUDIT], seconds=perf_counter() - started)


def _chosen(count: int, most: int) -> Indices:
    return np.sort(stream(0, "audit").permutation(count)[:most])

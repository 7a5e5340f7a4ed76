"""Studies of variants by the shares that their detectors answer correctly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from score_tables import evaluate

from gandetect.analyses.variants.measured import Part
from gandetect.config import Experiment, parse_experiment
from gandetect.statistics.scores import CALIBRATION, OTHER_SEED

N = 600  # images of each source
Shares = Mapping[str, Sequence[float]]  # by source: of each run
ID, OUT = "real:in-distribution", "real:held-out"


def experiment(*variants: dict, seeds: int = 3, **changes: object) -> Experiment:
    """Two GANs and two further generators; a variant needs a name alone."""
    gan = {"architecture": "dcgan-plain"}
    table = {
        "name": "tiny",
        "seeds": list(range(seeds)),
        "gans": [{**gan, "name": "a"}, {**gan, "name": "b"},
                 *({**gan, "name": name, "role": "source"} for name in ("far", "farther"))],
        "variants": [{"changes": {"data": {}}, **one} for one in variants],
    }  # fmt: skip
    return parse_experiment({**table, **changes})


def study(
    name: str,
    detectors: Mapping[str, tuple[Sequence[str], Shares]],
    of: Experiment | None = None,
) -> Part:
    """A study whose detectors know some GANs and answer these shares of each source correctly."""
    tables = [
        one
        for detector, (_, shares) in detectors.items()
        for source, of_runs in shares.items()
        for seed, share in enumerate(of_runs)
        for one in _tables(detector, source, seed, share)
    ]
    facts = {
        detector: {"kind": "discriminator", "recipe": None,
                   "own": [f"generated:{gan}" for gan in known]}
        for detector, (known, _) in detectors.items()
    }  # fmt: skip
    scores = pd.concat(tables, ignore_index=True)
    metrics = evaluate(scores, calibrated_fpr=0.05, detectors=facts)
    return Part(name, of or experiment(), metrics, scores)


def _tables(detector: str, source: str, seed: int, share: float) -> list[pd.DataFrame]:
    label = source.partition(":")[0]
    right, wrong = (1.0, -3.0) if label == "generated" else (-3.0, 1.0)
    answers = np.where(np.arange(N) < round(share * N), right, wrong)
    drawn_by = seed + 100 if source.endswith(OTHER_SEED) else seed
    tables = [_table(detector, source.removesuffix(OTHER_SEED), seed, drawn_by, answers)]
    if source == ID:  # a cut between -2 and -1, so that any answer above is "generated"
        tables.append(_table(detector, CALIBRATION, seed, seed, np.linspace(-2, -1, 100)))
    return tables


def _table(
    detector: str, source: str, seed: int, drawn_by: int, scores: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "detector": detector,
            "detector_seed": seed,
            "epoch": 1,
            "source": source,
            "source_seed": drawn_by,
            "label": source.partition(":")[0],
            "index": np.arange(len(scores)),
            "score": scores,
        }
    )


def shares(**of_sources: Sequence[float]) -> dict[str, Sequence[float]]:
    """Shares by source: ``id`` and ``out`` are the two groups of reals, others are GANs."""
    reals = {"id": ID, "out": OUT}
    return {reals.get(name, f"generated:{name}"): runs for name, runs in of_sources.items()}

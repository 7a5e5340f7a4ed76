"""Scores the shards of a collection with Ray Data: a pool of actors that load the detector once.

A row of the data set is a shard, not an image: so outputs are one for a shard and appear whole,
what is done is not read again, and no image passes through Ray's object store.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gandetect import runs
from gandetect.detectors.folder import DESCRIPTION, WEIGHTS, load_detector
from gandetect.detectors.protocol import Detector
from gandetect.errors import GandetectError, RunError
from gandetect.scoring.collection import Counts, Work, score_shard
from gandetect.scoring.shards import Order, Shard

DETECTOR = "_detector"  # in the output folder, passed over by readers of Parquet folders


def score_on_ray(ray: Any, detector: Path, order: Order, *, workers: int, device: str) -> Work:
    """Let so many actors of a Ray that this process has joined do the shards.

    The detector is copied into the output folder, which like the images must be on a path that all
    nodes see. A shard whose actor or node dies is done again elsewhere. Raises `RunError` when an
    actor cannot do its work.
    """
    with runs.atomic_folder(Path(order.folder, DETECTOR)) as fresh:
        for name in (DESCRIPTION, WEIGHTS):
            shutil.copyfile(detector / name, fresh / name)

    def work(shards: Sequence[Shard]) -> Iterable[Counts]:
        if not shards:
            return
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        rows = [{"shard": json.dumps(asdict(shard))} for shard in shards]
        scored = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            ShardScorer,
            fn_constructor_kwargs={"order": asdict(order), "device": device},
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(shards))),
            num_cpus=1,
            num_gpus=int(device == "cuda"),
        )
        for row in scored.iter_rows():
            answer = json.loads(row["answer"])
            if "problem" in answer:
                raise RunError(answer["problem"])
            yield Counts(**answer)

    return work


class ShardScorer:
    """An actor: one detector, loaded with the first shard, and a shard at a time."""

    def __init__(self, order: dict[str, Any], device: str) -> None:
        self.order = Order(**order)
        self.detector: Detector | None = None
        self.device = device

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Answer a batch of one shard with its counts, or with the sentence why there are none."""
        (told,) = batch["shard"]
        try:
            answer = asdict(self._score(Shard(**json.loads(told))))
        except (GandetectError, OSError) as error:
            answer = {"problem": str(error)}
        return {"answer": [json.dumps(answer)]}

    def _score(self, shard: Shard) -> Counts:
        copied = Path(self.order.folder, DETECTOR)
        for needed in (copied, Path(shard.source)):
            if not needed.exists():
                raise RunError(
                    f"a Ray worker does not see {str(needed)!r}; put images and --out where every "
                    "node sees them under the same path"
                )
        if self.detector is None:
            self.detector = load_detector(copied, self.device)
        return score_shard(self.detector, shard, self.order)

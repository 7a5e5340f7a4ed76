"""Read the images of one source from elsewhere, at one size, and split them where asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config import SourceTable
from gandetect.data.folders import PassedOver
from gandetect.data.found import LeftOut, leave_out, left_out_sentences, written
from gandetect.data.groups import groups_of, near_duplicate_pairs, split_by_group
from gandetect.data.overlap import perceptual_hashes
from gandetect.data.patterns import pattern_facts
from gandetect.data.stored import PixelFile
from gandetect.data.streaming import DecodeOptions
from gandetect.detectors.protocol import Preprocessing
from gandetect.engine import Context, Facts, Stage
from gandetect.events import steps
from gandetect.machine import require_room
from gandetect.randomness import stream
from gandetect.sources.foreign import IMAGES, TABLE, TEST, ForeignImages, ForeignSource

FACTS = "source.json"


@dataclass(frozen=True)
class SourceImages(Stage):
    """All images of a source ``(N, C, H, W) uint8``, with a row for each: its name and its split.

    The split is that of ``split_by``, the same images at another size, where there is one. What
    cannot be read is left out and named.
    """

    table: SourceTable
    preprocessing: Preprocessing
    split_by: SourceImages | None = None

    HERE: ClassVar[bool] = True
    WEIGHT: ClassVar[float] = 4.0  # less than the data: what runs here first
    PLACE: ClassVar = "sources/{self.table.name}/{self.preprocessing.image_size}px"
    TITLE: ClassVar = "Reading source {self.table.name} at {self.preprocessing.image_size} px"

    def source(self, seed: int, split: str = TEST) -> ForeignSource:
        """Its images of a split; every seed sees the same fakes under its own number."""
        own = seed if self.table.label == "generated" else 0
        return ForeignSource(self.table.source, own, self.place, split)

    def drawn(
        self, count: int, purpose: str, context: Context, seed: int, split: str
    ) -> NDArray[np.uint8]:
        """Images ``(count, C, H, W)`` of a split at random; where there are fewer they repeat."""
        rng = stream(seed, f"{purpose}, {self.table.name}")
        return self.source(seed, split).open(context.run, context.cache).draw(count, rng)

    @property
    def kind(self) -> ForeignImages:
        """Its table, which knows where images come from."""
        assert isinstance(self.table, ForeignImages)
        return self.table

    def _root(self, context: Context) -> Path:
        return context.home if self.kind.BELOW == "home" else context.data_dir

    def settings(self) -> Mapping[str, object]:
        """All of the table but the place of files, whose content counts."""
        table = self.table.model_dump(mode="json", exclude={"path"})
        return {"table": table, "preprocessing": self.preprocessing.model_dump(mode="json")}

    def check(self, context: Context) -> None:
        """Refuse what is not there, is no image, or is too little."""
        self.kind.check(self._root(context))

    def outside(self, context: Context) -> object:
        return self.kind.digest(self._root(context))

    def run(self, context: Context) -> Facts:
        table, left_out = self._read(context)
        sentences = left_out_sentences(left_out, f"{self.place}/{FACTS}")
        for sentence in sentences:
            context.warn(f"source {self.table.name}: {sentence}")
        self.kind.require(len(table), "".join(f"; {one}" for one in sentences))
        if self.split_by is not None:
            other = pd.read_parquet(context.of(self.split_by) / TABLE)
            table[["group", "split"]] = other[["group", "split"]]
        else:
            table = self._split(table, context)
        table.to_parquet(context.folder / TABLE, index=False)
        facts = {
            "name": self.table.name,
            "label": self.table.label,
            "kind": self.table.kind,
            "train": self.table.train,
            "images": len(table),
            "splits": table["split"].value_counts().to_dict(),
            "groups": int(table["group"].nunique()),
            "left_out": left_out,
        }
        runs.write_json(context.folder / FACTS, facts)
        return {"n": len(table)}

    def _read(self, context: Context) -> tuple[pd.DataFrame, LeftOut]:
        """Write the pixels; returns a row for each image, and what has none."""
        shape, total = self.preprocessing, self.kind.number(self._root(context))
        size = shape.channels, shape.image_size, shape.image_size
        bytes_of_all = total * int(np.prod(size))
        require_room(context.folder, bytes_of_all, f"{total:,} images", "give fewer images")
        options = DecodeOptions(shape.channels, shape.image_size, shape.fit, shape.background)
        tick = steps(context.notify, f"reading {self.table.name}")
        rows: list[dict[str, Any]] = []
        left_out: LeftOut = []
        passed = PassedOver()
        given = self.kind.images(self._root(context), options, context.workers, passed.add)
        with closing(PixelFile(context.folder / IMAGES, size)) as pixels:
            for one in given:
                if one.pixels is None:
                    leave_out(left_out, str(one.path), str(one.error))
                    continue
                pixels.add(one.pixels)
                folder = one.path.parent
                row = {"path": written(one.path), "folder": "" if folder == Path() else str(folder)}
                rows.append({**row, "pixels_sha256": hashlib.sha256(one.pixels.data).hexdigest()})
                tick(len(rows), total)
        for sentence in passed.sentences():
            context.warn(f"source {self.table.name}: {sentence}")
        return pd.DataFrame(rows, columns=["path", "folder", "pixels_sha256"]), left_out

    def _split(self, table: pd.DataFrame, context: Context) -> pd.DataFrame:
        """Number the groups, and deal them to the sides; all are for testing without ``train``."""
        config = self.table
        pattern_facts(table.assign(class_name=config.name), config.group_pattern, 0.0)
        near: list[tuple[int, int]] = []
        if config.near_duplicates is not None:
            pixels = np.load(context.folder / IMAGES, mmap_mode="r", allow_pickle=False)
            near = near_duplicate_pairs(perceptual_hashes(pixels), config.near_duplicates)
        alike = table.assign(group=table["folder"] if config.group_folders else "")
        groups = groups_of(alike, pattern=config.group_pattern, near=near)
        sides: Any = TEST
        if config.train:
            sides = split_by_group(
                np.repeat(config.name, len(table)),
                groups,
                validation_fraction=config.validation_fraction,
                test_fraction=config.test_fraction,
                seed=config.split_seed,
            )
        return table.assign(group=groups, split=sides)


def images_by_folder(place: Path, source: str) -> pd.DataFrame:
    """The sub-folder of each image, as its class: columns source, index, class_name."""
    folders = pd.read_parquet(place / TABLE, columns=["folder"])["folder"]
    name = source.partition(":")[2]
    classes = [f"{name}/{folder}" if folder else name for folder in folders]
    return pd.DataFrame({"source": source, "index": np.arange(len(classes)), "class_name": classes})

"""A kind of source in one file: stripes that move from image to image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from gandetect.config.section import ImageCount
from gandetect.data.streaming import Decoded, DecodeOptions, Tell
from gandetect.sources.foreign import ForeignImages, decoded_arrays


class Stripes(ForeignImages):
    """``count`` images of stripes, ``width`` pixels wide."""

    kind: Literal["stripes"]
    count: ImageCount = 40
    width: int = 3

    def number(self, root: Path) -> int:
        """As many as it is asked for."""
        return self.count

    def images(
        self, root: Path, options: DecodeOptions, workers: int, tell: Tell
    ) -> Iterator[Decoded]:
        """The first image, moved on by a pixel each time."""
        across = (np.arange(32) + np.arange(self.count)[:, None]) // self.width % 2 * 255
        images = np.broadcast_to(across[:, None, None], (self.count, 1, 32, 32))
        return decoded_arrays(images.astype(np.uint8), options)

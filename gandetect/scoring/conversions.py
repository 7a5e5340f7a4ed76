"""Counts the conversions of a scoring, and says them in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from gandetect.scoring.paths import ScoredImage

KINDS = 1000  # told apart: of more, as where every picture has a size of its own, memory is spared
NAMED = 3


class ConversionTally:
    """How many images were seen and scored after which conversion, in constant memory."""

    def __init__(self) -> None:
        self.images = 0
        self.remarks = 0
        self._counts: Counter[str] = Counter()
        self._others = 0

    def watch(self, scored: Iterable[ScoredImage]) -> Iterator[ScoredImage]:
        """Pass lines on, and count them."""
        for line in scored:
            self.add(1, {line.conversion: 1})
            self.remarks += bool(line.remark)
            yield line

    def add(self, images: int, conversions: Mapping[str, int]) -> None:
        """Count so many images; ``conversions`` says how many by text, the empty one being none."""
        self.images += images
        for text, count in conversions.items():
            if text and (text in self._counts or len(self._counts) < KINDS):
                self._counts[text] += count
            elif text:
                self._others += count

    def sentences(self) -> list[str]:
        """What to tell the user: of conversions, and of metadata."""
        parts = [sentence] if (sentence := self.sentence()) else []
        if self.remarks:
            parts.append(
                f"{self.remarks:,} of {self.images:,} images hold metadata that are damaged or "
                "large, which changes no score; `gandetect data check` names them"
            )
        return parts

    def sentence(self) -> str | None:
        """What to tell the user; None when nothing was converted."""
        converted = self._counts.total() + self._others
        if not converted:
            return None
        most = self._counts.most_common(NAMED)
        parts = [f"{count:,} {text}" for text, count in most]
        if rest := converted - sum(count for _, count in most):
            parts.append(f"{rest:,} otherwise")
        return (
            f"{converted:,} of {self.images:,} images were converted: {'; '.join(parts)}. A "
            "detector is only known to work on images like those that it was trained on; "
            "--strict refuses others"
        )

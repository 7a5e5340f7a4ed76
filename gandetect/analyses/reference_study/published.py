"""What the reference study reports, as plain data, to stand beside our own numbers.

Its Net 1 is our `dcgan-bn` and its Net 2 our `dcgan-plain`: two DCGANs for Fashion-MNIST from two
public Keras notebooks, one run each, decided at D = 0.5, without intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

CAVEAT = (
    "The study does not report which three classes were held out, nor any uncertainty, so compare "
    "with care."
)


@dataclass(frozen=True)
class ClassRow:
    """Precision, recall, F1 and the number of images, as printed (two decimals)."""

    precision: float
    recall: float
    f1: float
    n: int


@dataclass(frozen=True)
class GroupRow:
    """Recall and F1 of a group of one label, as printed (two decimals)."""

    recall: float
    f1: float
    n: int


@dataclass(frozen=True)
class PublishedTables:
    """One net's tables: own generated images and all test reals, then the single-label groups."""

    net: str
    generated: ClassRow
    real: ClassRow
    accuracy: float
    macro: ClassRow
    weighted: ClassRow
    groups: MappingProxyType[str, GroupRow]  # by role: held-out, in-distribution, other


PUBLISHED: MappingProxyType[str, PublishedTables] = MappingProxyType(
    {
        "dcgan-bn": PublishedTables(
            net="Net 1",
            generated=ClassRow(0.59, 0.82, 0.69, 22_200),
            real=ClassRow(0.71, 0.44, 0.54, 22_200),
            accuracy=0.63,
            macro=ClassRow(0.65, 0.63, 0.61, 44_400),
            weighted=ClassRow(0.65, 0.63, 0.61, 44_400),
            groups=MappingProxyType(
                {
                    "held-out": GroupRow(0.43, 0.60, 18_000),
                    "in-distribution": GroupRow(0.46, 0.63, 4_200),
                    "other": GroupRow(0.79, 0.88, 10_000),
                }
            ),
        ),
        "dcgan-plain": PublishedTables(
            net="Net 2",
            generated=ClassRow(0.69, 0.94, 0.79, 22_200),
            real=ClassRow(0.91, 0.57, 0.70, 22_200),
            accuracy=0.76,
            macro=ClassRow(0.80, 0.76, 0.75, 44_400),
            weighted=ClassRow(0.80, 0.76, 0.75, 44_400),
            groups=MappingProxyType(
                {
                    "held-out": GroupRow(0.57, 0.72, 18_000),
                    "in-distribution": GroupRow(0.61, 0.75, 4_200),
                    "other": GroupRow(1.00, 1.00, 10_000),
                }
            ),
        ),
    }
)

"""What class a file's format, mode and size betray: a detector could learn that instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from gandetect.data.reading import Examined

SHARE = 0.1  # least difference of a value's shares that is worth a sentence
AUROC = 0.6  # least AUROC of a size alone that is worth one
STANDARD_ERRORS = 3  # and it must not be chance
Values = NDArray[Any]
Side = tuple[str, NDArray[np.bool_]]


def summary_by_class(examined: Sequence[Examined], classes: Sequence[str]) -> dict[str, Any]:
    """Count formats and modes, and sum up sizes, of the intact files of each class.

    Sizes are ``[width, height]`` in pixels: the median of either side, the smallest and the
    largest picture by area, and the commonest size with its count.
    """
    members: dict[str, list[Examined]] = {name: [] for name in sorted(set(classes))}
    for file, name in zip(examined, classes, strict=True):
        if file.error is None:
            members[name].append(file)
    return {
        "formats": {name: _counted(file.format for file in own) for name, own in members.items()},
        "modes": {name: _counted(file.mode for file in own) for name, own in members.items()},
        "sizes": {name: _sizes(own) for name, own in members.items() if own},
    }


def shortcuts(
    examined: Sequence[Examined], classes: Sequence[str], labels: Sequence[str] | None = None
) -> list[str]:
    """Say in sentences where format, mode or size alone tells classes of intact files apart.

    With ``labels``, each real class is compared with each generated one; without, two classes
    with each other and more than two each with all the others. A sentence is made of a value
    (a format, a mode, an exact size) whose shares differ by at least 10 percentage points, and
    of an area or shape that alone ranks the classes with an AUROC of at least 0.6; either only
    when it is more than three standard errors off what equal classes would show.
    """
    intact = np.array([file.error is None for file in examined], dtype=bool)
    files = [file for file in examined if file.error is None]
    names = np.array(list(classes), dtype=object)[intact]
    given = None if labels is None else np.array(list(labels), dtype=object)[intact]
    return [
        sentence
        for first, second in _sides(names, given)
        for sentence in _compare(files, first, second)
    ]


def _counted(values: Iterator[str | None]) -> dict[str, int]:
    return {str(value): count for value, count in Counter(values).most_common()}


def _sizes(files: Sequence[Examined]) -> dict[str, Any]:
    sizes = np.array([(file.width, file.height) for file in files], dtype=np.int64)
    areas = sizes.prod(axis=1)
    commonest, count = Counter(map(tuple, sizes.tolist())).most_common(1)[0]
    return {
        "median": np.median(sizes, axis=0).round().astype(int).tolist(),
        "smallest": sizes[areas.argmin()].tolist(),
        "largest": sizes[areas.argmax()].tolist(),
        "commonest": list(commonest),
        "commonest_count": count,
    }


def _sides(names: Values, labels: Values | None) -> Iterator[tuple[Side, Side]]:
    own = {str(name): names == name for name in sorted(set(names))}
    if labels is not None:
        real, generated = (sorted(set(names[labels == label])) for label in ("real", "generated"))
        for first in real:
            for second in generated:
                yield (repr(first), own[first]), (repr(second), own[second])
    elif len(own) == 2:
        (first, ours), (second, theirs) = own.items()
        yield (repr(first), ours), (repr(second), theirs)
    elif len(own) > 2:
        for name, mask in own.items():
            yield (repr(name), mask), ("the other classes", ~mask)


def _compare(files: Sequence[Examined], first: Side, second: Side) -> Iterator[str]:
    def column(values: Iterable[Any]) -> Values:
        return np.array(list(values), dtype=object)

    yield from _by_value("format", column(file.format for file in files), first, second)
    yield from _by_value("mode", column(file.mode for file in files), first, second)
    exact = column(f"{file.width} x {file.height} px" for file in files)
    different = list(_by_value("size", exact, first, second))
    yield from different
    if not different:
        sizes = np.array([(file.width, file.height) for file in files], dtype=np.float64)
        yield from _by_rank("area (width x height)", sizes.prod(axis=1), first, second)
        yield from _by_rank("shape (width / height)", sizes[:, 0] / sizes[:, 1], first, second)


def _by_value(kind: str, values: Values, first: Side, second: Side) -> Iterator[str]:
    """Yield a sentence on the value whose shares in two classes differ most, if they do."""
    (name, ours), (other, theirs) = first, second
    n, m = int(ours.sum()), int(theirs.sum())
    counts, others = Counter(values[ours]), Counter(values[theirs])
    largest, sentence = 0.0, ""
    for value in sorted(set(counts) | set(others)):
        share, its = counts[value] / n, others[value] / m
        pooled = (counts[value] + others[value]) / (n + m)
        error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        if abs(share - its) >= max(SHARE, STANDARD_ERRORS * error) and abs(share - its) > largest:
            largest = abs(share - its)
            sentence = f"{kind}: {value} is {share:.0%} of {name} and {its:.0%} of {other}"
    if sentence:
        yield sentence


def _by_rank(kind: str, values: Values, first: Side, second: Side) -> Iterator[str]:
    """Yield a sentence when a number alone ranks one class above the other (Mann-Whitney)."""
    (name, ours), (other, theirs) = first, second
    n, m = int(ours.sum()), int(theirs.sum())
    auroc = mannwhitneyu(values[ours], values[theirs], method="asymptotic").statistic / (n * m)
    error = np.sqrt((n + m + 1) / (12 * n * m))
    if abs(auroc - 0.5) >= max(AUROC - 0.5, STANDARD_ERRORS * error):
        more = "larger" if auroc > 0.5 else "smaller"
        yield (
            f"size: {kind} is {more} in {name} than in {other}, and alone tells them apart with "
            f"an AUROC of {max(auroc, 1 - auroc):.2f}"
        )

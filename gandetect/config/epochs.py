"""Which epochs of a training are meant, in words of an experiment file."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

WORDS = "all|last|(every|last) [1-9][0-9]{0,3}"


def _known_epochs(epochs: str) -> str:
    if not re.fullmatch(WORDS, epochs):
        raise ValueError(
            f'{epochs!r} names no epochs; give "all", "last", "last 3" for the last three, or '
            '"every 5" for the 5th, 10th, … and the last'
        )
    return epochs


Epochs = Annotated[
    str,
    AfterValidator(_known_epochs),
    WithJsonSchema({"type": "string", "pattern": f"^({WORDS})$"}),
]


def chosen_epochs(wanted: str, epochs: int) -> list[int]:
    """Epochs, counted from 1, that "all", "last", "last 3" or "every 5" mean of so many.

    >>> chosen_epochs("last 2", 5), chosen_epochs("every 2", 5), chosen_epochs("last", 5)
    ([4, 5], [2, 4, 5], [5])
    """
    kind, _, number = wanted.partition(" ")
    if kind == "every":
        return sorted({*range(int(number), epochs + 1, int(number)), epochs})
    count = epochs if kind == "all" else int(number or 1)
    return list(range(max(1, epochs - count + 1), epochs + 1))

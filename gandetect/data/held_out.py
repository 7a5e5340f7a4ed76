"""Which classes an experiment file means, by their names or numbers."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.data.found import same_text
from gandetect.errors import UsageError, did_you_mean, listed, shown


def resolve_held_out(
    given: Sequence[str | int],
    classes: Sequence[str],
    key: str = "held_out",
    data_set: str = "the data",
) -> tuple[int, ...]:
    """Class numbers of classes given by name, a string in any case, or number, an integer; sorted.

    Raises `UsageError` for an unknown class (naming the nearest), one given twice, none or all.

    >>> resolve_held_out(["bag", 9], ["Shirt", "Bag", "Sandal"] + ["other"] * 7)
    (1, 9)
    """
    numbers = [_class_number(name, classes, key, data_set) for name in given]
    twice = {number for number in numbers if numbers.count(number) > 1}
    if twice:
        raise UsageError(f"{key} names {shown(classes[min(twice)])} twice; give each class once")
    if not numbers:
        raise UsageError(f"{key} is empty; name at least one class that nobody trains on")
    if len(numbers) == len(classes):
        raise UsageError(
            f"{key} names all {len(classes)} classes, which leaves nothing to train on; "
            "leave at least one out of it"
        )
    return tuple(sorted(numbers))


def resolve_selection(
    given: Sequence[str | int],
    held_out: Sequence[int],
    classes: Sequence[str],
    data_set: str = "the data",
    key: str = "selection",
) -> tuple[int, ...]:
    """Class numbers that settings or detectors are chosen by; mostly none.

    Raises `UsageError` as `resolve_held_out` does, and for a class that is held out anyway.

    >>> resolve_selection(["bag"], (9,), ["Shirt", "Bag", "Sandal"] + ["other"] * 7)
    (1,)
    """
    if not given:
        return ()
    chosen = resolve_held_out(given, classes, key, data_set)
    both = [classes[number] for number in chosen if number in held_out]
    if both:
        raise UsageError(
            f"{key} names {shown(both[0])}, which is held out and must stay untouched while "
            "settings are chosen; name classes that are not in held_out"
        )
    if len(chosen) + len(held_out) >= len(classes):
        raise UsageError(
            f"{key} and held_out name all classes together, which leaves nothing to train on; "
            "leave at least one out of both"
        )
    return chosen


def _class_number(wanted: str | int, classes: Sequence[str], key: str, data_set: str) -> int:
    """The number of a class given by name, a string, or by number, an integer: never the other."""
    if isinstance(wanted, str):
        if wanted in classes:
            return list(classes).index(wanted)
        normalised = same_text(wanted)
        alike = [number for number, name in enumerate(classes) if same_text(name) == normalised]
        if len(alike) == 1:  # where case tells classes apart it has to be given
            return alike[0]
    elif not isinstance(wanted, bool) and 0 <= wanted < len(classes):
        return wanted
    raise UsageError(
        f"{key} class {shown(wanted)} is not in {data_set}; its classes are: {listed(classes)} (or "
        f"0 to {len(classes) - 1}, without quotes){did_you_mean(wanted, classes)}"
    )

"""A sweep over the classes that are held out: one experiment file, several plain experiments."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.config.canonical import digest_of
from gandetect.config.class_images import Choice, ClassImagesConfig
from gandetect.config.experiment import Experiment
from gandetect.errors import UsageError


def is_sweep(experiment: Experiment) -> bool:
    """Whether ``held_out`` names several choices of classes instead of one."""
    held_out = experiment.data.held_out
    return isinstance(held_out, str) or any(isinstance(one, tuple) for one in held_out)


def one_choice(data: ClassImagesConfig) -> Choice:
    """The classes that a plain experiment holds out.

    Raises `UsageError` for a sweep, which holds out others in every choice.
    """
    choices = _listed(data)
    if isinstance(data.held_out, str) or choices:
        shown = data.held_out if isinstance(data.held_out, str) else [list(one) for one in choices]
        raise UsageError(
            f"held_out = {shown!r} is a sweep over several choices of held-out classes, and this "
            "needs a plain experiment; use `gandetect run`, or choose with "
            "--set 'data.held_out=[\"Bag\"]'"
        )
    return tuple(one for one in data.held_out if not isinstance(one, tuple))


def expand(experiment: Experiment, classes: Sequence[str]) -> list[Experiment]:
    """One plain experiment for each choice of held-out classes; a plain one gives itself.

    "sweep:3" holds out every class once in groups of three, drawn by ``split_seed`` alone. Where
    the classes do not divide by three, the last group is filled up with classes that were held
    out before, so every choice holds out equally many.

    Args:
        experiment: what was read from the experiment file.
        classes: names of all classes of its data set.

    Raises `UsageError` for groups so large that no class is left to train on.
    """
    data = experiment.data
    if not isinstance(data, ClassImagesConfig) or not is_sweep(experiment):
        return [experiment]
    if isinstance(data.held_out, str):
        size = int(data.held_out.partition(":")[2])
        if size >= len(classes):
            raise UsageError(
                f"held_out = {data.held_out!r} would hold out all {len(classes)} classes at once, "
                f"which leaves nothing to train on; give sweep:1 to sweep:{len(classes) - 1}"
            )
        choices = groups(classes, size, data.split_seed)
    else:
        choices = _listed(data)
    return [
        experiment.model_copy(update={"data": data.model_copy(update={"held_out": choice})})
        for choice in choices
    ]


def groups(classes: Sequence[str], size: int, seed: int) -> list[Choice]:
    """Divide classes into groups of ``size``, in an order that ``seed`` draws.

    The last group is filled up from the first ones, one class of each in turn.

    >>> [len(group) for group in groups("abcdefghij", 3, seed=0)]
    [3, 3, 3, 3]
    """
    # Sorted by digests, the order is the same on every machine and with every library version.
    drawn = sorted(classes, key=lambda name: digest_of(["sweep", seed, name]))
    found = [drawn[start : start + size] for start in range(0, len(drawn), size)]
    before = [group[place] for place in range(size) for group in found[:-1]]
    found[-1] += before[: size - len(found[-1])]
    return [tuple(name for name in classes if name in group) for group in found]


def _listed(data: ClassImagesConfig) -> list[Choice]:
    """The choices of a list of lists."""
    return [one for one in data.held_out if isinstance(one, tuple)]

"""An experiment file with ``[[variants]]``, as one plain experiment for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gandetect.config.changes import NAMED, merged
from gandetect.config.experiment import Experiment
from gandetect.config.generator import GeneratorConfig
from gandetect.config.loading import parse_experiment
from gandetect.errors import UsageError

BASELINE = "baseline"
JOINT = "+"
SEVERAL = "several"


def expand(experiment: Experiment) -> dict[str, Experiment]:
    """One plain experiment by name: "baseline" first, then every variant in order.

    Where a variant changes GANs, classifiers or detectors alone, its study holds only what it
    changes: the baseline's GANs stay as sources, so that everybody is tested on the same images, a
    changed one stands beside its own as ``<gan>+<variant>``, and what does not change is in the
    baseline alone. Where anything else changes, it is a whole study.

    Raises `UsageError` with the variant's name for a name that is taken, a ``compared_with`` that
    is not known, changes that change nothing, and for what cannot be done.
    """
    _check_names(experiment)
    plain = experiment.model_copy(update={"name": BASELINE, "variants": ()})
    table = plain.model_dump(mode="json")
    parts = {BASELINE: plain}
    for variant in experiment.variants:
        whole = _parsed(merged(table, variant), variant.name)
        if whole == plain:
            raise UsageError(
                f"variant {variant.name!r} changes nothing, all that it gives is so already; give "
                "another value, or remove it"
            )
        beside = all(getattr(whole, key) == getattr(plain, key) for key in _others(plain))
        changed = _beside(plain, whole, variant.name) if beside else whole.model_dump(mode="json")
        parts[variant.name] = _parsed({**changed, "name": variant.name}, variant.name)
    return parts


def base_gans(experiment: Experiment) -> list[str]:
    """Names of the GANs whose discriminators are detectors and whose images are sources."""
    return [gan.name for gan in experiment.gans if gan.role == "both"]


def base_of(known: Sequence[str], bases: Sequence[str]) -> str | None:
    """The GAN that a detector is a variant of or made of: "several" if those are several.

    ``known`` are the GANs whose images it was trained on; without any there is no such GAN.

    >>> base_of(["a+r1"], ["a", "b"]), base_of(["a", "b"], ["a", "b"])
    ('a', 'several')
    """
    by_length = sorted(bases, key=len, reverse=True)
    base_names = {
        next((gan for gan in by_length if name == gan or name.startswith(gan + JOINT)), name)
        for name in known
    }
    return SEVERAL if len(base_names) > 1 else next(iter(base_names), None)


def _others(plain: Experiment) -> list[str]:
    return [key for key in type(plain).model_fields if key not in NAMED]


def _check_names(experiment: Experiment) -> None:
    before = [BASELINE]
    for variant in experiment.variants:
        if variant.name in before:
            why = (
                "the experiment without any" if variant.name == BASELINE else "already another one"
            )
            raise UsageError(
                f"a variant is named {variant.name!r}, which is {why}; give it another name"
            )
        if variant.compared_with is not None and variant.compared_with not in before:
            raise UsageError(
                f"variant {variant.name!r} is to be compared with {variant.compared_with!r}, and "
                "no earlier variant is called so; name one that stands before it, or remove "
                "compared_with"
            )
        before.append(variant.name)


def _parsed(table: Mapping[str, Any], variant: str) -> Experiment:
    origin = f"variant {variant!r}"
    try:
        return parse_experiment(table, origin)
    except UsageError as error:
        message = str(error)  # a name that is not known comes without the origin
        named = message if message.startswith(origin) else f"{origin}: {message}"
        raise UsageError(named) from None


def _beside(plain: Experiment, whole: Experiment, variant: str) -> dict[str, Any]:
    """The table of a study that stands beside the baseline: what is new or changed, and sources."""
    before = {gan.name: gan for gan in plain.gans}
    sources = [_with(gan, role="source") for gan in plain.gans if gan.role != "detector"]
    renamed = {gan.name: f"{gan.name}{JOINT}{variant}" for gan in whole.gans
               if gan != before.get(gan.name, gan)}  # fmt: skip
    own = [
        _with(gan, name=renamed.get(gan.name, gan.name),
              role="detector" if gan.name in renamed and gan.role == "both" else gan.role)
        for gan in whole.gans if gan.name in renamed or gan.name not in before
    ]  # fmt: skip
    return {
        **plain.model_dump(mode="json"),
        "gans": [*sources, *own],
        "classifiers": _renamed(whole.classifiers, plain.classifiers, renamed),
        "detectors": _renamed(whole.detectors, plain.detectors, renamed),
        "evaluation": {**plain.evaluation.model_dump(mode="json"), "trajectory": "last"},
    }


def _with(gan: GeneratorConfig, **changes: str) -> dict[str, Any]:
    return {**gan.model_dump(mode="json"), **changes}


def _renamed(
    entries: Sequence[Any], before: Sequence[Any], renamed: Mapping[str, str]
) -> list[dict[str, Any]]:
    """New and changed entries; where they name a GAN that was changed, it is the changed one."""
    tables = []
    for entry in entries:
        if entry in before:
            continue
        table = entry.model_dump(mode="json")
        for key in ("gan", "features_of", "fakes_from"):
            names = table.get(key)
            if isinstance(names, list):
                table[key] = [renamed.get(name, name) for name in names]
            elif names in renamed:
                table[key] = renamed[names]
        tables.append(table)
    return tables

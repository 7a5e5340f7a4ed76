"""An ablation: one experiment file with ``[[ingredients]]``, a plain experiment for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gandetect.config.data import LabelledDataConfig
from gandetect.config.detector import DetectorTable, IngredientConfig, post_hoc_kinds
from gandetect.config.experiment import Experiment
from gandetect.config.gan import GanConfig
from gandetect.config.loading import parse_experiment
from gandetect.config.sweep import is_sweep
from gandetect.errors import UsageError

BASELINE = "baseline"
JOINT = "+"
SMOOTHED = ("real_label", "fake_label")
# The key in which a table says what it is made of, if its kind has one of these.
MADE_OF = ("gan", "features_of")


def is_ablation(experiment: Experiment) -> bool:
    """Whether the experiment has ingredients, each of which is a study of its own."""
    return bool(experiment.ingredients)


def base_gans(experiment: Experiment) -> list[str]:
    """Names of the GANs that ingredients change, or make detectors of: those of role "both"."""
    return [gan.name for gan in experiment.gans if gan.role == "both"]


def expand(experiment: Experiment) -> dict[str, Experiment]:
    """One plain experiment by name: "baseline" first, then every ingredient in order.

    The baseline is the experiment without ingredients. In an ingredient the baseline's GANs are
    sources, so that everybody is tested on the same images; its other detectors stand in the
    baseline alone. ``gans`` are merged key by key into a variant of every GAN of role "both",
    which is called ``<gan>+<ingredient>``; so is what ``detectors`` and ``classifiers`` make of
    every such GAN, or of its variant where there is one. A loss without labels does away with the
    smoothing of labels.

    Raises `UsageError` for an ablation of a sweep or of labelled images, for a name that is taken,
    without any GAN of role "both", and with the ingredient's name for one that cannot be done, or
    whose ``gans`` say what every GAN's table says without it.
    """
    _check(experiment)
    table = experiment.model_dump(mode="json")
    del table["ingredients"]
    parts = {BASELINE: parse_experiment({**table, "name": BASELINE})}
    for ingredient in experiment.ingredients:
        part = _parsed(_changed(table, ingredient), ingredient.name)
        if ingredient.gans:
            _check_difference(part, parts[BASELINE], ingredient.name)
        parts[ingredient.name] = part
    return parts


def base_of(detector: str, known: Sequence[str], bases: Sequence[str]) -> str | None:
    """The GAN that a detector is a variant of or made of: "several" if those are several.

    ``known`` are the GANs whose images it was trained on; without any there is no such GAN.

    >>> base_of("a+r1", ["a+r1"], ["a", "b"]), base_of("x", ["a", "b"], ["a", "b"])
    ('a', 'several')
    """
    by_length = sorted(bases, key=len, reverse=True)
    found = {next((gan for gan in by_length if one == gan or one.startswith(gan + JOINT)), one)
             for one in known}  # fmt: skip
    return "several" if len(found) > 1 else next(iter(found), None)


def _check(experiment: Experiment) -> None:
    name = experiment.name
    if isinstance(experiment.data, LabelledDataConfig):
        raise UsageError(
            f"experiment {name!r} has [[ingredients]], which change GANs or are made of them, and "
            f'data of name = "{experiment.data.name}" bring their own fakes; remove '
            "[[ingredients]], or give real images by class, without labels"
        )
    if is_sweep(experiment):
        raise UsageError(
            f"experiment {name!r} is an ablation and a sweep over held-out classes at once; "
            "remove [[ingredients]], or choose classes with --set 'data.held_out=[\"Bag\"]'"
        )
    if not base_gans(experiment):
        raise UsageError(
            f'experiment {name!r} has [[ingredients]] and no GAN of role "both" that they could '
            'change; give one of the [[gans]] role = "both"'
        )
    names = [one.name for one in experiment.ingredients]
    for number, one in enumerate(experiment.ingredients):
        if one.against is not None and one.against not in names[:number]:
            raise UsageError(
                f"ingredient {one.name!r} is to be compared with {one.against!r}, and no earlier "
                "ingredient is called so; name one that stands before it, or remove against"
            )
    taken = [one for number, one in enumerate(names) if one in (BASELINE, *names[:number])]
    if taken:
        why = "what is left without any" if taken[0] == BASELINE else "already another one"
        raise UsageError(
            f"an ingredient is named {taken[0]!r}, which is {why}; give it another name"
        )


def _check_difference(part: Experiment, baseline: Experiment, ingredient: str) -> None:
    def training(gan: GanConfig) -> dict[str, Any]:
        return {**gan.training_identity(), "name": None}

    variants = [training(gan) for gan in part.gans if gan.role == "detector"]
    if variants == [training(gan) for gan in baseline.gans if gan.role == "both"]:
        raise UsageError(
            f"ingredient {ingredient!r}: gans changes nothing, all that it gives is so already; "
            "give another value, or remove it"
        )


def _parsed(table: Mapping[str, Any], ingredient: str) -> Experiment:
    origin = f"ingredient {ingredient!r}"
    try:
        return parse_experiment(table, origin)
    except UsageError as error:
        said = str(error)  # a name that is not known is said without the origin
        raise UsageError(said if said.startswith(origin) else f"{origin}: {said}") from None


def _changed(table: Mapping[str, Any], ingredient: IngredientConfig) -> dict[str, Any]:
    """The baseline's table with one ingredient."""
    bases = [gan for gan in table["gans"] if gan["role"] == "both"]
    sources = [{**gan, "role": "source"} for gan in table["gans"] if gan["role"] != "detector"]
    variants = [_variant(gan, ingredient) for gan in bases] if ingredient.gans else []
    makers = [(gan["name"], one["name"]) for gan, one in zip(bases, variants or bases, strict=True)]
    classifiers = [{"recipe": "cnn-small", **one} for one in ingredient.classifiers]
    return {
        **table,
        "name": ingredient.name,
        "gans": [*sources, *variants],
        "detectors": list(_made(ingredient, ingredient.detectors, makers)),
        "classifiers": list(_made(ingredient, classifiers, makers)),
        "evaluation": {**table["evaluation"], "trajectory": "last"},
    }


def _variant(gan: Mapping[str, Any], ingredient: IngredientConfig) -> dict[str, Any]:
    given = ingredient.gans
    told = [key for key in ("name", "role") if key in given]
    if told:
        raise UsageError(
            f"ingredient {ingredient.name!r}: gans sets {told[0]!r}, which an ablation gives to "
            "its variants itself; remove it"
        )
    kept = dict(gan)
    if given.get("loss", "non-saturating") != "non-saturating":
        kept = {key: value for key, value in gan.items() if key not in SMOOTHED}
    name = f"{gan['name']}{JOINT}{ingredient.name}"
    return {**_merged(kept, given), "name": name, "role": "detector"}


def _merged(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(table)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _made(
    ingredient: IngredientConfig,
    tables: Sequence[Mapping[str, Any]],
    makers: Sequence[tuple[str, str]],
) -> Iterator[dict[str, Any]]:
    """Every table for every GAN, or once where it says itself what it is made of.

    ``makers`` are names of the baseline's GANs, each with its own or its variant's.
    """
    told_apart = bool(ingredient.gans or (ingredient.detectors and ingredient.classifiers))
    for number, table in enumerate(tables, start=1):
        kind = str(table.get("kind", "classifier"))
        label = [ingredient.name, *([kind] if told_apart else [])]
        label += [str(number)] if len(tables) > 1 else []
        name = table.get("name", "-".join(label))
        key = "fakes_from"
        if "kind" in table:
            fields = post_hoc_kinds().get(kind, DetectorTable).model_fields
            key = next((one for one in MADE_OF if one in fields), MADE_OF[0])
        if key in table:
            yield {**table, "name": name}
            continue
        for base, maker in makers:
            filled = [maker] if key == "fakes_from" else maker
            yield {**table, key: filled, "name": f"{base}{JOINT}{name}"}

"""The first screen: the answer in three sentences, the matrix, and who generalises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gandetect.analyses.analysis import OPENING, Analysis, Chapter
from gandetect.analyses.cross_evaluation.words import share_heat
from gandetect.analyses.summary import warnings
from gandetect.analyses.summary.answer import (
    CAUGHT_ENOUGH,
    DELAYED_AT_MOST,
    answer,
    other_fakes,
    passes,
    scope,
    worst,
)
from gandetect.analyses.summary.generalisation import hold_table
from gandetect.config import LabelledDataConfig
from gandetect.report.document import Block, Fold, Text
from gandetect.report.material import NOUNS, Material, matrix_sources
from gandetect.report.words import count, listing, per_hundred, sentence
from gandetect.statistics.scored_detectors import KINDS

# How each recipe makes a detector of what was trained.
RECIPES = {
    "checkpoint-ensemble": "by averaging a discriminator over its epochs",
    "fine-tuned": "by training a discriminator on while generators stand still",
    "one-class": "by learning what real images look like",
}


def opening(material: Material) -> list[Block]:
    """Under the title: what was done, for somebody who has never heard of any of this."""
    return [Text(what_was_done(material))]


def what_was_done(material: Material) -> str:
    """Who was asked about which images, and the two words of the answer."""
    counts = {kind: len(_named(material, kind)) for kind in KINDS}
    detectors = listing(
        [f"{count(n)} {NOUNS[kind]}{'s' if n > 1 else ''}" for kind, n in counts.items() if n]
    )
    was = "was" if sum(counts.values()) == 1 else "were"
    runs = f", each trained {len(material.seeds)} times" if material.many_seeds else ""
    made = "of each kind of fake" if material.labelled else "of each generator"
    seen = "" if _seen_before(material) else ", none of which had been trained on"
    chosen = (
        "This study is there to choose settings by, and no test image of the study proper is in "
        "it. "
        if getattr(material.inputs.experiment.data, "selection", ())
        else ""
    )
    return (
        f"{chosen}Asked {was} {detectors}{runs}, about images {made}, real test images of familiar "
        f"kinds{_held_out(material)}{seen}. {_who(material, counts)}A fake that is called "
        "generated is “caught”; an honest photo that is called generated is “delayed”."
    )


def _who(material: Material, counts: Mapping[str, int]) -> str:
    words = []
    if counts["discriminator"]:
        gans = listing([gan.name for gan in material.inputs.experiment.discriminators])
        words.append(
            f"A discriminator is the half of a GAN ({gans}) that learnt to tell its partner's "
            "images from real ones. "
        )
    if counts["classifier"]:
        words.append("A classifier was trained for nothing but to tell real from fake. ")
    if derived := _named(material, "derived"):
        recipes = [words for one, words in RECIPES.items() if one in map(material.recipe, derived)]
        words.append(f"A derived detector was made after training: {listing(recipes, 'or')}. ")
    return "".join(words)


def _held_out(material: Material) -> str:
    """`` and real ones of kinds that nobody trained on (Bag)``, or fakes of such kinds."""
    data = material.inputs.experiment.data
    labels = data.classes if isinstance(data, LabelledDataConfig) else {}
    names = [str(name) for name in material.inputs.data.get("held_out", [])]
    kinds = {
        "real ones": [name for name in names if labels.get(name, "real") == "real"],
        "fakes": [name for name in names if labels.get(name, "real") != "real"],
    }
    return "".join(
        f" and {words} of kinds that nobody trained on ({listing(found)})"
        for words, found in kinds.items()
        if found
    )


def _seen_before(material: Material) -> bool:
    """Whether test images may have been among the training images."""
    overlap = material.inputs.overlap
    allowed = overlap.get("policy") == "allow" and bool(overlap.get("images"))
    return bool(material.inputs.data.get("leak")) or allowed


def in_short(material: Material) -> list[Block]:
    """Three questions and their answers, the matrix at equal cost and as trained, the limits."""
    points = [point for point in ("calibrated", "native") if point in material.points]
    sources = [s for s in matrix_sources(material.metrics) if s != "real:training"]
    titles = {
        "native": "at the native threshold, as training left it",
        "calibrated": _allowing(material),
    }
    return [
        *_three_answers(material, points[0]),
        share_heat(material, points[0], sources, titles[points[0]]),
        Text(f"{_yardstick(material)}{scope(material)}", "note"),
        *hold_table(material),
        *(share_heat(material, point, sources, titles[point]) for point in points[1:]),
        Fold("The answer in full sentences", answer(material)),
    ]


def _three_answers(material: Material, point: str) -> list[Block]:
    usable = [("own", "of 100 fakes of the kind that they were trained on")]
    if point == "calibrated":  # which limits the honest photos that may be delayed
        where = _allowing(material)
        spared = "at this threshold, which was set to delay few"
    else:
        spared = ""
        where = "at the threshold of training"
        usable.append(("in-distribution", "of 100 honest photos of familiar kinds"))
    asked = (
        ("Usable as a detector?", where, usable),
        ("Does it generalise?", "", [
            ("other", f"of 100 {_foreign(material)}"),
            ("own-other-seed", "of 100 of the same generator, trained again"),
        ]),
        ("Does it spare what is real but new?", spared, [
            ("held-out", "of 100 honest photos of kinds that nobody trained on"),
        ]),
    )  # fmt: skip
    blocks: list[Block] = []
    for question, at, groups in asked:
        parts = [said for role, words in groups if (said := _group(material, role, words, point))]
        if parts:
            roles = [role for role, _ in groups]
            verdict = "" if material.inputs.data.get("leak") else _judged(material, roles, point)
            text = sentence(", ".join(filter(None, [at, "; ".join(parts)])))
            blocks.append(Text(f"{verdict}{text}.", "lead", question))
    return blocks


def _group(material: Material, role: str, words: str, point: str) -> str:
    """``of 100 fakes, the discriminator of a catches 12; the classifier b catches 99``."""
    found = [said for kind in KINDS if (said := _said(material, kind, role, point))]
    return f"{words}, {'; '.join(found)}" if found else ""


def _foreign(material: Material) -> str:
    return other_fakes(material) if material.labelled else f"images {other_fakes(material)}"


def _yardstick(material: Material) -> str:
    if material.inputs.data.get("leak"):
        return ""
    judged = " “Yes” and “no” are about the discriminators." if _named(material, KINDS[0]) else ""
    return (
        f"The yardstick is ours: at least {per_hundred(CAUGHT_ENOUGH)} of 100 fakes caught, and at "
        f"most {per_hundred(DELAYED_AT_MOST)} of 100 honest photos delayed.{judged} "
    )


def _allowing(material: Material) -> str:
    allowed = per_hundred(material.inputs.experiment.evaluation.calibrated_fpr)
    return f"with at most {allowed} of 100 honest photos delayed"


def _said(material: Material, kind: str, role: str, point: str) -> str:
    """``the discriminators of a and b catch 12 (11 to 12) and 34 (34 to 35)``."""
    delayed = role in ("in-distribution", "held-out")
    values = {
        name: value
        for name in _named(material, kind)
        if (value := worst(material, name, role, point, delayed=delayed))
    }
    if not values:
        return ""
    verb = "delay" if delayed else "catch"
    of = " of" if kind == "discriminator" else ""
    many = len(values) > 1
    ending = "" if many else "es" if verb == "catch" else "s"
    return (
        f"the {NOUNS[kind]}{'s' if many else ''}{of} {listing(list(values))} {verb}{ending} "
        f"{listing(list(values.values()))}"
    )


def _judged(material: Material, roles: Sequence[str], point: str) -> str:
    """Whether the discriminators, or without any all other detectors, pass the yardstick."""
    names = [
        name
        for name in _named(material, KINDS[0]) or material.detectors
        if any(material.across(name, role, point) for role in roles)
    ]
    good = [name for name in names if passes(material, name, point, roles)]
    if len(good) == len(names):
        return "Yes. " if names else ""
    return f"Only {listing(good)}. " if good else "No. "


def _named(material: Material, kind: str) -> list[str]:
    return [name for name in material.detectors if material.kind(name) == kind]


ANALYSIS = Analysis(
    "summary",
    chapters=(
        Chapter(OPENING, "", (opening,)),
        Chapter("In short", "The answer", (warnings.warnings, in_short, warnings.notes)),
    ),
)

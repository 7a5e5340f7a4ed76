"""Somebody's rows in our form: scores as log-odds of generated, and sources by what they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gandetect.analyses.tables.columns import TableOptions, categories, sorted_texts
from gandetect.analyses.tables.sources import named_sources
from gandetect.errors import DataError, UsageError, did_you_mean, listed, shown
from gandetect.statistics.log_odds import FURTHEST, of_probabilities
from gandetect.statistics.scores import (
    CALIBRATION,
    GENERATED_CALIBRATION,
    GENERATED_VALIDATION,
    IN_DISTRIBUTION,
    TEST_REALS,
    VALIDATION,
)

REAL = {"real", "0", "0.0", "false"}
GENERATED = {"generated", "fake", "1", "1.0", "true"}
CHOOSING = (CALIBRATION, VALIDATION)  # where thresholds are chosen
OPTIONAL = ("image", "seed", "group", "class", "known")  # what a table may lack
YES, NO = {"true", "1", "1.0", "yes"}, {"false", "0", "0.0", "no"}  # whether a source is known
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TableRows:
    """A table of scores in our form.

    Args:
        scores: columns as in `statistics.scores.COLUMNS`.
        classes: the class of every real test image, where all are known, and of calibration and
            validation reals likewise.
        groups: the same of groups, but of test images those in-distribution alone.
        own: the generated sources that each detector was trained on; None where nobody said.
        reals: what in-distribution and held-out reals are called.
        same_fakes: whether all seeds answered the same fakes.
        notes: what the table ``lacks``, and what was done with its rows, for `words.j2`.
    """

    scores: pd.DataFrame
    classes: pd.DataFrame | None
    groups: pd.DataFrame | None
    own: Mapping[str, list[str] | None]
    reals: Mapping[str, str]
    same_fakes: bool
    notes: Mapping[str, Any]


def our_rows(long: pd.DataFrame, options: TableOptions) -> TableRows:
    """Put a table with our columns, a row for each score, into our form.

    Raises `DataError` for labels, scores, sources or images that cannot be evaluated, and
    `UsageError` for an option that does not fit the table.
    """
    notes: dict[str, Any] = {"lacks": [name for name in OPTIONAL if name not in long]}
    generated = _generated(long, options)
    score = _log_odds(long, options, notes)
    sources = named_sources(long, generated, options)
    notes |= {"left_out": sources.left_out}
    there = {*sources.names.categories}
    if not {CALIBRATION, VALIDATION} & there:
        notes["lacks"].append("split")
    if not {GENERATED_CALIBRATION, GENERATED_VALIDATION} & there:
        notes["lacks"].append("fakes")
    seed = _integers(long, "seed", 0)
    scores = pd.DataFrame(
        {
            "detector": _texts(long, "detector"),
            "detector_seed": seed,
            "epoch": _integers(long, "epoch", 0),
            "source": sources.names,
            "source_seed": _integers(long, "source_seed", seed),
            "label": categories(generated, ["real", "generated"]),
            "index": _image_codes(long, sources.theirs.codes.astype(np.int64) * 2 + generated),
            "score": score,
        },
        copy=False,
    )
    named = scores["source"].notna().to_numpy()
    if not named.all():
        scores, long = scores[named], long[named]
    _no_image_twice(scores, long)
    if "image" in long:
        notes |= _images(scores)
    if "group" in long:
        images = scores[["index"]].assign(group=long["group"].array).dropna()
        notes["grouped"] = [images["index"].nunique(), images["group"].nunique()]
    same = options.same_fakes
    return TableRows(
        scores.reset_index(drop=True),
        _labelled(scores, long, "class", "class_name", TEST_REALS, notes),
        _labelled(scores, long, "group", "group", (IN_DISTRIBUTION,), notes),
        _own(scores, long),
        sources.reals,
        _same_fakes(scores, long) if same is None else same,
        notes,
    )


def _texts(long: pd.DataFrame, column: str) -> pd.Categorical[Any]:
    """A column as texts; `DataError` where one is missing."""
    if missing := int(long[column].isna().sum()):
        raise DataError(
            f"{missing:,} of {len(long):,} rows have no {column}; give each one, or leave them out"
        )
    return sorted_texts(long[column])


def _integers(long: pd.DataFrame, column: str, default: int | npt.NDArray[Any]) -> Any:
    if column not in long:
        return default
    given = long[column]
    plain = given.astype(object) if given.dtype == "category" else given
    numbers = pd.to_numeric(plain, errors="coerce")
    whole = (numbers % 1 == 0) & (numbers.abs() < 2**63)
    if not whole.all():
        bad = shown(str(given[~whole].iloc[0]))
        raise DataError(f"column {column} holds {bad}; expected a whole number in each row")
    return numbers.to_numpy(np.int32 if numbers.abs().max() < 2**31 else np.int64)


def _generated(long: pd.DataFrame, options: TableOptions) -> npt.NDArray[np.bool_]:
    column = "label" if "label" in long else "source"
    if column not in long:
        raise DataError(
            "the table has no label that says which images are generated; name its column with "
            "--columns label=…, find it in the paths with --path-pattern, or give a --key"
        )
    given = _texts(long, column)
    values = [str(value) for value in given.categories]
    if column == "source":  # our own names of sources tell it
        values = [value.partition(":")[0] for value in values]
        if not set(values) <= {"real", "generated"}:
            raise DataError(
                "the table has no column label; name the one that says which images are generated "
                "with --columns label=…"
            )
    meant = _meanings(sorted(set(values)), options)
    generated = np.array([meant[value] for value in values])[given.codes]
    if generated.all() or not generated.any():
        side, other = ("generated", "real") if generated.all() else ("real", "generated")
        raise DataError(
            f"all {len(long):,} rows are of {side} images (label {listed(sorted(set(values)))}); "
            f"expected {other} ones beside them, as no detector can be judged by one kind alone"
        )
    return np.asarray(generated, np.bool_)


def _meanings(values: Sequence[str], options: TableOptions) -> dict[str, bool]:
    """Whether each label means generated."""
    fakes, reals = {*options.generated_labels}, {*options.real_labels}
    for option, given in (("--generated-label", fakes), ("--real-label", reals)):
        for value in sorted(given - set(values)):
            raise UsageError(
                f"{option}: the table has no label {shown(value)}; its labels are: "
                f"{listed(values)}{did_you_mean(value, values)}"
            )
    usual_fakes = {value for value in values if value.lower() in GENERATED}
    usual_reals = {value for value in values if value.lower() in REAL}
    if not (fakes & usual_reals or reals & usual_fakes):  # 0 may be given as generated
        fakes, reals = fakes | usual_fakes, reals | usual_reals
    if options.generated_labels and not options.real_labels:
        reals |= {*values} - fakes
    elif options.real_labels and not options.generated_labels:
        fakes |= {*values} - reals
    if both := fakes & reals:
        raise UsageError(f"label {shown(min(both))} cannot mean both; give it to one option")
    if unknown := [value for value in values if value not in fakes | reals]:
        raise DataError(
            f"label(s) {listed(unknown)} are not known; expected real and generated (or fake), or "
            "0 and 1; say which mean generated with --generated-label, or which mean real with "
            "--real-label"
        )
    return {value: value in fakes for value in values}


def _log_odds(
    long: pd.DataFrame, options: TableOptions, notes: dict[str, Any]
) -> npt.NDArray[np.float64]:
    given = long["score"]
    if given.dtype == "category":  # texts
        given = given.astype(object)
    score = pd.to_numeric(given, errors="coerce").to_numpy(np.float64, copy=True)

    def refuse(bad: npt.NDArray[np.bool_], are: str, remedy: str) -> None:
        if not bad.any():
            return
        at = int(np.argmax(bad))
        row = long.iloc[at]
        of = f"image {shown(row['image'])}" if "image" in long else f"row {at + 1}"
        raise DataError(
            f"{np.count_nonzero(bad):,} of {len(score):,} scores {are}; the first is "
            f"{shown(str(row['score']))}, {of} by {shown(row['detector'])}; {remedy}"
        )

    again = "score these images again, or leave them out"
    refuse(~np.isfinite(score), "are not finite numbers", again)
    inside = (score >= 0.0) & (score <= 1.0)
    if options.probabilities:
        refuse(
            ~inside,
            f"lie outside 0 to 1 (from {score.min():g} to {score.max():g}), so they are no "
            "probabilities",
            "correct them, divide percentages by 100, or leave --probabilities out where scores "
            "are log-odds",
        )
        of_probabilities(score, out=score)
        notes["clipped"] = int(np.count_nonzero(np.abs(score) == FURTHEST))
    else:
        notes["like_probabilities"] = bool(inside.all())
    return score if options.positive == "generated" else np.negative(score, out=score)


def _image_codes(long: pd.DataFrame, kind: Codes) -> Codes:
    """A number for each image: twice that of its source and name, and 1 more for a generated one.

    ``kind`` is twice that of a row's source, and the same. Without names every row is an image.

    Within a source images stand in the order of their names, numbers by size.
    """
    if "image" not in long:
        return np.arange(len(long), dtype=np.int64)
    images = pd.Categorical(long["image"])
    if (images.codes < 0).any():
        raise DataError(
            f"{int((images.codes < 0).sum()):,} of {len(long):,} rows do not say which image they "
            "are of; name it, or leave the column out"
        )
    if images.categories.inferred_type.startswith("mixed"):  # numbers and texts
        images = sorted_texts(long["image"])
    order = np.argsort(np.asarray(images.categories), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    codes: Codes = 2 * (kind // 2 * len(order) + rank[images.codes]) + kind % 2
    _one_label_each(codes, long)
    return codes


def _one_label_each(codes: Codes, long: pd.DataFrame) -> None:
    """Refuse images that are real for one detector and generated for another.

    A source may have a real and a generated image of one name, where detectors answer both.
    """
    images = np.unique(codes)
    both = np.isin(codes // 2, images[1:][images[1:] // 2 == images[:-1] // 2] // 2)
    rows = long.loc[both, ["detector", "image"]].astype(str).assign(of=codes[both] // 2)
    labels = rows.assign(label=codes[both]).groupby(["of", "detector"])["label"].nunique()
    apart = labels.groupby("of").max() == 1
    if apart.any():
        first = shown(rows["image"].iloc[int((rows["of"] == apart.idxmax()).argmax())])
        raise DataError(f"{apart.sum():,} image(s) are real for one detector and generated for "
                        f"another; the first is {first}; give each image one label")  # fmt: skip


def _no_image_twice(scores: pd.DataFrame, long: pd.DataFrame) -> None:
    rows = scores["index"].to_numpy().copy()
    for column in ("source", "detector", "detector_seed", "epoch", "source_seed"):
        codes, names = pd.factorize(scores[column])
        rows = rows * len(names) + codes
    ascending = np.sort(rows)
    if not (ascending[1:] == ascending[:-1]).any():  # which takes less memory than to say which
        return
    twice = pd.Series(rows).duplicated().to_numpy()
    row = long.iloc[int(twice.argmax())]
    raise DataError(
        f"{int(twice.sum()):,} row(s) are of an image that stands there already; the first is "
        f"image {shown(row['image'])} by {shown(row['detector'])}; an image counts once, so "
        "keep one row of each detector, seed, source and image"
    )


def _images(scores: pd.DataFrame) -> dict[str, Any]:
    """Images in two splits, and sources of which not every detector scored all images."""
    of = scores["source"].cat
    many = len(of.categories)
    images = scores["index"].to_numpy() * many  # as `np.unique` would, in less memory
    images += of.codes.to_numpy()
    images.sort()
    images = images[np.append(True, images[1:] != images[:-1])]
    all_of = pd.Series(np.bincount(images % many, minlength=many), index=of.categories)
    images //= many
    runs = scores.groupby(["source", "detector", "detector_seed"], observed=True).size()
    fewer = runs[runs.to_numpy() < all_of.loc[runs.index.get_level_values(0)].to_numpy()]
    return {
        "two_splits": int(np.count_nonzero(images[1:] == images[:-1])),
        "unpaired": sorted({str(source) for source in fewer.index.get_level_values(0)}),
    }


def _labelled(
    scores: pd.DataFrame,
    long: pd.DataFrame,
    column: str,
    name: str,
    sources: Collection[str],
    notes: dict[str, Any],
) -> pd.DataFrame | None:
    """The class or group of each image of some sources; None unless all are known.

    Sources that thresholds are chosen on are in it only where all their images have one.
    """
    if column not in long:
        return None
    among = scores["source"].isin([*sources, *CHOOSING]).to_numpy()
    labels = scores.loc[among, ["source", "index"]].assign(**{name: long[column][among].array})
    labels = labels.drop_duplicates(["source", "index"]).astype({"source": str})
    missing = labels.loc[labels[name].isna(), "source"]
    if needed := int(missing.isin(list(sources)).sum()):
        notes[f"without_{column}"] = needed
        return None
    labels = labels[~labels["source"].isin(missing.unique())].reset_index(drop=True)
    return labels.astype({name: str})


def _own(scores: pd.DataFrame, long: pd.DataFrame) -> dict[str, list[str] | None]:
    """The generated sources that each detector was trained on."""
    detectors = sorted(map(str, scores["detector"].unique()))
    if "known" not in long:
        return dict.fromkeys(detectors)
    fakes = (scores["label"] == "generated").to_numpy()
    answers = long["known"][fakes].astype(object).fillna("nothing").astype(str).str.lower()
    if unknown := sorted({*answers.unique()} - YES - NO):
        raise DataError(f"column known holds {listed(unknown)}; expected true or false of each "
                        "generated image")  # fmt: skip
    known = scores.loc[fakes, ["detector", "source"]][answers.isin(YES).to_numpy(bool)]
    pairs = known.drop_duplicates().astype(str).itertuples(index=False)
    own: dict[str, list[str] | None] = {name: [] for name in detectors}
    for detector, source in sorted(pairs):
        own[detector] = [*(own[detector] or ()), source]
    return own


def _same_fakes(scores: pd.DataFrame, long: pd.DataFrame) -> bool:
    """Whether all seeds answered the same fakes, as far as a table tells."""
    fakes = scores[scores["label"] == "generated"]
    seeds = sorted(fakes["detector_seed"].unique())
    if len(seeds) < 2 or "image" not in long:
        return False
    if "source_seed" in long and fakes["source_seed"].ne(fakes["source_seed"].iloc[0]).any():
        return False
    first, second = (fakes.loc[fakes["detector_seed"] == seed, "index"] for seed in seeds[:2])
    return bool(np.isin(first.to_numpy(), second.to_numpy()).any())

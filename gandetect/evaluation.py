"""From somebody's table of scores to a run folder with the whole report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import tomli_w

from gandetect import machine
from gandetect.analyses.build import ReportPaths, build_report
from gandetect.analyses.tables.columns import TableOptions, our_columns
from gandetect.analyses.tables.reading import read_scores_table
from gandetect.analyses.tables.rows import TableRows, our_rows
from gandetect.analyses.tables.words import say, wrong_sign
from gandetect.config.canonical import digest_of
from gandetect.errors import RunError, UsageError
from gandetect.report.facts import TABLE, StudyFacts, load_facts, write_facts
from gandetect.runs import atomic_file, file_digest, locked, read_json, write_json
from gandetect.statistics.calibrated import CalibrationRule, chosen_on
from gandetect.statistics.cost_model import EXAMPLE_COSTS, CostModel
from gandetect.statistics.scored_detectors import DetectorFacts
from gandetect.statistics.scores import Metrics

Given: TypeAlias = pd.DataFrame | Path | str | Sequence[Path | str]


@dataclass(frozen=True)
class Evaluation:
    """The run folder of a table of scores, the files of its report, and what must be said of it."""

    run: Path
    report: ReportPaths
    warnings: tuple[str, ...]

    @property
    def metrics(self) -> Metrics:
        """What `metrics.json` holds."""
        found: Metrics = read_json(self.report.metrics_json)
        return found


def evaluate(
    scores: Given,
    *,
    key: pd.DataFrame | Path | str | None = None,
    out: Path | str | None = None,
    name: str = "",
    cost_model: CostModel = EXAMPLE_COSTS,
    **options: Any,
) -> Evaluation:
    """Make the whole report from a table of scores, or from files of such tables.

    Args:
        scores: a row for each image and detector, with columns label and score and, where there,
            detector, source, image, seed, split, group, class and known; or a column of scores for
            each detector. Several files are joined; a detector that a file does not name is called
            like the file.
        key: what the scores lack of each image, such as its label.
        out: the run folder; by default ``runs/<name>-<digest>``.
        name: what the evaluation is called; by default like the first file.
        cost_model: what misses and false alarms cost.
        options: fields of `TableOptions`, such as ``probabilities=True``.

    Raises `UsageError`, `DataError` or `RunError` before anything is written.

    >>> gandetect.evaluate(table, probabilities=True).report.html  # doctest: +SKIP
    """
    given = _each(scores)
    rows = read_rows(given, key=key, **options)
    facts = _facts(rows, TableOptions(**options), name or _name_of(given[0]))
    folder = _folder(out, facts)
    files = [Path(one) for one in (*given, key) if isinstance(one, Path | str)]
    _write(folder, facts, rows, files)
    del rows
    report = build_report(folder, cost_model)
    metrics = read_json(report.metrics_json)
    warnings = [one.text for one in say.paragraphs("warnings", facts.table, wrong_sign(metrics))]
    return Evaluation(folder, report, tuple(warnings))


def read_rows(scores: Given, *, key: Any = None, **options: Any) -> TableRows:
    """The rows of tables in our form; arguments and errors are those of `evaluate`."""
    asked = TableOptions(**options)
    told = None if key is None else _read(key)
    named = zip(given := _each(scores), _names(given), strict=True)
    tables = [our_columns(_read(one), asked, name, told) for one, name in named]
    return our_rows(_stacked(tables), asked)


def _each(scores: Given) -> list[Any]:
    if given := [scores] if isinstance(scores, pd.DataFrame | Path | str) else list(scores):
        return given
    raise UsageError("no table was given; give at least one, as a file or a DataFrame")


def _read(one: Any) -> pd.DataFrame:
    return one if isinstance(one, pd.DataFrame) else read_scores_table(Path(one))


def _name_of(one: Any) -> str:
    if isinstance(one, pd.DataFrame):
        return "scores"
    return Path(one).name.partition(".")[0] or "scores"


def _names(given: Sequence[Any]) -> list[str]:
    """What to call the detector of each table: like its file, and where needed its folder."""
    names = [_name_of(one) for one in given]
    files = [Path(one).absolute().parent for one in given if isinstance(one, Path | str)]
    if len({*names}) < len(names) == len(files):
        top = os.path.commonpath(files)
        names = [(at.relative_to(top) / name).as_posix()
                 for at, name in zip(files, names, strict=True)]  # fmt: skip
    twice = len({*names}) < len(names)
    return [f"{name} {place}" for place, name in enumerate(names, 1)] if twice else names


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables below each other; they must agree in their columns."""
    first, *others = ({*table.columns} for table in tables)
    for other in others:
        if uneven := first ^ other:
            raise UsageError(
                f"some tables have a column {min(uneven)} and others have none; give tables of "
                "the same columns, or evaluate them apart"
            )
    if not others:
        return tables[0]
    return pd.concat([table.astype({"detector": str}) for table in tables], ignore_index=True)


def _facts(rows: TableRows, options: TableOptions, name: str) -> StudyFacts:
    detectors: dict[str, DetectorFacts] = {
        detector: {"kind": "detector", "recipe": None, "own": own}
        for detector, own in rows.own.items()
    }
    settings = {"data": {"name": name}, "options": _plain(asdict(options))}
    tables = {"scores": rows.scores, "classes": rows.classes, "groups": rows.groups}
    hashes = {what: int(pd.util.hash_pandas_object(table, index=False).sum())
              for what, table in tables.items() if table is not None}  # fmt: skip
    digest = digest_of({**settings, **hashes, "own": {**rows.own}})
    return StudyFacts(
        name,
        tuple(map(int, sorted(rows.scores["detector_seed"].unique()))),
        detectors,
        _rule(options, rows),
        rows.same_fakes,
        settings,
        tomli_w.dumps(settings),
        digest,
        reals=rows.reals,
        table={"rows": len(rows.scores), **rows.notes},
    )


def _rule(options: TableOptions, rows: TableRows) -> CalibrationRule:
    by_class = options.calibrated_by == "class"
    known = set() if rows.classes is None else {*rows.classes["source"]}
    if by_class and chosen_on(rows.scores["source"].unique()) not in known:
        raise UsageError(
            "--calibrated-by class needs the class of every test real and of every real that the "
            "threshold is chosen on; name its column with --columns class=…"
        )
    return CalibrationRule(options.calibrated_fpr, options.calibrated_confidence, by_class)


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that were given, as TOML and JSON know them."""
    lists = {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()}
    return {k: v for k, v in lists.items() if v not in (None, "", [], {})}


def _folder(out: Path | str | None, facts: StudyFacts) -> Path:
    """The run folder; `RunError` where something else lies there."""
    if out is None:
        return Path("runs") / f"{facts.name}-{facts.digest[:12]}"
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {str(folder)!r} is a file; give a folder")
    if (
        folder.exists()
        and any(one.name != ".lock" for one in folder.iterdir())
        and (not (folder / TABLE).exists() or load_facts(folder).digest != facts.digest)
    ):
        raise RunError(f"{str(folder)!r} holds something else than the evaluation of this table; "
                       "choose another --out, or move that folder away")  # fmt: skip
    return folder


def _write(folder: Path, facts: StudyFacts, rows: TableRows, files: Sequence[Path]) -> None:
    """What `gandetect report` makes the report from again."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"{str(folder)!r} cannot be made ({error.strerror}); choose another --out"
        ) from None
    with locked(folder):
        with atomic_file(folder / "scores.parquet") as temporary:
            rows.scores.to_parquet(temporary, index=False)
        for name, table in (("classes", rows.classes), ("groups", rows.groups)):
            (folder / f"{name}.parquet").unlink(missing_ok=True)
            if table is not None:
                with atomic_file(folder / f"{name}.parquet") as temporary:
                    table.to_parquet(temporary, index=False)
        digests = {one.name: file_digest(one) for one in files}
        digests |= {"scores.parquet": file_digest(folder / "scores.parquet")}
        write_json(folder / "manifest.json", {**machine.describe("cpu"), "digests": digests})
        write_facts(folder, facts)

"""Can something trivial tell real from generated? Then a detector may have learnt only that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

from gandetect.analyses.audit.judging import ProbeResult
from gandetect.analyses.audit.sides import ACROSS, COPIES, SetCheck
from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.rows import Row, grouped
from gandetect.statistics.scores import Metrics


def numbers(study: ScoredStudy) -> Metrics:
    """``audit_checks`` and ``audit``: rows, which the audit's stage computed from the images."""
    return {"audit_checks": list(study.audit_checks), "audit": list(study.audit)}


def tidy_rows(metrics: Metrics) -> Iterator[Row]:
    """How many copies there are and how much order, and the AUROC of each probe."""
    for row in metrics["audit_checks"]:
        yield tidy_row("audit", row, f"{row['check']}, {row['side']}", row["value"], row["ci95"],
                       source_seed=row.get("seed"))  # fmt: skip
    for row in metrics["audit"]:
        counted = {"source": row["source"], "n": row["n_real"] + row["n_generated"]}
        yield tidy_row("audit", counted, row["probe"], row["auroc"], row["ci95"],
                       source_seed=row.get("seed"))  # fmt: skip


def rows(
    results: Iterable[ProbeResult | SetCheck], source: str, seed: int | None = None
) -> list[dict[str, Any]]:
    """Results as rows of metrics: with the generated source, and the GAN's seed."""
    of = {"source": source} if seed is None else {"source": source, "seed": seed}
    return [{**asdict(result), **of} for result in results]


def warnings_of(checked: Sequence[Row], audited: Sequence[Row]) -> list[str]:
    """One sentence for each source and check or probe that is a warning; it counts the seeds."""
    return [
        *(check_sentence(group)
          for group in grouped(checked, "source", "check", "side").values() if _warned(group)),
        *(_sentence(source, probe, group)
          for (source, probe), group in grouped(audited, "source", "probe").items()
          if _warned(group)),
    ]  # fmt: skip


def check_sentence(group: Sequence[Row]) -> str:
    """What a check of a set of images shows, in a sentence: of several seeds, on average."""
    first = group[0]
    n, value = first["n"], fmean(row["value"] for row in group)
    whose = "" if first["side"] == "real" else f" of {_maker(first['source'])}"
    images = f"{first['side']} images{whose}"
    runs = f" (mean of {len(group)} runs)" if len(group) > 1 else ""
    if first["check"] in (COPIES, ACROSS):
        copies, same = round(value), round(fmean(row["exact"] for row in group))
        exactly = f"{same:,} of them to the pixel."
        if first["check"] == ACROSS:
            return f"{copies:,} of {n:,} {images} are copies of real images{runs}, {exactly}"
        differ = f"Of {n:,} {images} {n - copies:,} differ{runs}"
        return f"{differ}: {copies:,} repeat another one, {exactly}"
    return (
        f"The order of the files of {images} tells: the first half can be told from the second "
        f"with an AUROC of {value:.3f}{runs}. Draw images at random, never the first ones."
    )


def _warned(group: Sequence[Row]) -> bool:
    return any(row["warning"] for row in group)


def _maker(source: str) -> str:
    return source.removeprefix("generated:")


def _sentence(source: str, probe: str, group: Sequence[Mapping[str, Any]]) -> str:
    area = fmean(row["auroc"] for row in group)
    hits = sum(row["warning"] for row in group)
    told = [f"mean of {len(group)} runs, a warning in {hits}"] if len(group) > 1 else []
    told += [f"most at {row['where']}" for row in group if row["where"]][:1]
    more = f" ({'; '.join(told)})" if told else ""
    return (
        f"The probe “{probe}” alone tells fakes of {_maker(source)} from real images with an AUROC "
        f"of {area:.3f}{more}: a detector may have learnt that instead of the pictures."
    )

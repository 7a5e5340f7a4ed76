"""Variants of an experiment: each is an ordinary study, all are one graph, and one report joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gandetect import machine, runs
from gandetect.config import Experiment, digest_of
from gandetect.config.variants import BASELINE, expand
from gandetect.errors import UsageError, require_known
from gandetect.events import Listener
from gandetect.progress import Silent
from gandetect.study.estimate import duration_line
from gandetect.study.plan import Options, Study, plan_lines, plan_study
from gandetect.study.run import as_run_error, plans_of, run_studies

VERSION = 1  # raise it when the code of the joined report changes what it writes
VARIANTS = "variants"


@dataclass(frozen=True)
class Variants:
    """The studies of an experiment with variants on this machine, by name, the baseline first."""

    experiment: Experiment
    folder: Path
    options: Options  # of the studies
    studies: Mapping[str, Study]

    def chosen(self) -> dict[str, Study]:
        """The studies to run, by title: all, or the baseline and those requested."""
        requested = self.options.variants
        return {
            f"variant {number} of {len(self.studies) - 1} ({name})" if number
            else f"the {BASELINE}": study
            for number, (name, study) in enumerate(self.studies.items())
            if not (number and requested and name not in requested)
        }  # fmt: skip


def plan_variants(experiment: Experiment, options: Options) -> Variants:
    """Resolve the studies of the baseline and of every variant without writing anything.

    Raises `UsageError` for an experiment without variants, a stage that they do not stop at, and
    for a variant that is not known or cannot be done.
    """
    if not experiment.variants:
        raise UsageError(
            f"experiment {experiment.name!r} has no [[variants]]; give at least one, with a name "
            "and changes"
        )
    if options.stop_after != "report":
        raise UsageError(
            f"experiment {experiment.name!r} has [[variants]], and training alone needs a plain "
            "experiment; use `gandetect run`, or --set 'variants=[]'"
        )
    parts = expand(experiment)
    require_known("variant", options.variants, parts)
    native = machine.native_precision(machine.resolve_device(options.device))
    resolved = experiment.with_precision(native)
    folder = runs.run_folder(options.out, resolved)
    inner = replace(options, out=folder / VARIANTS)
    studies = {name: _planned(name, part, inner) for name, part in parts.items()}
    return Variants(resolved, folder, inner, studies)


def run_variants(
    experiment: Experiment, options: Options | None = None, listener: Listener | None = None
) -> Path:
    """Run the baseline and every variant, and write their report; returns the folder of all.

    Each has an ordinary run folder below ``variants/`` and goes on from where it stands. What
    others have in common with the baseline is made there, and taken over. With ``variants`` in the
    options only those are run, and the report is of all that are complete. Raises
    `GandetectError` with what to do.
    """
    planned, listener = plan_variants(experiment, options or Options()), listener or Silent()
    try:
        planned.folder.mkdir(parents=True, exist_ok=True)
        with runs.locked(planned.folder):
            runs.open_run(planned.folder, planned.experiment)
            baseline = planned.studies[BASELINE]
            run_studies(planned.chosen(), planned.folder, planned.options, listener, baseline)
            _write_report(planned, listener)
    except OSError as error:
        raise as_run_error(error, planned.folder) from None
    return planned.folder


def variants_lines(variants: Variants) -> list[str]:
    """What would be done, study by study, for ``--dry-run``."""
    chosen = variants.chosen()
    lines = [
        f"# {len(chosen) - 1} variant(s) and the {BASELINE}, would be put in {variants.folder}",
        f"# what they have in common is made once, in the {BASELINE}, and taken over by the rest",
    ]
    plans = plans_of(chosen, variants.options.stop_after, variants.studies[BASELINE])
    if duration := duration_line([*chosen.values()], plans):
        lines.append(f"# {duration}")
    for words, study in chosen.items():
        lines += ["", f"# {words}", *plan_lines(study)]
    return lines


def _planned(name: str, part: Experiment, options: Options) -> Study:
    try:
        return plan_study(part, options)
    except UsageError as error:
        message = str(error)
        named = name == BASELINE or repr(name) in message
        raise UsageError(message if named else f"variant {name!r}: {message}") from None


def _write_report(variants: Variants, listener: Listener) -> None:
    """Build the report of all complete studies, unless it stands already."""
    from gandetect.analyses.variants.build import FILES, INPUTS, build_variants_report

    complete = {
        name: study.folder for name, study in variants.studies.items() if _is_complete(study)
    }
    read = [runs.file_digest(folder / name) for folder in complete.values() for name in INPUTS]
    digest = digest_of([VARIANTS, VERSION, variants.experiment.model_dump(mode="json"), read])
    if runs.problem_with(variants.folder, digest) is None:
        return
    listener.say("Writing the figures and the report of all variants")
    build_variants_report(variants.folder, complete)
    runs.write_record(variants.folder, digest, FILES)


def _is_complete(study: Study) -> bool:
    """Whether a study is complete with exactly the seeds of this experiment."""
    if not (study.folder / runs.RECORD).exists():
        return False
    return runs.load_study(study.folder).seeds == study.experiment.seeds

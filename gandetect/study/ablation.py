"""An ablation: the baseline and each ingredient are ordinary studies, which one report joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gandetect import runs
from gandetect.config import Experiment
from gandetect.config.ablation import BASELINE, expand, is_ablation
from gandetect.errors import UsageError, unknown_name
from gandetect.events import Listener
from gandetect.progress import Silent
from gandetect.study.joined import Joined, lines_of, resolved, run_joined, write_joined
from gandetect.study.plan import Options, Study, plan_study

VERSION = 2  # raise it when the code of the ablation's report changes what it writes
INGREDIENTS = "ingredients"


def plan_ablation(experiment: Experiment, options: Options) -> Joined:
    """Resolve the studies of the baseline and of every ingredient without writing anything.

    With ``ingredients`` in the options only those, and the baseline. Raises `UsageError` for an
    experiment without ingredients or a stage that an ablation does not stop at, and for an
    ingredient that is not known or cannot be done.
    """
    if not is_ablation(experiment):
        raise UsageError(
            f"experiment {experiment.name!r} has no [[ingredients]]; an ablation needs at least "
            "one, with gans = { … }, detectors or classifiers"
        )
    if options.stop_after != "report":
        raise UsageError(
            f"experiment {experiment.name!r} is an ablation with [[ingredients]], and training "
            "alone needs a plain experiment; use `gandetect run`, or --set 'ingredients=[]'"
        )
    parts = expand(experiment)
    for name in options.ingredients:
        if name not in parts:
            raise unknown_name("ingredient", name, parts)
    whole = resolved(experiment, options)
    folder = runs.run_folder(options.out, whole)
    inner = replace(options, out=folder / INGREDIENTS, ingredients=())
    studies = {}
    for number, (name, part) in enumerate(parts.items()):
        if number and options.ingredients and name not in options.ingredients:
            continue
        told = f"ingredient {number} of {len(parts) - 1} ({name})" if number else f"the {BASELINE}"
        studies[told] = plan_study(part, inner)
    return Joined("ablation", whole, folder, inner, studies)


def run_ablation(
    experiment: Experiment, options: Options | None = None, listener: Listener | None = None
) -> Path:
    """Run the baseline, every ingredient, and write their report; returns the ablation's folder.

    Each has an ordinary run folder below ``ingredients/`` and goes on from where it stands. The
    baseline comes first: the others take its GANs over. With ``ingredients`` in the options only
    those are run, and the report is of all that are complete. Raises `GandetectError` with what to
    do.
    """
    options = options or Options()
    ablation = plan_ablation(experiment, options)
    every = plan_ablation(experiment, replace(options, ingredients=())).studies.values()
    studies = dict(zip(expand(experiment), every, strict=True))

    def report(joined: Joined, listener: Listener) -> None:
        _report(joined, studies, listener)

    return run_joined(ablation, report, listener or Silent(), studies[BASELINE])


def ablation_lines(ablation: Joined) -> list[str]:
    """What an ablation would do, study by study, for ``--dry-run``."""
    first, *others = lines_of(ablation, f"{len(ablation.studies) - 1} ingredient(s)")
    shared = "# GANs that are sources are trained once, in the baseline, and taken over by the rest"
    return [first, shared, *others]


def _report(ablation: Joined, studies: Mapping[str, Study], listener: Listener) -> None:
    from gandetect.report.ablation import FILES, MADE_OF, build_ablation_report

    complete = {name: study.folder for name, study in studies.items() if _is_complete(study)}
    read = [folder / name for folder in complete.values() for name in MADE_OF]

    def build() -> object:
        return build_ablation_report(ablation.folder, complete)

    write_joined(ablation, build, VERSION, FILES, read, listener)


def _is_complete(study: Study) -> bool:
    """Whether a study was done with the seeds that are asked for now, and not with others."""
    if not (study.folder / runs.RECORD).exists():
        return False
    return runs.load_study(study.folder).seeds == study.experiment.seeds

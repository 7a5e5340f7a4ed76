"""Which modules are mutated, by room, and which tests have to notice."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

from mutants.operators import Mutant

SUPERVISED = (
    "tests/training/test_supervised.py tests/training/test_supervised_resume.py "
    "tests/training/test_supervised_schedules.py"
)
PARALLEL = "tests/training/test_data_parallel.py tests/training/test_contrastive.py"
BATCHES = "tests/training/test_both_sides.py"
GANS = "tests/training/test_ingredients.py tests/training/test_adversarial.py"
STUDIES = (
    "tests/config/test_refusals.py tests/cluster/test_engine_options.py tests/engine/test_graph.py"
)
PICTURES = "tests/stages/test_few_images.py tests/study/test_pictures.py"
DETECTORS = "tests/study/test_post_hoc_detectors.py"

# By room, modules and the tests that follow their own `test_<module>.py`; the first match counts.
ROOMS: dict[str, dict[str, str]] = {
    "training": {
        "gandetect/training/supervised*.py": f"{SUPERVISED} tests/training/test_contrastive.py",
        "gandetect/training/classifier_folder.py": SUPERVISED,
        "gandetect/training/augmentation.py": SUPERVISED,
        "gandetect/training/batches.py": f"{BATCHES} {PARALLEL} {SUPERVISED}",
        "gandetect/training/examples.py": SUPERVISED,
        "gandetect/training/optimizers.py": SUPERVISED,
        "gandetect/training/trainer.py": SUPERVISED,
        "gandetect/training/contrastive.py": SUPERVISED,
        "gandetect/training/cuda_graphs.py": "",
        "gandetect/training/quality.py": "",
        "gandetect/training/images.py": "",
        "gandetect/training/diff_augment.py": "tests/training/test_ingredients.py",
        "gandetect/training/variational.py": "",
        "gandetect/training/*.py": GANS,
    },
    "evaluation": {
        "gandetect/statistics/*.py": "tests/statistics",
        "gandetect/analyses/*/numbers.py": (
            "tests/analyses/cross_evaluation tests/analyses/test_evaluate.py tests/statistics"
        ),
        "gandetect/analyses/variants/*.py": "",
    },
    "detectors": {
        "gandetect/models/ensemble.py": DETECTORS,
        "gandetect/models/one_class.py": DETECTORS,
        "gandetect/models/probe.py": "tests/detectors/test_probe.py",
        "gandetect/models/imagenet.py": "tests/detectors/test_probe.py",
        "gandetect/stages/post_hoc.py": DETECTORS,
        "gandetect/detectors/fine_tuning.py": "",
        "gandetect/detectors/*.py": (f"tests/detectors tests/scoring/test_scoring.py {DETECTORS}"),
    },
    "runner": {
        "gandetect/engine/local.py": "tests/engine/test_ending.py",
        "gandetect/engine/*.py": "tests/engine/test_graph.py",
        "gandetect/study/*.py": STUDIES,
    },
    "splits": {
        "gandetect/data/*splits*.py": "tests/data/test_selection.py",
        "gandetect/data/groups.py": "",
        "gandetect/sources/splits.py": f"tests/sources/test_split_sources.py {PICTURES}",
        "gandetect/stages/class_data.py": PICTURES,
    },
}


def modules_of(root: Path, room: str) -> list[str]:
    """The modules of a room below ``root``, but packages' ``__init__``."""
    found = {path for pattern in ROOMS[room] for path in root.glob(pattern)}
    return sorted(str(one.relative_to(root)) for one in found if one.stem != "__init__")


def selected_tests(root: Path, room: str, module: str) -> list[str]:
    """What runs for a mutant: the module's own tests first, or those of its analysis."""
    place = Path(module).relative_to("gandetect")
    of_analysis = sorted((root / "tests" / place.parent).glob("test_*.py"))
    named_alike = sorted((root / "tests").rglob(f"test_{place.stem}.py"))
    own = of_analysis if place.parts[0] == "analyses" else named_alike
    named = next(tests for pattern, tests in ROOMS[room].items() if fnmatch(module, pattern))
    there = [one for one in named.split() if (root / one).exists()]
    return list(dict.fromkeys([*(str(one.relative_to(root)) for one in own), *there]))


def equivalents(file: Path) -> dict[tuple[str, str, str, str], str]:
    """Mutants that change nothing a test could see, and why, as `equivalent.toml` lists them."""
    listed = tomllib.loads(file.read_text("utf-8")).get("equivalent", [])
    return {(one["scope"], one["line"], one["old"], one["new"]): one["reason"] for one in listed}


def key_of(mutant: Mutant) -> tuple[str, str, str, str]:
    """What `equivalents` knows a mutant by: its text and not its line number."""
    return mutant.scope, mutant.line, mutant.old, mutant.new

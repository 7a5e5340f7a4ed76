"""What a machine without network lacks, and how it gets there: wheels that travel along.

Nothing here imports more than Python has of its own, so that it runs where all else is missing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("build/gpu")  # what travels, from the project's root
WHEELS = FOLDER / "wheels"

# What an image with PyTorch for research usually brings, by its names on the registry.
THERE = frozenset(
    {
        "click",
        "jinja2",
        "lightning",
        "matplotlib",
        "numpy",
        "pandas",
        "pillow",
        "pyarrow",
        "rich",
        "safetensors",
        "scikit-learn",
        "scipy",
        "seaborn",
        "torch",
        "torchmetrics",
        "torchvision",
    }
)
# What it lacks, with the module that each is known by: one version of each, fitting each other.
NEEDED = {
    "pydantic==2.14.4": "pydantic",
    "pydantic-core==2.50.5": "pydantic_core",
    "annotated-types==0.8.0": "annotated_types",
    "typing-extensions==4.16.0": "typing_extensions",
    "typing-inspection==0.4.5": "typing_inspection",
    "threadpoolctl==3.8.0": "threadpoolctl",
    "tomli-w==1.2.0": "tomli_w",
    "simplejpeg==1.9.0": "simplejpeg",
}
PYTHON = "3.12"
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")


def download(folder: Path) -> None:
    """Fetch what is missing of the wheels into a folder; `SystemExit` says why it cannot be."""
    missing = [one for one in NEEDED if not list(folder.glob(_pattern(one)))]
    for stray in folder.glob("*.whl"):  # of another version: two of one stop the installation
        if not any(stray.match(_pattern(one)) for one in NEEDED):
            stray.unlink()
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    target = ["--python-version", PYTHON, "--implementation", "cp", "--only-binary=:all:"]
    target += [part for name in PLATFORMS for part in ("--platform", f"{name}_x86_64")]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    answer = subprocess.run(
        [*command, *target, *missing], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        said = [line for line in answer.stderr.splitlines() if line.startswith("ERROR")]
        raise SystemExit(
            f"error: the wheels {', '.join(missing)} for Python {PYTHON} cannot be had "
            f"({(said or ['pip says nothing'])[0]}); see that a package registry can be reached, "
            f"or put them into {folder} yourself, and give the same command again"
        )


def problems(folder: Path) -> list[str]:
    """What of the wheels in a folder does not fit, one sentence each."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name, parse_wheel_filename

    found = {}
    for wheel in sorted(folder.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(wheel.name)
        found[name] = version, wheel
    lacking = [f"{one} is missing" for one in NEEDED if not list(folder.glob(_pattern(one)))]
    for name, (_, wheel) in found.items():
        for requirement in map(Requirement, _requirements(wheel)):
            needed = canonicalize_name(requirement.name)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            if needed in found:
                version = found[needed][0]
                if not requirement.specifier.contains(version, prereleases=True):
                    lacking.append(f"{name} needs {requirement}, and {version} is there")
            elif needed not in THERE:
                lacking.append(f"{name} needs {requirement}, which travels with nothing")
    return lacking


def make_importable(site: Path) -> list[str]:
    """Install what is missing here from the wheels into ``site``; returns its modules' names.

    Then ``site`` comes first for this process and all that it starts. `SystemExit` says what to do
    where the wheels are not there.
    """
    missing = [module for module in NEEDED.values() if find_spec(module) is None]
    if missing:
        wheels = sorted((ROOT / WHEELS).glob("*.whl"))
        if not wheels:
            raise SystemExit(
                f"error: {', '.join(missing)} cannot be imported, and there are no wheels in "
                f"{WHEELS}; run `make gpu-check` where there is a network, and bring {FOLDER} along"
            )
        for wheel in wheels:  # not every Python has a pip, and to unpack them is all it would do
            with zipfile.ZipFile(wheel) as content:
                content.extractall(site)
    places = [str(site)] if site.is_dir() else []
    places += [str(ROOT), str(ROOT / "tests")]
    kept = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    os.environ["PYTHONPATH"] = os.pathsep.join([*places, *kept])
    sys.path[:0] = places
    return missing


def _requirements(wheel: Path) -> Iterator[str]:
    with zipfile.ZipFile(wheel) as content:
        name = next(one for one in content.namelist() if one.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(content.read(name).decode())
    yield from metadata.get_all("Requires-Dist") or []


def _pattern(requirement: str) -> str:
    """The wheel's file name of a pinned requirement; registries write names in several ways."""
    name, _, version = requirement.partition("==")
    letters = (f"[{one.lower()}{one.upper()}]" if one.isalpha() else one for one in name)
    return re.sub("-", "_", "".join(letters)) + f"-{version}-*.whl"

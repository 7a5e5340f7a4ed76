"""Code of others by the place that an experiment file names: its object, and its digest.

A place is "package.module:name", in an installed package or beside the experiment file, or
"path/to/file.py:name", relative to the experiment file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, reduce
from hashlib import sha256
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from os.path import abspath
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from gandetect.errors import ExternalError, did_you_mean, shown

PLACE = r"^[^:]+:[A-Za-z_][\w.]*$"
NOBODYS = {"gandetect", "__main__", *sys.stdlib_module_names}
Modules: TypeAlias = dict[str, ModuleType]


def object_at(place: str, home: Path) -> tuple[Any, Modules]:
    """The object at ``place``, where paths are below ``home``, and what `running` it takes.

    A file's code is run afresh. Raises `ExternalError` for a file, a module or an object that is
    not there, and whatever the code raises.

    >>> object_at("math:pi", Path())
    (3.141592653589793, {})
    """
    module, _, name = place.rpartition(":")
    file = file_of(place, home)
    own: Modules = {}
    with running(place, home, own):
        loaded = _module_at(file) if module.endswith(".py") else _module_named(module)
    try:
        return reduce(getattr, name.split("."), loaded), own
    except AttributeError:
        near = did_you_mean(name, vars(loaded))
        raise ExternalError(f"{shown(module)} has no {shown(name)}{near}") from None


def file_of(place: str, home: Path) -> Path:
    """The file of a place, whether it names it or a module; it need not be there."""
    module = place.rpartition(":")[0]
    return home / (module if module.endswith(".py") else f"{module.partition('.')[0]}.py")


def code_digest(place: str, home: Path) -> str:
    """The digest of the file, or of all Python files of the package, without importing it."""
    file = file_of(place, home)
    is_file = file.is_file() or place.rpartition(":")[0].endswith(".py")
    return _digest(file) if is_file else _package_digest(file.stem, home)


def _module_at(file: Path) -> ModuleType:
    if not file.is_file():
        raise ExternalError(f"there is no file {shown(file.name)} where the experiment says")
    name = f"gandetect_external_{sha256(str(file).encode()).hexdigest()[:12]}"
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # as dataclasses and pickle look it up
    spec.loader.exec_module(module)
    return module


def _module_named(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ExternalError(
            f"there is no module {name!r} (nothing is called {error.name!r}); install it, or give "
            "the path of a .py file"
        ) from None


@contextmanager
def running(place: str, home: Path, own: Modules) -> Iterator[None]:
    """Run the code at ``place``: modules of its folder are its ``own``, and found first.

    Other code may have some of these names. What Python finds anyway is everybody's.
    """
    folder = file_of(place, home).parent.absolute()
    if str(folder) in map(abspath, sys.path):
        yield
        return
    others = _taken(folder)
    sys.modules |= own
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        own |= _taken(folder)
        sys.modules |= others


def _taken(folder: Path) -> Modules:
    """Take the modules of a folder out of Python's table, and others of their names."""
    tops = {name for name in sys.modules if "." not in name} - NOBODYS
    found = {name: PathFinder.find_spec(name, [str(folder)]) for name in tops}
    held = {name for name, spec in found.items() if spec and (  # of no origin: any sub-folder
        spec.origin or not getattr(sys.modules[name], "__file__", None))}  # fmt: skip
    its = [name for name in sys.modules if name.partition(".")[0] in held]
    return {name: sys.modules.pop(name) for name in its}


@cache
def _package_digest(package: str, home: Path) -> str:
    with running(f"{package}:", home, {}):
        spec = find_spec(package)
    if spec is None:
        return "absent"
    places = [Path(place) for place in spec.submodule_search_locations or ()]
    files = [file for place in places for file in sorted(place.rglob("*.py"))]
    return _digest(*(files or [Path(spec.origin or "")]))


def _digest(*files: Path) -> str:
    return sha256(b"".join(one.read_bytes() for one in files if one.is_file())).hexdigest()

"""Things by name: a new one is a file of its own and one line here or there, and nothing else.

The lines name objects as ``"module:object"``, which are imported when they are first asked for. So
a low room such as `gandetect.config` can hold a registry of things from the rooms above it, and
nothing heavy is imported for a name. A package that somebody installs adds lines as entry points
(docs/plugins.md); what is wrong with one is a sentence, and everything else works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from gandetect.errors import UsageError, shortened, unknown_name

API = 1  # of what plug-ins build on; a plug-in's package says for which it is, in GANDETECT_API
Thing = TypeVar("Thing")


def imported(place: str) -> object:
    """The object that stands at ``"module:object"``.

    >>> imported("math:pi")
    3.141592653589793
    """
    module, _, attribute = place.partition(":")
    thing: object = getattr(import_module(module), attribute)
    return thing


class Registry(Generic[Thing]):
    """Things of one kind by name, in order; ``what`` is what messages call one of them.

    Installed packages add to it by the entry points of ``group``; of these, ``fits`` says whether
    one is what it should be. ``packages`` are those of the plug-ins in it, by name, and
    ``problems`` the sentences on plug-ins that cannot be used.

    >>> codecs = Registry("codec", {"json": "json:loads", "toml": "tomllib:loads"})
    >>> codecs["json"]("[1]"), list(codecs), "yaml" in codecs
    ([1], ['json', 'toml'], False)
    """

    def __init__(
        self,
        what: str,
        entries: Mapping[str, str],
        group: str = "",
        fits: Callable[[object], bool] = lambda thing: True,
    ) -> None:
        self.what = what
        self.entries: dict[str, str | Thing] = dict(entries)
        self.packages: dict[str, str] = {}
        self.problems: dict[str, str] = {}
        self._group, self._fits = group, fits

    def register(self, name: str, thing: Thing | str) -> None:
        """Add a thing, or where it stands, under a name; `ValueError` where the name is taken."""
        if name in self:
            raise ValueError(f"there is already a {self.what} {name!r}; give another name")
        self.entries[name] = thing

    def plugged_in(self) -> dict[str, str]:
        """What plug-ins have added, imported: the package of each by its name."""
        self._ask_packages()
        for name in [*self.packages]:
            if isinstance(place := self.entries.get(name), str):
                self._import_plugin(name, place)
        return self.packages

    def __getitem__(self, name: object) -> Thing:
        """The thing of that name; `UsageError` names all that there are."""
        if not isinstance(name, str) or name not in self.entries:
            self._ask_packages()
        if isinstance(name, str) and name in self.packages:
            self.plugged_in()
        if isinstance(name, str) and name in self.problems:
            raise UsageError(self.problems[name])
        if not isinstance(name, str) or name not in self.entries:
            raise unknown_name(self.what, name, self.entries)
        entry = self.entries[name]
        if isinstance(entry, str):
            entry = self.entries[name] = cast(Thing, imported(entry))
        return entry

    def items(self) -> Iterator[tuple[str, Thing]]:
        """Every name with its thing; plug-ins that cannot be used are left out."""
        self.plugged_in()
        return ((name, self[name]) for name in [*self.entries])

    def __contains__(self, name: object) -> bool:
        self._ask_packages()
        return isinstance(name, str) and name in self.entries

    def __iter__(self) -> Iterator[str]:
        self._ask_packages()
        return iter([*self.entries])

    def __len__(self) -> int:
        self._ask_packages()
        return len(self.entries)

    def _ask_packages(self) -> None:
        """Add the entry points of installed packages, once; those of one name cancel out."""
        group, self._group = self._group, ""
        by_name: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=group) if group else ():
            by_name.setdefault(point.name, []).append(point)
        for name, points in by_name.items():
            packages = " and ".join(sorted(map(_package, points)))
            if name in self.entries:
                self.problems[f"{name} of {packages}"] = (
                    f"the {self.what} {name!r} of {packages} is not used: that name is one of "
                    "gandetect's own; it needs another"
                )
            elif len(points) > 1:
                self.problems[name] = (
                    f"the {self.what} {name!r} is not used: {packages} bring one each; uninstall "
                    "all but one of them"
                )
            else:
                self.entries[name], self.packages[name] = points[0].value, packages

    def _import_plugin(self, name: str, place: str) -> None:
        """Import a plug-in's thing, or write down why it cannot be used."""
        package = self.packages[name]
        try:
            version = getattr(import_module(place.partition(".")[0].partition(":")[0]),
                              "GANDETECT_API", None)  # fmt: skip
            if version != API:
                why = f"it is for API version {version}, and this gandetect has {API}"
            elif not self._fits(thing := imported(place)):
                why = f"{place} is {type(thing).__name__}, which is no {self.what}"
            else:
                self.entries[name] = cast(Thing, thing)
                return
        except (Exception, SystemExit) as error:  # anybody's code
            why = f"{place} cannot be imported ({type(error).__name__}: {error})"
        del self.entries[name], self.packages[name]
        told = f"the {self.what} {name!r} of {package} is not used: {shortened(why, 300)}"
        self.problems[name] = f"{told}; install another version of it, or none"


def _package(point: EntryPoint) -> str:
    """The package that an entry point comes from, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"

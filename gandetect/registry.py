"""Things by name: a new one is a file of its own and one line here or there, and nothing else.

The lines name objects as ``"module:object"``, which are imported when they are first asked for. So
a low room such as `gandetect.config` can hold a registry of things from the rooms above it, and
nothing heavy is imported for a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar, cast

from gandetect.errors import unknown_name

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

    >>> codecs = Registry("codec", {"json": "json:loads", "toml": "tomllib:loads"})
    >>> codecs["json"]("[1]"), list(codecs), "yaml" in codecs
    ([1], ['json', 'toml'], False)
    """

    def __init__(self, what: str, entries: Mapping[str, str]) -> None:
        self.what = what
        self.entries: dict[str, str | Thing] = dict(entries)

    def register(self, name: str, thing: Thing | str) -> None:
        """Add a thing, or where it stands, under a name; `ValueError` where the name is taken."""
        if name in self:
            raise ValueError(f"there is already a {self.what} {name!r}; give another name")
        self.entries[name] = thing

    def __getitem__(self, name: object) -> Thing:
        """The thing of that name; `UsageError` names all that there are."""
        if not isinstance(name, str) or name not in self.entries:
            raise unknown_name(self.what, name, self.entries)
        entry = self.entries[name]
        if isinstance(entry, str):
            entry = self.entries[name] = cast(Thing, imported(entry))
        return entry

    def items(self) -> Iterator[tuple[str, Thing]]:
        """Every name with its thing."""
        return ((name, self[name]) for name in self.entries)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

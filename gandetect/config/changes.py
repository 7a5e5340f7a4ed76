"""One of ``[[variants]]``, and how its changes are merged into an experiment's table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from gandetect.config.section import ConfigSection, Name, laid_over
from gandetect.errors import UsageError, shown

Table = Mapping[str, Any]
EVERY_GAN = "*"
GAN = "{gan}"
# Lists whose entries are found by name, and the key that says what an entry is.
NAMED = {"gans": "architecture", "classifiers": "recipe", "detectors": "kind"}
COMMON = ("name", "question", "seeds", "variants")  # what all variants share
LABELS = ("real_label", "fake_label")  # which only the non-saturating loss has


class VariantConfig(ConfigSection):
    """A variant of the experiment: what changes, and which study it is compared with.

    ``compared_with`` names a variant that stands before this one; without it, it is the baseline:
    the experiment without variants. Tables in ``changes`` merge key by key, and entries of
    ``gans``, ``detectors`` and ``classifiers`` by name; a new name is a new entry. The name "*" in
    ``gans`` stands for every GAN of role "both", and a new entry with ``{gan}`` in it is made once
    for each such GAN.
    """

    name: Name
    about: str = ""
    compared_with: str | None = None
    changes: Mapping[str, Any] = Field(min_length=1)


def bases_of(table: Table) -> list[str]:
    """Names of the GANs of role "both": those that ``*`` and ``{gan}`` stand for."""
    return [gan["name"] for gan in table["gans"] if gan["role"] == "both"]


def merged(table: Table, variant: VariantConfig) -> dict[str, Any]:
    """The table of an experiment, with all defaults filled in, with a variant's changes.

    Raises `UsageError` for a change of what all variants share, of an entry's role, architecture,
    recipe or kind, and for a placeholder in an experiment without any GAN of role "both".
    """
    for key in COMMON:
        if key in variant.changes:
            raise _refusal(variant, f"changes sets {key!r}, which all variants share; remove it")
    lists = {key: _entries(table, variant, key) for key in NAMED if key in variant.changes}
    rest = {key: value for key, value in variant.changes.items() if key not in NAMED}
    return {**laid_over(table, rest), **lists}


def _entries(table: Table, variant: VariantConfig, key: str) -> list[dict[str, Any]]:
    """One list of named tables with the changes to its entries, and with the new ones."""
    entries = {table_entry["name"]: dict(table_entry) for table_entry in table[key]}
    for entry in _listed(variant, key):
        for name, table_entry in _filled(entry, bases_of(table), variant, key):
            before = entries.get(name)
            entries[name] = (
                _changed(before, table_entry, variant, key)
                if before
                else {"name": name, **table_entry}
            )
    return list(entries.values())


def _listed(variant: VariantConfig, key: str) -> Sequence[Table]:
    entries = variant.changes[key]
    if isinstance(entries, list | tuple) and all(isinstance(entry, Mapping) for entry in entries):
        return entries
    raise _refusal(
        variant,
        f"changes.{key} = {shown(entries)} is not a list of tables, such as [{{ name = … }}]",
    )


def _filled(
    entry: Table, bases: Sequence[str], variant: VariantConfig, key: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """An entry and its name, for every GAN that it stands for."""
    text = json.dumps(entry)
    every = key == "gans" and entry.get("name") == EVERY_GAN
    if not every and GAN not in text:
        default = entry.get("architecture", variant.name)
        yield str(entry.get("name", default)), dict(entry)
        return
    if not bases:
        raise _refusal(
            variant,
            f'changes.{key} is for every GAN of role "both", and the experiment has none; name '
            'one, or give a GAN role = "both"',
        )
    for base in bases:
        filled = json.loads(text.replace(GAN, base))
        yield base if every else str(filled.get("name", f"{base}+{variant.name}")), filled


def _changed(before: Table, entry: Table, variant: VariantConfig, key: str) -> dict[str, Any]:
    """An entry with its changes; what another loss has no use for goes."""
    for fixed in (NAMED[key], "role"):
        if fixed in entry and entry[fixed] != before.get(fixed):
            raise _refusal(
                variant,
                f"changes.{key} sets {fixed} = {shown(entry[fixed])} for {before['name']!r}, whose "
                f"is {shown(before.get(fixed))} and does not change; remove it, or give another "
                "name",
            )
    if key == "gans" and entry.get("loss", "non-saturating") != "non-saturating":
        before = {name: value for name, value in before.items() if name not in LABELS}
    return {**laid_over(before, entry), "name": before["name"]}


def _refusal(variant: VariantConfig, problem: str) -> UsageError:
    return UsageError(f"variant {variant.name!r}: {problem}")

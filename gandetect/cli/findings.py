"""How the findings of `gandetect data check` read in a terminal, also a narrow one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from gandetect.data.integrity import Integrity

SHOWN = 20  # warnings of a kind; bad files are all shown


def finding_lines(integrity: Integrity) -> Iterator[str]:
    """Yield what is wrong, kind by kind: a line for the file and one for the reason."""
    yield f"{integrity.files:,} image files were read; {len(integrity.bad):,} of them are bad"
    for kind, count in integrity.counts().items():
        own = [finding for finding in integrity.findings if finding.kind == kind]
        warning = "" if own[0].bad else " (warning)"
        shown = own if own[0].bad else own[:SHOWN]
        yield ""
        yield f"{kind}: {count:,}{warning}"
        for finding in shown:
            yield f"  {finding.path}"
            yield f"      {finding.reason}"
        if count > len(shown):
            yield f"  … and {count - len(shown):,} more; --json lists all"
    if integrity.notes:
        yield ""
        yield from integrity.notes
    if integrity.passed_over:
        yield ""
        yield f"passed over: {len(integrity.passed_over):,}"
        yield from _passed_over(integrity)


def class_table(summary: Mapping[str, Any]) -> Table:
    """Formats, modes and sizes of each class."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("class", "files", "formats", "modes", "sizes (px)"):
        table.add_column(heading, justify="left", overflow="fold")
    for name, formats in summary["formats"].items():
        sizes = summary["sizes"].get(name)
        cells = [
            name or "(none)",
            f"{sum(formats.values()):,}",
            _counted(formats),
            _counted(summary["modes"][name]),
            _sizes(sizes) if sizes else "",
        ]
        table.add_row(*(Text(cell) for cell in cells))  # a name may hold rich's markup
    return table


def _passed_over(integrity: Integrity) -> Iterator[str]:
    from gandetect.data.folders import Found, PassedOver

    passed = PassedOver()
    for entry in integrity.passed_over:
        passed.add(Found(Path(entry["path"]), entry["reason"]))
    for sentence in passed.sentences():
        yield f"  {sentence}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{value} {count:,}" for value, count in counts.items())


def _sizes(sizes: Mapping[str, Any]) -> str:
    def size(which: str) -> str:
        return "x".join(map(str, sizes[which]))

    if sizes["smallest"] == sizes["largest"] == sizes["commonest"]:
        return f"all {size('commonest')}"
    return (
        f"median {size('median')}, {size('smallest')} to {size('largest')}, "
        f"commonest {size('commonest')} ({sizes['commonest_count']:,})"
    )

"""The table that people read."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from .results import Measured, Row


def print_table(facts: Mapping[str, Any], measured: Measured) -> None:
    """Print what was measured, where, and what became of it; also readable in a pipe."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120
    versions = facts["versions"]
    console.print(
        f"{facts['processor']}, {facts['cores']} cores ({', '.join(facts['instruction_sets'])}); "
        f"torch {versions['torch']}, Python {versions['python']}, "
        f"gandetect {facts['git_commit'] or versions['gandetect']}; "
        f"load before: {facts['load_before'] or 0.0:.1f}",
        markup=False,
        soft_wrap=True,
    )
    for title, rows in (("Measured", measured.rows), ("Ratios and shares", measured.ratios)):
        console.print(_table(title, rows))
    for note in measured.notes:
        console.print(f"note: {note}", markup=False)


def _table(title: str, rows: list[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for heading in ("median", "lowest–highest", "repeats"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    for section, group in groupby(rows, key=lambda row: row.section):
        table.add_section()
        table.add_row(section.upper())
        for row in group:
            shown = row.as_dict()
            spread = f"{_number(shown['lowest'])}–{_number(shown['highest'])}"
            table.add_row(
                row.name,
                _number(shown["median"]),
                spread if shown["repeats"] > 1 else "",
                str(shown["repeats"]),
                row.unit,
            )
    return table


def _number(value: float) -> str:
    """Three significant digits, and whole numbers above."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

"""The files of a report that joins several studies: numbers, figures and pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gandetect.report.document import Document
from gandetect.report.render import to_html, to_markdown
from gandetect.runs import atomic_file, atomic_folder, write_json, write_text


def write_files(
    folder: Path, kind: str, numbers: Mapping[str, Any], table: pd.DataFrame, document: Document
) -> Path:
    """Write `<kind>.json`, `<kind>.csv`, figures, `report.md`, `report.html`; returns the page."""
    write_json(folder / f"{kind}.json", {"schema": 1, **numbers})
    with atomic_file(folder / f"{kind}.csv") as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    with atomic_folder(folder / "figures") as figures:
        for picture in document.pictures():
            (figures / Path(picture.path).name).write_bytes(picture.content)
    write_text(folder / "report.md", to_markdown(document))
    write_text(folder / "report.html", to_html(document))
    return folder / "report.html"

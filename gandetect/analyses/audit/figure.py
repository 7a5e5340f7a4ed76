"""Where in the picture real images and fakes differ on average: the mean, and the deviation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gandetect.analyses.image_statistics.figure import draw_map
from gandetect.report.style import new_panels
from gandetect.report.words import wrapped

ROWS = {"mean": "mean", "deviation": "deviation over images"}


def differences(named: Sequence[tuple[str, dict[str, Any]]]) -> Figure:
    """Real less generated on a grid of blocks, a column for each source; grey levels."""
    width = min(2.2, 8.4 / len(named))
    figure, panels = new_panels(width * len(named) + 1.6, 2 * width + 0.9, 2, len(named))
    for line, (what, label) in zip(panels, ROWS.items(), strict=True):
        maps = [np.asarray(one[what]) for _, one in named]
        bound = max(float(np.abs(values).max()) for values in maps) or 1.0
        for axes, (name, _), values in zip(line, named, maps, strict=True):
            drawn = draw_map(axes, values, bound)
            if what == "mean":
                axes.set_title(wrapped(name, int(width * 12)), fontsize=9)
        figure.colorbar(drawn, ax=line, label=f"{label},\ngrey levels", pad=0.01, aspect=16)
    return figure

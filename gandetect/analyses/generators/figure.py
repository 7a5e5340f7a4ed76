"""How the generators were trained: losses, accuracies, quality of the fakes, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gandetect.report.style import COLOURS, hide_empty, legend_entries, new_panels

# Panels of one generator: title, y axis, and which columns are drawn in which colour. A GAN has the
# first two, a VAE the next two.
PANELS: tuple[tuple[str, str, dict[str, tuple[str, str]]], ...] = (
    ("Losses", "", {
        "discriminator_loss": ("discriminator", COLOURS["training"]),
        "generator_loss": ("generator", COLOURS["own"])}),
    ("Discriminator", "share answered correctly", {
        "accuracy_real": ("on real", COLOURS["in-distribution"]),
        "accuracy_fake": ("on generated", COLOURS["own"])}),
    ("Reconstruction (a loss)", "nats an image", {
        "reconstruction": ("reconstruction", COLOURS["training"])}),
    ("Divergence of the latents (a loss)", "nats an image", {
        "divergence": ("divergence", COLOURS["own"])}),
    ("FID (lower is better)", "FID, own features", {"fid": ("FID", COLOURS["own"])}),
    ("KID (lower is better)", "KID, own features", {
        "kid": ("± 1 sd over subsets", COLOURS["own"])}),
)  # fmt: skip
# What a GAN's losses are counted in, by its adversarial loss.
UNITS = {
    "non-saturating": "cross-entropy (nats)",
    "least-squares": "squared error of the logit",
    "hinge": "hinge loss of the logit",
    "wasserstein": "mean logit, signed",
}


def training_curves(histories: Mapping[int, pd.DataFrame], loss: str = "non-saturating") -> Figure:
    """Four panels of one generator, a line for each seed; ``loss`` is its GAN's adversarial one.

    Columns that are absent are left out.
    """
    runs = histories.values()
    shown = [
        (title, unit, lines)
        for title, unit, lines in PANELS
        if any(has_numbers(history, column) for history in runs for column in lines)
    ]
    rows = (len(shown) + 1) // 2
    figure, panels = new_panels(9.6, 2.7 * rows, rows, 2)
    for axes, (title, unit, lines) in zip(panels.ravel(), shown, strict=False):
        for history in runs:
            for column, (label, colour) in lines.items():
                _draw_line(axes, history, column, label, colour)
        axes.set(title=title, xlabel="epoch", ylabel=unit or UNITS.get(loss, ""))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if title.startswith("Disc"):
            axes.set_ylim(-0.02, 1.02)
        elif "lower is better" in title:  # a distance; losses may be negative
            axes.set_ylim(bottom=0)
        if len(lines) > 1 or "kid" in lines:
            entries = legend_entries(axes)
            # Above the axes, at the right of the title: inside it would lie on the lines.
            axes.legend(entries.values(), entries, loc="lower right", bbox_to_anchor=(1.0, 0.98),
                        ncols=len(entries), handlelength=1.2, columnspacing=1.0,
                        borderaxespad=0.0)  # fmt: skip
    hide_empty(figure)
    return figure


def has_numbers(history: pd.DataFrame, column: str) -> bool:
    """Whether a column is there and not empty."""
    return column in history and bool(history[column].notna().any())


def _draw_line(axes: Axes, history: pd.DataFrame, column: str, label: str, colour: str) -> None:
    if not has_numbers(history, column):
        return
    epochs, values = history["epoch"], history[column]
    marker = "o" if len(history) < 30 else ""
    axes.plot(epochs, values, color=colour, label=label, marker=marker, markersize=4, alpha=0.9)
    if column == "kid" and has_numbers(history, "kid_std"):
        low, high = values - history["kid_std"], values + history["kid_std"]
        axes.fill_between(epochs, low, high, color=colour, alpha=0.2, linewidth=0)

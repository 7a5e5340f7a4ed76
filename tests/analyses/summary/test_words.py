"""The first screen: yes or no by the yardstick, with figures that are those of the metrics."""

from dataclasses import replace

import pytest

from gandetect.analyses.build import compute_metrics
from gandetect.analyses.summary.words import in_short, what_was_done
from gandetect.report.document import Heat
from gandetect.report.inputs import read_inputs
from gandetect.report.material import Material
from gandetect.report.words import percent

from .test_answer import separated

USABLE, GENERALISES, SPARES = (
    "Usable as a detector?",
    "Does it generalise?",
    "Does it spare what is real but new?",
)


def material(run, change=lambda scores: scores) -> Material:
    inputs = read_inputs(run)
    inputs = replace(inputs, scores=change(inputs.scores))
    return Material(inputs, compute_metrics(inputs))


def answers(made: Material) -> dict[str, str]:
    return {block.label: block.text for block in in_short(made) if getattr(block, "label", "")}


@pytest.fixture(autouse=True)
def _blank(blank) -> None:
    """Nothing is drawn here."""


def test_three_questions_are_answered_in_order(run):
    assert list(answers(material(run))) == [USABLE, GENERALISES, SPARES]


@pytest.mark.parametrize(("distance", "verdict"), [(5.0, "Yes. "), (-5.0, "No. ")])
def test_perfect_and_inverted_detectors_are_told_apart(run, distance, verdict):
    found = answers(material(run, lambda scores: separated(scores, distance)))
    assert found[USABLE].startswith(verdict)
    assert found[GENERALISES].startswith(verdict)


def test_one_that_passes_is_named(run):
    def change(scores):
        good = separated(scores, 5.0)
        hit = (good["source"] == "real:held-out") & (good["detector"] == "dcgan-bn")
        return good.assign(score=good["score"].where(~hit, 9.0))

    found = answers(material(run, change))
    assert found[SPARES].startswith("Only dcgan-plain. ")
    assert "dcgan-bn and dcgan-plain delay 100 (" in found[SPARES]


def test_the_matrix_shows_the_metrics_and_frames_own_fakes(run):
    made = material(run)
    heats = [block for block in in_short(made) if isinstance(block, Heat)]
    assert len(heats) == 2  # at equal cost, and as training left it
    (name, cells) = heats[0].rows[0]
    assert name == "Discriminator dcgan-bn"
    row = next(
        row
        for row in made.metrics["across_seeds"]
        if (row["detector"], row["role"], row["operating_point"])
        == ("dcgan-bn", "own", "calibrated")
    )
    assert cells[0].text == percent(row["mean"])
    assert [cell.framed for cell in cells] == [True, False, False, False]


def test_what_was_done_counts_the_detectors_and_names_the_unseen(run):
    said = what_was_done(material(run))
    assert "2 discriminators" in said
    assert "Sneaker, Bag and Ankle boot" in said

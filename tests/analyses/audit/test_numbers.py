"""Results as rows of metrics and of the tidy table, and as sentences."""

from __future__ import annotations

from gandetect.analyses.audit.judging import ProbeResult
from gandetect.analyses.audit.numbers import check_sentence, rows, tidy_rows, warnings_of
from gandetect.analyses.audit.sides import ACROSS, COPIES, ORDER, SetCheck

CHECKS = [
    SetCheck(COPIES, "real", 0, 1500, False, 0),
    SetCheck(COPIES, "generated", 1425, 1500, True, 1400),
    SetCheck(ACROSS, "generated", 12, 1500, True, 2),
    SetCheck(ORDER, "real", 0.93, 1500, True, ci95=[0.91, 0.95]),
]


def test_each_warning_is_one_sentence_that_counts_its_seeds() -> None:
    hit = ProbeResult("histogram", 0.9, [0.88, 0.92], 100, 100, warning=True)
    miss = ProbeResult("mean", 0.55, [0.5, 0.6], 100, 100, warning=False)
    table = [
        row
        for seed in (0, 1)
        for row in rows([hit if seed else miss, hit], "generated:dcgan-bn", seed)
    ]
    (sentence,) = warnings_of([], table)
    assert "“histogram” alone tells fakes of dcgan-bn" in sentence
    assert "0.900 (mean of 3 runs, a warning in 3)" in sentence
    assert table[0] == {
        "probe": "mean", "auroc": 0.55, "ci95": [0.5, 0.6], "n_real": 100, "n_generated": 100,
        "warning": False, "where": "", "source": "generated:dcgan-bn", "seed": 0,
    }  # fmt: skip


def test_a_warning_names_the_pixel() -> None:
    hit = ProbeResult("single pixels", 0.9, [0.88, 0.92], 100, 100, True, "row 13, column 9")
    (sentence,) = warnings_of([], rows([hit], "generated:a"))
    assert "0.900 (most at row 13, column 9): a detector" in sentence


def test_copies_and_order_are_told_before_probes() -> None:
    hit = ProbeResult("mean", 0.9, [0.88, 0.92], 100, 100, True)
    told = warnings_of(rows(CHECKS, "generated:a", 0), rows([hit], "generated:a", 0))
    assert [sentence.split(":")[0] for sentence in told[:2]] == [
        "Of 1,500 generated images of a 75 differ",
        "12 of 1,500 generated images of a are copies of real images, 2 of them to the pixel.",
    ]
    assert "1,425 repeat another one, 1,400 of them to the pixel" in told[0]
    assert told[2].startswith("The order of the files of real images tells")
    assert "0.930" in told[2]
    assert "“mean”" in told[3]
    assert len(told) == 4


def test_of_several_seeds_the_mean_is_told() -> None:
    checks = [SetCheck(COPIES, "generated", value, 100, True, value) for value in (10, 20)]
    assert check_sentence(rows(checks, "generated:a")) == (
        "Of 100 generated images of a 85 differ (mean of 2 runs): 15 repeat another one, 15 of "
        "them to the pixel."
    )


def test_checks_and_probes_are_rows_of_the_tidy_table() -> None:
    hit = ProbeResult("mean", 0.9, [0.88, 0.92], 100, 50, True)
    metrics = {"audit_checks": rows(CHECKS, "generated:a", 0), "audit": rows([hit], "generated:a")}
    tidy = list(tidy_rows(metrics))
    assert [(row["metric"], row["value"], row["n"]) for row in tidy] == [
        ("copies, real", 0, 1500),
        ("copies, generated", 1425, 1500),
        ("copies of real images, generated", 12, 1500),
        ("order, real", 0.93, 1500),
        ("mean", 0.9, 150),
    ]
    assert (tidy[3]["low"], tidy[3]["high"]) == (0.91, 0.95)

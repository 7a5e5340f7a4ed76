"""The published tables are consistent in themselves, as far as two decimals can be."""

import pytest

from gandetect.evaluation.reference import PUBLISHED, ClassRow

ROUNDING = 0.005  # of every printed figure


@pytest.mark.parametrize("net", PUBLISHED)
def test_f1_is_the_harmonic_mean_of_what_stands_beside_it(net: str) -> None:
    tables = PUBLISHED[net]
    for row in (tables.generated, tables.real):
        bounds = [
            2 * p * r / (p + r)
            for p, r in (
                (row.precision - ROUNDING, row.recall - ROUNDING),
                (row.precision + ROUNDING, row.recall + ROUNDING),
            )
        ]
        assert bounds[0] - ROUNDING <= row.f1 <= bounds[1] + ROUNDING
    for group in tables.groups.values():  # of one label: all that is found is right
        assert group.f1 == pytest.approx(2 * group.recall / (1 + group.recall), abs=2 * ROUNDING)


@pytest.mark.parametrize("net", PUBLISHED)
def test_means_are_those_of_both_classes(net: str) -> None:
    tables = PUBLISHED[net]
    generated, real = tables.generated, tables.real
    assert tables.macro.n == tables.weighted.n == generated.n + real.n

    def mean(name: str) -> float:
        return (getattr(generated, name) + getattr(real, name)) / 2

    for name in ("precision", "recall", "f1"):
        assert getattr(tables.macro, name) == pytest.approx(mean(name), abs=2 * ROUNDING)
    if generated.n == real.n:
        assert tables.accuracy == pytest.approx(mean("recall"), abs=2 * ROUNDING)
        assert tables.weighted == ClassRow(**vars(tables.macro))

"""A few seconds of tables of labels; ``make fuzz`` tries many more."""

from __future__ import annotations

import math

from . import tables


def test_no_table_is_read_wrongly_or_ends_in_a_traceback() -> None:
    assert tables.run(60, seed=0, until=math.inf) == []

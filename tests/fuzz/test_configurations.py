"""A few seconds of absurd experiment files; ``make fuzz`` tries many more."""

from __future__ import annotations

import math

from . import configurations


def test_no_experiment_file_override_or_option_ends_in_a_traceback() -> None:
    assert configurations.run(40, seed=0, until=math.inf) == []

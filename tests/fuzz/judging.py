"""What every command owes to whatever it is given: an answer, or one sentence and no traceback."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from click.testing import CliRunner

from gandetect.cli import main

LONGEST = 640  # characters of a message, "error: " included


def problem_with(arguments: Sequence[str]) -> str | None:
    """Run a command in this process; say what is wrong with its answer, or None."""
    result = CliRunner().invoke(main, list(arguments), prog_name="gandetect")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        last = traceback.extract_tb(result.exception.__traceback__)[-1]
        kind = type(result.exception).__name__
        return f"{kind}: {str(result.exception)[:200]} ({last.filename}:{last.lineno})"
    if result.exit_code == 0 or result.stdout:  # findings of a check are an answer
        return None
    lines = result.stderr.splitlines()
    told = [line for line in lines if line.lower().startswith("error: ")]
    if len(told) != 1 or lines[-1] is not told[0]:
        return f"exit {result.exit_code} without one sentence: {result.stderr[:400]!r}"
    if len(told[0]) > LONGEST:
        return f"a message of {len(told[0])} characters: {told[0][:300]!r}"
    if len(told[0]) < 20:
        return f"a message that says nothing: {told[0]!r}"
    return None

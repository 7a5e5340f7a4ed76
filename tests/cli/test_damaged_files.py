"""Folders whose files hold what nobody wrote are answered with one sentence by every command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gandetect.cli import main
from gandetect.data.quarantine import LOG
from gandetect.detectors.folder import DESCRIPTION

CONTENTS = {
    "nothing": "",
    "half": '{"a": ',
    "a list": "[]",
    "a number": "5",
    "null": "null",
    "NaN": "NaN",
    "deep": "[" * 100_000,
    "digits": '{"from": ' + "9" * 5000 + "}",
    "bytes": "\udcff",
}
FILES = ("study.json", "metrics.json", "variants.json", "record.json", LOG)


@pytest.mark.parametrize("content", CONTENTS.values(), ids=list(CONTENTS))
@pytest.mark.parametrize(
    "command",
    [["report"], ["grid"], ["compare"], ["data", "restore"], ["score"], ["run"]],
    ids=" ".join,
)
def test_a_folder_of_anything_is_one_sentence(tmp_path: Path, command, content) -> None:
    for name in (*FILES, DESCRIPTION):
        (tmp_path / name).write_bytes(content.encode(errors="surrogateescape") + b"\n")
    arguments = [
        *command,
        str(tmp_path),
        *([str(tmp_path)] if command[0] in ("compare", "score") else []),
    ]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    if result.exit_code == 0:  # a quarantine of which nothing is left
        assert command == ["data", "restore"]
        assert content == ""
        return
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 620

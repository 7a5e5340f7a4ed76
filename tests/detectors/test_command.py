"""Somebody's program as a detector, and what is said when it fails."""

import subprocess
import sys
import time

import numpy as np
import pytest
from ending import PATIENCE

from gandetect.detectors.command import CommandDetector
from gandetect.detectors.external import described, open_external
from gandetect.detectors.protocol import Preprocessing
from gandetect.errors import ExternalError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)


def opened(home, table):
    facts = described(table, home, preprocessing=Preprocessing(image_size=8))
    return open_external(table, facts, home, "cpu")


def command(home, program, *arguments, **keys):
    (home / "program.py").write_text(program)
    parts = (sys.executable, "program.py", *arguments)
    return opened(home, CommandDetector(kind="command", name="d", command=parts, **keys))


PROGRAM = """
import csv, json, sys
paths = [line.strip() for line in sys.stdin]
if paths[0].startswith("{"):
    paths = [json.loads(path)["path"] for path in paths]
from PIL import Image
import numpy as np
print("path, score")
for path in reversed(paths):
    print(f"{path}, {np.asarray(Image.open(path)).mean()}")
"""


@pytest.mark.parametrize("form", ["lines", "json-lines"])
def test_a_program_may_answer_in_any_order(tmp_path, form):
    scores = command(tmp_path, PROGRAM, input=form, batch_size=3).decision_function(IMAGES)
    np.testing.assert_allclose(scores, IMAGES.mean(axis=(1, 2, 3)))


def test_lists_and_answers_may_be_files(tmp_path):
    program = """
import sys
given, wanted = sys.argv[1].removeprefix("--images="), sys.argv[2]
with open(wanted, "w", encoding="utf-8-sig") as out:
    out.write("score,path\\n")
    for number, line in enumerate(open(given)):
        out.write(f"{number},{line}")
print("progress")
"""
    detector = command(tmp_path, program, "--images={list}", "{output}")
    np.testing.assert_array_equal(detector.decision_function(IMAGES), range(5))


ECHO = "import sys\npaths = [line.strip() for line in sys.stdin]\nprint('path,score')\n"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.stderr.write('no GPU here'); sys.exit(4)",
         "ended with exit code 4; its stderr ends: no GPU here"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by signal 9"),
        ("print('a,b')", "begin with a header that has the columns path and score, .* 'a,b'"),
        ("", "begin with a header"),
        (ECHO + "print(paths[0] + ',1')", "no line for 4 of 5 images, the first .* 000001.png"),
        (ECHO + "[print(p + ',1') for p in paths + paths[:1]]", "line 7 .* a second time"),
        (ECHO + "print('other.png,1')", "line 2 of its CSV answers 'other.png', which was not"),
        (ECHO + "[print(p + ',high') for p in paths]", "has the score 'high', which is no number"),
        (ECHO + "[print(p + ',nan') for p in paths]", "answered 5 of 5 images with what is not a"),
        (ECHO + "[print(p) for p in paths]", "has the score '', which is no number"),
    ],
)  # fmt: skip
def test_what_a_program_does_wrong_is_one_sentence(tmp_path, program, said):
    with pytest.raises(ExternalError, match=said) as told:
        command(tmp_path, program).decision_function(IMAGES)
    assert "is left out: " in str(told.value)


def test_a_program_that_is_not_there_is_told(tmp_path):
    table = CommandDetector(kind="command", name="d", command=("no-such-program",))
    with pytest.raises(ExternalError, match=r"'no-such-program' cannot be started .No such file"):
        opened(tmp_path, table).decision_function(IMAGES)


HANGS = ("sh", "-c", "sleep 600 & echo $! > pids; echo waiting >&2; wait")


def has_ended(number):
    """Whether a process has, within a while; those that nobody waits for count as ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False
        )
        if not answer.stdout.strip() or answer.stdout.startswith("Z"):
            return True
        time.sleep(0.05)
    return False


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path):
    table = CommandDetector(kind="command", name="d", command=HANGS, timeout=3.0)
    with pytest.raises(ExternalError, match=r"longer than timeout = 3 seconds .*ends: waiting"):
        opened(tmp_path, table).decision_function(IMAGES)
    assert has_ended((tmp_path / "pids").read_text())


def test_a_program_does_not_outlive_whoever_started_it(tmp_path):
    """Even where that is killed, so that it can clean up nothing."""
    caller = f"""
import numpy as np, pathlib
from gandetect.detectors.command import CommandDetector
table = CommandDetector(kind="command", name="d", command={HANGS!r})
table.opened(pathlib.Path(), "cpu")(np.zeros((1, 1, 8, 8), np.uint8))
"""
    with subprocess.Popen([sys.executable, "-c", caller], cwd=tmp_path) as process:
        deadline = time.monotonic() + PATIENCE
        while not (tmp_path / "pids").exists() or not (tmp_path / "pids").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
    assert has_ended((tmp_path / "pids").read_text())

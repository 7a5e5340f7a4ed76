"""Somebody's detector as a program: image files in, a CSV of path and score out.

The program is told the paths of PNG files, one a line, and writes a CSV with the columns ``path``
and ``score``, in any order. Nothing goes through a shell.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gandetect.data.picture import picture_from
from gandetect.detectors.external import Answer, External, Fitted, Pixels
from gandetect.errors import ExternalError, shortened, shown

LIST, OUTPUT = "{list}", "{output}"  # in an argument: the file of paths, the file of answers
TAIL = 300  # characters of stderr that are shown
# Ends the program with all that it has started, as soon as the process that asked for it is gone.
WATCH = "import os, sys; sys.stdin.read(); os.killpg(int(sys.argv[1]), 9)"


class CommandDetector(External):
    """A program that reads a list of image files and writes a CSV of path and score.

    ``command`` is the program and its arguments, run in the folder of the experiment file. The
    paths stand on its stdin, or in a file whose name takes the place of "{list}" in an argument:
    one a line or, with ``input`` "json-lines", a JSON object with the key "path". The CSV is its
    stdout, or the file whose name takes the place of "{output}". It is started for ``batch_size``
    images at a time, and killed with all that it has started after ``timeout`` seconds.
    """

    METHOD: ClassVar = "as a program"
    WITHOUT_EFFECT: ClassVar = frozenset({"timeout"})
    MAPPED: ClassVar = False

    kind: Literal["command"]
    command: Annotated[tuple[str, ...], Field(min_length=1)]
    input: Literal["lines", "json-lines"] = "lines"
    timeout: Annotated[float, Field(gt=0, le=1e6)] = 600.0
    batch_size: Annotated[int, Field(ge=1, le=65536)] = 1000

    @property
    def called(self) -> str:
        """The program with its arguments."""
        return " ".join(self.command)

    def own_files(self) -> Sequence[str]:
        """Those of its arguments that are files."""
        return self.command

    def opened(self, home: Path, device: str, fitted: Fitted | None = None) -> Answer:
        """Nothing stays open: the program is started for every batch."""

        def answer(pixels: Pixels) -> NDArray[np.float64]:
            with TemporaryDirectory(prefix="gandetect-") as folder:
                return self._answers(pixels, Path(folder), home)

        return answer

    def _answers(self, pixels: Pixels, folder: Path, home: Path) -> NDArray[np.float64]:
        paths = _write_images(pixels, folder)
        lines = [json.dumps({"path": path}) if self.input != "lines" else path for path in paths]
        listed, output, errors = (folder / name for name in ("list", "output.csv", "stderr"))
        listed.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        places = {LIST: str(listed), OUTPUT: str(output)}
        command = list(self.command)
        for name, place in places.items():
            command = [argument.replace(name, place) for argument in command]
        stdout = os.devnull if any(OUTPUT in one for one in self.command) else output
        with listed.open("rb") as given, open(stdout, "wb") as out, errors.open("wb") as err:  # noqa: PTH123
            code = self._run(command, home, stdin=given, stdout=out, stderr=err)
        if code:
            how = f"ended with exit code {code}" if code > 0 else f"was killed by signal {-code}"
            raise ExternalError(f"the program {how}{_tail(errors)}")
        return _read_answers(output, paths, _tail(errors))

    def _run(self, command: Sequence[str], home: Path, **streams: Any) -> int:
        """Its exit code; whatever happens here, it is ended with its children."""
        try:
            program = subprocess.Popen(command, cwd=home, start_new_session=True, **streams)
        except OSError as error:
            raise ExternalError(
                f"the program {shown(command[0])} cannot be started ({error.strerror})"
            ) from None
        with _ended_with_children(program):
            try:
                return program.wait(self.timeout)
            except subprocess.TimeoutExpired:
                tail = _tail(Path(streams["stderr"].name))
                raise ExternalError(
                    f"the program took longer than timeout = {self.timeout:g} seconds and was "
                    f"killed{tail}"
                ) from None


@contextmanager
def _ended_with_children(program: subprocess.Popen[Any]) -> Iterator[None]:
    """However the block is left, and should this process be killed, no process is left."""
    watch = [sys.executable, "-I", "-S", "-c", WATCH, str(program.pid)]
    watcher = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        watcher.kill()
        watcher.communicate()
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()


def _write_images(pixels: Pixels, folder: Path) -> list[str]:
    """PNG files of images ``(N, C, H, W)``; returns their paths."""
    paths = []
    for number, image in enumerate(pixels):
        path = folder / f"{number:06d}.png"
        picture_from(image).save(path)
        paths.append(str(path))
    return paths


def _read_answers(file: Path, paths: Sequence[str], tail: str) -> NDArray[np.float64]:
    """Scores in the order of ``paths``; a path may be written by its file's name alone."""
    places = {Path(path).name: place for place, path in enumerate(paths)}
    scores = np.full(len(paths), np.nan)
    answered = np.zeros(len(paths), bool)
    for number, (path, text) in enumerate(_rows(file, tail), start=2):
        place = places.get(Path(path).name)
        if place is None:
            raise ExternalError(f"line {number} of its CSV answers {shown(path)}, which was not "
                                "among the images; write paths as they were given")  # fmt: skip
        if answered[place]:
            raise ExternalError(f"line {number} of its CSV answers {shown(path)} a second time; "
                                "write one line an image")  # fmt: skip
        try:
            scores[place] = float(text)
        except ValueError:
            raise ExternalError(f"line {number} of its CSV has the score {shown(text)}, which is "
                                "no number") from None  # fmt: skip
        answered[place] = True
    if not answered.all():
        first = Path(paths[int(answered.argmin())]).name
        raise ExternalError(
            f"its CSV has no line for {int((~answered).sum())} of {len(paths)} images, the first "
            f"of them {first}{tail}"
        )
    return scores


def _rows(file: Path, tail: str) -> Iterator[tuple[str, str]]:
    if not file.is_file():
        raise ExternalError(f"the program ended well and wrote no {OUTPUT}{tail}")
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        reader = csv.DictReader(stream, skipinitialspace=True)
        columns = reader.fieldnames or []
        if not {"path", "score"} <= set(columns):
            raise ExternalError(
                "its CSV does not begin with a header that has the columns path and score, but "
                f"with {shown(','.join(columns))}{tail}"
            )
        for row in reader:
            yield row["path"] or "", row["score"] or ""


def _tail(errors: Path) -> str:
    text = errors.read_bytes()[-4 * TAIL :].decode("utf-8", "replace").strip()
    return f"; its stderr ends: {shortened(text[-TAIL:])}" if text else ""

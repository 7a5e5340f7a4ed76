"""Files of a data set from the data folder, or by a download where they are not there."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gandetect.config.data_set import Notify, Part, Parts
from gandetect.errors import DataError

PATIENCE = 20  # seconds that a silent network may take
Read = Callable[[Path, str, bool], Part]  # data folder, "train" or "test", whether to download


def had_or_downloaded(name: str, read: Read, data_dir: Path, notify: Notify) -> Parts:
    """The training and the test file of a set; `DataError` where they cannot be had."""
    try:
        return read(data_dir, "train", False), read(data_dir, "test", False)
    except DataError:
        raise
    except (RuntimeError, OSError) as missing:
        notify(f"Getting {name} by torchvision's download")
        try:
            with impatient_network():
                return read(data_dir, "train", True), read(data_dir, "test", True)
        except Exception as error:  # whatever a download dies of
            raise DataError(
                f"data set {name!r} is not in {str(data_dir)!r} ({_line(missing)}) and could not "
                f"be downloaded ({_line(error)}); put torchvision's files of it there, or give "
                "--data-dir"
            ) from None


@contextmanager
def impatient_network() -> Iterator[None]:
    """Let a silent network fail soon, and not hold up what else may be tried."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

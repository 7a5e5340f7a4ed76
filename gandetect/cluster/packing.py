"""How a task travels: its paths apart from the rest, to be put where the worker has them.

Only what a driver packed is unpacked, by its own workers; nothing here reads a file of others.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A file's or folder's content: the bytes of each file ``(n,) uint8``, by its path below. The path
# of a single file is empty.
Content = dict[str, NDArray[np.uint8]]


@dataclass
class Packed:
    """A value as bytes, and apart from it its paths, made absolute."""

    bytes: bytes = b""
    paths: list[Path] = field(default_factory=list)


def pack(value: object) -> Packed:
    """Take a value apart, wherever it holds its paths."""
    packed, stream = Packed(), io.BytesIO()
    _Packer(stream, packed).dump(value)
    packed.bytes = stream.getvalue()
    return packed


def unpack(content: bytes, paths: Sequence[Path]) -> Any:
    """Put a value together with these paths in the places of its own."""
    return _Unpacker(io.BytesIO(content), paths).load()


def read_content(path: Path) -> Content:
    """Everything in a file or folder, but what a killed process was writing."""
    if path.is_file():
        return {"": np.fromfile(path, np.uint8)}
    files = sorted(one for one in path.rglob("*") if one.is_file())
    by_name = {one.relative_to(path): one for one in files}
    return {
        str(name): np.fromfile(file, np.uint8)
        for name, file in by_name.items()
        if not any(part.startswith(".") and part.endswith(".tmp") for part in name.parts)
    }


def write_content(content: Content, path: Path) -> None:
    """Write a file or folder; what stands there already stays."""
    for name, data in content.items():
        file = path / name if name else path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            data.tofile(stream)
            stream.flush()
            os.fsync(stream.fileno())


def outermost(paths: Sequence[Path]) -> list[Path]:
    """Paths that lie below no other of them, each once, in order."""
    distinct = list(dict.fromkeys(paths))
    return [path for path in distinct if not set(path.parents) & set(distinct)]


class _Packer(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, packed: Packed) -> None:
        super().__init__(stream, protocol=5)
        self._packed = packed

    def persistent_id(self, value: object) -> int | None:
        """The place of a path among those that stay apart; None for all else."""
        if not isinstance(value, Path):
            return None
        self._packed.paths.append(value.absolute())
        return len(self._packed.paths) - 1


class _Unpacker(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, paths: Sequence[Path]) -> None:
        super().__init__(stream)
        self._paths = paths

    def persistent_load(self, place: int) -> Path:
        """The path in a place."""
        return self._paths[place]

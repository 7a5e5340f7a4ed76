"""Images of a function of yours: a generator that somebody has written or trained."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from gandetect import runs
from gandetect.config.section import ImageCount, SplitSeed
from gandetect.data.streaming import Decoded, DecodeOptions, Tell
from gandetect.errors import DataError, UsageError, shortened, shown
from gandetect.registry import imported
from gandetect.sources.foreign import ForeignImages, decoded_arrays, require_images


class PythonSource(ForeignImages):
    """``count`` images of a function, once for all seeds of the study.

    ``object`` is its place, as in "package.module:function", in an installed package or beside the
    experiment file. It is called with the keyword ``count``, and with ``seed`` where it has a
    parameter of that name, and returns ``(count, C, H, W) uint8``.
    """

    BELOW: ClassVar = "home"

    kind: Literal["python"]
    object: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]
    count: ImageCount = 1000
    seed: SplitSeed = 0

    def number(self, root: Path) -> int:
        """As many as it is asked for, if there is such a function."""
        parameters = inspect.signature(self._function(root)).parameters
        if "count" not in parameters and not any(
            one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()
        ):
            raise UsageError(
                f"source {self.name!r}: {self.object!r} has no parameter count, but: "
                f"{', '.join(parameters) or 'none'}; write it as def function(count, seed)"
            )
        return self.count

    def images(
        self, root: Path, options: DecodeOptions, workers: int, tell: Tell
    ) -> Iterator[Decoded]:
        """What it returns, in its order."""
        function = self._function(root)
        given: dict[str, Any] = {"count": self.count}
        if "seed" in inspect.signature(function).parameters:
            given["seed"] = self.seed
        try:
            returned = function(**given)
        except Exception as error:
            raise DataError(f"source {self.name!r}: {_told(self.object, error)}") from error
        images = require_images(returned, f"source {self.name!r}, {self.object!r}")
        if len(images) != self.count:
            raise DataError(
                f"source {self.name!r}: {self.object!r} was asked for {self.count} images and "
                f"returned {len(images)}; let it return as many as its count says"
            )
        yield from decoded_arrays(images, options)

    def digest(self, root: Path) -> Any:
        """Of the file that it stands in; what it reads itself, nobody knows."""
        file = getattr(self._module(root), "__file__", None)
        return runs.file_digest(Path(file)) if file else None

    def _function(self, root: Path) -> Callable[..., Any]:
        function = getattr(self._module(root), self.object.partition(":")[2])
        if not callable(function):
            raise UsageError(
                f"source {self.name!r}: {self.object!r} is {shown(function)}, no function"
            )
        called: Callable[..., Any] = function
        return called

    def _module(self, root: Path) -> ModuleType:
        """Its module, once it is there and has such an object."""
        here = str(root.absolute())
        if here not in sys.path:
            sys.path.insert(0, here)
        try:
            imported(self.object)
        except Exception as error:  # code of others: anything
            raise UsageError(
                f"source {self.name!r}: {self.object!r} cannot be imported ({_named(error)}); give "
                "the place of a function in an installed package or beside the experiment file"
            ) from error
        return sys.modules[self.object.partition(":")[0]]


def _told(place: str, error: Exception) -> str:
    """What went wrong in code of others, and where."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}"
    return f"{place!r} failed with {_named(error)} in {where}; mend it, or take the source out"


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {shortened(str(error), 200)}"

"""Images of a function of yours: a generator that somebody has written or trained."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from gandetect.config.section import ImageCount, SplitSeed
from gandetect.data.streaming import Decoded, DecodeOptions, Tell
from gandetect.errors import DataError, ExternalError, UsageError, shortened, shown
from gandetect.foreign_code import PLACE, Modules, code_digest, object_at, running
from gandetect.sources.foreign import ForeignImages, decoded_arrays, require_images


class PythonSource(ForeignImages):
    """``count`` images of a function, once for all seeds of the study.

    ``object`` is its place, as in "package.module:function", in an installed package or beside the
    experiment file, or as in "path/to/file.py:function", relative to that file. It is called with
    the keyword ``count``, and with ``seed`` where it has a parameter of that name, and returns
    ``(count, C, H, W) uint8``.
    """

    BELOW: ClassVar = "home"

    kind: Literal["python"]
    object: Annotated[str, Field(pattern=PLACE)]
    count: ImageCount = 1000
    seed: SplitSeed = 0

    def number(self, root: Path) -> int:
        """As many as it is asked for, if there is such a function."""
        parameters = inspect.signature(self._function(root)[0]).parameters
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
        function, own = self._function(root)
        given: dict[str, Any] = {"count": self.count}
        if "seed" in inspect.signature(function).parameters:
            given["seed"] = self.seed
        try:
            with running(self.object, root, own):
                returned = function(**given)
        except (Exception, SystemExit) as error:
            raise DataError(f"source {self.name!r}: {_told(self.object, error)}") from error
        images = require_images(returned, f"source {self.name!r}, {self.object!r}")
        if len(images) != self.count:
            raise DataError(
                f"source {self.name!r}: {self.object!r} was asked for {self.count} images and "
                f"returned {len(images)}; let it return as many as its count says"
            )
        yield from decoded_arrays(images, options)

    def digest(self, root: Path) -> Any:
        """Of the file or package that it stands in; what it reads itself, nobody knows."""
        return code_digest(self.object, root)

    def _function(self, root: Path) -> tuple[Callable[..., Any], Modules]:
        try:
            function, own = _object(self.object, root, self.digest(root))
        except (Exception, SystemExit) as error:  # code of others: anything
            why = str(error) if isinstance(error, ExternalError) else _named(error)
            raise UsageError(
                f"source {self.name!r}: {self.object!r} cannot be imported ({why}); give the place "
                "of a function in an installed package or in a file beside the experiment file"
            ) from error
        if not callable(function):
            raise UsageError(
                f"source {self.name!r}: {self.object!r} is {shown(function)}, no function"
            )
        return function, own


@cache
def _object(place: str, root: Path, digest: str) -> tuple[Any, Modules]:
    """Imported once, as it may load a network; again where its code has changed."""
    return object_at(place, root)


def _told(place: str, error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}"
    return f"{place!r} failed with {_named(error)} in {where}; mend it, or take the source out"


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {shortened(str(error), 200)}"

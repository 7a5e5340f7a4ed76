"""Detectors from outside: what all kinds have in common, whoever has made them.

What a study knows of one is its table. Whatever fails in it is an `ExternalError` that says where,
and costs a study that detector alone.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from gandetect import runs
from gandetect.config import ClassifierConfig, DetectorTable
from gandetect.config.detector import Makers
from gandetect.config.section import Once
from gandetect.detectors.protocol import Detector, DetectorDescription, Kind
from gandetect.errors import DetectorError, ExternalError, require_known, shortened
from gandetect.statistics.log_odds import Output, Positive, as_log_odds

Pixels: TypeAlias = NDArray[np.uint8]
Labels: TypeAlias = NDArray[np.int64]
Answer: TypeAlias = Callable[[Pixels], ArrayLike]  # (N, C, H, W) to (N,), (N, 1) or (N, 2)
Fitted: TypeAlias = tuple[Pixels, Labels]  # training images, and 1 for those of `positive`


class External(DetectorTable, Kind):
    """What the tables of all external detectors have in common.

    It answers images of ``image_size`` and ``channels`` (by default the study's) for the class
    ``positive``, with a logit or a probability as ``output`` says. ``trained_on`` names the GANs
    (or the classes of fakes, in a labelled study) whose images it was trained on. ``files`` are
    further files that it reads: when one changes, it is scored again.
    """

    GROUP: ClassVar = "external"
    OF_GANS: ClassVar = False
    MAPPED: ClassVar[bool] = True  # whether occlusion maps are made, from thousands of scores

    positive: Positive = "generated"
    output: Output = "logit"
    image_size: Annotated[int, Field(ge=1, le=2048)] | None = None
    channels: Literal[1, 3] | None = None
    trained_on: Once[str] = ()
    batch_size: Annotated[int, Field(ge=1, le=65536)] = 100
    files: Once[str] = ()

    @property
    def called(self) -> str:
        """What runs, as the experiment file names it."""
        raise NotImplementedError

    @property
    def learns(self) -> bool:
        """Whether it is fitted in the study, on training images."""
        return False

    @property
    def fit_images(self) -> int:
        """How many images of a kind it is fitted to at most."""
        return 0

    def own_files(self) -> Sequence[str]:
        """Files that its table names beside ``files``."""
        return ()

    def opened(self, home: Path, device: str, fitted: Fitted | None = None) -> Answer:
        """Import or load it, and fit it where it learns; what this raises is told."""
        raise NotImplementedError

    def known(self, known_to: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
        """What its table says: nobody else knows."""
        return self.trained_on

    def check(self, gans: Makers, classifiers: Sequence[ClassifierConfig]) -> None:
        """Refuse GANs that the study does not have."""
        self.check_labelled([gan.name for gan in gans])

    def check_labelled(self, fakes: Sequence[str]) -> None:
        """Refuse generators or classes of fakes that the study does not have."""
        require_known("trained_on", self.trained_on, fakes)

    def paths(self, home: Path) -> dict[str, Path]:
        """The files that there are of those it reads, by their names in the table."""
        named = {name: home / name for name in (*self.own_files(), *self.files)}
        return {name: path for name, path in named.items() if path.is_file()}

    def digests(self, home: Path) -> dict[str, str]:
        """The digest of each file that it is made of."""
        return {name: runs.file_digest(path) for name, path in self.paths(home).items()}

    @classmethod
    def reopened(
        cls, description: DetectorDescription, code_from: Path, device: str
    ) -> ExternalDetector:
        """One that a study has saved, with its files below ``code_from``; runs that code.

        Raises `DetectorError` for one that was fitted in a study, and for files that have changed.
        """
        table = cls.model_validate(description.options["table"])
        if table.learns:
            raise DetectorError(
                f"detector {table.name!r} was fitted to images of its study, and its folder does "
                "not hold what it learned; save it as a model file to use it elsewhere"
            )
        if table.digests(code_from) != description.options["digests"]:
            raise DetectorError(
                f"the files of detector {table.name!r} below {str(code_from)!r} are not those that "
                f"its study used ({', '.join(description.options['digests']) or 'none'}); give the "
                "folder of its experiment file, with the files as they were"
            )
        return open_external(table, description, code_from, device)


@dataclass(frozen=True)
class ExternalDetector(Detector):
    """An external detector: its table, what answers, and the folder that its files are below."""

    table: External
    description: DetectorDescription
    answer: Answer
    home: Path

    @property
    def at_once(self) -> int:
        """A batch, so that progress is told after each."""
        return self.table.batch_size

    def decision_function(self, images: ArrayLike) -> NDArray[np.float64]:
        """Score images ``(N, C, H, W) uint8``; raises `ExternalError`."""
        pixels, table = self.checked(images), self.table
        scores = np.empty(len(pixels))
        for start in range(0, len(pixels), table.batch_size):
            part = pixels[start : start + table.batch_size]
            seen = adapted(part, table.channels, table.image_size)
            with outside_code(table, self.home, "scoring"):
                answers = self.answer(seen)
            try:
                scored = as_log_odds(answers, len(part), table.output, table.positive)
            except ValueError as error:
                raise ExternalError(_left_out(table, str(error))) from None
            scores[start : start + len(part)] = scored
        return scores


def open_external(
    table: External,
    description: DetectorDescription,
    home: Path,
    device: str,
    fitted: Fitted | None = None,
) -> ExternalDetector:
    """Import or load an external detector; `ExternalError` says what is wrong with it."""
    if fitted is not None:
        fitted = adapted(fitted[0], table.channels, table.image_size), fitted[1]
    with outside_code(table, home, "fitting" if table.learns else "opening"):
        answer = table.opened(home, device, fitted)
    return ExternalDetector(table, description, answer, home)


def adapted(pixels: Pixels, channels: int | None, size: int | None) -> Pixels:
    """A copy of images in other channels (luma of BT.601) and of another size (bilinear)."""
    changed: Pixels = pixels.copy()
    if channels == 3 and pixels.shape[1] == 1:
        changed = changed.repeat(3, axis=1)
    elif channels == 1 and pixels.shape[1] == 3:
        luma = np.tensordot(np.array([0.299, 0.587, 0.114]), pixels, axes=(0, 1))
        changed = np.rint(luma)[:, None].astype(np.uint8)
    if size is not None and (size, size) != changed.shape[-2:]:
        import torch

        sides, values = (size, size), torch.from_numpy(changed).float()
        options = {"mode": "bilinear", "antialias": True}
        values = torch.nn.functional.interpolate(values, sides, **options)  # type: ignore[arg-type]
        changed = values.round().clamp(0, 255).byte().numpy()
    return changed


@contextmanager
def outside_code(table: External, home: Path, doing: str) -> Iterator[None]:
    """Run what others have written: its prints go to stderr, its failure says where it was."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except ExternalError as error:
        raise ExternalError(_left_out(table, str(error))) from None
    except (Exception, SystemExit) as error:
        told = f"{doing} failed{_place(error, home)} with {type(error).__name__}: {error}"
        raise ExternalError(_left_out(table, told.rstrip(": "))) from error


def _left_out(table: External, why: str) -> str:
    called = "" if table.called in why else f" ({table.called})"
    return shortened(f"detector {table.name!r}{called} is left out: {why}", 500)


def _place(error: BaseException, home: Path) -> str:
    """Where it was raised: the innermost line below ``home``, else the innermost of all."""
    if isinstance(error, SyntaxError) and error.filename:
        lines = [(error.filename, error.lineno or 0)]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [(frame.filename, frame.lineno or 0) for frame in frames]
    inside = [line for line in lines if Path(line[0]).is_relative_to(home)]
    file, number = (inside or lines)[-1]
    path = Path(file)
    name = path.relative_to(home) if inside else Path(*path.parts[-2:])
    ours = Path(__file__).parent.parent
    return "" if path.is_relative_to(ours) else f" in {name}, line {number}"


def described(table: External, home: Path, **fields: Any) -> DetectorDescription:
    """The description of an external detector; ``fields`` are those that its study knows."""
    options = {"table": table.model_dump(mode="json"), "digests": table.digests(home)}
    called = shortened(table.called, 200)
    return DetectorDescription(
        kind=table.kind, name=table.name, architecture=called, options=options, **fields
    )

"""Somebody's detector in Python: a function, an object, a network, or a model file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from gandetect.config.features import TORCHSCRIPT
from gandetect.config.section import ImageCount
from gandetect.detectors.external import Answer, External, Fitted, Pixels
from gandetect.errors import ExternalError, shortened, shown
from gandetect.foreign_code import PLACE, code_digest, file_of, object_at, running
from gandetect.statistics.log_odds import as_log_odds

ONNX = (".onnx",)
Means = Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(max_length=3)]
Deviations = Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(max_length=3)]


class PythonDetector(External):
    """Somebody's function, object or network over ``(N, C, H, W) uint8``, or a model file.

    ``object`` is "package.module:name" or "path/to/file.py:name": a function, something with
    `decision_function` or `predict_proba`, a `torch.nn.Module`, or the class of one, which is made
    with ``options``. ``file`` is a TorchScript (.pt) or ONNX (.onnx) file. Either is relative to
    the experiment file.

    It is given uint8, or floats with ``scaling`` "0..1" (the default of networks) or "-1..1"; from
    0..1 ``mean`` is taken away, and ``std`` divides, channel by channel. With ``flatten`` an image
    is a row of numbers. With ``fit`` its own ``fit(X, y)`` is called first, with at most
    ``max_images`` training reals and as many training fakes of ``trained_on``; y is 1 for
    ``positive``. Each stage that scores fits it again, to the same images.
    """

    METHOD: ClassVar = "as Python code or a model file"
    WITHOUT_EFFECT: ClassVar = frozenset({"device"})

    kind: Literal["python"]
    object: Annotated[str, Field(pattern=PLACE)] | None = None
    file: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    scaling: Literal["uint8", "0..1", "-1..1"] | None = None
    mean: Means = ()
    std: Deviations = ()
    flatten: bool = False
    fit: bool = False
    max_images: ImageCount = 5000
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"

    @model_validator(mode="after")
    def _one_of_two(self) -> PythonDetector:
        if (self.object is None) == (self.file is None):
            raise ValueError(
                f'{self.name!r} needs object = "package.module:name" or file = "model.onnx", and '
                "one of them alone"
            )
        if self.file and Path(self.file).suffix not in (*TORCHSCRIPT, *ONNX):
            raise ValueError(
                f"{self.name!r}: file = {shown(self.file)} is neither TorchScript "
                f"({', '.join(TORCHSCRIPT)}) nor ONNX (.onnx); for another format give an object "
                "that reads it"
            )
        if self.fit and (self.file or not self.trained_on):
            raise ValueError(
                f"{self.name!r}: fit = true needs an object to fit, and in trained_on whose fakes "
                "it learns from"
            )
        if (self.mean or self.std) and self.scaling not in (None, "0..1"):
            raise ValueError(f'{self.name!r}: mean and std are for scaling = "0..1"; remove either')
        return self

    @property
    def called(self) -> str:
        """The object or the file."""
        return str(self.object or self.file)

    @property
    def learns(self) -> bool:
        """As the table says."""
        return self.fit

    @property
    def fit_images(self) -> int:
        """As the table says."""
        return self.max_images

    def own_files(self) -> Sequence[str]:
        """A file of code, where it stands beside the experiment file, or the model."""
        return [self.file or str(file_of(str(self.object), Path()))]

    def digests(self, home: Path) -> dict[str, str]:
        """Of a module that is installed, the code of its whole package."""
        digests = super().digests(home)
        if self.object and self.own_files()[0] not in digests:
            package = self.object.partition(":")[0].partition(".")[0]
            digests[f"package {package}"] = code_digest(self.object, home)
        return digests

    def opened(self, home: Path, device: str, fitted: Fitted | None = None) -> Answer:
        """Import or load it, and find out what it is."""
        device = device if self.device == "auto" else self.device
        if self.file is not None:
            if Path(self.file).suffix in ONNX:
                return self._onnx(home / self.file)
            from gandetect.models.torchscript import load_torchscript

            return self._network(load_torchscript(self.file, home, device), device)
        thing, own = object_at(str(self.object), home)
        with running(str(self.object), home, own):
            if isinstance(thing, type):
                thing = thing(**self.options)
            if fitted is not None:
                thing.fit(self._scaled(fitted[0], "uint8"), fitted[1])
            answer = self._answer_of(thing, device)

        def inside(pixels: Pixels) -> ArrayLike:
            with running(str(self.object), home, own):
                return answer(pixels)

        return inside

    def _answer_of(self, thing: Any, device: str) -> Answer:
        import torch

        if isinstance(thing, torch.nn.Module):
            return self._network(thing, device)
        for method in ("decision_function", "predict_proba"):
            if hasattr(thing, method):
                return self._method(getattr(thing, method), method == "predict_proba")
        if not callable(thing):
            raise ExternalError(
                f"{self.object} is {type(thing).__name__}, which cannot be called and has neither "
                "decision_function nor predict_proba"
            )
        return self._method(thing, False)

    def _method(self, function: Any, probability: bool) -> Answer:
        """A function on arrays; what `predict_proba` answers is never taken for logits."""

        def answer(pixels: Pixels) -> ArrayLike:
            answers: ArrayLike = function(self._scaled(pixels, "uint8"))
            if probability and self.output == "logit":
                return as_log_odds(answers, len(pixels), "probability")
            return answers

        return answer

    def _network(self, network: Any, device: str) -> Answer:
        import torch

        network.eval().to(device)

        def answer(pixels: Pixels) -> ArrayLike:
            with torch.inference_mode():
                batch = torch.from_numpy(self._scaled(pixels, "0..1")).to(device)
                answers: ArrayLike = network(batch).float().cpu().numpy()
                return answers

        return answer

    def _onnx(self, path: Path) -> Answer:
        if not path.is_file():
            raise ExternalError(f"there is no file {shown(self.file)} beside the experiment")
        try:
            import onnxruntime
        except ImportError:
            raise ExternalError(
                f"{shown(self.file)} needs onnxruntime, which is not installed; "
                "pip install 'gandetect[onnx]'"
            ) from None
        try:
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        except Exception as error:  # it has no common class for its errors
            reason = re.sub(r"^\S+:\d+ .*?\) ", "", str(error).rpartition("failed:")[2])
            raise ExternalError(
                f"{shown(self.file)} cannot be read by onnxruntime {onnxruntime.__version__} "
                f"({shortened(reason.strip(), 250)})"
            ) from None
        taken = session.get_inputs()[0]
        default = "uint8" if taken.type == "tensor(uint8)" else "0..1"
        floats = [one.name for one in session.get_outputs() if "float" in one.type]

        def answer(pixels: Pixels) -> ArrayLike:
            answers = session.run(floats[:1], {taken.name: self._scaled(pixels, default)})
            only: ArrayLike = answers[0]
            return only

        return answer

    def _scaled(self, pixels: Pixels, default: str) -> NDArray[Any]:
        """Images as it takes them."""
        scaling = self.scaling or ("0..1" if self.mean or self.std else default)
        values: NDArray[Any] = pixels
        if scaling != "uint8":
            values = pixels.astype(np.float32) / (255.0 if scaling == "0..1" else 127.5)
            values -= 0 if scaling == "0..1" else 1
        for numbers, change in ((self.mean, np.subtract), (self.std, np.divide)):
            if numbers:
                values = change(values, np.array(numbers, np.float32)[:, None, None])
        return values.reshape(len(values), -1) if self.flatten else values

"""A detector as one file for other programs: an ONNX or TorchScript graph, `uint8` to log-odds.

Scaling, the sign and everything else that turns stored images into a score are in the graph;
how a file becomes such an image, and the thresholds, are in its metadata.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gandetect import runs
from gandetect.detectors.network import NetworkDetector
from gandetect.detectors.protocol import Detector
from gandetect.errors import DetectorError, UsageError
from gandetect.models.classifiers import ImageClassifier
from gandetect.models.ensemble import Ensemble
from gandetect.models.one_class import OneClass

Format = Literal["onnx", "torchscript"]
SUFFIXES: dict[str, str] = {"onnx": ".onnx", "torchscript": ".pt"}
METADATA = "gandetect"  # the key in an ONNX file; in TorchScript the extra file of this name
INPUT, OUTPUT = "images", "log_odds"
TOLERANCE = 1e-4  # between the file's log-odds and the detector's own, relative above 1
TRIED = 24  # images that a written file answers before it is kept

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


def export_detector(detector: Detector, path: Path, form: Format) -> dict[str, Any]:
    """Write a detector's graph to one file, and return the metadata that it carries.

    The file appears only if it gives the detector's own scores, in batches of any size. Raises
    `DetectorError` for a detector that is no network, or one that the format cannot hold, and
    `UsageError` where packages are missing.
    """
    network = _checked(detector)
    side = _side(network, form)
    metadata = _metadata(network, side)
    graph = _Graph(network).eval()
    example = torch.from_numpy(_patches(network, side)[:3])
    with runs.atomic_file(path) as temporary, torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is traced as a constant: sizes, which are
        answer = WRITERS[form](graph, example, temporary, json.dumps(metadata))
        _compare(network, side, answer, form)
    return metadata


class _Graph(nn.Module):
    """What a detector does to a batch ``(N, C, H, W) uint8``: log-odds ``(N,)`` float32."""

    def __init__(self, detector: NetworkDetector) -> None:
        super().__init__()
        self.network = detector.network
        self.detector = detector

    def forward(self, images: Tensor) -> Tensor:
        return self.detector.log_odds(images).float()


def _checked(detector: Detector) -> NetworkDetector:
    """Refuse what is no network: its answers come from scikit-learn, or from foreign code."""
    kind = detector.description.kind
    if not isinstance(detector, NetworkDetector) or any(
        isinstance(module, OneClass) for module in detector.network.modules()
    ):
        raise DetectorError(
            f"{detector.name!r} is of the kind {kind!r}, whose answers do not come from a network "
            "alone, so no graph can hold it; export a discriminator, a classifier, a probe or "
            "another detector that is a network"
        )
    return detector


def _side(detector: NetworkDetector, form: Format) -> int:
    """The side in pixels of the images that the file takes.

    ONNX has no resizing that rounds as PyTorch's does, so a classifier's stays outside.
    """
    if form == "onnx" and isinstance(detector.network, ImageClassifier):
        return detector.network.stored_size
    return detector.description.preprocessing.image_size


def _metadata(detector: NetworkDetector, side: int) -> dict[str, Any]:
    """What a user of the file has to know: `detector.json`, its input and its output."""
    description = detector.description
    expected = description.preprocessing
    shape = ["N", expected.channels, side, side]
    resized = {} if side == expected.image_size else {"resized": [expected.image_size, side]}
    return {
        **description.model_dump(mode="json", exclude={"options"}),
        "input": {"name": INPUT, "type": "uint8", "shape": shape, **resized,
                  "colours": "grey" if expected.channels == 1 else "RGB"},
        "output": {"name": OUTPUT, "type": "float32", "shape": ["N"],
                   "meaning": "log-odds of generated; above a threshold of operating_points the "
                              "image is called generated"},
    }  # fmt: skip


def _write_torchscript(graph: nn.Module, example: Tensor, path: Path, metadata: str) -> Answer:
    traced: Any = torch.jit.trace(graph, example, check_trace=False)
    torch.jit.save(traced, path, _extra_files={METADATA: metadata})
    loaded = torch.jit.load(path)
    return lambda images: loaded(torch.from_numpy(images)).double().numpy()


def _write_onnx(graph: nn.Module, example: Tensor, path: Path, metadata: str) -> Answer:
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401 - what torch.onnx stands on
    except ImportError as error:
        raise UsageError(
            f"ONNX needs a package that is not installed ({error.name}); pip install "
            "'gandetect[onnx]', or give --format torchscript"
        ) from None
    shapes = ({0: torch.export.Dim("N")},)
    try:
        program = torch.export.export(graph, (example,), dynamic_shapes=shapes)
        written: Any = torch.onnx.export(
            program, (), dynamo=True, verbose=False, input_names=[INPUT], output_names=[OUTPUT]
        )
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        reason = " ".join(str(error).split())[-200:]
        raise DetectorError(
            f"the network has a step that ONNX cannot hold (…{reason}); give --format torchscript"
        ) from None
    model = written.model_proto
    onnx.helper.set_model_props(model, {METADATA: metadata})
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: np.asarray(session.run(None, {INPUT: images})[0], np.float64)


WRITERS: dict[str, Callable[[nn.Module, Tensor, Path, str], Answer]] = {
    "onnx": _write_onnx,
    "torchscript": _write_torchscript,
}


@torch.no_grad()
def _compare(detector: NetworkDetector, side: int, answer: Answer, form: Format) -> None:
    """Refuse a file that answers otherwise than its detector."""
    images = _patches(detector, side)
    expected = detector.log_odds(torch.from_numpy(images)).double().numpy()
    given = np.concatenate([answer(images[:1]), answer(images[1:])])
    away = np.abs(given - expected) / np.maximum(np.abs(expected), 1)
    # A mean rank is a step, which rounding may take; of other networks every answer counts.
    ranks = isinstance(detector.network, Ensemble) and detector.network.average == "rank"
    off = float(np.quantile(away, 0.9 if ranks else 1.0))
    if not off <= TOLERANCE:
        raise DetectorError(
            f"the {form} file of {detector.name!r} would answer otherwise than the detector, by "
            f"{off:.2g} where {TOLERANCE:g} is allowed, and was not kept"
            f"{'; give --format torchscript' if form == 'onnx' else ''}"
        )


def _patches(detector: NetworkDetector, side: int) -> NDArray[np.uint8]:
    """Images of random patches, ``(24, C, side, side)``: noise alone is like no image."""
    rng = np.random.default_rng(0)
    channels = detector.description.preprocessing.channels
    coarse = rng.integers(0, 256, (TRIED, channels, 7, 7), np.uint8)
    return coarse.repeat(-(-side // 7), 2).repeat(-(-side // 7), 3)[:, :, :side, :side].copy()

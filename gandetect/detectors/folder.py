"""A detector's folder: ``detector.json`` and its weights, all that is needed to use it alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from gandetect import runs
from gandetect.detectors.external import External
from gandetect.detectors.network import NetworkDetector, as_detector
from gandetect.detectors.protocol import FORMAT, Detector, DetectorDescription, kind_named
from gandetect.errors import DetectorError, shown
from gandetect.machine import settle_cuda
from gandetect.training.checkpoints import save_weights

DESCRIPTION = "detector.json"
WEIGHTS = "weights.safetensors"


def save_detector(folder: Path, detector: Detector) -> None:
    """Write ``detector.json`` and ``weights.safetensors``: all that is needed to use it.

    Of an external detector there is a description alone.
    """
    if isinstance(detector, NetworkDetector):
        with runs.atomic_file(folder / WEIGHTS) as temporary:
            save_weights(detector.network, temporary)
        detector = detector.with_description(weights_sha256=runs.file_digest(folder / WEIGHTS))
    runs.write_json(folder / DESCRIPTION, detector.description.model_dump(mode="json"))


def load_detector(
    path: str | Path, device: str = "cpu", code_from: str | Path | None = None
) -> Detector:
    """Load a detector from its folder, such as ``runs/…/detectors/dcgan-bn/seed-0``.

    That of an external one names code or a program, which runs only where ``code_from`` is given:
    the folder of its experiment file. Raises `DetectorError` when it is missing, damaged, or its
    weights are not those it was saved with.
    """
    folder = Path(path)
    description = _description(folder)
    kind = kind_named(description.kind)
    if not issubclass(kind, External):
        return load_network(folder, device)
    if code_from is None:
        raise DetectorError(
            f"{str(folder)!r} holds no network: its detector runs {shown(description.architecture)}"
            " from outside; if you trust that code, say so with the folder of its experiment file: "
            "--code-from FOLDER (in Python code_from=…)"
        )
    return kind.reopened(description, Path(code_from).absolute(), device)


def load_network(folder: Path, device: str = "cpu") -> NetworkDetector:
    """Load a detector that is a network; raises as `load_detector` does."""
    description = _description(folder)
    if issubclass(kind_named(description.kind), External):
        raise DetectorError(
            f"{str(folder)!r} holds no network: its detector is {shown(description.architecture)} "
            "from outside; give the folder of a discriminator, a classifier or a probe"
        )
    weights = _load_weights(folder / WEIGHTS, description.weights_sha256)
    try:
        with torch.random.fork_rng(devices=[]):  # initial weights, which are about to be replaced
            network = kind_named(description.kind).build(description)
        network.load_state_dict(weights)
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DetectorError(
            f"the weights in {str(folder)!r} do not fit a {description.architecture!r} "
            f"{description.kind} ({reason})"
        ) from None
    settle_cuda()  # a score is the same on every device, but for the last bits
    return as_detector(network, description, torch.device(device))


def _description(folder: Path) -> DetectorDescription:
    if not (folder / DESCRIPTION).is_file():
        raise DetectorError(
            f"{str(folder)!r} is not a detector: it has no {DESCRIPTION}; give a folder such as "
            f"RUN/detectors/dcgan-bn/seed-0{_nearby(folder)}"
        )
    try:
        content = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        _refuse_newer(folder, content)
        description = DetectorDescription.model_validate(content)
    except (OSError, ValueError, RecursionError, ValidationError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DetectorError(f"{str(folder / DESCRIPTION)!r} is damaged ({reason})") from None
    _check_description(folder)
    return description


def _refuse_newer(folder: Path, content: Any) -> None:
    """Raise `DetectorError` for a detector whose format came after this version of gandetect."""
    number = content.get("format") if isinstance(content, dict) else None
    if isinstance(number, int) and not isinstance(number, bool) and number > FORMAT:
        raise DetectorError(
            f"{shown(str(folder / DESCRIPTION))} is of format {number}, newer than {FORMAT}, which "
            "this version of gandetect reads; update gandetect"
        )


def _check_description(folder: Path) -> None:
    """Refuse a description that was edited after its study wrote it, such as a moved threshold."""
    if not (folder / runs.RECORD).is_file():
        return
    recorded = runs.read_json(folder / runs.RECORD).get("files", {}).get(DESCRIPTION)
    if recorded is not None and recorded != runs.file_digest(folder / DESCRIPTION):
        raise DetectorError(
            f"{str(folder / DESCRIPTION)!r} was changed after it was saved (its SHA-256 differs "
            f"from the one in {runs.RECORD}); run the study again to make it afresh"
        )


def _load_weights(path: Path, expected: str) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise DetectorError(f"{str(path)!r} is missing; run the study again to make it")
    if runs.file_digest(path) != expected:
        raise DetectorError(
            f"{str(path)!r} was changed or truncated after it was saved (its SHA-256 differs "
            f"from the one in {DESCRIPTION}); run the study again to make it afresh"
        )
    try:
        return load_file(path)
    except SafetensorError as error:
        raise DetectorError(f"{str(path)!r} is not a safetensors file ({error})") from None


def _nearby(folder: Path) -> str:
    descriptions: Iterable[Path] = (
        sorted(folder.glob("**/detector.json")) if folder.is_dir() else ()
    )
    names = [str(path.parent) for path in descriptions][:4]
    return f"; found nearby: {', '.join(names)}" if names else ""

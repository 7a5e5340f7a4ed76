"""A detector whose folder is damaged is refused with one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scoring.scored_files import gandetect


@pytest.fixture
def broken(detector_folder: Path, tmp_path: Path) -> Path:
    """A copy of the detector, to be broken."""
    return Path(shutil.copytree(detector_folder, tmp_path / "detector"))


def _remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def _remove_weights(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()


def _tamper_weights(folder: Path) -> None:
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(content)


def _truncate_weights(folder: Path) -> None:
    content = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(content[:1000])


def _truncate_description(folder: Path) -> None:
    text = (folder / "detector.json").read_text()
    (folder / "detector.json").write_text(text[: len(text) // 2])


def _edit(**changes: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        described = json.loads((folder / "detector.json").read_text())
        (folder / "detector.json").write_text(json.dumps(described | changes))

    return edit


@pytest.mark.parametrize(
    ("damage", "expected", "code"),
    [
        (_remove_folder, "is not a detector: it has no detector.json", 1),
        (_remove_weights, "weights.safetensors' is missing", 1),
        (_tamper_weights, "weights.safetensors' was changed or truncated", 1),
        (_truncate_weights, "weights.safetensors' was changed or truncated", 1),
        (_truncate_description, "detector.json' is damaged", 1),
        (_edit(surprise=1), "detector.json' is damaged", 1),
        (_edit(format=2, surprise=1), "is of format 2, newer than 1", 1),
        (_edit(operating_points={"native": float("nan")}), "detector.json' is damaged", 1),
        (_edit(operating_points={"native": "high"}), "detector.json' is damaged", 1),
        (_edit(weights_sha256="0" * 64), "weights.safetensors' was changed", 1),
        (_edit(architecture="dcgan-bn"), "do not fit a 'dcgan-bn' discriminator", 1),
        (_edit(preprocessing={"image_size": 27}), "image_size is 27", 1),
        (_edit(architecture="dcgan-plane"), "did you mean 'dcgan-plain'?", 2),
        (_edit(kind="clasifier"), "did you mean 'classifier'?", 2),
        (_edit(kind="one-class"), "do not fit a 'dcgan-plain' one-class", 1),
    ],
)
def test_a_damaged_detector_is_one_sentence(
    broken: Path, folder: Path, damage: Callable[[Path], None], expected: str, code: int
) -> None:
    damage(broken)
    result = gandetect("score", broken, folder / "0.png")
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert expected in result.stderr
    assert result.stderr.count("\n") == 1

"""The notebooks of `examples/` run from their first cell to their last, on a smaller study."""

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """The folders that notebooks look into; the digits are trained on for one short epoch."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "experiments").mkdir()
    text = (ROOT / "experiments" / "digits.toml").read_text(encoding="utf-8")
    for full, small in (("epochs = 3", "epochs = 1"), ("= 120", "= 10"), ("= 80", "= 10")):
        assert full in text
        text = text.replace(full, small)
    (folder / "experiments" / "digits.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, checkout, monkeypatch) -> None:
    monkeypatch.chdir(checkout / "examples")
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_what_it_printed_and_no_error(path) -> None:
    outputs = [
        output["output_type"]
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", ())
    ]
    assert "execute_result" in outputs
    assert "error" not in outputs

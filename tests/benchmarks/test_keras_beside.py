"""Keras is measured where it is, and its absence is said."""

import sys
from pathlib import Path

import pytest

from .keras_beside import measure, prepare_keras
from .results import Settings


def test_without_an_environment_for_it_the_bench_says_how_to_make_one() -> None:
    measured = measure(Settings(quick=True, repeats=1), 2, None)
    assert not measured.rows
    (note,) = measured.notes
    assert "pip install tensorflow-cpu" in note
    assert "--keras" in note


def test_an_environment_without_keras_is_an_error(capfd) -> None:
    # Our own has none: nothing in the project imports it.
    with pytest.raises(RuntimeError, match="what it said stands above"):
        prepare_keras(Path(sys.executable), "dcgan-bn", 2, False, 0.1)
    assert "No module named 'tensorflow'" in capfd.readouterr().err

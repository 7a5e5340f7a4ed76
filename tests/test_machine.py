"""What is settled about a machine before it computes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from gandetect import __version__, machine
from gandetect.engine import prepare_process


@pytest.fixture
def flags():
    """Of CUDA, as they were; they are there without a GPU too."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    names = [(matmul, "allow_tf32"), (cudnn, "allow_tf32"), (cudnn, "deterministic")]
    before = [(place, name, getattr(place, name)) for place, name in names]
    yield
    for place, name, value in before:
        setattr(place, name, value)


def test_workers_compute_float32_as_float32_and_the_same_work_to_the_same_bits(flags) -> None:
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.deterministic = False
    prepare_process(torch.get_num_threads())
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.deterministic
    # What was set is read back by every part of torch: a mix of its two ways would raise here.
    assert torch.backends.cudnn.conv.fp32_precision != "tf32"
    with torch.backends.cudnn.flags(enabled=True):
        assert torch.get_float32_matmul_precision() == "highest"


def test_the_version_is_known_where_gandetect_is_not_installed(monkeypatch) -> None:
    def absent(name):
        raise machine.PackageNotFoundError(name)

    monkeypatch.setattr(machine, "version", absent)
    versions = machine.describe("cpu")["versions"]
    assert versions["gandetect"] == __version__
    assert versions["numpy"] is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, ("1000", None)), ({"GOMP_SPINCOUNT": "7"}, ("7", None)),
     ({"OMP_WAIT_POLICY": "ACTIVE"}, (None, "ACTIVE"))],
)  # fmt: skip
def test_threads_wait_asleep_unless_the_user_says_otherwise(monkeypatch, given, expected) -> None:
    names = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"
    for name in names:
        monkeypatch.setenv(name, "so that it is put back")
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    machine.wait_asleep()
    assert tuple(map(os.environ.get, names)) == expected


def test_a_command_lets_threads_wait_asleep_before_torch_is_there(monkeypatch) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    code = (
        "import os, sys; from gandetect import cli; told = []; "
        "cli.wait_asleep = lambda: told.append('torch' in sys.modules); "
        "cli.main(['info'], standalone_mode=False); print(told, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[False]"

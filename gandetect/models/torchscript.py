"""Networks in TorchScript files: opening one runs no pickle, using it runs the file's program."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from gandetect.errors import ExternalError, shown


def load_torchscript(file: str, home: Path, device: str | torch.device) -> nn.Module:
    """The network in a file below ``home``; `ExternalError` where there is none."""
    if not (home / file).is_file():
        raise ExternalError(f"there is no file {shown(file)} beside the experiment")
    try:
        with warnings.catch_warnings():  # PyTorch discourages the format
            warnings.simplefilter("ignore")
            network: nn.Module = torch.jit.load(home / file, map_location=device)
    except RuntimeError as error:
        raise ExternalError(
            f"{shown(file)} is no TorchScript file that this PyTorch reads "
            f"({str(error).splitlines()[0][:120]}); save one with torch.jit.trace(…).save(…)"
        ) from None
    return network.eval()

"""What FID and KID can be measured in: the names in ``features`` of ``[quality]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from gandetect.config.section import Once
from gandetect.errors import did_you_mean, shown

OWN = "own"  # the classifier that the study trains
# The names in `gandetect.models.imagenet.DEPTHS`, known without torch.
IMAGENET_NETWORKS = (
    "resnet18", "resnet50", "efficientnet-b0", "efficientnet-b2", "efficientnet-lite0",
)  # fmt: skip
TORCHSCRIPT = (".pt", ".pth", ".ts", ".torchscript")


def _known(given: tuple[str, ...]) -> tuple[str, ...]:
    named = (OWN, *IMAGENET_NETWORKS)
    for name in given:
        if name not in named and Path(name).suffix not in TORCHSCRIPT:
            raise ValueError(
                f"{shown(name)} is neither {', '.join(named)} nor a TorchScript file "
                f"({', '.join(TORCHSCRIPT)}){did_you_mean(name, named)}"
            )
    if OWN not in given:
        raise ValueError(f'{shown(given)} lacks "{OWN}", which every epoch is judged with; add it')
    if len({Path(name).name for name in given}) < len(given):
        raise ValueError(f"{shown(given)} holds two files of one name; rename one")
    return given


Features: TypeAlias = Annotated[Once[str], AfterValidator(_known)]

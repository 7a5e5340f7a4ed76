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


def features_name(features: str) -> str:
    """What figures and folders call features: a network's name, or that of the file.

    >>> features_name("resnet18"), features_name("models/inception.pt")
    ('resnet18', 'inception.pt')
    """
    return Path(features).name


def _known(given: tuple[str, ...]) -> tuple[str, ...]:
    for name in given:
        if name not in (OWN, *IMAGENET_NETWORKS) and Path(name).suffix not in TORCHSCRIPT:
            raise ValueError(
                f"{shown(name)} is neither {', '.join((OWN, *IMAGENET_NETWORKS))} nor a "
                f"TorchScript file ({', '.join(TORCHSCRIPT)})"
                f"{did_you_mean(name, (OWN, *IMAGENET_NETWORKS))}"
            )
    if OWN not in given:
        raise ValueError(
            f'{shown(given)} lacks "{OWN}", which every epoch is judged with; add it, as in '
            f'["{OWN}", "efficientnet-lite0"]'
        )
    names = [features_name(one) for one in given]
    if twice := next((one for one in names if names.count(one) > 1), None):
        raise ValueError(f"two files are called {shown(twice)}; give one of them another name")
    return given


Features: TypeAlias = Annotated[Once[str], AfterValidator(_known)]

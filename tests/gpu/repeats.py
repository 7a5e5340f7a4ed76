"""The same training twice on the device: with graphs and without, interrupted and not."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from gandetect.config import GanConfig
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.training.adversarial import AdversarialStep, train_epoch, train_gan, why_not_graphed
from gandetect.training.checkpoints import Gan, GanFolder
from gandetect.training.cuda_graphs import GraphedStep
from gandetect.training.networks import build_gan
from gandetect.training.quality import QualityEvaluator

from .options import OPTIONS, config_of
from .settings import Record, Settings
from .steps import images, side


def graphs(settings: Settings, record: Record) -> None:
    """Every option with CUDA graphs and without: some steps each, which must be equal."""
    if not settings.cuda:
        record.skip("graphs of every option", f"{settings.device} has no CUDA graphs")
        return
    for option in OPTIONS:
        config = config_of(option, batch_size=32, steps_per_epoch=4)
        if not isinstance(config, GanConfig):
            continue
        name = f"graphs: {option}"
        if against := why_not_graphed(config):
            record.skip(name, against)
            continue
        with record.case(name) as case:
            case |= _graphed(config, settings)
            assert case["told"].startswith("yes"), "no graph could be had"
            assert case["tensors that differ"] == 0, "with graphs other weights come out"


def the_same_bits(settings: Settings, record: Record) -> None:
    """Twice the same training, and one that was interrupted: the same bits on one device?"""
    for option in ("dcgan-bn", "dcgan-plain", "wgan-gp"):
        with TemporaryDirectory() as temporary:
            place = Path(temporary)
            with record.case(f"the same training twice: {option}") as case:
                whole = _train(option, 2, place / "whole", settings)
                case |= _differences(whole, _train(option, 2, place / "again", settings))
                assert case["tensors that differ"] == 0, "the same training gives other bits"
            with record.case(f"interrupted and gone on: {option}") as case:
                _train(option, 1, place / "parts", settings)
                case |= _differences(whole, _train(option, 2, place / "parts", settings))
                assert case["tensors that differ"] == 0, "going on gives other bits"
            if settings.cuda and option == "dcgan-bn":
                with record.case("a training that was begun here goes on without a GPU"):
                    _train(option, 3, place / "whole", settings, torch.device("cpu"))


def _train(
    option: str,
    epochs: int,
    folder: Path,
    settings: Settings,
    device: torch.device | None = None,
) -> Gan:
    """Train for some short epochs, from where the folder stands."""
    device = device or torch.device(settings.device)
    size = {"batch_size": 4, "steps_per_epoch": 2} if settings.tiny else {"steps_per_epoch": 40}
    config = config_of(option, **size).model_copy(update={"epochs": epochs})
    reals = images(settings, 120).numpy()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        evaluator = QualityEvaluator(FeatureClassifier(side(settings), 1), reals, device)

    def refuse(message: str) -> None:
        raise AssertionError(message)

    return train_gan(
        config,
        reals,
        GanFolder(folder, "digest", refuse),
        seed=0,
        device=device,
        evaluator=evaluator,
        generated=100,
        notify=lambda event: None,
    )


def _graphed(config: GanConfig, settings: Settings) -> dict[str, object]:
    """Two epochs with graphs and without them."""
    device = torch.device(settings.device)
    reals = images(settings, 200).to(device)
    gans, status = [], ""
    for wrap in (lambda step: step, GraphedStep):
        gan = build_gan(config, side(settings), 1, 0, device)
        step = wrap(AdversarialStep(config, gan, device))
        for epoch in (1, 2):
            fakes = reals.flip(0) if config.replay.share and epoch == 2 else None
            train_epoch(
                config, gan, reals, seed=0, epoch=epoch, notify=lambda event: None,
                replayed=fakes, step=step,
            )  # fmt: skip
        gans.append(gan)
        status = getattr(step, "told", "")
    return {"told": status, **_differences(*gans)}


def _differences(one: Gan, other: Gan) -> dict[str, object]:
    """How many tensors of two trainings' networks differ, and by how much at most."""
    pairs = [
        (value, other.networks[name].state_dict()[key])
        for name, network in one.networks.items()
        for key, value in network.state_dict().items()
    ]
    differing = [(a, b) for a, b in pairs if not torch.equal(a, b)]
    return {
        "tensors": len(pairs),
        "tensors that differ": len(differing),
        "largest difference": max((_largest(a, b) for a, b in differing), default=0.0),
    }


def _largest(one: Tensor, other: Tensor) -> float:
    return float((one.double() - other.double()).abs().max())

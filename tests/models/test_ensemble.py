"""Several discriminators that answer as one."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gandetect.config import ARCHITECTURES
from gandetect.models.ensemble import MOST_QUANTILES, Ensemble


class Scaled(nn.Module):
    """A discriminator whose logit is one number of an image, times a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        return self.factor * images[:, 0, 0, 0]


def images_of(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def ranked(factors: list[float], calibration: Tensor) -> Ensemble:
    ensemble = Ensemble([Scaled(one) for one in factors], "rank")
    ensemble.calibrate(ensemble.of_members(images_of(calibration)))
    return ensemble


def test_logits_are_averaged() -> None:
    answers = Ensemble([Scaled(1.0), Scaled(3.0)])(images_of(torch.tensor([-1.0, 2.0])))
    assert answers.tolist() == [-2.0, 4.0]


def test_an_average_rank_does_not_care_how_large_a_members_logits_are() -> None:
    reals, asked = torch.randn(301), images_of(torch.linspace(-3, 3, 50))
    first, second = ranked([1.0, 1.0], reals), ranked([1.0, 100.0], reals)
    assert torch.equal(first(asked), second(asked))


def test_a_high_rank_is_real_the_middle_is_0_and_both_ends_are_finite() -> None:
    ensemble = ranked([1.0, 2.0], torch.arange(1001.0))
    asked = images_of(torch.tensor([-1e9, 100.0, 499.5, 900.0, 1e9]))
    answers = ensemble(asked)
    assert answers.isfinite().all()
    assert (answers.diff() > 0).all()
    assert answers[2].item() == pytest.approx(0.0, abs=5e-3)
    assert answers[0].item() == pytest.approx(-answers[-1].item())


def test_ranks_are_shares_of_the_calibration_reals_below() -> None:
    ensemble = ranked([1.0], torch.tensor([3.0, 1.0, 2.0, 4.0]))
    share = (ensemble(images_of(torch.tensor([2.5]))).sigmoid() * 5 - 0.5) / 4
    assert share.item() == pytest.approx(0.5)


def test_a_mean_rank_becomes_its_log_odds_as_documented() -> None:
    reals = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0], [10.0, 40.0, 30.0, 20.0, 50.0]])
    ensemble = Ensemble([Scaled(1.0), Scaled(10.0)], "rank")
    ensemble.calibrate(reals)
    below = {0.5: (0, 0), 2.5: (2, 2), 4.2: (4, 4), 9.0: (5, 5)}
    for value, counts in below.items():
        odds = (sum(counts) / 2 + 0.5) / 6
        found = ensemble(images_of(torch.tensor([value])))
        assert found.item() == pytest.approx(np.log(odds / (1 - odds)))
    ensemble.calibrate(reals.flip(1)[:, 2:])  # of three: what was kept before is forgotten
    assert ensemble.reference.tolist() == [[1.0, 2.0, 3.0], [10.0, 30.0, 40.0]]


def test_an_ensemble_of_logits_keeps_no_quantiles() -> None:
    assert Ensemble([Scaled(1.0)] * 3, "logit").reference.shape == (3, 0)


def test_at_most_so_many_quantiles_are_kept_with_both_ends() -> None:
    reference = ranked([1.0, 2.0], torch.arange(50_001.0)).reference
    assert reference.shape == (2, MOST_QUANTILES)
    assert reference[:, 0].tolist() == [0.0, 0.0]
    steps = reference[0].diff()
    assert float(steps.max() - steps.min()) <= 1  # evenly spaced, but for rounding
    assert reference[:, -1].tolist() == [50_000.0, 100_000.0]


def test_ranks_need_calibration_reals() -> None:
    with pytest.raises(ValueError, match="no calibration reals"):
        ranked([1.0], torch.empty(0))
    with pytest.raises(ValueError, match="'median'"):
        Ensemble([Scaled(1.0)], "median")  # type: ignore[arg-type]


def test_an_ensemble_is_loaded_with_all_its_members_and_quantiles() -> None:
    build = partial(ARCHITECTURES["dcgan-plain"].build, "discriminator")
    images = torch.rand(20, 1, 28, 28) * 2 - 1
    with torch.inference_mode():
        stored = Ensemble([build(), build()], "rank").eval()
        stored.calibrate(stored.of_members(images))
        loaded = Ensemble([build(), build()], "rank", quantiles=20).eval()
        loaded.load_state_dict(stored.state_dict())
        assert torch.equal(loaded(images), stored(images))

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gandetect.models.layers import SameConvTranspose2d, SeededDropout, same_padding, seed_dropout


@given(side=st.integers(1, 200), kernel=st.integers(1, 9), stride=st.integers(1, 4))
def test_same_padding_gives_ceil_of_side_by_stride_and_the_odd_row_at_the_end(
    side, kernel, stride
) -> None:
    before, after = same_padding(side, kernel, stride)
    outputs = (side + before + after - kernel) // stride + 1
    assert outputs == -(-side // stride) or (kernel < stride and before == after == 0)
    assert after - before in (0, 1)


def dropout(probability: float, seed: int = 0) -> SeededDropout:
    layer = SeededDropout(probability).train()
    seed_dropout(layer, torch.Generator().manual_seed(seed))
    return layer


@pytest.mark.parametrize("probability", [0.1, 0.4, 0.5])
def test_the_share_dropped_and_the_scale_are_right(probability) -> None:
    out = dropout(probability)(torch.ones(400_001))
    assert (out == 0).float().mean().item() == pytest.approx(probability, abs=0.004)
    kept = out[out != 0]
    assert kept.unique().numel() == 1
    assert kept[0].item() == pytest.approx(1 / (1 - probability), rel=1e-4)


def test_masks_repeat_with_the_seed_and_differ_without() -> None:
    ones = torch.ones(1000)
    assert torch.equal(dropout(0.5, 1)(ones), dropout(0.5, 1)(ones))
    assert not torch.equal(dropout(0.5, 1)(ones), dropout(0.5, 2)(ones))
    layer = dropout(0.5)
    assert not torch.equal(layer(ones), layer(ones))


def test_global_randomness_stays_where_it_was() -> None:
    before = torch.random.get_rng_state()
    dropout(0.5)(torch.ones(100))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_any_memory_layout_keeps_shape_layout_and_gradient(layout) -> None:
    features = torch.ones(8, 6, 5, 5).contiguous(memory_format=layout).requires_grad_()
    out = dropout(0.4)(features)
    out.sum().backward()
    assert out.is_contiguous(memory_format=layout)
    assert torch.equal(out, features.grad)  # the input is 1: output and gradient are the mask
    assert 0.3 < (out == 0).float().mean().item() < 0.5


def test_eval_mode_is_the_identity() -> None:
    features = torch.randn(10, generator=torch.Generator().manual_seed(0))
    assert dropout(0.5).eval()(features) is features


def test_neighbours_are_dropped_independently() -> None:
    """Four elements share one 64-bit draw; none of their lanes may follow another."""
    dropped = (dropout(0.5)(torch.ones(400_000)) == 0).float().view(-1, 4)
    correlation = torch.corrcoef(dropped.T)
    assert (correlation - torch.eye(4)).abs().max() < 0.02


def test_an_unknown_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel is 3"):
        SameConvTranspose2d(1, 1, kernel=3)

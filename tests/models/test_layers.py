import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from gandetect.models.layers import (
    SameConv2d,
    SameConvTranspose2d,
    SeededDropout,
    same_padding,
    seed_dropout,
)


@given(side=st.integers(1, 200), kernel=st.integers(1, 9), stride=st.integers(1, 4))
def test_same_padding_is_the_least_that_gives_ceil_of_side_by_stride(side, kernel, stride) -> None:
    least = next(
        total
        for total in itertools.count()
        if (side + total - kernel) // stride + 1 == math.ceil(side / stride)
    )
    before, after = same_padding(side, kernel, stride)
    assert before + after == least
    assert after - before in (0, 1)  # the odd row at the end


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
def test_any_memory_layout_keeps_layout_mask_and_gradient(layout) -> None:
    random = torch.Generator().manual_seed(1)
    features = torch.randn(16, 12, 10, 10, generator=random).contiguous(memory_format=layout)
    out = dropout(0.4)(features.requires_grad_())
    out.sum().backward()
    mask = features.grad
    assert out.is_contiguous(memory_format=layout)
    assert torch.equal(out, features * mask)
    assert (mask == 0).float().mean().item() == pytest.approx(0.4, abs=0.02)
    # With channels last the mask is that of a flat tensor, so no image or row repeats another; in
    # another layout, as another device may have it, the same elements are dropped.
    last = mask.permute(0, 2, 3, 1).flatten()
    assert torch.equal(last, dropout(0.4)(torch.ones(features.numel())))


def test_eval_mode_is_the_identity() -> None:
    features = torch.randn(10, generator=torch.Generator().manual_seed(0))
    assert dropout(0.5).eval()(features) is features


def test_neighbours_are_dropped_independently() -> None:
    """Four elements share one 64-bit draw; none of their lanes may follow another."""
    dropped = (dropout(0.5)(torch.ones(400_000)) == 0).float().view(-1, 4)
    correlation = torch.corrcoef(dropped.T)
    assert (correlation - torch.eye(4)).abs().max() < 0.02


def test_what_is_dropped_is_zero_whatever_it_was() -> None:
    out = dropout(0.5)(torch.full((1000,), math.inf))
    assert set(out.tolist()) == {0.0, math.inf}


def test_dropout_can_be_differentiated_twice() -> None:
    features = torch.randn(50, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda given: dropout(0.4)(given) ** 2, features)


def plain(layer, images):
    """What PyTorch's own convolutions make of a layer's weights, padded as Keras pads."""
    if isinstance(layer, SameConvTranspose2d):
        doubled = functional.conv_transpose2d(images, layer.weight, layer.bias, 2, 1)
        return doubled[:, :, : 2 * images.shape[2], : 2 * images.shape[3]]
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    rows = same_padding(images.shape[2], kernel, stride)
    columns = same_padding(images.shape[3], kernel, stride)
    padded = functional.pad(images, (*columns, *rows))
    return functional.conv2d(padded, layer.weight, layer.bias, stride)


LAYERS = {
    "dcgan-bn, to pixels": lambda: SameConvTranspose2d(64, 1, kernel=5),
    "dcgan-bn, to colours": lambda: SameConvTranspose2d(64, 3, kernel=5),
    "dcgan-bn, between": lambda: SameConvTranspose2d(16, 8, kernel=5),
    "dcgan-plain, between": lambda: SameConvTranspose2d(16, 8, kernel=4),
    "dcgan-plain, to pixels": lambda: SameConv2d(64, 1, kernel=3),
    "dcgan-plain, to colours": lambda: SameConv2d(64, 3, kernel=3),
    "dcgan-bn, from pixels": lambda: SameConv2d(1, 64, kernel=5, stride=2),
    "dcgan-plain, from colours": lambda: SameConv2d(3, 64, kernel=3),
    "to one channel, halved": lambda: SameConv2d(8, 1, kernel=3, stride=2),
}


@pytest.mark.parametrize(("height", "width"), [(14, 14), (9, 12)])
@pytest.mark.parametrize("name", LAYERS)
def test_the_fast_layers_compute_the_plain_function_and_its_gradients(name, height, width) -> None:
    layer, random = LAYERS[name]().double(), torch.Generator().manual_seed(2)
    torch.nn.init.normal_(layer.bias, generator=random)
    shape = (3, layer.in_channels, height, width)
    images = torch.randn(shape, generator=random, dtype=torch.float64, requires_grad=True)
    inputs = (images, layer.weight, layer.bias)
    fast, expected = layer(images), plain(layer, images)
    direction = torch.randn(expected.shape, generator=random, dtype=torch.float64)
    torch.testing.assert_close(fast, expected)
    gradients = torch.autograd.grad((fast * direction).sum(), inputs)
    torch.testing.assert_close(gradients, torch.autograd.grad((expected * direction).sum(), inputs))


@pytest.mark.parametrize("name", LAYERS)
def test_under_bf16_the_fast_layers_stay_within_its_rounding(name) -> None:
    layer, random = LAYERS[name](), torch.Generator().manual_seed(3)
    images = torch.randn(4, layer.in_channels, 14, 14, generator=random).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        fast = layer(images)
    exact = plain(layer, images)
    assert fast.dtype == torch.bfloat16
    assert (fast - exact).abs().max() < 0.02 * exact.abs().max()


def test_an_unknown_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel is 3"):
        SameConvTranspose2d(1, 1, kernel=3)

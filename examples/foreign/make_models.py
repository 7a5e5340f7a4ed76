"""Makes the two model files of foreign.toml: a TorchScript network and an ONNX network.

Both learn to tell Fashion-MNIST's official test images from images drawn from a principal
component analysis of them, so neither has seen an image of the study's GANs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from torch import nn
from torchvision.models import shufflenet_v2_x0_5

from gandetect.data.fashion_mnist import load, resolve_data_dir

HERE = Path(__file__).parent
IMAGES = 1000
SIZE = 32  # of the network's input
STEPS = 40


def main() -> None:
    """Write network.pt and linear.onnx beside this file."""
    rng = np.random.default_rng(0)
    images = load(resolve_data_dir(None)).test_images
    reals = images[np.sort(rng.permutation(len(images))[:IMAGES])]
    fakes = drawn_from_components(reals, rng)
    pixels = np.concatenate([reals, fakes]).astype(np.float32) / 255
    generated = np.repeat([0, 1], [len(reals), len(fakes)])
    save_network(pixels, generated, HERE / "network.pt")
    save_linear(pixels, generated, HERE / "linear.onnx")


def drawn_from_components(reals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many images again, normally distributed along 100 principal components."""
    analysis = PCA(100, svd_solver="randomized", random_state=0).fit(reals.reshape(len(reals), -1))
    spread = rng.standard_normal((len(reals), 100)) * np.sqrt(analysis.explained_variance_)
    drawn = analysis.inverse_transform(spread).clip(0, 255)
    return drawn.round().astype(np.uint8).reshape(reals.shape)


def save_network(pixels: np.ndarray, generated: np.ndarray, file: Path) -> None:
    """A torchvision network on images of 32 x 32 in colour: two logits, real and generated."""
    torch.manual_seed(0)
    network = shufflenet_v2_x0_5(num_classes=2)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for _ in range(STEPS):
        chosen = torch.randint(len(pixels), (32,))
        batch = torch.from_numpy(pixels[chosen.numpy()]).expand(-1, 3, -1, -1)
        logits = network(nn.functional.interpolate(batch, (SIZE, SIZE), mode="bilinear"))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(generated[chosen.numpy()]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():  # so few steps leave the means of batch normalisation behind
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.reset_running_stats()
                layer.momentum = None
        network(nn.functional.interpolate(batch, (SIZE, SIZE), mode="bilinear"))
    torch.jit.trace(network.eval(), torch.zeros(2, 3, SIZE, SIZE)).save(file)


def save_linear(pixels: np.ndarray, generated: np.ndarray, file: Path) -> None:
    """A logistic regression on pixels in 0..1, as an ONNX graph that answers with the logit."""
    flat = pixels.reshape(len(pixels), -1)
    fitted = LogisticRegression(C=0.01, max_iter=300).fit(flat, generated)
    shape = ["N", *pixels.shape[1:]]
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [flat.shape[1], 1], fitted.coef_[0])
    bias = helper.make_tensor("bias", TensorProto.FLOAT, [1], fitted.intercept_)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["images"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "bias"], ["logit"]),
        ],
        "linear",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["N", 1])],
        [weights, bias],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), file)


if __name__ == "__main__":
    main()

"""The classifiers of four published studies (docs/sources.md), as defaults under a name, and ours.

S2 is a study of real and edited road scenes, S3 and S5 are of real and fake faces, S4 is of real
and AI-made images. What a study does not report is PyTorch's or the network's usual value, and a
comment says so.
"""

from __future__ import annotations

from typing import Any

_JITTER = {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.1}  # not reported

# S2: EfficientNets fine-tuned whole. Batch size and strength of the jitter are not reported.
_EFFICIENTNET: dict[str, Any] = {
    "weights": "imagenet",
    "normalise": "imagenet",
    "augmentation": _JITTER,
    "optimizer": {"name": "adam", "learning_rate": 1e-4},
    "epochs": 40,
    "batch_size": 32,
    "monitor": "accuracy",
}
_HEAD_128: dict[str, Any] = {
    "hidden": (128,),
    "activation": "none",
    "dropout": 0.5,
    "output_dropout": 0.5,
}

# S5: convolutional networks from scratch. Their learning rates' step is not reported.
_FROM_SCRATCH: dict[str, Any] = {
    "image_size": 128,
    "normalise": "half",
    "head": {"dropout": 0.5},  # not reported
    "optimizer": {"name": "adam", "learning_rate": 1e-3},
    "schedule": {"name": "step", "epochs": 5, "factor": 0.1},
    "batch_size": 32,  # not reported
    "monitor": "accuracy",
}

# S4: the classifier of AI-made images, on a frozen ResNet-50.
_RESNET50_224: dict[str, Any] = {
    "network": "resnet50",
    "weights": "imagenet",
    "image_size": 224,
    "normalise": "unit",
    "augmentation": {"rotation": 20.0, "shift": 0.2, "horizontal_flip": 0.5},
    "loss": "bce",
    "batch_size": 32,
    "monitor": "accuracy",
}

RECIPES: dict[str, dict[str, Any]] = {
    # S5, model 1: 8,408,386 parameters at 128 px.
    "cnn-small": {**_FROM_SCRATCH, "network": "cnn-small", "epochs": 10},
    # S5, model 2.1: 134,608,002 parameters at 128 px.
    "cnn-deep": {**_FROM_SCRATCH, "network": "cnn-deep", "epochs": 20},
    # S5, model 2.2: fourfold data and AdaDelta. Here the copies are made after the split.
    "cnn-deep-augmented": {
        **_FROM_SCRATCH,
        "network": "cnn-deep",
        "optimizer": {"name": "adadelta", "learning_rate": 0.1},
        "schedule": {"name": "constant"},
        "augmentation": {
            "rotation": 15.0,
            "horizontal_flip": 0.5,
            "brightness": 0.2,
            "contrast": 0.2,
            "blur": 0.3,  # "sometimes"
            "blur_kernel": (7, 13),
            "blur_sigma": (6.0, 7.0),
        },
        "copies": 3,
        "epochs": 30,
    },
    # S5: ResNet-18, fine-tuned whole; how long and how fast is not reported.
    "resnet18": {
        "network": "resnet18",
        "weights": "imagenet",
        "image_size": 128,
        "normalise": "half",
        "optimizer": {"name": "adam", "learning_rate": 1e-4},
        "epochs": 10,
        "batch_size": 32,
        "monitor": "accuracy",
    },
    # S3. The learning rate is not reported.
    "resnet50-faces": {
        "network": "resnet50",
        "weights": "imagenet",
        "head": {"hidden": (512,), "dropout": 0.5},
        "trainable": ("layer4",),
        "image_size": 224,
        "resize": 256,
        "normalise": "imagenet",
        "augmentation": {"rotation": 15.0, "random_crop": True, **_JITTER},
        "optimizer": {"name": "adam", "learning_rate": 1e-3},
        "epochs": 10,
        "batch_size": 32,
        "monitor": "accuracy",
    },
    # S4, initial.
    "resnet50-frozen": {
        **_RESNET50_224,
        "head": {"hidden": (512,), "dropout": 0.5},
        "trainable": (),
        "optimizer": {"name": "adam", "learning_rate": 1e-4},
        "epochs": 10,
    },
    # S4, improved. Keras' last 15 layers are the last block and the end of the one before it.
    "resnet50-finetuned": {
        **_RESNET50_224,
        "head": {"hidden": (512, 256), "batch_norm": True, "dropout": 0.6},
        "trainable": ("layer4.2", "layer4.1.conv3", "layer4.1.bn3"),
        "optimizer": {"name": "adam", "learning_rate": 3e-4},
        "schedule": {"name": "plateau", "factor": 0.5, "patience": 3, "minimum": 9e-6},
        "early_stopping": {"patience": 12, "monitor": "loss"},
        "epochs": 30,
    },
    # S4's yardstick, Kroiss and Reschke 2025 (arXiv 2503.11389): head, then last stage, then all.
    # Its epochs and learning rates are not known to us; take the youden threshold, as it does.
    "resnet50-staged": {
        **_RESNET50_224,
        "normalise": "imagenet",
        "head": {"hidden": (512,), "dropout": 0.5},
        "phases": (
            {"epochs": 3, "trainable": (), "learning_rate": 1e-3},
            {"epochs": 5, "trainable": ("layer4",), "learning_rate": 1e-4},
            {"epochs": 7, "trainable": ("all",), "learning_rate": 1e-5},
        ),
        "epochs": 15,
    },
    # S2, 1 to 5.
    "efficientnet-b2": {**_EFFICIENTNET, "network": "efficientnet-b2", "image_size": 260},
    "efficientnet-b2-augmented": {
        **_EFFICIENTNET,
        "network": "efficientnet-b2",
        "image_size": 260,
        "augmentation": {
            **_JITTER,
            "horizontal_flip": 0.5,
            "rotation": 15.0,
            "shift": 0.05,
            "blur": 0.5,
            "blur_sigma": (0.1, 2.0),
        },
    },
    "efficientnet-b0": {**_EFFICIENTNET, "network": "efficientnet-b0", "image_size": 224},
    "efficientnet-b0-head": {
        **_EFFICIENTNET,
        "network": "efficientnet-b0",
        "image_size": 224,
        "head": _HEAD_128,
    },
    "efficientnet-b0-head-512": {
        **_EFFICIENTNET,
        "network": "efficientnet-b0",
        "image_size": 512,
        "head": {**_HEAD_128, "dropout": 0.3, "output_dropout": 0.3},
        "epochs": 100,
    },
}

# Ours: ImageNet weights that come as a package (Tan and Le 2019, arXiv 1905.11946, in the authors'
# smaller form of 2020). They were trained on images in [-1, 1].
RECIPES["efficientnet-lite0"] = {
    **_EFFICIENTNET,
    "network": "efficientnet-lite0",
    "normalise": "half",
    "image_size": 224,
    "epochs": 10,
}

# Against a GAN's small images a recipe takes these sizes: its own networks at the images' size,
# torchvision's backbones enlarged, as they shrink what they see by 32.
SMALL_IMAGES: dict[str, dict[str, Any]] = {
    name: {"image_size": 28 if recipe["network"].startswith("cnn-") else 64, "resize": None}
    for name, recipe in RECIPES.items()
}

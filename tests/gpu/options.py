"""Every option of a generator's training, as small trainings: a test holds the table complete."""

from __future__ import annotations

from typing import Any

from gandetect.config import GeneratorConfig, generator_table

OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "dcgan-bn": ("dcgan-bn", {}),
    "dcgan-plain": ("dcgan-plain", {}),
    "wgan-gp": ("wgan-gp", {}),
    "dense": ("dense", {}),
    "vae": ("vae", {}),
    "joint updates": ("dcgan-bn", {"discriminator_updates": "joint"}),
    "separate updates": ("dcgan-plain", {"discriminator_updates": "separate"}),
    "fakes of training mode": ("dcgan-bn", {"discriminator_fakes": "training"}),
    "fakes of inference mode": ("dcgan-plain", {"discriminator_fakes": "inference"}),
    "labels smoothed": ("dcgan-plain", {"real_label": 0.8, "fake_label": 0.1}),
    "rmsprop": (
        "dcgan-bn",
        {
            "generator_optimizer": {"name": "rmsprop"},
            "discriminator_optimizer": {"name": "rmsprop"},
        },
    ),
    "relu": ("dcgan-plain", {"generator": {"activation": "relu"}}),
    "selu": ("dcgan-bn", {"generator": {"activation": "selu"}}),
    "leaky relu": ("dcgan-bn", {"generator": {"activation": "leaky_relu"}}),
    "slopes, no dropout": ("dcgan-bn", {"discriminator": {"negative_slope": 0.2, "dropout": 0.0}}),
    "dropout": ("dcgan-plain", {"discriminator": {"negative_slope": 0.1, "dropout": 0.25}}),
    "spectral norm": ("dcgan-bn", {"discriminator": {"spectral_norm": True}}),
    "histogram": ("dcgan-plain", {"discriminator": {"histogram": True}}),
    "least squares": ("dcgan-bn", {"loss": "least-squares"}),
    "hinge": ("dcgan-plain", {"loss": "hinge"}),
    "wasserstein": (
        "dcgan-bn",
        {
            "loss": "wasserstein",
            "discriminator_updates": "joint",
            "penalty": {"name": "wgan-gp"},
            "critic_steps": 2,
        },
    ),
    "r1, every other step": ("dcgan-bn", {"penalty": {"name": "r1", "every": 2}}),
    "instance noise": ("dcgan-bn", {"instance_noise": 0.2}),
    "replay": ("dcgan-plain", {"replay": {"share": 0.5, "n_images": 20}}),
    "negatives": (
        "dcgan-bn",
        {"negatives": {"kinds": ["jigsaw", "stitch", "cutmix"], "share": 0.5}},
    ),
    "changes": (
        "dcgan-plain",
        {"diff_augment": ["brightness", "translation", "cutout", "shuffle"]},
    ),
    "processing": ("dcgan-bn", {"processing": "uploads"}),
    "average": ("dcgan-bn", {"generator_average": 0.9}),
    "bf16": ("dcgan-bn", {"precision": "bf16"}),
}

# What no step depends on, or depends on as a number that any kernel takes; and what is resolved
# before a step.
NOT_OF_A_STEP = frozenset(
    {
        "name",
        "epochs",
        "steps_per_epoch",
        "sampling",
        "role",
        "batch_size",
        "penalty.weight",
        "replay.n_images",
        *(f"{network}_optimizer.{number}" for network in ("generator", "discriminator")
          for number in ("learning_rate", "betas", "smoothing", "eps")),
    }
)  # fmt: skip
RESOLVED = frozenset({("precision", "auto")})


def config_of(option: str, **changes: Any) -> GeneratorConfig:
    """An option's configuration, its optimizers made smooth.

    With the usual tiny ``eps`` Adam moves every weight by as much, whatever its gradient: where
    that is almost nothing, its sign alone would decide, and a last bit could turn it.
    """
    architecture, given = OPTIONS[option]
    smooth = {"eps": 1e-2, "learning_rate": 1e-3}
    table = {"architecture": architecture, "epochs": 3, **given, **changes}
    kind = generator_table(table)
    for key in {"generator_optimizer", "discriminator_optimizer"} & set(kind.model_fields):
        table[key] = {**table.get(key, {}), **smooth}
    return kind.model_validate(table)

"""The schema of an experiment: TOML in, canonical JSON and a digest out.

Everything is frozen and unknown keys are refused, so a misspelt option can never be silently
ignored. Where two architectures differ in how they are trained, the difference is data here
(`TRAINING_DEFAULTS`), not code in the loop.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from gandetect.errors import UsageError, did_you_mean, unknown_name

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
OpenProbability = Annotated[float, Field(gt=0.0, lt=1.0)]
Decay = Annotated[float, Field(ge=0.0, lt=1.0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Section(BaseModel):
    """One table of an experiment file: frozen, and with no room for unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataConfig(_Section):
    """Which images, which classes nobody trains on, and how the rest is split."""

    name: Literal["fashion-mnist"] = "fashion-mnist"
    held_out: tuple[str | int, ...] = ("Sneaker", "Bag", "Ankle boot")
    test_fraction: OpenProbability = 0.1
    split_seed: Annotated[int, Field(ge=0)] = 0
    images: Annotated[int, Field(ge=100)] | None = None


class OptimizerConfig(_Section):
    """An optimizer by name, with its numbers as Keras and PyTorch call them."""

    name: Literal["adam", "rmsprop"] = "adam"
    learning_rate: Annotated[float, Field(gt=0.0)] = 1e-3
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    smoothing: Decay = 0.9
    eps: Annotated[float, Field(gt=0.0)] = 1e-7


class GeneratorOptions(_Section):
    """What may vary in a generator without another architecture."""

    activation: Literal["relu", "selu", "leaky_relu"] | None = None


class DiscriminatorOptions(_Section):
    """What may vary in a discriminator without another architecture."""

    negative_slope: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None


class GanConfig(_Section):
    """One GAN: its architecture and how it is trained.

    Keys left out take the architecture's own values from `TRAINING_DEFAULTS`.
    """

    architecture: str
    name: Name
    epochs: PositiveInt
    batch_size: Annotated[int, Field(ge=2, le=65536)]
    steps_per_epoch: PositiveInt | None = None
    sampling: Literal["shuffled", "with-replacement"]
    discriminator_updates: Literal["separate", "joint"]
    discriminator_fakes: Literal["inference", "training"]
    shared_noise: bool
    real_label: Probability
    fake_label: Probability = 0.0
    generator_optimizer: OptimizerConfig
    discriminator_optimizer: OptimizerConfig
    generator: GeneratorOptions = GeneratorOptions()
    discriminator: DiscriminatorOptions = DiscriminatorOptions()
    precision: Literal["auto", "fp32", "bf16"] = "fp32"

    @model_validator(mode="before")
    @classmethod
    def _architecture_defaults(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "architecture" not in given:
            return given
        architecture = given["architecture"]
        if architecture not in TRAINING_DEFAULTS:
            raise unknown_name("architecture", architecture, TRAINING_DEFAULTS)
        defaults = {"name": architecture, **TRAINING_DEFAULTS[architecture]}
        for key in ("generator_optimizer", "discriminator_optimizer"):
            if isinstance(given.get(key), Mapping):  # one number given: the others stay
                defaults[key] = {**defaults[key], **given[key]}
                given = {name: value for name, value in given.items() if name != key}
        return {**defaults, **given}

    @model_validator(mode="after")
    def _labels_in_order(self) -> GanConfig:
        if self.real_label <= self.fake_label:
            raise ValueError(
                f"real_label is {self.real_label} and fake_label {self.fake_label}; "
                "the real label must be the larger one"
            )
        return self


# The two public notebooks, to the last number (README, "Sources").
TRAINING_DEFAULTS: dict[str, dict[str, Any]] = {
    "dcgan-bn": {
        "epochs": 50,
        "batch_size": 100,
        "sampling": "shuffled",
        "discriminator_updates": "separate",
        "discriminator_fakes": "inference",
        "shared_noise": False,
        "real_label": 1.0,
        "generator_optimizer": {"learning_rate": 1e-3, "betas": (0.9, 0.999)},
        "discriminator_optimizer": {"learning_rate": 1e-3, "betas": (0.9, 0.999)},
    },
    "dcgan-plain": {
        "epochs": 10,
        "batch_size": 16,
        "steps_per_epoch": 3750,
        "sampling": "with-replacement",
        "discriminator_updates": "joint",
        "discriminator_fakes": "training",
        "shared_noise": True,
        "real_label": 0.9,
        "generator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.999)},
        "discriminator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.999)},
    },
}


class QualityConfig(_Section):
    """How good the fakes are: the ten-class feature network and the images it judges."""

    classifier_epochs: PositiveInt = 2
    generated: Annotated[int, Field(ge=100)] = 4200


class EvaluationConfig(_Section):
    """How many images of each source are scored, and how operating points are chosen."""

    own_generated: Annotated[int, Field(ge=20)] | None = None
    other_generated: Annotated[int, Field(ge=20)] = 10000
    training_reals: Annotated[int, Field(ge=20)] | None = None
    calibrated_fpr: OpenProbability = 0.05
    kept_mistakes: Annotated[int, Field(ge=1, le=400)] = 25


class Experiment(_Section):
    """A whole study, as written in an experiment file."""

    name: Name
    question: str = ""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**32)], ...], Field(min_length=1)] = (0,)
    data: DataConfig = DataConfig()
    gans: Annotated[tuple[GanConfig, ...], Field(min_length=1)]
    quality: QualityConfig = QualityConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"seeds {list(seeds)} name a seed twice; give each seed once")
        return seeds

    @model_validator(mode="after")
    def _distinct_names(self) -> Experiment:
        names = [gan.name for gan in self.gans]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f'two GANs are named {twice[0]!r}; give one of them another name = "…"'
            )
        return self

    def with_precision(self, native: Literal["fp32", "bf16"]) -> Experiment:
        """Resolve ``precision = "auto"`` to what this machine computes natively."""
        gans = tuple(
            gan.model_copy(update={"precision": native}) if gan.precision == "auto" else gan
            for gan in self.gans
        )
        return self.model_copy(update={"gans": gans})

    def digest(self) -> str:
        """SHA-256 of everything that changes a result, except the list of seeds.

        Seeds are left out on purpose: each seed's results stand in folders of their own, so a
        study with one more seed goes on in the same run folder and costs one seed.
        """
        identity = self.model_dump(mode="json", exclude={"seeds", "question"})
        return digest_of(identity)


def canonical_json(value: object) -> str:
    """Serialise to JSON with sorted keys and no spaces: equal values, equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: object) -> str:
    """SHA-256 (hex) of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file and apply ``key.path=value`` overrides (values are TOML).

    Raises `UsageError` naming the file, the key, what was given and what is allowed.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"experiment file {str(path)!r} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"experiment file {str(path)!r} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"experiment file {str(path)!r} is not valid TOML: {error}") from None
    for override in overrides:
        apply_override(table, override)
    return parse_experiment(table, str(path))


def parse_experiment(table: Mapping[str, Any], origin: str = "experiment") -> Experiment:
    """Validate a table; errors become one `UsageError` sentence per problem."""
    try:
        return Experiment.model_validate(table)
    except ValidationError as error:
        # A bad entry also makes its list look empty; that echo would only confuse.
        errors = [e for e in error.errors() if not (e["type"] == "too_short" and e["input"])]
        problems = "; ".join(_explain(problem) for problem in errors)
        raise UsageError(f"{origin}: {problems}") from None


def apply_override(table: dict[str, Any], override: str) -> None:
    """Set one key in place: ``data.images=2000``, ``gans.0.epochs=1``, ``gans.dcgan-bn.epochs=1``.

    In a list of tables an entry is named by its number, or by its ``name`` or ``architecture``.
    """
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise UsageError(
            f"--set {override!r} is not of the form key=value, such as --set data.images=2000"
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    *parents, leaf = key.strip().split(".")
    node: Any = table
    for parent in parents:
        node = _step_into(node, parent, override)
    if isinstance(node, list):
        raise UsageError(f"--set {override!r} names a list; say which entry, as in gans.0.{leaf}")
    node[leaf] = value


def _step_into(node: Any, part: str, override: str) -> Any:
    if isinstance(node, list):
        for number, entry in enumerate(node):
            if part in (str(number), entry.get("name"), entry.get("architecture")):
                return entry
        entries = [str(e.get("name") or e.get("architecture") or i) for i, e in enumerate(node)]
        raise UsageError(f"--set {override!r}: no entry {part!r}; there are: {', '.join(entries)}")
    child = node.setdefault(part, {})
    if not isinstance(child, dict | list):
        raise UsageError(f"--set {override!r}: {part!r} is a value, not a table")
    return child


def _explain(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "experiment"
    if problem["type"] == "extra_forbidden":
        allowed = _keys_at(problem["loc"][:-1])
        return (
            f"unknown key {where!r}; allowed here: {', '.join(allowed)}"
            f"{did_you_mean(problem['loc'][-1], allowed)}"
        )
    if problem["type"] == "missing":
        return f"{where!r} is missing; give it a value"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if problem["type"] == "value_error":
        return f"{where}: {message}" if problem["loc"] else message
    return f"{where} = {problem['input']!r} is not allowed: {message}"


def _keys_at(location: Sequence[str | int]) -> list[str]:
    model: type[BaseModel] = Experiment
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        for candidate in candidates:
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return list(model.model_fields)

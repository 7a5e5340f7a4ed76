"""The schema of an experiment: TOML in, canonical JSON and a digest out.

Everything is frozen and unknown keys are refused, so a misspelt option can never be silently
ignored. Where two architectures or recipes differ in how they are trained, the difference is data
(`TRAINING_DEFAULTS`, `RECIPES`), not code in a loop.
"""

from gandetect.config.canonical import canonical_json, digest_of
from gandetect.config.class_images import (
    ClassImagesConfig,
    FashionMnistConfig,
    PicturesConfig,
    SmallSetConfig,
)
from gandetect.config.classifier import (
    AugmentationConfig,
    ClassifierConfig,
    ClassifierOptimizerConfig,
    ContrastiveConfig,
    EarlyStoppingConfig,
    HeadConfig,
    PhaseConfig,
    PublishedFigure,
    ScheduleConfig,
)
from gandetect.config.data import (
    CsvDataConfig,
    DataConfig,
    FolderDataConfig,
    LabelledDataConfig,
)
from gandetect.config.detector import (
    CheckpointEnsembleConfig,
    DetectorConfig,
    FineTunedConfig,
    OneClassConfig,
)
from gandetect.config.epochs import chosen_epochs
from gandetect.config.experiment import EvaluationConfig, Experiment, QualityConfig
from gandetect.config.gan import (
    NO_DISCRIMINATOR,
    TRAINING_DEFAULTS,
    DiscriminatorOptions,
    GanConfig,
    GeneratorOptions,
    NegativesConfig,
    OptimizerConfig,
    PenaltyConfig,
    ReplayConfig,
)
from gandetect.config.loading import apply_override, load_experiment, parse_experiment
from gandetect.config.recipes import RECIPES

__all__ = [
    "NO_DISCRIMINATOR",
    "RECIPES",
    "TRAINING_DEFAULTS",
    "AugmentationConfig",
    "CheckpointEnsembleConfig",
    "ClassImagesConfig",
    "ClassifierConfig",
    "ClassifierOptimizerConfig",
    "ContrastiveConfig",
    "CsvDataConfig",
    "DataConfig",
    "DetectorConfig",
    "DiscriminatorOptions",
    "EarlyStoppingConfig",
    "EvaluationConfig",
    "Experiment",
    "FashionMnistConfig",
    "FineTunedConfig",
    "FolderDataConfig",
    "GanConfig",
    "GeneratorOptions",
    "HeadConfig",
    "LabelledDataConfig",
    "NegativesConfig",
    "OneClassConfig",
    "OptimizerConfig",
    "PenaltyConfig",
    "PhaseConfig",
    "PicturesConfig",
    "PublishedFigure",
    "QualityConfig",
    "ReplayConfig",
    "ScheduleConfig",
    "SmallSetConfig",
    "apply_override",
    "canonical_json",
    "chosen_epochs",
    "digest_of",
    "load_experiment",
    "parse_experiment",
]

"""The schema of an experiment: TOML in, canonical JSON and a digest out.

Everything is frozen and unknown keys are refused, so a misspelt option can never be silently
ignored. Where two architectures or recipes differ in how they are trained, the difference is data
(`Architecture.training`, `RECIPES`), not code in a loop. What can be asked for by name stands in
registries (`ARCHITECTURES`, `DATA_SETS`, `DETECTORS`, `SOURCES`).
"""

from gandetect.config.architecture import ARCHITECTURES, Architecture
from gandetect.config.canonical import canonical_json, digest_of
from gandetect.config.class_images import (
    ClassImagesConfig,
    FashionMnistConfig,
    PicturesConfig,
    SmallSetConfig,
)
from gandetect.config.classifier import ClassifierConfig, PublishedFigure
from gandetect.config.data import CsvDataConfig, FolderDataConfig, LabelledDataConfig
from gandetect.config.data_set import DATA_SETS, DataSet
from gandetect.config.detector import DETECTORS, DetectorTable, detector_table
from gandetect.config.epochs import chosen_epochs
from gandetect.config.experiment import Experiment, QualityConfig
from gandetect.config.gan import (
    DiscriminatorOptions,
    GanConfig,
    NegativesConfig,
    PenaltyConfig,
    ReplayConfig,
)
from gandetect.config.generator import GeneratorConfig, OptimizerConfig, generator_table
from gandetect.config.loading import apply_override, load_experiment, parse_experiment
from gandetect.config.recipes import RECIPES
from gandetect.config.source import SOURCES, SourceTable
from gandetect.config.variational import VaeConfig

__all__ = [
    "ARCHITECTURES",
    "DATA_SETS",
    "DETECTORS",
    "RECIPES",
    "SOURCES",
    "Architecture",
    "ClassImagesConfig",
    "ClassifierConfig",
    "CsvDataConfig",
    "DataSet",
    "DetectorTable",
    "DiscriminatorOptions",
    "Experiment",
    "FashionMnistConfig",
    "FolderDataConfig",
    "GanConfig",
    "GeneratorConfig",
    "LabelledDataConfig",
    "NegativesConfig",
    "OptimizerConfig",
    "PenaltyConfig",
    "PicturesConfig",
    "PublishedFigure",
    "QualityConfig",
    "ReplayConfig",
    "SmallSetConfig",
    "SourceTable",
    "VaeConfig",
    "apply_override",
    "canonical_json",
    "chosen_epochs",
    "detector_table",
    "digest_of",
    "generator_table",
    "load_experiment",
    "parse_experiment",
]

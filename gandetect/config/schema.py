"""A JSON Schema of experiment files, from the same models that read them, for editors.

What depends on more than one key is left to `gandetect run --dry-run`, and so is what is missing: a
file may extend another, and defaults depend on names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from gandetect.config.architecture import ARCHITECTURES
from gandetect.config.class_images import SmallSetConfig
from gandetect.config.classifier import ClassifierConfig
from gandetect.config.data_set import DATA_SETS
from gandetect.config.detector import detector_kinds
from gandetect.config.experiment import Experiment
from gandetect.config.loading import CHANGES, EXTENDS
from gandetect.config.processing import PERTURBATIONS, ProcessingStep
from gandetect.config.recipes import RECIPES
from gandetect.config.section import ConfigSection
from gandetect.config.source import SOURCES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Table = type[ConfigSection]


def experiment_schema() -> dict[str, Any]:
    """The schema: every key of every table, by architecture, recipe, kind and data set."""
    architectures: dict[Table, list[str]] = {}
    for name, architecture in ARCHITECTURES.items():
        architectures.setdefault(architecture.table, []).append(name)
    kinds = {table: [name] for name, table in detector_kinds().items()}
    entries: Mapping[str, tuple[str, Mapping[Any, list[str]]]] = {
        "gans": ("architecture", architectures),
        "classifiers": ("recipe", {ClassifierConfig: [*RECIPES]}),
        "detectors": ("kind", kinds),
        "sources": ("kind", {table: [name] for name, table in SOURCES.items()}),
    }
    tables: list[Table] = [Experiment, *(one for _, named in entries.values() for one in named)]
    places, made = models_json_schema([(table, "validation") for table in tables])
    definitions: dict[str, Any] = made["$defs"]
    for definition in definitions.values():
        definition.pop("required", None)
    by_class = {table: places[table, "validation"] for table in tables}
    experiment = definitions.pop(_name(by_class[Experiment]))
    for key, (choice, named) in entries.items():
        for table, names in named.items():
            definition = definitions[_name(by_class[table])]
            definition["properties"][choice] = {"enum": names}
            if key != "sources":  # whose other keys tell the kind
                definition["required"] = [choice]
        experiment["properties"][key]["items"] = {"anyOf": [by_class[table] for table in named]}
    definitions[SmallSetConfig.__name__]["properties"]["name"] = {"enum": [*DATA_SETS]}
    definitions[SmallSetConfig.__name__]["required"] = ["name"]
    definitions[ProcessingStep.__name__]["properties"]["name"] = {"enum": [*PERTURBATIONS]}
    experiment["properties"] |= {
        EXTENDS: {"type": "string", "description": "The file that this one is a variation of."},
        CHANGES: {
            "type": "array",
            "items": {"type": "string", "pattern": "="},
            "description": "Overrides of entries of lists in that file, as key.path=value.",
        },
    }
    used = {name: one for name, one in definitions.items() if name not in _BASES}
    return {"$schema": DIALECT, **experiment, "$defs": used}


_BASES = ("GeneratorConfig", "DetectorTable", "SourceTable")  # which no table is itself


def _name(place: Mapping[str, Any]) -> str:
    """The definition that a reference leads to."""
    return str(place["$ref"]).rpartition("/")[2]

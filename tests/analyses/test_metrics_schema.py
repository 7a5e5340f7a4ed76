"""`docs/metrics.schema.json` describes what `metrics.json` holds."""

import json
from pathlib import Path

import jsonschema
import pytest

from gandetect import evaluate
from gandetect.analyses.evaluate import SCHEMA

DESCRIBED = json.loads(
    (Path(__file__).parents[2] / "docs" / "metrics.schema.json").read_text(encoding="utf-8")
)


def test_the_metrics_of_a_study_are_as_described(built) -> None:
    metrics = json.loads((built / "metrics.json").read_text(encoding="utf-8"))
    jsonschema.validate(metrics, DESCRIBED)
    assert {*DESCRIBED["properties"]} <= {*metrics}
    assert metrics["schema"] == SCHEMA


def test_the_metrics_of_a_table_are_as_described(scores, tmp_path) -> None:
    table = scores[["detector", "source", "label", "score"]]
    table = table[~table["source"].isin(["real:training", "real:calibration"])]
    jsonschema.validate(
        evaluate(table, out=tmp_path, reference=["in-distribution"]).metrics, DESCRIBED
    )


@pytest.mark.parametrize("change", [{"correct": 1.2}, {"label": "fake"}, {"ci95": [0.1]}])
def test_another_value_is_refused(built, change) -> None:
    metrics = json.loads((built / "metrics.json").read_text(encoding="utf-8"))
    metrics["cells"][0] |= change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(metrics, DESCRIBED)

"""What was run, what the words mean, how to make the report again, and whom to cite."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.report.document import Block, Code, Download, Fold, Items, Table, Text
from gandetect.report.material import Material
from gandetect.report.words import stage_times
from gandetect.runs import to_toml
from gandetect.statistics.cost_model import EXAMPLE_COSTS

GLOSSARY = (
    ("Generator, discriminator", "the two networks of a GAN: one makes images, the other learns "
     "to tell them from real ones. Here the second one is put to work as a detector."),
    ("Score", "log-odds that an image is generated; 0 is undecided, higher is more suspicious."),
    ("Operating point", "the score above which an image is called generated. Lower catches more "
     "fakes and delays more honest photos."),
    ("Classifier", "a network that is trained for nothing but to tell generated images from real "
     "ones, on examples of both."),
    ("Derived detector", "one that is made after training: of several epochs of a discriminator, "
     "of one that is trained on while generators stand still, or of real images alone."),
    ("Native, calibrated, Youden's threshold", "a score of 0; the one that delays no more honest "
     "photos than allowed; and the one that parts the validation images best. None of them is "
     "chosen on test images."),
    ("Own, other", "fakes of the kind that a detector was trained on, be it by a generator or a "
     "class, and of another kind."),
    ("Training, validation, test", "images that a network learns from; images that choose its "
     "epoch and threshold; and images that are looked at once, at the end."),
    ("Held-out classes", "kinds of image that no network saw in training."),
    ("Precision, recall, F1", "how many alarms are true, how many of a class are found, and "
     "their harmonic mean. Specificity is the recall of the other class."),
    ("AUROC", "chance that a generated image scores higher than a real one: 0.5 is a coin toss."),
    ("95 % interval", "what the same detector would show on other images of the same kind. With "
     "one seed it covers the images only, not the chance in training."),
    ("FID, KID", "distances between generated and real images in a classifier's features; 0 is "
     "indistinguishable to it. Ours use our own classifier and compare only with each other."),
)  # fmt: skip
SOURCES = (
    ("Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional "
     "Generative Adversarial Networks (DCGAN)", "https://arxiv.org/abs/1511.06434"),
    ("Xiao, Rasul, Vollgraf: Fashion-MNIST, a Novel Image Dataset for Benchmarking Machine "
     "Learning Algorithms", "https://arxiv.org/abs/1708.07747"),
    ("Heusel and others: GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash "
     "Equilibrium (FID)", "https://arxiv.org/abs/1706.08500"),
    ("Bińkowski and others: Demystifying MMD GANs (KID)", "https://arxiv.org/abs/1801.01401"),
    ("Hsu, Lee, Zhuang: Learning to Detect Fake Face Images in the Wild",
     "https://arxiv.org/abs/1809.08754"),
    ("Youden: Index for Rating Diagnostic Tests. Cancer 3, 1950", ""),
    ("Wilson: Probable Inference, the Law of Succession, and Statistical Inference. Journal of "
     "the American Statistical Association 22, 1927", ""),
    ("DeLong, DeLong, Clarke-Pearson: Comparing the Areas under Two or More Correlated Receiver "
     "Operating Characteristic Curves. Biometrics 44, 1988; computed after Sun and Xu, IEEE "
     "Signal Processing Letters 21, 2014", ""),
    ("Newcombe: Interval Estimation for the Difference Between Independent Proportions. "
     "Statistics in Medicine 17, 1998", ""),
)  # fmt: skip


def what_was_run(material: Material) -> list[Block]:
    """Versions, machine, times and digests, and the configuration in full."""
    blocks: list[Block] = []
    if material.inputs.manifest:
        blocks += _facts(material)
    else:
        blocks += material.absent("manifest.json")
    digest = material.inputs.experiment.digest()
    written = Code(to_toml(material.inputs.experiment), f"Configuration, digest {digest}")
    return [*blocks, Fold("The configuration in full", [written])]


def _facts(material: Material) -> list[Block]:
    """What one asks first as a table, all the rest on demand."""
    manifest = {k: v for k, v in material.inputs.manifest.items() if k != "stages"}
    rows = [[key, value] for key, value in flatten(manifest) if " · " not in key]
    for name in ("machine", "versions"):
        if isinstance(manifest.get(name), Mapping):
            rows.append([name, ", ".join(f"{key} {one}" for key, one in manifest[name].items())])
    stages = stage_times(material.inputs.manifest)
    if stages:
        seconds = sum(seconds for *_, seconds in stages)
        rows.append(["seconds of all stages, one after the other", f"{seconds:,.0f}"])
    every = [[key, value] for key, value in flatten(manifest)]
    ran = [[name, started, f"{seconds:,.1f}"] for name, started, seconds in stages]
    return [
        Table("In short", ["What", "Value"], rows, text_columns=2),
        *([Table("When each stage ran", ["Stage", "Started", "Seconds"], ran, text_columns=2)]
          if ran else []),
        Table("Every version and digest", ["What", "Value"], every, text_columns=2),
    ]  # fmt: skip


def downloads(material: Material) -> list[Block]:
    """The tables that stand behind this page, within the page."""
    histories = [
        Download(f"gans/{name}/seed-{seed}/history.csv", _csv(table), "text/csv",
                 f"training of {name}, seed {seed}, epoch by epoch")
        for (name, seed), table in material.inputs.histories.items()
    ]  # fmt: skip
    return [
        Download("metrics.csv", material.metrics_csv, "text/csv",
                 "every figure of this report, one a row"),
        Download("study.toml", to_toml(material.inputs.experiment).encode(), "application/toml",
                 "the configuration; run it again with “gandetect run study.toml”"),
        *histories,
    ]  # fmt: skip


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


def citation(material: Material) -> list[Block]:
    """How to cite the figures of this report."""
    digest = material.inputs.experiment.digest()
    version = material.inputs.manifest.get("versions", {}).get("gandetect", "")
    text = (
        "@software{gandetect,\n"
        "  author  = {{The gandetect authors}},\n"
        "  title   = {gandetect: does a GAN's discriminator make a detector?},\n"
        f"  version = {{{version}}},\n"
        f"  note    = {{Study {material.inputs.experiment.name}, digest {digest}}}\n"
        "}"
    )
    return [Code(text, "To cite these figures")]


def glossary(_: Material) -> list[Block]:
    """The words, in plain language."""
    return [Items([(f"{word}: {meaning}", "") for word, meaning in GLOSSARY])]


def rebuild(material: Material) -> list[Block]:
    """How to make this report again."""
    folder = shlex.quote(material.inputs.run.resolve().name)
    return [
        Text(
            "Every number and figure here is computed from the scores and the images kept in the "
            "run folder, without loading a network:"
        ),
        Code(f"gandetect report {folder}{_market(material)}", "From the folder of runs"),
    ]


def _market(material: Material) -> str:
    """Options of the command for a market that is not the example."""
    market = material.metrics["cost_model"]
    if market == EXAMPLE_COSTS.as_dict():
        return ""
    return "".join(f" --{name.replace('_', '-')} {value:g}" for name, value in market.items())


def sources(material: Material) -> list[Block]:
    """What this rests on."""
    data = material.inputs.experiment.data.name
    return [
        Items([one for one in SOURCES if data == "fashion-mnist" or "Fashion-MNIST" not in one[0]])
    ]


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Print nested facts as one row each.

    >>> list(flatten({"versions": {"numpy": "2.1"}, "jobs": 2}))
    [('versions · numpy', '2.1'), ('jobs', '2')]
    """
    for key, value in table.items():
        name = f"{prefix} · {key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from flatten(value, name)
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(str, value)) or "–"
        elif isinstance(value, float):
            yield name, f"{value:,.2f}"
        else:
            yield name, "–" if value is None else str(value)


ANALYSIS = Analysis(
    "provenance",
    chapters=[
        Chapter("Where it comes from", "What was run", [what_was_run]),
        Chapter("Where it comes from", "Take it with you", [downloads, rebuild, citation]),
        Chapter("Where it comes from", "Words used here", [glossary]),
        Chapter("Where it comes from", "Sources", [sources]),
    ],
)

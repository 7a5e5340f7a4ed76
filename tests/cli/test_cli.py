"""The command line: what is asked wrongly gets one sentence, and data goes to stdout alone."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gandetect.cli import main
from gandetect.errors import RunError

ROOT = Path(__file__).parents[2]
QUICK = str(ROOT / "experiments" / "quick.toml")


def invoke(*arguments: str):
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def named_commands(group: click.Group, *before: str):
    yield before
    for name, command in group.commands.items():
        below = (*before, name)
        yield from named_commands(command, *below) if isinstance(command, click.Group) else [below]


def understand(arguments: list[str]) -> None:
    """Parse a command line without doing what it says; fails at an unknown name or option."""
    command: click.Command = main
    while isinstance(command, click.Group):
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context(name, arguments)


@pytest.mark.parametrize("command", [*named_commands(main)], ids=" ".join)
def test_every_command_explains_itself_with_an_example(command) -> None:
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    examples = result.stdout.partition("Example")[2].partition("Options:")[0]
    assert " ".join(["gandetect", *command]) in examples
    for line in examples.replace("\\\n", "").splitlines():
        if line.startswith("    gandetect "):
            understand(shlex.split(line.partition(">")[0].partition("|")[0], comments=True)[1:])


def test_the_help_lists_every_command_under_a_purpose() -> None:
    listed = {line.split()[0] for line in invoke("--help").stdout.splitlines() if line.strip()}
    assert {*main.commands} <= listed


def test_dry_run_prints_the_resolved_experiment_and_does_nothing(tmp_path) -> None:
    result = invoke(
        "run", QUICK, "--dry-run", "--out", str(tmp_path / "runs"), "--seed", "3", "--jobs", "2",
        "--device", "cpu", "--set", "data.max_images=2000",
    )  # fmt: skip
    assert result.exit_code == 0
    assert "# Training dcgan-plain seed 3: to do" in result.stdout
    assert "max_images = 2000" in result.stdout
    assert "auto" not in result.stdout
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "nothing.toml"], 2, "does not exist"),
        (["run", QUICK.replace("quick", "quik")], 2, "quick.toml'?"),
        (["run", QUICK, "--set", "gans.0.epoch=1"], 2, "did you mean 'epochs'?"),
        (["run", QUICK, "--set", "data.held_out=['Sneakers']"], 2, "did you mean 'Sneaker'?"),
        (["run", QUICK, "--set", "data.held_out=[0,1,2,3,4,5,6,7,8,9]"], 2, "all 10 classes"),
        (["run", QUICK, "--set", "gans.0.architecture='dcgan'"], 2, "choose one of: dcgan-bn"),
        (["run", QUICK, "--jobs", "0"], 2, "--jobs"),
        (["run", QUICK, "--seed", "-1"], 2, "--seed"),
        (["run", QUICK, "--device", "abacus"], 2, "--device"),
        (["report", "nowhere"], 1, "does not exist"),
        (["grid", "nowhere"], 1, "does not exist"),
        (["score", "nowhere", "x.png"], 1, "is not a detector"),
        (["train", "gan"], 2, "EXPERIMENT.toml"),
        (["train", "classifier"], 2, "EXPERIMENT.toml"),
        (["info", "cnn-smal"], 2, "did you mean 'cnn-small'?"),
        (["data", "check", "--data-dir"], 2, "--data-dir"),
    ],
)
def test_what_is_asked_wrongly_gets_one_sentence(arguments, code, words, tmp_path) -> None:
    out = ["--out", str(tmp_path)] if arguments[0] == "run" else []
    result = invoke(*arguments, *out)
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_verbose_lets_the_error_through_with_its_traceback() -> None:
    with pytest.raises(RunError, match="does not exist"):  # which Python prints
        invoke("-v", "report", "nowhere")


def test_info_tells_machine_data_and_architectures() -> None:
    told = invoke("info").stdout
    assert "generator_parameters: 840,705" in told
    assert "discriminator_parameters: 521,345" in told


def test_info_on_a_recipe_tells_its_layers_and_parameters() -> None:
    facts = json.loads(invoke("info", "cnn-small", "--json").stdout)
    assert facts["parameters"] == 8408386
    assert "8,408,386" in invoke("info", "cnn-small").stdout


def test_completion_scripts_are_printed() -> None:
    assert "_GANDETECT_COMPLETE" in invoke("completion", "bash").stdout


def test_options_can_come_from_the_environment(tmp_path) -> None:
    environment = {"GANDETECT_RUN_OUT": str(tmp_path / "elsewhere")}
    result = CliRunner().invoke(main, ["run", QUICK, "--dry-run"], env=environment)
    assert str(tmp_path / "elsewhere") in result.stdout


@pytest.mark.slow  # what it runs, `make smoke` runs in CI
def test_smoke_study_end_to_end_on_real_data_keeps_stdout_for_data(tmp_path) -> None:
    environment = {**os.environ, "COLUMNS": "40", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "gandetect"]
    smoke = [str(ROOT / "experiments" / "smoke.toml"), "--out", str(tmp_path), "--json"]
    smoke += ["--set", "data.max_images=1500", "--set", "evaluation.own_generated=100"]
    answer = subprocess.run(
        [*command, "run", *smoke], capture_output=True, text=True, check=False, env=environment
    )
    assert answer.returncode == 0, answer.stderr
    paths = json.loads(answer.stdout)
    run = Path(paths["run"])
    assert Path(paths["report"]).stat().st_size > 100_000
    assert "\x1b" not in answer.stderr
    assert "epoch 2/2" in answer.stderr

    grids = json.loads(invoke("grid", str(run), "--json").stdout)
    assert all(Path(path).stat().st_size > 0 for path in grids)
    detector = run / "detectors" / "dcgan-plain" / "seed-0"
    sample = run / "gans" / "dcgan-plain" / "seed-0" / "samples" / "0002.png"
    scored = invoke("score", str(detector), str(sample), "--at", "calibrated", "--json")
    line = json.loads(scored.stdout)
    assert line["verdict"] in ("real", "generated")
    metrics = json.loads(invoke("report", str(run), "--json").stdout)
    assert metrics["positive_class"] == "generated"


def test_data_check_fails_where_files_are_bad(tmp_path) -> None:
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(b"no gzip")
    result = invoke("data", "check", "--data-dir", str(tmp_path), "--json")
    assert result.exit_code == 1
    assert any("truncated or damaged" in line for line in json.loads(result.stdout))

"""A graph of stages: what is complete stands, what is damaged is named, nothing waits in vain."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from shortcuts import Kept, Pickled
from toy_stages import Sentence, Word

from gandetect import runs
from gandetect.config import load_experiment
from gandetect.engine import (
    Context,
    Plan,
    Stage,
    Task,
    gap_in,
    inline_engine,
    local_engine,
    run_graph,
)
from gandetect.errors import ExternalError, TrainingError
from gandetect.events import silent
from gandetect.study.compose import compose

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def plan(run: Path, *targets: Stage, **more) -> Plan:
    return Plan(Context(run, run, run, run, "cpu", 1, 1, 1), targets, **more)


def run(*plans: Plan) -> Kept:
    told = Kept()
    run_graph(plans, Pickled(silent), told)
    return told


ONE, TWO = Word("one"), Word("two")
BOTH = Sentence("both", (ONE, TWO))


def test_every_stage_runs_once_after_those_it_needs_and_is_recorded(tmp_path) -> None:
    said = run(plan(tmp_path, BOTH, ONE)).said
    assert sorted(said[:2]) == ["Writing one", "Writing two"]
    assert said[2:] == ["Joining both"]
    assert (tmp_path / "sentences/both/sentence.txt").read_text() == "one two"
    record = runs.read_json(tmp_path / "words/one/record.json")
    assert record["letters"] == 3
    assert record["seconds"] >= 0
    assert list(record["files"]) == ["word.txt"]
    assert run(plan(tmp_path, BOTH)).said == []


def test_a_damaged_stage_is_named_and_made_afresh_but_not_what_stands_on_equal_results(
    tmp_path,
) -> None:
    run(plan(tmp_path, BOTH))
    (tmp_path / "words/one/word.txt").write_text("wrong")
    told = run(plan(tmp_path, BOTH))
    assert told.said == ["Writing one"]
    assert [w.split(" is not used: ")[0] for w in told.warnings] == ["words/one"]
    assert "'word.txt' was changed" in told.warnings[0]
    assert (tmp_path / "words/one/word.txt").read_text() == "one"


def test_a_change_of_settings_makes_afresh_all_that_stands_on_it(tmp_path, monkeypatch) -> None:
    run(plan(tmp_path, BOTH))
    monkeypatch.setattr(Word, "VERSION", 2)
    assert sorted(run(plan(tmp_path, BOTH)).said) == ["Joining both", "Writing one", "Writing two"]


def test_what_a_stage_reads_from_outside_is_part_of_its_digest(tmp_path, monkeypatch) -> None:
    run(plan(tmp_path, BOTH))
    monkeypatch.setattr(Word, "outside", lambda self, context: self.word == "two")
    assert len(run(plan(tmp_path, BOTH)).said) == 3


def test_an_interrupted_stage_goes_on_where_it_was(tmp_path) -> None:
    with pytest.raises(TrainingError, match="interrupted"):
        run(plan(tmp_path, replace(BOTH, stop=True)))
    assert (tmp_path / "sentences/both/sentence.txt").read_text() == "one"
    with pytest.raises(TrainingError, match="interrupted"):
        run(plan(tmp_path, replace(BOTH, stop=True)))
    assert run(plan(tmp_path, BOTH)).said == ["Joining both"]
    assert (tmp_path / "sentences/both/sentence.txt").read_text() == "one two"


def test_what_was_begun_with_other_settings_is_never_gone_on_from(tmp_path, monkeypatch) -> None:
    with pytest.raises(TrainingError):
        run(plan(tmp_path, replace(BOTH, stop=True)))
    (tmp_path / "sentences/both/sentence.txt").write_text("of another")
    monkeypatch.setattr(Sentence, "VERSION", 2)
    run(plan(tmp_path, BOTH))
    assert (tmp_path / "sentences/both/sentence.txt").read_text() == "one two"


def test_a_failure_is_raised_and_what_was_complete_stays(tmp_path) -> None:
    with pytest.raises(TrainingError, match="zero cannot be written"):
        run(plan(tmp_path, Sentence("all", (ONE, Word("zero", wrong=True)))))
    assert not (tmp_path / "words/zero").exists()
    assert not [*tmp_path.rglob("*.tmp")]


def test_equal_stages_of_another_plan_are_made_there_first_and_taken_over(tmp_path) -> None:
    first = plan(tmp_path / "a", BOTH, label="the first")
    second = plan(tmp_path / "b", Sentence("both", (ONE, TWO)), Word("three"), after=first)
    said = run(first, second).said
    assert sorted(said) == [
        "Joining both, the first",
        "Writing one, the first",
        "Writing three",
        "Writing two, the first",
    ]
    word = "words/two/word.txt"
    assert (tmp_path / "a" / word).samefile(tmp_path / "b" / word)


def test_complete_stages_of_a_run_to_reuse_are_taken_over_and_damaged_ones_are_not(
    tmp_path,
) -> None:
    run(plan(tmp_path / "a", ONE, TWO))
    (tmp_path / "a/words/two/word.txt").write_text("wrong")
    said = run(plan(tmp_path / "b", ONE, TWO, reuse=[tmp_path / "a"])).said
    assert said == [f"Taking words/one over from {tmp_path / 'a'}", "Writing two"]


def test_a_stage_that_runs_here_is_handed_to_no_engine_and_others_wait_for_it(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(Word, "HERE", True)
    handed: list[str] = []

    class Engine(Pickled):
        def start(self, task: Task) -> None:
            handed.append(task.name)
            super().start(task)

    told = Kept()
    run_graph([plan(tmp_path, BOTH, Word("three"))], Engine(silent), told)
    assert handed == ["Joining both"]
    assert sorted(told.said) == ["Joining both", "Writing one", "Writing three", "Writing two"]
    assert (tmp_path / "sentences/both/sentence.txt").read_text() == "one two"


def test_of_what_runs_here_the_shortest_chain_comes_first(tmp_path, monkeypatch) -> None:
    """Its faults are told before anything that takes long is begun."""
    monkeypatch.setattr(Word, "HERE", True)
    said = run(plan(tmp_path, BOTH, Word("three"))).said
    assert said == ["Writing three", "Writing one", "Writing two", "Joining both"]


@pytest.mark.parametrize("shared", [True, False])
def test_a_stage_in_place_leaves_the_files_of_others_and_runs_where_the_folder_is_seen(
    shared, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(Word, "WRITES", "in-place")
    handed: list[str] = []

    class Engine(Pickled):
        def start(self, task: Task) -> None:
            handed.append(task.name)
            super().start(task)

    Engine.shared = shared
    folder = tmp_path / "words/one"
    folder.mkdir(parents=True)
    (folder / "of-another.txt").write_text("kept")
    for _ in range(2):
        run_graph([plan(tmp_path, ONE)], Engine(silent), Kept())
        assert (folder / "word.txt").read_text() == "one"
        assert (folder / "of-another.txt").read_text() == "kept"
        (folder / "word.txt").write_text("wrong")
    assert handed == (["Writing one"] * 2 if shared else [])


def test_of_a_stage_that_is_left_out_nothing_stays_but_its_sentence(tmp_path, monkeypatch) -> None:
    def fail(stage: Word, context: Context) -> dict[str, object]:
        (context.folder / "begun").mkdir()
        (context.folder / "begun" / "word.txt").write_text("half")
        (context.folder / "letter.txt").write_text("h")
        raise ExternalError("others' code failed")

    monkeypatch.setattr(Word, "run", fail)
    run(plan(tmp_path, ONE))
    assert [path.name for path in (tmp_path / "words/one").iterdir()] == ["record.json"]
    assert gap_in(tmp_path / "words/one") == "others' code failed"


def test_a_task_tells_where_it_writes_what_it_reads_and_whether_it_computes(
    tmp_path, monkeypatch
) -> None:
    given: list[Task] = []

    class Engine(Pickled):
        def start(self, task: Task) -> None:
            given.append(task)
            super().start(task)

    monkeypatch.setattr(Word, "COMPUTES", False)
    monkeypatch.setattr(Word, "shares", lambda self, context: [context.cache / self.word])
    run_graph([plan(tmp_path, BOTH)], Engine(silent), Kept())
    words = [tmp_path / "words" / name for name in ("one", "two")]
    last = given[-1]
    assert [task.computes for task in given] == [False, False, True]
    assert [task.folder for task in given] == [*words, tmp_path / "sentences/both"]
    assert list(last.reads) == [last.folder, *words, tmp_path / "one", tmp_path / "two"]


def test_tasks_of_equal_names_that_run_at_once_are_told_apart(tmp_path) -> None:
    class Three(Pickled):
        started: ClassVar[list[str]] = []

        def room(self) -> int:
            return 3 - len(self._ended)

        def start(self, task: Task) -> None:
            self.started.append(task.name)
            super().start(task)

    plans = [plan(tmp_path / name, ONE, label=name) for name in ("a", "b")]
    told = Kept()
    run_graph(plans, Three(silent), told)
    assert Three.started == ["Writing one", "Writing one of b"]
    assert told.said == ["Writing one, a", "Writing one, b"]


def test_the_longest_chain_starts_first(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Word, "weight", property(lambda self: {"three": 100.0}.get(self.word, 1.0)))
    monkeypatch.setattr(Sentence, "weight", property(lambda self: 10.0))
    said = run(plan(tmp_path, TWO, Sentence("short", (ONE,)), Word("three"))).said
    assert said == ["Writing three", "Writing one", "Joining short", "Writing two"]


def test_results_do_not_depend_on_how_many_run_at_a_time(tmp_path) -> None:
    for jobs, opened in ((1, inline_engine(1, silent)), (2, local_engine(2, 1, silent))):
        with opened as engine:
            run_graph([plan(tmp_path / f"{jobs}", BOTH)], engine, Kept())
    one, two = (
        {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*.txt")}
        for run in (tmp_path / "1", tmp_path / "2")
    )
    assert one == two
    digests = [
        runs.read_json(tmp_path / name / "sentences/both/record.json")["digest"]
        for name in ("1", "2")
    ]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("name", ["quick", "seeds", "reference", "photographs", "holds"])
def test_every_task_of_a_study_is_small_for_images_travel_by_file(name, tmp_path) -> None:
    context = Context(tmp_path, tmp_path, tmp_path, tmp_path, "cpu", 2, 1, 2)
    report = compose(load_experiment(EXPERIMENTS / f"{name}.toml")).report
    stages = Plan(context, [report]).stages()
    assert len(stages) > 4
    for stage in stages:
        if not stage.HERE:
            task = Task(stage.title, stage.run, folder=tmp_path)
            assert len(pickle.dumps((task, context, stage))) < 64 * 1024, stage.place


def test_no_two_stages_of_a_study_share_a_folder_or_a_title() -> None:
    report = compose(load_experiment(EXPERIMENTS / "seeds.toml")).report
    context = Context(Path(), Path(), Path(), Path(), "cpu", 1, 1, 1)
    stages = Plan(context, [report]).stages()
    assert len({stage.place for stage in stages}) == len({stage.title for stage in stages})
    folders = [Path(stage.place) for stage in stages if stage.place != "."]
    assert not any(one in other.parents for one in folders for other in folders)

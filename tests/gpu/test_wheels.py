"""What travels to a machine without network: nothing that the project imports may be missing."""

from __future__ import annotations

import configparser
import subprocess
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from . import ready, wheels
from .wheels import NEEDED, ROOT, THERE, problems


def wheel(folder: Path, name: str, version: str, *requires: str) -> None:
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in requires)]
    with zipfile.ZipFile(
        folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl", "w"
    ) as file:
        file.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(lines))


@pytest.fixture
def folder(tmp_path) -> Path:
    """All wheels, empty, with names as registries write them."""
    for one in NEEDED:
        name, _, version = one.partition("==")
        wheel(tmp_path, name, version)
    return tmp_path


def test_all_that_the_project_needs_is_there_or_travels() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    required = map(Requirement, settings["options"]["install_requires"].split())
    pinned = {canonicalize_name(Requirement(one).name): one for one in NEEDED}
    for one in required:
        name = canonicalize_name(one.name)
        assert name in THERE or name in pinned, f"{one} is neither on the machine nor a wheel"
        if name in pinned:
            assert one.specifier.contains(pinned[name].partition("==")[2])


def test_wheels_that_fit_each_other_have_no_problems(folder) -> None:
    assert problems(folder) == []


def test_what_does_not_fit_is_named(folder) -> None:
    core = next(one for one in NEEDED if one.startswith("pydantic-core"))
    (folder / f"{core.replace('-', '_').replace('==', '-')}-py3-none-any.whl").unlink()
    (folder / next(file.name for file in folder.glob("pydantic-*"))).unlink()
    version = next(one for one in NEEDED if one.startswith("pydantic=")).partition("==")[2]
    needs = ("typing-extensions>=99", "numpy<3", "httpx; extra == 'web'", "orjson>=3")
    wheel(folder, "pydantic", version, *needs)
    found = "; ".join(problems(folder))
    assert f"{core} is missing" in found
    assert "pydantic needs typing-extensions>=99" in found
    assert "pydantic needs orjson>=3, which travels with nothing" in found
    assert "numpy" not in found
    assert "httpx" not in found


def test_nothing_is_fetched_twice_and_other_versions_are_taken_out(folder, monkeypatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("pip was asked"))
    wheel(folder, "pydantic", "1.0")
    wheels.download(folder)
    assert len(list(folder.glob("*.whl"))) == len(NEEDED)


def test_where_no_registry_answers_one_sentence_says_what_to_do(tmp_path, monkeypatch) -> None:
    said = "ERROR: Could not find a version that satisfies the requirement"

    def refuse(command, **_):
        return subprocess.CompletedProcess(command, 1, "", f"WARNING: slow\n{said}\n")

    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(SystemExit, match="cannot be had") as refused:
        wheels.download(tmp_path / "wheels")
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_without_wheels_a_machine_that_lacks_something_says_where_they_come_from(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(wheels, "NEEDED", {"nothing==1": "there_is_no_such_module"})
    monkeypatch.setattr(wheels, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="there_is_no_such_module cannot be imported"):
        wheels.make_importable(tmp_path / "site")


def test_the_command_that_is_told_is_the_one_that_the_docs_give() -> None:
    assert ready.COMMAND in (ROOT / "docs" / "gpu.md").read_text(encoding="utf-8")

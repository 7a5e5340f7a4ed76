"""Stages that are no part of a study: they write words, and go on where they were interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gandetect.engine import Context, Facts, Stage
from gandetect.errors import TrainingError


@dataclass(frozen=True)
class Word(Stage):
    """Writes a word into a file; with ``wrong`` it fails first."""

    word: str
    wrong: bool = False

    VERSION: ClassVar[int] = 1

    @property
    def place(self) -> str:
        """By the word."""
        return f"words/{self.word}"

    @property
    def title(self) -> str:
        """What a user is told."""
        return f"Writing {self.word}"

    def run(self, context: Context) -> Facts:
        """Write it."""
        if self.wrong:
            raise TrainingError(f"{self.word} cannot be written")
        (context.folder / "word.txt").write_text(self.word)
        return {"letters": len(self.word)}


@dataclass(frozen=True)
class Sentence(Stage):
    """Joins words one by one; with ``stop`` it is interrupted after each."""

    name: str
    words: tuple[Word, ...]
    stop: bool = False

    WRITES: ClassVar = "resumes"

    @property
    def place(self) -> str:
        """By name."""
        return f"sentences/{self.name}"

    @property
    def title(self) -> str:
        """What a user is told."""
        return f"Joining {self.name}"

    def settings(self) -> dict[str, object]:
        """Not whether it is interrupted."""
        return {"name": self.name}

    def run(self, context: Context) -> Facts:
        """Add one word after the other."""
        file = context.folder / "sentence.txt"
        for one in self.words:
            text = file.read_text() if file.exists() else ""
            if one.word in text.split():
                continue
            file.write_text(f"{text} {(context.of(one) / 'word.txt').read_text()}".strip())
            if self.stop:
                raise TrainingError("interrupted after a word")
        return {}

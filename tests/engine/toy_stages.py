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

    PLACE: ClassVar = "words/{self.word}"
    TITLE: ClassVar = "Writing {self.word}"
    VERSION: ClassVar[int] = 1

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

    PLACE: ClassVar = "sentences/{self.name}"
    TITLE: ClassVar = "Joining {self.name}"
    WRITES: ClassVar = "resumes"

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

"""Why a file is no usable image, in one sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

from gandetect.errors import DataError

GET = "get an intact copy"


class ImageFault(DataError):
    """A file that is no usable image: what kind of fault it has, and a sentence on it."""

    def __init__(self, path: Path, kind: str, reason: str) -> None:
        super().__init__(path, kind, reason)  # all three, so that it travels between processes
        self.path, self.kind, self.reason = path, kind, reason

    def __str__(self) -> str:
        """Return the sentence: the path, and what is wrong with it."""
        return f"{str(self.path)!r} {self.reason}"


class Refusal(ValueError):
    """What is wrong with an image whose file nobody has named yet; `ImageFault` does."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind, self.reason = kind, reason


def damaged(what: str) -> Refusal:
    """Refuse a file whose pixels are not all there, or not as they were written."""
    return Refusal("damaged", f"is truncated or damaged ({what}); {GET}")


def unsupported(what: str, advice: str = "save it with 8 or 16 bits a sample") -> Refusal:
    """Refuse a file that may be whole, but whose pixels cannot be known from it."""
    return Refusal("unsupported", f"{what}; {advice}")

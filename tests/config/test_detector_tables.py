"""What an experiment file may say of detectors that are made of GANs, and what it may not."""

import pytest

from gandetect.config import Experiment, parse_experiment
from gandetect.errors import UsageError
from gandetect.study import Options, plan_study

GANS = [{"architecture": "dcgan-bn"}, {"architecture": "dcgan-plain"}, {"architecture": "vae"}]


def experiment(*detectors: object, **more: object) -> Experiment:
    return parse_experiment({"name": "x", "gans": GANS, "detectors": list(detectors), **more})


def fine_tuned(**keys: object) -> dict[str, object]:
    return {"kind": "fine-tuned", "name": "f", "gan": "dcgan-bn", **keys}


def probe(**keys: object) -> dict[str, object]:
    return {"kind": "probe", "name": "p", "features_of": "dcgan-bn", **keys}


def selected(**keys: object) -> dict[str, object]:
    return {"kind": "selected", "name": "s", "gan": "dcgan-bn", **keys}


def test_a_table_without_a_kind_says_which_key_is_missing() -> None:
    with pytest.raises(UsageError, match=r"has no key 'kind'; give one of: .*probe, .*python"):
        experiment({"type": "python", "name": "mine", "object": "mine.py:score"})


def test_whom_a_detector_knows() -> None:
    made = experiment(
        {"kind": "checkpoint-ensemble", "name": "mean", "gan": "dcgan-plain"},
        fine_tuned(fakes_from=["dcgan-plain", "vae"]),
        fine_tuned(name="fresh", fakes_from=["dcgan-plain", "vae"], start="fresh"),
        {"kind": "one-class", "name": "pixels", "method": "isolation-forest"},
        {"kind": "one-class", "name": "forest", "method": "isolation-forest",
         "features_of": "dcgan-bn"},
        probe(fakes_from=["vae"]),
        probe(name="control", features_of=["dcgan-bn", "dcgan-plain"], untrained=True),
        probe(name="vae-control", fakes_from=["vae"], untrained=True),
        selected(),
        selected(name="of-others", fakes_from=["vae"]),
    )  # fmt: skip
    assert made.known_to("dcgan-bn") == ("dcgan-bn",)
    assert made.known_to("mean") == ("dcgan-plain",)
    assert made.known_to("f") == ("dcgan-bn", "dcgan-plain", "vae")  # it starts from its weights
    assert made.known_to("fresh") == ("dcgan-plain", "vae")
    assert made.known_to("pixels") == ()
    assert made.known_to("forest") == ("dcgan-bn",)
    assert made.known_to("p") == ("dcgan-bn", "vae")
    assert made.known_to("control") == ("dcgan-bn", "dcgan-plain")
    assert made.known_to("vae-control") == ("vae",)  # initial weights know nobody
    assert made.known_to("s") == ("dcgan-bn",)
    assert made.known_to("of-others") == ("dcgan-bn", "vae")


@pytest.mark.parametrize(
    ("detector", "said"),
    [
        (3, "detectors.0 = 3 is an integer, not a table"),
        ({"kind": ["x"]}, "is not known; choose one of: checkpoint-ensemble"),
        (fine_tuned(updatez=3), "unknown key 'detectors.0.updatez'.*did you mean 'updates'"),
        (fine_tuned(gan="vae"), "gan 'vae' is not known"),
        (fine_tuned(fakes_from=["dcgan"]), "fakes_from 'dcgan' is not known"),
        (fine_tuned(fakes_from=["vae", "vae"]), "names 'vae' twice; give each once"),
        (fine_tuned(fakes_epochs="first"), "'first' names no epochs"),
        (fine_tuned(discriminator={"histogram": True}), 'give start = "fresh"'),
        (fine_tuned(keep="best", n_images=9), "a tenth of its 9 fakes"),
        (fine_tuned(keep="first"), "keep"),
        (fine_tuned(hard=1.5), "hard"),
        (selected(gan="vae"), "gan 'vae' is not known"),
        (selected(fakes_from=["dcgan"]), "fakes_from 'dcgan' is not known"),
        (selected(monitor="loss"), "monitor"),
        (
            {"kind": "one-class", "name": "x", "method": "nearest-neighbours", "max_images": 20,
             "neighbours": 20},
            "20 neighbours among 20 images",
        ),
        (
            {"kind": "one-class", "name": "x", "method": "isolation-forest", "features_of": "vae"},
            "features_of 'vae' is not known",
        ),
        (probe(features_of=["dcgan-bn", "vae"]), "features_of 'vae' is not known"),
        (probe(features_of=[]), "features_of = .*at least 1"),
        (probe(fakes_from=["dcgan"]), "fakes_from 'dcgan' is not known"),
        (probe(statistics=["median"]), "statistics.0 = 'median'"),
        (probe(depths=[0]), "depths"),
        (probe(depths="first"), "depths"),
        (probe(processing="none"), "'none' names no chain"),
    ],
)  # fmt: skip
def test_a_bad_table_is_one_clear_sentence(detector, said) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        experiment(detector)
    assert "\n" not in str(raised.value)


def test_a_probe_of_classifiers_needs_fakes() -> None:
    cnn = {"recipe": "cnn-small", "name": "cnn", "fakes_from": ["vae"]}
    with pytest.raises(UsageError, match="'p' has no fakes to learn from; name the GANs"):
        experiment(probe(features_of="cnn"), classifiers=[cnn])
    made = experiment(probe(features_of="cnn", fakes_from=["dcgan-bn"]), classifiers=[cnn])
    assert made.known_to("p") == ("vae", "dcgan-bn")


def test_without_any_detector_there_is_nothing_to_find_out_but_it_can_be_trained() -> None:
    alone = parse_experiment({"name": "x", "gans": [{"architecture": "vae"}]})
    with pytest.raises(UsageError, match='has no detector: every GAN has role = "source"'):
        plan_study(alone, Options())
    assert plan_study(alone, Options(stop_after="gans")).experiment.gans


def test_two_detectors_of_one_name_are_called_detectors() -> None:
    with pytest.raises(UsageError, match="two detectors are named 'f'"):
        experiment(fine_tuned(), fine_tuned())


def test_options_that_an_architecture_does_not_have() -> None:
    with pytest.raises(UsageError, match="'dense' has no option 'histogram'"):
        parse_experiment(
            {
                "name": "x",
                "gans": [{"architecture": "dense"}],
                "detectors": [
                    fine_tuned(gan="dense", start="fresh", discriminator={"histogram": True})
                ],
            }
        )

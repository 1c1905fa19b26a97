import importlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hiermap.planners import Budget
from hiermap.system.config import OPTIONS, dump_config, flatten, help_text, load_config, read_artefact_config, typed, words_of
from hiermap.worlds.errors import ConfigError


def test_overrides_change_only_what_they_name():
    config = load_config("collect", ["out=d", "workers=3"])
    assert config["out"] == "d" and config["workers"] == 3
    assert {k: v for k, v in config.items() if k not in ("out", "workers")} == {
        k: v for k, v in load_config("collect", ["out=x"]).items() if k not in ("out", "workers")
    }


def test_the_result_is_a_plain_dict_with_plain_leaves():
    assert json.loads(json.dumps(load_config("evaluate", ["suite=chain-3", "out=d"])))["suite"] == "chain-3"
    assert {type(value) for value in flatten(load_config("collect", ["out=d"])).values()} <= {str, int, float, bool, list, type(None)}


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(ConfigError, match=r"'worker'; nearest: workers"):
        load_config("collect", ["out=d", "worker=3"])


def test_a_missing_key_is_named():
    with pytest.raises(ConfigError, match=r"collect needs out=\.\.\."):
        load_config("collect")


@pytest.mark.parametrize("word", ["workers=three", "workers=1.5", "workers=true", "random_share=x", "workers=[1]", "workers"])
def test_a_value_of_the_wrong_type_is_refused(word):
    with pytest.raises(ConfigError, match=r"workers|random_share"):
        load_config("collect", ["out=d", word])


def test_a_string_key_takes_the_text_as_typed():
    assert load_config("collect", ["out=007"])["out"] == "007"
    assert load_config("collect", ["out=1e3"])["out"] == "1e3"
    assert load_config("collect", ["out=a=b"])["out"] == "a=b"


def test_an_integer_is_a_float_where_a_float_is_expected():
    assert load_config("collect", ["out=d", "random_share=1"])["random_share"] == 1.0


def test_nested_keys_are_dotted():
    assert load_config("evaluate", ["suite=chain-1", "out=d", "budget.seconds=2"])["budget"]["seconds"] == 2.0


@pytest.mark.parametrize("word", ["out=${oc.env:HOME}", "weights=${seed}", "seed=${workers}"])
def test_interpolation_is_refused_in_overrides(word):
    with pytest.raises(ConfigError, match="interpolation"):
        load_config("collect", ["out=d", word])


@pytest.mark.parametrize("record", [{"a": "${oc.env:SECRET}"}, {"a": [{"b": "x ${c}"}]}, {"${x}": 1}])
def test_interpolation_is_refused_in_artefacts(tmp_path, record):
    (tmp_path / "config.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="interpolation"):
        read_artefact_config(tmp_path / "config.json")


@pytest.mark.parametrize("text", ["", "[1]", "{", "\xff"])
def test_a_damaged_artefact_config_is_named(tmp_path, text):
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"config\.json"):
        read_artefact_config(tmp_path / "config.json")


@pytest.mark.parametrize("name", ["../collect", "/etc/passwd", "nope"])
def test_a_config_that_is_not_ours_is_refused(name):
    with pytest.raises(ConfigError, match="expected one of"):
        load_config("collect", ["out=d", f"config={name}"])


MUST = {
    "collect": ["out=d"],
    "train": ["data=d", "out=r"],
    "evaluate": ["suite=chain-1", "out=d"],
    "kitchen": ["out=d"],
    "plan": ["task=chain-1", "out=d"],
    "view": [],
}


@pytest.mark.parametrize("verb", OPTIONS)
def test_print_shows_every_key_and_help_explains_it(verb):
    text, config = help_text(verb), load_config(verb, MUST[verb])
    assert set(flatten(OmegaConf.to_container(OmegaConf.create(dump_config(config))))) == set(flatten(config))
    for key in flatten(config):
        assert re.search(rf"^  {re.escape(key)}=.+ \w", text, re.MULTILINE), key
    assert all(f"  {word.partition('=')[0]}=???" in text for word in MUST[verb])


@pytest.mark.parametrize("verb", OPTIONS)
def test_a_config_comes_back_as_the_dataclass_it_was_made_of(verb):
    config = load_config(verb, MUST[verb])
    module, _, name = OPTIONS[verb].partition(":")
    options = typed(getattr(importlib.import_module(module), name), config)
    assert json.loads(json.dumps({key: getattr(options, key) for key in config if not isinstance(config[key], dict)})) == {
        key: value for key, value in config.items() if not isinstance(value, dict)
    }


def test_a_config_of_other_keys_is_refused():
    with pytest.raises(ConfigError, match="nope"):
        typed(Budget, {"nope": 3})
    with pytest.raises(ConfigError, match=r"budget\.seconds is -1\.0, expected a number of at least 0"):
        typed(Budget, {"seconds": -1})


def test_the_defaults_of_the_judge_are_those_of_its_committed_results():
    config = load_config("evaluate", ["suite=chain-3", "out=d"])
    assert config["budget"] == {"seconds": 600.0, "expansions": 30} and config["max_replans"] == 8
    assert (config["planner"], config["world"], config["maps"], config["weights"]) == ("best_first", "latent", "learned", "default")


def test_a_preset_lies_over_the_defaults_and_under_the_words():
    words = ["suite=chain-3", "out=d", "sensing.rgb_noise=3", "sensing.depth_dropout=0.5", "config=realistic"]
    sensing = load_config("evaluate", words)["sensing"]
    assert sensing["depth_dropout"] == 0.5 and sensing["rgb_noise"] == 3.0 and sensing["depth_noise_m"] == 0.003
    with pytest.raises(ConfigError, match="train has no key 'sensing"):
        load_config("train", ["data=d", "out=r", "config=realistic"])


def test_a_section_handed_on_whole_takes_any_key_and_others_do_not():
    config = load_config("train", ["data=d", "out=r", "trainer.max_steps=5", "trainer.strategy=auto"])
    assert config["trainer"]["max_steps"] == 5 and config["trainer"]["strategy"] == "auto"
    assert load_config("train", ["data=d", "out=r", "data_options.unroll=[1, 2]"])["data_options"]["unroll"] == [1.0, 2.0]
    with pytest.raises(ConfigError, match=r"nearest: model\.visible"):
        load_config("train", ["data=d", "out=r", "model.visibel=8"])


@given(st.text(max_size=30))
def test_no_override_crashes_with_anything_but_a_config_error(text):
    try:
        load_config("collect", ["out=d", text])
    except ConfigError as error:
        assert str(error)


@given(st.sampled_from(["seed", "out", "weights", "random_share"]), st.text(max_size=30))
def test_no_value_crashes_with_anything_but_a_config_error(key, text):
    try:
        load_config("collect", ["out=d", f"{key}={text}"])
    except ConfigError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (
            "train",
            ["data=d", "out=o", "optimiser.frozen=[encoder]", "data_options.unroll=[0.5,0.5]", "trainer.devices=2", "weights=w"],
        ),
        (
            "train",
            ["config=train_debug", "data=d", "out=o", "trainer.max_time=00:00:01:30", "trainer.precision=bf16-mixed", "tensorboard=true"],
        ),
        ("evaluate", ["config=realistic", "suite=chain-3", "out=o", "search.patience=3", "beliefs.kept=0.5"]),
    ],
)
def test_the_words_of_a_config_make_it_again(verb: str, words: list[str]) -> None:
    config = load_config(verb, words)
    assert load_config(verb, words_of(verb, config)) == config
    assert not [word for word in words_of(verb, config) if word.startswith("seed=")]

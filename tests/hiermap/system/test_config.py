import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiermap.system.config import defaults_text, dump_config, flatten, load_config, read_artefact_config
from hiermap.worlds.errors import ConfigError


def test_overrides_change_only_what_they_name():
    config = load_config("collect", ["out=d", "workers=3"])
    assert config["out"] == "d" and config["workers"] == 3
    assert {k: v for k, v in config.items() if k not in ("out", "workers")} == {
        k: v for k, v in load_config("collect", ["out=x"]).items() if k not in ("out", "workers")
    }


def test_the_result_is_a_plain_dict_with_plain_leaves():
    assert json.loads(json.dumps(load_config("evaluate", ["suite=chain-3", "out=d"])))["suite"] == "chain-3"
    assert {type(value) for value in flatten(load_config("collect", ["out=d"])).values()} <= {str, int, float, bool, type(None)}


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


def test_print_and_help_show_every_key():
    text = defaults_text("collect")
    for key in load_config("collect", ["out=d"]):
        assert f"{key}:" in text and f"{key}:" in dump_config(load_config("collect", ["out=d"]))


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

"""Every word of a command line: whatever a key is given ends in a config or in one sentence, and nothing is begun with what is not one."""

import random
import zlib
from pkgutil import resolve_name

import pytest

from hiermap.cli import main
from hiermap.system.config import OPTIONS, dump_config, flatten, load_config, typed
from hiermap.worlds.errors import ConfigError
from tests.fuzzing import PYTHONS_OWN
from tests.hiermap.system.test_config import MUST

VALUES = (
    "", "null", "~", "true", "-1", "0", "1", "-0.0", "1.5", "1e400", ".inf", "-.inf", "inf", "nan", ".nan", "9" * 30,
    "9" * 5000, "-" + "9" * 30, "010", "1_0", "1:30", "a:b:c:d", "a: b", "[1]", "[]", "[[1]]", "[.nan]", "[a, 1]", "{}",
    "{a: 1}", "{1: 2}", "{[1]: 2}", "?", "!", "&a [*a]", "[&a [1], *a, *a]", "!!python/object/apply:os.getcwd []",
    "!!binary aGk=", "!!set {a}", "!!timestamp 2020-01-01", "2020-01-01", "=", "<<: 1", "???", "${seed}", "${oc.env:HOME}", "$",
    "'", '"', "|", ">", "#", "- a", "@x", "`x`", "%x", "\t", " ", "é", "日本", "\u2028", "\x1b[2J", "\0", "\udcff", "😀",
    "x" * 10_000, "[" * 3000, "{a: " * 1000, "a=b", "..", "/", "-", "--help", "config=x", "0/0", "2/1", "1/99999999999",
)  # fmt: skip
"""What somebody may type after the equals sign."""
KEYS = (
    "", ".", "..", "a.", ".a", "seed.", "seed.x", "seed[0]", "x[", "budget", "walk", "trainer", "trainer.", "trainer.a.b",
    "trainer.x y", "ray", "x" * 5000, "é", "\0", "--seed", "config", "Seed",
)  # fmt: skip


def _keys(verb: str) -> list[str]:
    return list(flatten(load_config(verb, MUST[verb])))


def _sample(verb: str, size: int) -> list[str]:
    words = [f"{key}={value}" for key in _keys(verb) for value in VALUES]
    return random.Random(zlib.crc32(f"{verb} {size}".encode())).sample(words, min(size, len(words)))


def _tried(verb: str, words: list[str]) -> None:
    """Load and check, as the command does; the resolved config can be printed and read again."""
    try:
        config = load_config(verb, [*MUST[verb], *words])
        typed(resolve_name(OPTIONS[verb]), config)
        assert dump_config(config).encode()
    except ConfigError as error:
        told = str(error)
        assert told and "\n" not in told and len(told) < 600 and not PYTHONS_OWN.search(told) and not told.startswith("hiermap"), told[:600]
    except Exception as error:
        raise AssertionError(f"{verb} {str(words)[:200]}: {type(error).__name__}: {str(error)[:200]}") from error


@pytest.mark.parametrize("verb", OPTIONS)
def test_any_value_of_any_key_is_taken_or_refused_in_one_sentence(verb: str) -> None:
    for word in _sample(verb, 60):
        _tried(verb, [word])


@pytest.mark.slow
@pytest.mark.parametrize("verb", OPTIONS)
def test_any_value_of_any_key_is_taken_or_refused_in_one_sentence_twenty_times_as_often(verb: str) -> None:
    for word in _sample(verb, 1200):
        _tried(verb, [word])


@pytest.mark.parametrize("verb", OPTIONS)
def test_a_key_that_is_none_is_refused_in_one_sentence(verb: str) -> None:
    for key in KEYS:
        _tried(verb, [f"{key}=1"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["collect", "out="], "out is null, expected text"),
        (["collect", "out=d", "seed=null"], "seed is null, expected an integer from 0 to 999999999"),
        (["collect", "out=d", "seed=010"], "seed is '010', expected an integer"),
        (["collect", "out=d", "workers=1000000000"], "workers is 1000000000, expected an integer from 0 to 1024"),
        (["evaluate", "suite=chain-1", "out=d", "episodes=" + "9" * 30], "episodes is 9999"),
        (["evaluate", "suite=chain-1", "out=d", "budget.seconds=inf"], "budget.seconds is 'inf', expected a number of at least 0"),
        (["evaluate", "suite=chain-1", "out=d", "budget.seconds=.inf"], "budget.seconds is '.inf', expected a value"),
        (["evaluate", "suite=chain-1", "out=d", "xyzzy=1"], "evaluate has no key 'xyzzy'; `hiermap evaluate --help` lists every key"),
        (["plan", "task=chain-1", "out=d", "seed=-1"], "seed is -1, expected an integer of at least 0"),
        (["train", "data=d", "out=r", "model.visible=1000000"], "model.visible is 1000000, expected an integer from 1 to 384"),
        (["train", "data=d", "out=r", "losses.maps=-1"], "losses.maps is -1, expected a number of at least 0"),
        (["data", "check", "d"], "got 'check d'; expected verify DIR, info DIR, merge OUT DIR"),
        (["results", "merge", "d"], "got 'merge d'; expected merge OUT DIR"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_key_value_and_what_was_expected(
    words: list[str], told: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("hiermap: ") and told in said and said.count("hiermap:") == 1 and said.count("\n") == 1

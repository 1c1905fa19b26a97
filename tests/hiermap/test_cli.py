import os
import subprocess
import sys

import pytest

from hiermap import cli
from hiermap.cli import VERBS, main
from hiermap.worlds.errors import DataError, PhysicsError


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_names_it(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"hiermap {verb}" in capsys.readouterr().out


def test_no_word_is_a_usage_error_and_help_is_not(capsys):
    assert main([]) == 2
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)


def test_an_unknown_verb_lists_the_known(capsys):
    assert main(["colect"]) == 2
    assert "collect" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["data"],
        ["data", "verify"],
        ["report"],
        ["report", "a", "b"],
        ["doctor", "x"],
        ["data", "sell", "."],
        ["data", "verify", ".", "."],
        ["data", "merge", "."],
        ["results", "merge", "x"],
    ],
)
def test_wrong_positionals_are_usage_errors(words, capsys):
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "expected" in said or "takes nothing" in said


@pytest.mark.parametrize("action", ["verify", "info"])
def test_a_folder_that_holds_no_data_is_not_called_clean(action, tmp_path, capsys):
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    assert main(["data", action, str(tmp_path)]) == 2
    assert "holds neither manifest.jsonl nor episodes; expected what `hiermap collect" in capsys.readouterr().err


def test_print_config_prints_the_resolved_config_and_does_nothing(tmp_path, capsys):
    assert main(["collect", f"out={tmp_path / 'd'}", "seed=5", "--print-config"]) == 0
    assert "seed: 5" in capsys.readouterr().out and not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("raised", "code"),
    [(DataError("x"), 1), (PhysicsError("x"), 1), (OSError("x"), 1), (KeyboardInterrupt(), 130), (cli.Terminated(), 143)],
)
def test_errors_become_exit_codes_without_a_traceback(raised, code, monkeypatch, capsys):
    def function(action, directory):
        raise raised

    monkeypatch.setattr("hiermap.data.verify.data", function)
    assert main(["data", "info", "."]) == code
    assert capsys.readouterr().err.startswith("hiermap: ")


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (3, 3), (4, 4), (True, 0)])
def test_a_verbs_return_value_is_its_exit_code(returned, code, monkeypatch):
    monkeypatch.setattr("hiermap.data.verify.data", lambda action, directory: returned)
    assert main(["data", "info", "."]) == code


@pytest.mark.parametrize("verb", VERBS)
def test_help_imports_neither_torch_nor_mujoco(verb):
    script = (
        f"import sys; from hiermap.cli import main; main(['{verb}', '--help']); sys.exit(bool({{'torch', 'mujoco'}} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, env={**os.environ}).returncode == 0

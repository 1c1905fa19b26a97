"""The stages of `make results`: every row is a valid command on paired seeds, what is finished is kept, the table says what was run."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from hiermap.evaluation.evaluate import finish
from hiermap.evaluation.results import EpisodeRow
from hiermap.evaluation.suites import EvaluateOptions
from hiermap.system.config import load_config, typed
from hiermap.system.files import file_sha256

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("results")


def finished(cell, successes: int) -> None:
    """Leave behind what an evaluation of a cell would have."""
    config = load_config("evaluate", cell.words)
    weights = typed(EvaluateOptions, config).weights_file(cell.suite)
    rows = [EpisodeRow(n, cell.stage.seed + n, cell.suite, 3, 0, n < successes, 3, 3, 0, 0.1) for n in range(cell.stage.episodes)]
    finish(rows, {"config": config, "commit": "0123456789", "weights_sha256": weights and file_sha256(weights)}, cell.out)


def test_every_row_is_a_valid_evaluation_of_the_main_rows_seeds(results) -> None:
    cells = list(results.Stage(data="data/rules").cells())
    assert {cell.row for cell in cells} == set(results.ROWS) and {cell.suite for cell in cells} == {f"chain-{k}" for k in (1, 3, 5, 10)}
    for cell in cells:
        options = typed(EvaluateOptions, load_config("evaluate", cell.words))
        assert (options.seed, options.budget.expansions) == (253000, 60 if cell.suite in ("chain-5", "chain-10") else 30)
    assert len({tuple(cell.words) for cell in cells}) == len(cells)


def test_the_quick_stage_takes_half_an_hour_on_validation_seeds_into_an_ignored_directory(results) -> None:
    stage = results.Stage.told(["quick=true"])
    assert sum(cell.hours for cell in stage.cells()) <= 0.5 and stage.seed + stage.episodes < 200000
    assert {cell.row for cell in stage.cells()} >= set(results.ROWS) - set(results.NETWORKS)
    assert stage.out.split("/")[0] in {line.strip("/\n") for line in (ROOT / ".gitignore").read_text().splitlines()}


def test_what_is_finished_is_kept_unless_it_was_told_otherwise(results, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    words = [f"out={tmp_path}", "rows=no-replanning,main", "suites=chain-3", "episodes=4"]
    cells = list(results.Stage.told(words).cells())
    assert [cell.row for cell in cells] == ["main", "no-replanning"] and not any(cell.done() for cell in cells)
    finished(cells[0], 4), finished(cells[1], 1)
    assert all(cell.done() for cell in cells)
    assert not any(cell.done() for cell in results.Stage.told([*words, "seed=1"]).cells())
    assert not any(cell.done() for cell in results.Stage.told([*words, "episodes=5"]).cells())
    capsys.readouterr()
    assert results.main([*words, "workers=1"]) == 0
    assert "0 of 2 cells to run" in capsys.readouterr().out
    text = (tmp_path / "table.md").read_text()
    assert "| chain-3/main | 100.0 |" in text and "max_replans=0 execution.blind=True" in text


def test_rows_of_weights_to_which_tensors_were_only_added_are_kept(results, tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    model.write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")
    assert results.same_plans(model) == {file_sha256(model)} and results.same_plans(None) == {None}
    (tmp_path / "config.json").write_text('{"added_to": ["abc"]}')
    assert results.same_plans(model) == {file_sha256(model), "abc"}


def test_networks_of_their_own_are_trained_first_or_left_out(results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    ran = []
    monkeypatch.setattr(results.subprocess, "run", lambda command, **_: ran.append(command[3:]) or SimpleNamespace(returncode=1))
    words = [f"out={tmp_path}", "suites=chain-1", "rows=factored,vector"]
    assert results.main(words) == 0 and not ran and "left out without data=DIR" in capsys.readouterr().out
    assert results.main([*words, "data=data/rules"]) == 1
    assert [command[0] for command in ran] == ["train", "train"] and "model.policy=true" in ran[1]  # without which there is nothing to run
    for command in ran:
        load_config("train", command[1:])


def test_a_cell_that_fails_stops_no_other(results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    class Broken:
        returncode = 1

        def __init__(self, command: list[str]) -> None:
            ran.append(command)

    monkeypatch.setattr(results.subprocess, "run", Broken)
    assert results.main([f"out={tmp_path}", "suites=chain-1", "rows=main,reactive"]) == 1 and len(ran) == 2


@pytest.mark.parametrize("words", ["rows=mian", "suites=chain-2", "epsodes=3"])
def test_an_unknown_word_is_refused_with_what_exists(results, words: str) -> None:
    with pytest.raises(ValueError, match="no-future-maps"):
        results.Stage.told([words])

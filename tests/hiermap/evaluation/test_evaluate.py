"""The judge's bookkeeping: rows, files, resuming; with real episodes at the end."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from hiermap.evaluation import episode_runner
from hiermap.evaluation import evaluate as module
from hiermap.evaluation.evaluate import evaluate
from hiermap.evaluation.results import COLUMNS, PARTIAL, EpisodeRow
from hiermap.evaluation.suites import Trial
from hiermap.report.storyboard import read_story
from hiermap.system.config import load_config
from hiermap.system.run_folder import LOCK, RECORD
from hiermap.worlds.errors import ConfigError


class FakeBench:
    """Even seeds succeed; counts what was really run."""

    ran: ClassVar[list[int]] = []

    def __init__(self, options: object) -> None:
        self.options = options

    def __call__(self, trial: Trial) -> tuple[EpisodeRow, dict[str, bytes]]:
        FakeBench.ran.append(trial.seed)
        success = trial.seed % 2 == 0
        reason = "" if success else "stalled"
        row = EpisodeRow(trial.episode, trial.seed, trial.suite, 1, 0, success, 1, 1, 0, 0.1, reason, "drawer", 0.5)
        return row, {} if success else {"failures": b"png", "storyboards": b"{}"}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeBench]]:
    monkeypatch.setattr(episode_runner, "Bench", FakeBench)
    FakeBench.ran = []
    yield FakeBench


def config(out: Path, *overrides: str) -> dict:
    common = ["suite=primitives", "maps=oracle", f"out={out}", "workers=0", "progress=false", "seed=200000", "episodes=6"]
    return load_config("evaluate", [*common, *overrides])


def rows(out: Path) -> list[dict]:
    with (out / "episodes.csv").open() as file:
        return list(csv.DictReader(file))


def test_an_evaluation_leaves_its_three_files_and_a_table(fake: type[FakeBench], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert evaluate(config(tmp_path)) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "eval_info.json",
        "episodes.csv",
        "run.json",
        "failures",
        "storyboards",
        RECORD,
        LOCK,
    }
    info = json.loads((tmp_path / "eval_info.json").read_text())
    assert info["aggregated"]["pc_success"] == 50.0
    assert info["aggregated"]["n_episodes"] == 6
    assert set(info["settings"]) == {"config", "versions", "commit", "weights_sha256", "data", "machine"}
    assert info["settings"]["config"]["seed"] == 200000
    assert tuple(rows(tmp_path)[0]) == COLUMNS
    assert [row["seed"] for row in rows(tmp_path)] == [str(200000 + i) for i in range(6)]
    assert len(list((tmp_path / "failures").iterdir())) == 3
    assert "primitive-grasp drawer" in capsys.readouterr().out


def test_a_stopped_run_goes_on_where_it_was(fake: type[FakeBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fake.__call__

    def stopping(self: FakeBench, trial: Trial) -> tuple[EpisodeRow, dict[str, bytes]]:
        if trial.seed == 200003:
            raise KeyboardInterrupt
        return whole(self, trial)

    monkeypatch.setattr(fake, "__call__", stopping)
    with pytest.raises(KeyboardInterrupt):
        evaluate(config(tmp_path))
    assert (tmp_path / PARTIAL).exists() and not (tmp_path / "eval_info.json").exists()
    monkeypatch.setattr(fake, "__call__", whole)
    evaluate(config(tmp_path))
    assert fake.ran == [200000, 200001, 200002, 200003, 200004, 200005]
    assert len(rows(tmp_path)) == 6


def test_a_finished_run_is_run_again_in_full(fake: type[FakeBench], tmp_path: Path) -> None:
    evaluate(config(tmp_path))
    evaluate(config(tmp_path))
    assert len(fake.ran) == 12


def test_pictures_of_an_earlier_run_do_not_stay(fake: type[FakeBench], tmp_path: Path) -> None:
    evaluate(config(tmp_path))
    evaluate(config(tmp_path, "seed=200001", "overwrite=true"))
    for folder in ("failures", "storyboards"):
        assert sorted(path.name[:4] for path in (tmp_path / folder).iterdir()) == ["0000", "0002", "0004"]


def test_rows_of_other_settings_are_not_taken_over(fake: type[FakeBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "finish", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    for words in (["seed=0"], ["seed=1", "overwrite=true"]):
        with pytest.raises(OSError, match="No space"):
            evaluate(config(tmp_path, *words))
    assert fake.ran == [*range(6), *range(1, 7)]


def test_an_evaluation_may_grow_but_its_rows_are_not_cut_short(fake: type[FakeBench], tmp_path: Path) -> None:
    evaluate(config(tmp_path))
    with pytest.raises(ConfigError, match="episodes is 6 there and 4 now"):
        evaluate(config(tmp_path, "episodes=4"))
    (tmp_path / "report.html").write_text("of six episodes")
    assert evaluate(config(tmp_path, "episodes=8", "workers=0", "pictures=false")) == 0
    assert len(rows(tmp_path)) == 8 and not (tmp_path / "report.html").exists()


def test_out_that_is_a_file_is_refused(fake: type[FakeBench], tmp_path: Path) -> None:
    file = tmp_path / "taken"
    file.write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        evaluate(config(file))
    assert file.read_text() == "mine"


def test_the_same_command_gives_the_same_rows_whatever_the_number_of_workers(tmp_path: Path) -> None:
    for name, workers in (("one", "workers=0"), ("two", "workers=2")):
        assert evaluate(config(tmp_path / name, workers, "episodes=5", "pictures=false")) == 0
    timeless = [[{k: v for k, v in row.items() if k != "plan_seconds"} for row in rows(tmp_path / name)] for name in ("one", "two")]
    assert timeless[0] == timeless[1]
    assert [row["task"] for row in timeless[0]] == [f"primitive-{name}" for name in ("grasp", "place", "push", "pull", "rotate")]


def test_a_failed_episode_leaves_its_storyboard(tmp_path: Path) -> None:
    told = ["suite=chain-1", "seed=150000", "episodes=1", "world=simulator", "budget.expansions=0", "storyboards=0"]
    assert evaluate(config(tmp_path, *told)) == 0
    (path,) = (tmp_path / "storyboards").iterdir()
    assert rows(tmp_path)[0]["failure_reason"] == read_story(path)["outcome"] != "solved"

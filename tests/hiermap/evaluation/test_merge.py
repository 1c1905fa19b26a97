"""Shards of an evaluation, merged: the rows of one job."""

import csv
import json
from pathlib import Path

import pytest

from hiermap.cli import main
from hiermap.system import provenance

TOY = ["suite=chain-3", "kitchen=toy", "world=simulator", "maps=oracle", "episodes=5", "seed=100000", "progress=false", "workers=0"]


def evaluated(out: Path, *words: str) -> str:
    assert main(["evaluate", f"out={out}", *TOY, *words]) == 0
    return str(out)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [evaluated(tmp_path_factory.mktemp("shards") / str(i), f"shard={i}/2") for i in (1, 2)]


def rows(out: Path) -> list[dict]:
    with (out / "episodes.csv").open() as file:
        return [{key: value for key, value in row.items() if key != "plan_seconds"} for row in csv.DictReader(file)]


def test_merged_shards_have_the_rows_and_settings_of_one_job(tmp_path: Path, shards: list[str]) -> None:
    evaluated(tmp_path / "whole")
    assert main(["results", "merge", str(tmp_path / "merged"), *shards]) == 0
    assert rows(tmp_path / "merged") == rows(tmp_path / "whole")
    whole, merged = (json.loads((tmp_path / name / "eval_info.json").read_text()) for name in ("whole", "merged"))
    assert merged["aggregated"]["ci95"] == whole["aggregated"]["ci95"] and merged["settings"]["config"]["shard"] == "1/1"


def test_shards_of_several_machines_name_them_all(tmp_path: Path, shards: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "machine", lambda: "another one")
    second = evaluated(tmp_path / "2", "shard=2/2")
    assert main(["results", "merge", str(tmp_path / "merged"), shards[0], second]) == 0
    first = json.loads(Path(shards[0], "eval_info.json").read_text())["settings"]["machine"]
    assert json.loads((tmp_path / "merged" / "eval_info.json").read_text())["settings"]["machine"] == f"{first}; another one"


@pytest.mark.parametrize(("chosen", "complaint"), [((0,), r"missing"), ((0, 1, 1), r"there twice"), ((0, 1), r"other settings")])
def test_shards_that_do_not_make_one_evaluation_are_refused(tmp_path: Path, shards: list[str], chosen, complaint, capsys) -> None:
    named = [shards[index] for index in chosen]
    if complaint == "other settings":
        named[1] = evaluated(tmp_path / "other", "shard=2/2", "max_replans=1")
    assert main(["results", "merge", str(tmp_path / "merged"), *named]) == 1
    assert complaint in capsys.readouterr().err and not (tmp_path / "merged").exists()


def test_a_shard_that_never_ended_is_named(tmp_path: Path, shards: list[str], capsys) -> None:
    assert main(["results", "merge", str(tmp_path / "merged"), shards[0], str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_more_shards_than_episodes_is_a_usage_error(tmp_path: Path, capsys) -> None:
    assert main(["evaluate", f"out={tmp_path / 'x'}", *TOY, "shard=6/6"]) == 2
    assert "fewer shards" in capsys.readouterr().err

"""Rows, intervals and files of an evaluation."""

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiermap.evaluation.results import COLUMNS, RUN, EpisodeRow, PartialRows, aggregate, episodes_csv, eval_info, read_run, table
from hiermap.system.files import write_atomically
from hiermap.worlds.errors import ConfigError

ROW = EpisodeRow(0, 200000, "chain-3", 3, 1, True, 3, 3, 0, 0.5, "", "", 2.0)


def rows(successes: int, failures: int) -> list[EpisodeRow]:
    good = [replace(ROW, episode=i, seed=200000 + i) for i in range(successes)]
    bad = range(successes, successes + failures)
    return good + [replace(ROW, episode=i, seed=200000 + i, success=False, failure_reason="stalled") for i in bad]


def test_success_is_in_percent_and_its_interval_contains_it() -> None:
    summary = aggregate(rows(9, 1))
    assert summary["pc_success"] == 90.0
    assert summary["n_episodes"] == 10
    assert summary["ci95"] == pytest.approx([59.585, 98.2124], abs=1e-3)
    assert summary["pc_success_ci95"] == summary["ci95"] and summary["n_success"] == 9
    assert summary["mean_primitives"] == 3.0
    assert summary["mean_episode_seconds"] == 2.0


def test_info_has_exactly_the_three_promised_parts_and_kinds_only_for_single_primitives() -> None:
    assert set(eval_info(rows(1, 1), {"config": {}})) == {"aggregated", "per_task", "settings"}
    info = eval_info(
        [replace(ROW, task="primitive-pull", kind="drawer"), replace(ROW, task="primitive-pull", kind="microwave", success=False)], {}
    )
    assert list(info["per_kind"]) == ["primitive-pull drawer", "primitive-pull microwave"]
    assert info["per_kind"]["primitive-pull drawer"]["pc_success"] == 100.0
    assert "primitive-pull microwave" in table(info)


def test_every_group_has_its_counts_and_interval() -> None:
    info = eval_info([replace(ROW, task="primitive-pull", kind="drawer"), replace(ROW, success=False, failure_reason="stalled")], {})
    for group in (info["aggregated"], *info["per_task"].values(), *info["per_kind"].values()):
        assert {"n_success", "n_episodes", "pc_success", "pc_success_ci95", "ci95"} <= set(group)
        assert group["pc_success"] == 100 * group["n_success"] / group["n_episodes"]


def test_a_finished_run_is_read_back_in_order(tmp_path: Path) -> None:
    record = {"settings": {"config": {"seed": 200000}}, "episodes": [asdict(row) for row in reversed(rows(2, 1))]}
    (tmp_path / RUN).write_text(json.dumps(record))
    run = read_run(tmp_path)
    assert list(run.rows) == rows(2, 1) and run.config == {"seed": 200000}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"episodes": []}',
        '{"settings": {"config": {}}, "episodes": []}',
        '{"settings": {"config": {}}, "episodes": [{"seed": 1}]}',
    ],
)
def test_a_damaged_run_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / RUN).write_text(text)
    with pytest.raises(ConfigError, match=r"run\.json is damaged .*run it again"):
        read_run(tmp_path)


def test_a_run_that_never_ended_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no finished evaluation"):
        read_run(tmp_path)


def test_csv_has_the_exact_columns_and_one_line_a_row() -> None:
    lines = list(csv.DictReader(episodes_csv(rows(1, 1)).splitlines()))
    assert tuple(lines[0]) == COLUMNS
    assert [line["success"] for line in lines] == ["1", "0"]
    assert lines[1]["failure_reason"] == "stalled"


def test_a_killed_run_resumes_with_every_whole_row_and_drops_a_torn_one(tmp_path: Path) -> None:
    partial = PartialRows(tmp_path, {"seed": 1})
    assert partial.load() == {}
    for row in rows(2, 1):
        partial.append(row)
    whole = partial.path.read_text()
    partial.path.write_text(whole[:-20])
    assert list(PartialRows(tmp_path, {"seed": 1}).load()) == [0, 1]
    partial.append(rows(2, 1)[2])
    assert PartialRows(tmp_path, {"seed": 1}).load() == {row.episode: row for row in rows(2, 1)}


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_whatever_is_damaged_no_row_is_taken_that_was_not_written(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    partial = PartialRows(tmp_path_factory.mktemp("run"), {"seed": 1})
    partial.load()
    for row in rows(2, 2):
        partial.append(row)
    content = bytearray(partial.path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    partial.path.write_bytes(content)
    found = partial.load()
    assert all(found[k] == row for k, row in enumerate(rows(2, 2)) if k in found) and set(found) <= {0, 1, 2, 3}


@pytest.mark.parametrize(
    "change",
    [{"success": 1}, {"episode": True}, {"seed": -1}, {"task": 3}, {"plan_seconds": float("nan")}, {"promised": 1.5}, {"shortest": 2.5}],
)
def test_a_row_that_no_episode_can_have_come_to_is_refused(change: dict) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(change))):
        replace(ROW, **change)


def test_rows_of_another_command_are_not_taken_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = PartialRows(tmp_path, {"seed": 1})
    first.load()
    first.append(ROW)
    assert PartialRows(tmp_path, {"seed": 2}).load() == {} and "begun anew" in caplog.text


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "eval_info.json"
    write_atomically(path, json.dumps({"a": 1}))
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "half")
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]

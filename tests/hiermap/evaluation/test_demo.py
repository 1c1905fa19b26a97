"""The demonstration: every task is tried, the table tells the truth, and so does the exit code."""

from pathlib import Path

import pytest

from hiermap.evaluation import demo as module
from hiermap.evaluation.demo import TASKS, demo
from hiermap.worlds.errors import DataError
from hiermap.worlds.kitchen.layouts import TEST_SEED_START


def stub(monkeypatch: pytest.MonkeyPatch, codes: dict[str, int]) -> list[dict]:
    """Replace planning by given exit codes (-1: unusable weights); returns the configs that were asked for."""
    asked: list[dict] = []

    def plan(config: dict) -> int:
        asked.append(config)
        if codes[config["task"]] < 0:
            raise DataError("no weights at 'default'")
        return codes[config["task"]]

    monkeypatch.setattr(module, "plan", plan)
    monkeypatch.setattr(module, "report", lambda out: print(out / "report.html"))
    return asked


def test_all_tasks_come_from_kitchens_kept_for_testing_and_are_executed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = stub(monkeypatch, dict.fromkeys([task for task, _ in TASKS], 0))
    assert demo(tmp_path) == 0
    assert [(config["task"], config["seed"]) for config in asked] == list(TASKS)
    assert all(config["execute"] and config["seed"] >= TEST_SEED_START for config in asked)
    assert all(config["world"] == "latent" and config["maps"] == "learned" for config in asked)


def test_one_unsolved_task_fails_the_demo_but_the_others_are_still_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    asked = stub(monkeypatch, {"chain-1": -1, "chain-3": 1, "chain-5": 0})
    assert demo(tmp_path, [("chain-1", 200000), ("chain-3", 200001), ("chain-5", 200002)]) == 1
    assert len(asked) == 3
    printed = capsys.readouterr()
    assert printed.out.count("NOT solved") == 2
    assert "report.html" in printed.out and "no weights" in printed.err

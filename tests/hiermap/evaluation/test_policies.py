"""Anyone's policy is judged on the same tasks as the planners and leaves the same files; our planner behind that door does the same."""

import csv
import json
import sys
from pathlib import Path

import pytest

from hiermap.cli import main
from hiermap.evaluation.evaluate import evaluate
from hiermap.evaluation.results import COLUMNS
from hiermap.system.config import load_config
from hiermap.worlds.errors import ConfigError

ORACLE, PLANNER, RANDOM = (f"examples.policies.{name.lower()}_policy:{name}Policy" for name in ("Oracle", "Planner", "Random"))
ROOT = Path(__file__).parents[3]
SOURCE = """
import numpy as np
from hiermap.worlds.gym.goal_encoding import goal_of
class Puller:
    # Pulls at the first thing of the goal.
    def __init__(self, least=0):
        self.least = least
    def reset(self, observation):
        rows, columns = np.nonzero(next(iter(goal_of(observation).targets.values())).mask)
        self.cell = rows[len(rows) // 2], columns[len(columns) // 2]
    def act(self, observation):
        return np.array([3, *self.cell, 0])
class Wrong(Puller):
    def act(self, observation):
        return np.zeros(7)
"""


@pytest.fixture
def somebodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "somebodys.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "somebodys", raising=False)
    return tmp_path


def words(out: Path | str, *told: str) -> list[str]:
    toy = ["suite=chain-1", "kitchen=toy", "policy.max_steps=3", "episodes=4", "seed=0"]
    return [*toy, f"out={out}", "workers=0", "progress=false", *told]


def rows(out: Path) -> list[dict]:
    with (out / "episodes.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_policy_leaves_the_files_that_planners_leave(somebodys: Path) -> None:
    assert evaluate(load_config("evaluate", words("out", "policy=somebodys:Puller", "policy_options.least=2"))) == 0
    info = json.loads((somebodys / "out/eval_info.json").read_text())
    found = rows(somebodys / "out")
    assert tuple(found[0]) == COLUMNS and [row["seed"] for row in found] == list("0123")
    assert info["aggregated"]["n_episodes"] == 4 and info["settings"]["weights_sha256"] is None
    assert info["settings"]["policy"]["privileged"] is False and info["settings"]["config"]["policy"]["factory"] == "somebodys:Puller"
    solved = [row for row in found if row["success"] == "1"]
    assert solved and all((row["primitives"], row["failure_reason"]) == ("1", "") for row in solved)
    failed = [row for row in found if row["success"] == "0"]
    assert all((row["primitives"], row["failure_reason"]) == ("3", "truncated") for row in failed)
    assert len(list((somebodys / "out/failures").glob("*.png"))) == len(failed)


def test_workers_find_the_module_and_give_the_same_rows(somebodys: Path) -> None:
    for name, workers in (("one", "workers=0"), ("two", "workers=1")):
        assert evaluate(load_config("evaluate", words(name, workers, "policy=somebodys:Puller", "pictures=false"))) == 0
    timeless = [[{k: v for k, v in row.items() if k != "plan_seconds"} for row in rows(somebodys / name)] for name in ("one", "two")]
    assert timeless[0] == timeless[1]


def test_a_changed_module_is_another_run(somebodys: Path) -> None:
    evaluate(load_config("evaluate", words("out", "policy=somebodys:Puller")))
    (somebodys / "somebodys.py").write_text(SOURCE + "\n")
    with pytest.raises(ConfigError, match=r"another run: policy\.sha256"):
        evaluate(load_config("evaluate", words("out", "policy=somebodys:Puller")))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (["policy=nowhere:Policy"], "no module 'nowhere' on Python's path"),
        (["policy=somebodys:Absent"], "somebodys has no function or class 'Absent'"),
        (["policy=somebodys"], "expected module:name"),
        (["policy=somebodys:Wrong"], "the action has shape (7,), expected (4,)"),
        (["policy=somebodys:Puller", "policy.control=osc"], "no arm to drive"),
        (["policy=somebodys:Puller", "policy.obs=state"], "no robot to look with"),
        (["policy=somebodys:Puller", "policy.control=torque"], "policy.control='torque' is unknown"),
        (["policy=somebodys:Puller", "suite=sequel-2", "kitchen=hiermap"], "policies are evaluated on chain-1 .. chain-10 and goal"),
        (["policy_options.speed=3"], "options of a policy without a policy"),
        (["policy=somebodys:Puller", "planner=beam"], "planner=beam with policy='somebodys:Puller'"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(somebodys: Path, told: list[str], said: str, capfd: pytest.CaptureFixture) -> None:
    assert main(["evaluate", *words("out", *told)]) == 2
    errors = [line for line in capfd.readouterr().err.splitlines() if line]
    assert len(errors) == 1 and said in errors[0]


def test_a_goal_that_makes_no_sense_is_a_failure_that_says_so(somebodys: Path) -> None:
    goal = ["suite=goal", "goal=open(mug)", "kitchen=hiermap", "seed=175000", "episodes=1", "policy=somebodys:Puller"]
    assert evaluate(load_config("evaluate", words("out", *goal))) == 0
    row = rows(somebodys / "out")[0]
    assert (row["success"], row["primitives"], row["failure_reason"]) == ("0", "0", "invalid_goal")


def worked(out: Path, policy: str, monkeypatch: pytest.MonkeyPatch, *told: str) -> list[dict]:
    monkeypatch.chdir(ROOT)
    given = [f"policy={policy}"] if policy else []
    common = [*given, f"out={out}", "workers=0", "progress=false", "pictures=false", *told]
    assert evaluate(load_config("evaluate", common)) == 0
    return rows(out)


def test_the_random_policy_repeats_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = ("suite=chain-1", "seed=175000", "episodes=1", "policy.max_steps=3")
    first, again = (worked(tmp_path / name, RANDOM, monkeypatch, *told)[0] for name in "ab")
    assert {**first, "plan_seconds": ""} == {**again, "plan_seconds": ""} and first["failure_reason"] == "truncated"


def test_the_oracle_policy_takes_a_shortest_way_and_is_called_privileged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = worked(tmp_path, ORACLE, monkeypatch, "suite=chain-3", "seed=175000", "episodes=1")[0]
    assert (row["success"], row["primitives"]) == ("1", "3")
    assert json.loads((tmp_path / "eval_info.json").read_text())["settings"]["policy"]["privileged"] is True


@pytest.mark.parametrize(
    ("suite", "seed", "episodes"), [("chain-2", 175010, 1), pytest.param("chain-5", 175104, 6, marks=pytest.mark.slow)]
)
def test_our_planner_as_a_policy_does_what_it_does_as_a_planner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suite: str, seed: int, episodes: int
) -> None:
    told = (f"suite={suite}", f"seed={seed}", f"episodes={episodes}")
    ours, theirs = (worked(tmp_path / name, policy, monkeypatch, *told) for name, policy in (("a", ""), ("b", PLANNER)))
    assert [(r["seed"], r["success"], r["primitives"]) for r in ours] == [(r["seed"], r["success"], r["primitives"]) for r in theirs]


def test_a_film_of_a_policy_is_refused_with_what_makes_one(somebodys: Path) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="films need the extra `video`; run: pip install 'hiermap[video]'")
    with pytest.raises(ConfigError, match="RecordVideo"):
        evaluate(load_config("evaluate", words("out", "policy=somebodys:Puller", "video=1")))

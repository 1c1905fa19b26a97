"""`hiermap plan`: files, words and exit codes, with the simulator's own dynamics on a real kitchen."""

import json
from dataclasses import replace
from pathlib import Path

import networkx
import pytest

from hiermap.agent.learned_maps import LazyWeights
from hiermap.agent.session import Session
from hiermap.evaluation.plan import exit_code, plan
from hiermap.evaluation.problem import Attempt, attempt, planner_for, pose
from hiermap.evaluation.suites import RunOptions
from hiermap.planners import Budget, PlanResult, Status
from hiermap.report.recording import STORY
from hiermap.report.report import report
from hiermap.report.storyboard import read_story
from hiermap.system.config import load_config
from hiermap.system.run_folder import LOCK, RECORD, clear
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.tasks.kitchens import hiermap_task

SEED = 150000


def config(out: Path, *overrides: str) -> dict:
    return load_config("plan", ["task=chain-1", f"seed={SEED}", f"out={out}", "world=simulator", "maps=oracle", *overrides])


def test_one_problem_leaves_plan_graph_pictures_and_a_report(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert plan(config(tmp_path, "execute=true")) == 0
    record = json.loads((tmp_path / "plan.json").read_text())
    assert record["status"] == "solved"
    assert record["shortest"] == 1
    assert record["sensing_notes"] == []
    assert record["execution"]["success"] is True
    assert record["execution"]["primitives"] == len(record["steps"]) >= 1
    step = record["plan"]["steps"][0]
    assert step["primitive"] == record["steps"][0]["primitive"]
    assert len(step["point_world"]) == 3
    assert networkx.read_graphml(tmp_path / "graph.graphml").number_of_nodes() == record["metrics"]["generated"] + 1
    for name in ("view.png", "step_01.png", "step_01_maps.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert record["goal_words"] in printed and "the goal truly holds" in printed
    assert all(list(step["views"]) == ["before", "imagined", "after"] for step in record["steps"])
    truth = record["steps"][-1]["views"]["after"]["truth"]
    assert truth and all(truth.values())
    assert "truly after" in report(tmp_path).read_text()
    clear(tmp_path, "plan")
    assert {path.name for path in tmp_path.iterdir()} == {RECORD, LOCK}, "overwrite=true would leave a file of this plan"


def test_what_failed_is_photographed_too_and_a_missing_film_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="films need the extra `video`; run: pip install 'hiermap[video]'")
    assert plan(config(tmp_path, "execute=true", "budget.expansions=0", "video=1")) == 1
    told, printed = read_story(tmp_path / STORY), capsys.readouterr().out
    assert not told["success"] and told["outcome"] in printed and len(told["scenes"]) == 1
    assert "film    none: no primitive was run" in printed


@pytest.mark.parametrize(("words", "why"), [("kitchen=toy", "only a robot"), ("execute=false", "without execute=true")])
def test_without_a_film_it_is_said_why(words: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="films need the extra `video`; run: pip install 'hiermap[video]'")
    assert plan(config(tmp_path, "execute=true", "video=1", words)) == 0
    assert "film    none: " in (told := capsys.readouterr().out) and why in told


def test_goal_and_plan_are_told_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    carry_out = Session.carry_out
    monkeypatch.setattr(Session, "carry_out", lambda *a, **k: (told.append(capsys.readouterr().out), carry_out(*a, **k))[1])
    assert plan(config(tmp_path, "kitchen=toy", "execute=true")) == 0
    assert [line.split()[0] for line in told[0].splitlines()] == ["goal", "status", "plan"]
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["1", "outcome", "written"]


def test_without_acting_the_kitchen_is_left_as_it_was() -> None:
    options = RunOptions(world="simulator", maps="oracle")
    problem = pose("chain-1", SEED, options)
    before = problem.task.scene.snapshot()
    done = attempt(problem, planner_for(options, problem, LazyWeights("default")), options, act=False)
    assert done.execution is None and done.success is None
    assert (problem.task.scene.snapshot() == before).all()
    assert exit_code(done) == 0


def test_a_budget_of_nothing_is_an_answer_and_not_an_error(tmp_path: Path) -> None:
    assert plan(config(tmp_path, "budget.expansions=0")) == 3
    assert plan(config(tmp_path, "budget.seconds=0", "overwrite=true")) == 4
    assert json.loads((tmp_path / "plan.json").read_text())["status"] == "timeout"
    assert "timeout" in report(tmp_path).read_text()


@pytest.mark.parametrize(
    ("status", "success", "code"),
    [
        (Status.SOLVED, None, 0),
        (Status.SOLVED, True, 0),
        (Status.SOLVED, False, 1),
        (Status.UNSOLVABLE, None, 3),
        (Status.UNSOLVABLE_WITHIN_BUDGET, None, 3),
        (Status.INVALID_OBSERVATION, None, 3),
        (Status.TIMEOUT, None, 4),
        (Status.TIMEOUT, True, 0),
    ],
)
def test_the_exit_code_tells_what_came_of_it(status: Status, success: bool | None, code: int) -> None:
    done = Attempt(None, PlanResult(status, budget=Budget()))  # type: ignore[arg-type]
    assert exit_code(replace(done, success=success)) == code


@pytest.mark.parametrize(
    ("override", "words"),
    [("task=chain-99", "chain-9"), ("task=tidy", "chain-1"), ("seed=-4", "seed is -4"), ("world=latent", "world=simulator")],
)
def test_unusable_values_are_refused(tmp_path: Path, override: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan(config(tmp_path, override))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("act", ["false", "true"])
def test_what_is_asked_is_planned_or_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture, act: str) -> None:
    drawer = next(p.arguments[0] for p in hiermap_task("free", SEED).scene.vocabulary() if "drawer" in p.arguments[0])
    assert plan(config(tmp_path, "task=goal", f"goal=on({drawer})", f"execute={act}")) == 3
    record = json.loads((tmp_path / "plan.json").read_text())
    assert record["status"] == "invalid_goal" and f"open({drawer})" in record["message"] and record["execution"] is None
    assert "status  invalid_goal: on(" in capsys.readouterr().out
    for number, (goal, complaint) in enumerate((("held(spoon)", "spoon"), ("juggle the drawer", "juggle"))):
        with pytest.raises(ConfigError, match=complaint):
            plan(config(tmp_path / str(number), "task=goal", f"goal={goal}"))

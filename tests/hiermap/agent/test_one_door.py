"""Every view of an executed task is fused once and encoded once."""

import pytest

from hiermap.agent.execute import execute
from hiermap.agent.planner import Planner
from hiermap.evaluation.problem import pose
from hiermap.planners import Budget
from hiermap.worlds.perception.fusion import fuse


def test_a_view_is_fused_once_and_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    planner = Planner.from_pretrained("default")
    fused, encoded = [], []
    encode = planner.world.model.encode

    def counted_fuse(observation, frame):
        fused.append(observation)
        return fuse(observation, frame)

    def counted_encode(view, *rest):
        encoded.append(view)
        return encode(view, *rest)

    for module in ("hiermap.worlds.perception.fusion.fuse", "hiermap.worlds.simulator.robot_scene.fuse"):
        monkeypatch.setattr(module, counted_fuse)
    monkeypatch.setattr(planner.world.model, "encode", counted_encode)
    problem = pose("chain-3", 110010)
    plan = planner.plan(problem.view, problem.goal, Budget(expansions=30))
    done = execute(problem.real, plan, planner)
    assert done and done.primitives >= 3
    assert len(fused) == len(encoded) == done.primitives + 1

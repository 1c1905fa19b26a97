"""Single primitives: which cell a learned map stands for, and what is counted."""

import json

import numpy as np
import pytest

from hiermap.agent.options import ExecutionOptions
from hiermap.evaluation.single_primitive import peak, run_single, surest
from hiermap.evaluation.suites import EvaluateOptions, Trial
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS, PrimitiveResult, Reason
from hiermap.worlds.base import Action, Observation
from hiermap.worlds.perception.fusion import SpatialView

SHAPE = (len(PRIMITIVES), ROTATION_BINS, 96, 128)
SEED = 150000


def test_the_peak_of_a_flat_blob_is_its_middle_in_the_best_orientation() -> None:
    maps = np.zeros(SHAPE, np.float32)
    pull = list(PRIMITIVES).index("pull")
    maps[pull, 0, 20:25, 30:35] = 0.5
    maps[pull, 1, 60:65, 80:85] = 0.9
    maps[0, 0, 10, 10] = 1.0
    assert peak(maps, "pull") == Action("pull", (62, 82), 1)


@pytest.mark.parametrize("primitive", PRIMITIVES)
def test_a_map_that_promises_nothing_still_gives_an_action_in_a_used_orientation(primitive: str) -> None:
    action = peak(np.zeros(SHAPE, np.float32), primitive)
    assert action.primitive == primitive
    assert action.rotation_index < len(PRIMITIVES[primitive].rotations)


def test_a_peak_on_nothing_is_a_failure_that_says_so() -> None:
    def sky(_: Observation) -> np.ndarray:
        maps = np.zeros(SHAPE, np.float32)
        maps[:, :, 2, 64] = 1.0
        return maps

    options = EvaluateOptions(suite="primitive-rotate", out="runs/x", execution=ExecutionOptions(refusals=0))
    row, files = run_single(Trial(0, SEED, "primitive-rotate"), sky, options)
    assert (row.success, row.failure_reason, row.task) == (False, "nothing_there", "primitive-rotate")
    assert files["failures"].startswith(b"\x89PNG")
    assert [scene["words"] for scene in json.loads(files["storyboards"])["scenes"]] == ["at first", "turn nothing"]


class Refusing:
    """A robot that reaches only some rows."""

    def __init__(self, reached: range) -> None:
        self.reached, self.asked = reached, list[Action]()

    def act(self, action: Action, view: SpatialView) -> PrimitiveResult:
        self.asked.append(action)
        reason = Reason.DONE if action.cell[0] in self.reached else Reason.UNREACHABLE
        return PrimitiveResult(reason is Reason.DONE, reason, 0.0, 0.0)


def test_what_the_arm_refuses_is_not_tried_again_and_after_a_few_refusals_nothing_is() -> None:
    maps = np.zeros(SHAPE, np.float32)
    maps[0, 0, 10, 10], maps[0, 1, 50, 60], maps[0, 1, 70, 20] = 0.9, 0.8, 0.7
    view = SpatialView(np.zeros((96, 128, 3), np.uint8), np.ones((96, 128), np.float32), np.ones((96, 128), bool), False)
    robot = Refusing(range(40, 60))
    assert surest(robot, maps, "grasp", view, refusals=6) == (Action("grasp", (50, 60), 1), Reason.DONE)  # type: ignore[arg-type]
    assert robot.asked == [Action("grasp", (10, 10), 0), Action("grasp", (50, 60), 1)]
    nowhere = Refusing(range(0))
    assert surest(nowhere, maps, "grasp", view, refusals=2)[1] == Reason.UNREACHABLE and len(nowhere.asked) == 3  # type: ignore[arg-type]

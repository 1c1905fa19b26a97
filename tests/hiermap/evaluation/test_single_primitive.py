"""Single primitives: which cell a learned map stands for, and what is counted."""

import json

import numpy as np
import pytest

from hiermap.evaluation.single_primitive import peak, run_single
from hiermap.evaluation.suites import EvaluateOptions, Trial
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.base import Action, Observation

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

    row, files = run_single(Trial(0, SEED, "primitive-rotate"), sky, EvaluateOptions(suite="primitive-rotate", out="runs/x"))
    assert (row.success, row.failure_reason, row.task) == (False, "nothing_there", "primitive-rotate")
    assert files["failures"].startswith(b"\x89PNG")
    assert [scene["words"] for scene in json.loads(files["storyboards"])["scenes"]] == ["at first", "turn nothing"]

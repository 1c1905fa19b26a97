"""A film changes nothing of what happens."""

import numpy as np
import pytest

from hiermap.worlds.perception.fusion import see
from hiermap.worlds.simulator.film import Film
from hiermap.worlds.tasks.posed_trials import PosedTrial


@pytest.mark.parametrize("suite", ["primitive-pull", "primitive-grasp"])
def test_outcomes_are_bit_for_bit_the_same_and_every_tenth_of_a_second_is_kept(suite: str) -> None:
    ends = []
    for fps in (None, 0.0, 10.0):
        posed = PosedTrial(suite, 176003)
        view = see(posed.scene.observe(), posed.scene.frame)
        action, step, first = posed.oracle_action(view), int(posed.scene.arm.plant.step), posed.scene.data.qpos.copy()
        assert action is not None
        real = posed.scene if fps is None else Film(posed.scene, posed.scene, fps)
        report = real.act(action, view)
        ends.append((report, posed.scene.snapshot().tobytes()))
        assert int(posed.scene.arm.plant.step) == step
        if isinstance(real, Film):
            (shot,) = real.shots
            assert shot.action == action and shot.thing == posed.move.target
            np.testing.assert_array_equal(shot.states[0], first)
            np.testing.assert_array_equal(shot.states[-1], posed.scene.data.qpos)
            assert abs(len(shot.states) - 2 - (fps or 0) * report.duration) <= 2
    assert ends[0] == ends[1] == ends[2]

"""The arm goes where joint and hand actions say, at the speed they say, and pressing on does not wind it up."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.gym.controls import HAND_LEASH_M, HAND_STEP_M, HAND_STEP_RAD, HZ, JOINT_STEP_RAD
from hiermap.worlds.gym.environment import KitchenEnv
from hiermap.worlds.imagined.toy import TOY_FRAME

SEED = 175000


def begun(control: str) -> tuple[KitchenEnv, dict]:
    environment = KitchenEnv(control=control, obs="state")
    return environment, environment.reset(options={"task": SEED})[0]


def repeated(environment: KitchenEnv, action: list[float], steps: int) -> dict:
    for _ in range(steps):
        observed, *_ = environment.step(np.array(action, np.float32))
    return observed


def test_joints_move_by_what_was_asked_in_the_time_that_a_step_takes() -> None:
    environment, before = begun("joint")
    started = environment.task.scene.data.time
    repeated(environment, [0.5, 0, 0, 0, 0, -1, 0.2, -1], 5)
    assert environment.task.scene.data.time - started == pytest.approx(5 / HZ)
    after = repeated(environment, [0] * 7 + [-1], 10)
    moved = after["joint_positions"] - before["joint_positions"]
    assert moved == pytest.approx(5 * JOINT_STEP_RAD * np.array([0.5, 0, 0, 0, 0, -1, 0.2]), abs=5e-3)


def test_the_hand_moves_and_turns_by_what_was_asked() -> None:
    environment, before = begun("osc")
    repeated(environment, [0, 1, 0.5, 0, 0, 0.5, -1], 5)
    after = repeated(environment, [0] * 6 + [-1], 20)
    old, new = before["T_hand_to_world"], after["T_hand_to_world"]
    assert new[:3, 3] - old[:3, 3] == pytest.approx(5 * HAND_STEP_M * np.array([0, 1, 0.5]), abs=5e-3)
    turned = Rotation.from_matrix(new[:3, :3] @ old[:3, :3].T).as_rotvec()
    assert turned == pytest.approx([0, 0, 5 * HAND_STEP_RAD * 0.5], abs=0.03)


@pytest.mark.parametrize("control", ["joint", "osc"])
def test_the_last_number_opens_and_closes_the_fingers(control: str) -> None:
    environment, _ = begun(control)
    still = [0] * (environment.action_space.shape[0] - 1)
    assert repeated(environment, [*still, 1], 20)["gripper_width"][0] < 0.004
    assert repeated(environment, [*still, -1], 20)["gripper_width"][0] > 0.0765


def test_pressing_against_something_stores_no_way_to_spring_back() -> None:
    environment, _ = begun("osc")
    before = repeated(environment, [0, 0, -1, 0, 0, 0, 1], 25)["T_hand_to_world"][0, 3]
    pressed = repeated(environment, [1, 0, 0, 0, 0, 0, 1], 50)["T_hand_to_world"][0, 3]
    assert pressed - before < 50 * HAND_STEP_M / 2, "expected something in the way"
    back = repeated(environment, [-1, 0, 0, 0, 0, 0, 1], 10)["T_hand_to_world"][0, 3]
    assert pressed - back > 10 * HAND_STEP_M - HAND_LEASH_M - 0.03


def test_a_puzzle_has_no_arm_to_drive() -> None:
    with pytest.raises(ConfigError, match="no arm to drive"):
        KitchenEnv("chain-1", "osc", "fused", kitchen="toy", frame=TOY_FRAME).reset(options={"task": 0})

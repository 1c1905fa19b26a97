"""What every arm keeps to: its facts fit robosuite's model, it reaches the counter, and its hand opens, closes and holds."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from hiermap.primitives.arms import ARMS
from hiermap.primitives.hand import STANDOFFS_M
from hiermap.primitives.motion.ik_branches import best_reach
from hiermap.primitives.skills.grasp import down_options
from hiermap.primitives.skills.run import is_holding, run_primitive
from hiermap.primitives.specs import Command
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.kitchen.scene_sampling import initial_scene
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.robosuite_env import HiermapKitchen
from hiermap.worlds.tasks.kitchen_options import KitchenOptions

SEED = 100_072
UP = (0.0, 0.0, 1.0)


@pytest.fixture(scope="module", params=ARMS)
def kitchen(request):
    return Kitchen(SEED, arm=ARMS[request.param])


@pytest.fixture
def empty_handed(kitchen):
    kitchen.set_scene(initial_scene(kitchen.spec))
    return kitchen


def test_at_ready_it_is_within_its_limits_and_over_the_counter_and_touches_nothing(empty_handed):
    arm, (x_min, *_, level) = empty_handed.arm, empty_handed.spec.counter_world
    assert (arm.ready > arm.chain.lower + 0.05).all() and (arm.ready < arm.chain.upper - 0.05).all()
    rotation, position, _ = arm.chain.forward(arm.ready)
    assert position[2] > level + 0.2 and 0.2 < position[0] < x_min and rotation[2, 2] < -0.5
    geoms = empty_handed.data.contact.geom[: empty_handed.data.ncon]
    assert not empty_handed.robot_geom_ids & set(geoms.ravel().tolist())


def test_its_chain_is_mujocos(empty_handed):
    arm, model, data = empty_handed.arm, empty_handed.model, mujoco.MjData(empty_handed.model)
    for q in np.random.default_rng(1).uniform(arm.chain.lower, arm.chain.upper, (5, len(arm.ready))):
        data.qpos[arm.qpos] = q
        mujoco.mj_kinematics(model, data)
        rotation, position, _ = arm.chain.forward(q)
        site = data.site("gripper0_right_grip_site")
        np.testing.assert_allclose(position, site.xpos, atol=1e-12)
        np.testing.assert_allclose(rotation, site.xmat.reshape(3, 3), atol=1e-12)


def test_it_reaches_every_spot_of_the_counter_from_above(empty_handed):
    for x, y in empty_handed.spec.spots_world:
        spot = np.array([x, y, empty_handed.spec.counter_world[4] + 0.1])
        reach = best_reach(empty_handed.arm, down_options(spot, 0.0, STANDOFFS_M["grasp"], 0.02))
        np.testing.assert_allclose(empty_handed.arm.chain.forward(reach.approach[-1])[1], spot - [0.0, 0.0, 0.02], atol=1e-3)


def test_its_hand_opens_and_closes(empty_handed):
    arm = empty_handed.arm
    for target, width in ((-arm.finger_limit, 0.0), (0.02, 0.04), (arm.finger_limit, 0.08)):
        empty_handed._hold(1.0, target)
        assert arm.width() == pytest.approx(width, abs=0.003)
        assert not is_holding(arm) or target == 0.02


def test_its_pads_are_where_the_facts_of_its_hand_say(empty_handed):
    hand, data = empty_handed.arm.spec.hand, empty_handed.data
    sides = [[data.geom(f"gripper0_right_{name}") for name in names if "pad" in name] for names in hand.fingers]
    for half_width in (0.0, 0.015, 0.04):
        np.testing.assert_allclose(hand.half_widths(hand.joints(half_width)), half_width, atol=1e-4)
        empty_handed._put_fingers(half_width)
        mujoco.mj_forward(empty_handed.model, data)
        opening = data.site("gripper0_right_grip_site").xmat.reshape(3, 3)[:, 0]
        left, right = (side[0].xpos @ opening for side in sides)
        thickness = 0.008 if hand.gripper == "PandaGripper" else 0.002
        assert abs(left - right) - thickness == pytest.approx(2 * half_width, abs=2e-3)


def test_it_holds_what_is_put_between_its_fingers(kitchen):
    for thing in kitchen.spec.objects:
        kitchen.set_scene(replace(initial_scene(kitchen.spec), held=thing.name))
        assert kitchen.scene().held == thing.name and is_holding(kitchen.arm)


@pytest.mark.slow
def test_it_takes_a_thing_from_the_counter_and_ends_at_ready(empty_handed):
    thing = next(o for o in empty_handed.spec.objects if o.grip_offset[1] == 0.0)
    x, y, z, _ = empty_handed.scene().poses[thing.name]
    assert run_primitive(empty_handed.arm, Command("grasp", (x, y, z + thing.height), UP, 0)).succeeded
    assert empty_handed.scene().held == thing.name
    assert np.abs(empty_handed.arm.plant.q - empty_handed.arm.ready).max() < 0.02


@pytest.mark.parametrize("name", ARMS)
def test_its_facts_can_be_a_key(name):
    assert {ARMS[name]: name}[ARMS[name]] == name


def test_an_arm_that_is_not_there_is_refused_by_the_key_and_the_name():
    with pytest.raises(ConfigError, match=r"kitchen\.arm.*pr2.*panda"):
        KitchenOptions(arm="pr2")
    with pytest.raises(ConfigError, match=r"robots='Baxter'.*Panda"):
        HiermapKitchen("Baxter")

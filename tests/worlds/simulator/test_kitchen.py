"""The built kitchen: joints move freely, things block, latches hold, states repeat bit for bit, divergence is an error."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest
import robosuite

from hiermap.primitives.motion.control import Driver
from hiermap.primitives.specs import Command
from hiermap.worlds.base import Action
from hiermap.worlds.errors import PhysicsError
from hiermap.worlds.goals import CLOSED_FRACTION, OPEN_FRACTION
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.kitchen.spec import HINGED, SceneState
from hiermap.worlds.rules.places import drawer_place, pose_at
from hiermap.worlds.simulator import robot_scene
from hiermap.worlds.simulator.kitchen import Kitchen

FORCES = {"drawer": 25.0, "sliding_door": 20.0, "knob": 0.5, "latch": 0.5, "switch": 0.5, "tap": 1.0, "oven_door": 6.0}
DOOR_TORQUE = 12.0
"""About 55 N at the handle of a hinged door, as hard as a motor program pulls."""
ASLEEP = int(mujoco.mjtSleepState.mjS_ASLEEP)


@pytest.fixture(scope="module", params=[3, 5, 200_004])
def kitchen(request):
    return Kitchen(request.param)


def drive(kitchen, name, force, seconds=2.5):
    """Push a joint with a force, at a motor program's speed; the arm stays away. Returns the largest and the last fraction."""
    model, data, fixture = kitchen.model, kitchen.data, kitchen.spec.fixture(name)
    dof, address = model.joint(name).dofadr[0], model.joint(name).qposadr[0]
    damping, largest = model.dof_damping[dof], 0.0
    model.dof_damping[dof] = abs(force) / (0.15 if fixture.joint_type == "slide" else 0.7 if fixture.kind in HINGED else 1.2)
    for _ in range(int(seconds / model.opt.timestep)):
        data.qfrc_applied[dof] = force
        data.qpos[:7], data.qvel[:7] = kitchen.arm.ready, 0.0
        mujoco.mj_step(model, data)
        largest = max(largest, data.qpos[address] / fixture.joint_range)
    data.qfrc_applied[dof], model.dof_damping[dof] = 0.0, damping
    return largest, data.qpos[address] / fixture.joint_range


def cleared(kitchen, **fractions):
    """Everything shut but `fractions`, every object in the middle of the counter or just off it."""
    x, z = kitchen.spec.spots_world[0][0], kitchen.spec.counter_world[4]
    poses = {o.name: (x, y, z, 0.0) for o, y in zip(kitchen.spec.objects, (0.0, 0.12, -0.12), strict=False)}
    return SceneState(fractions, poses)


def unlatched(fixture):
    return {fixture.latch: 1.0} if fixture.latch else {}


def test_every_fixture_moves_through_its_whole_range_and_back(kitchen):
    for fixture in kitchen.spec.fixtures:
        scene = cleared(kitchen, **unlatched(fixture))
        # Doors reach over the counter: put what stands there into a far corner.
        side = -np.sign(fixture.handle_world[1]) or 1.0
        poses = {n: (p[0], side * (0.12 + 0.14 * i), p[2], 0.0) for i, (n, p) in enumerate(scene.poses.items())}
        kitchen.set_scene(replace(scene, poses=poses))
        force = FORCES.get(fixture.kind, DOOR_TORQUE)
        _, opened = drive(kitchen, fixture.name, force)
        _, shut = drive(kitchen, fixture.name, -force)
        assert opened > 0.97 and shut < CLOSED_FRACTION, fixture.name


def test_what_stands_in_a_doors_way_stops_it(kitchen):
    spec = kitchen.spec
    for fixture in (f for f in spec.fixtures if f.kind in HINGED):
        side = np.sign(fixture.handle_world[1])
        for thing in spec.objects:
            scene = cleared(kitchen, **unlatched(fixture))
            rest = [o for o in spec.objects if o is not thing]
            poses = {o.name: (spec.spots_world[0][0], -side * (0.12 + 0.16 * i), spec.counter_world[4], 0.0) for i, o in enumerate(rest)}
            poses[thing.name] = (spec.spots_world[0][0], side * 0.30, spec.counter_world[4], 0.3)
            kitchen.set_scene(replace(scene, poses=poses))
            largest, _ = drive(kitchen, fixture.name, DOOR_TORQUE, seconds=4.0)
            assert largest < OPEN_FRACTION, (fixture.name, thing.name)


def test_a_latch_holds_its_door_until_it_is_turned(kitchen):
    for fixture in (f for f in kitchen.spec.fixtures if f.latch):
        kitchen.set_scene(cleared(kitchen))
        largest, _ = drive(kitchen, fixture.name, DOOR_TORQUE)
        assert largest < 0.05
        kitchen.set_scene(cleared(kitchen, **{fixture.latch: 0.5}))
        assert drive(kitchen, fixture.latch, FORCES["latch"])[1] > 0.97
        assert drive(kitchen, fixture.name, DOOR_TORQUE)[1] > 0.97


def test_an_object_in_a_drawer_stays_in_it_when_it_moves(kitchen):
    for drawer in (f for f in kitchen.spec.fixtures if f.kind == "drawer"):
        middle = pose_at(kitchen.spec, drawer_place(drawer), {drawer.name: 0.0}, 0.0)
        for thing in kitchen.spec.objects:
            scene = cleared(kitchen)
            kitchen.set_scene(replace(scene, poses={**scene.poses, thing.name: middle}))
            drive(kitchen, drawer.name, 30.0)
            drive(kitchen, drawer.name, -30.0)
            pose = np.array(kitchen.scene().poses[thing.name][:3])
            assert np.abs(pose - middle[:3]).max() < 0.02 and kitchen.upright(thing.name) > 0.98


def test_teleporting_a_random_scene_leaves_it_as_it_was_asked(kitchen):
    rng = np.random.default_rng(0)
    for _ in range(15):
        asked = random_scene(kitchen.spec, rng)
        kitchen.set_scene(asked)
        found = kitchen.scene()
        assert found.held is None
        assert all(abs(found.fractions[n] - v) < 0.01 for n, v in asked.fractions.items())
        assert all(np.abs(np.subtract(found.poses[n][:3], p[:3])).max() < 0.006 for n, p in asked.poses.items())


def test_every_object_can_be_held_and_the_snapshot_goes_on_bit_for_bit(kitchen):
    for thing in kitchen.spec.objects:
        kitchen.set_scene(replace(cleared(kitchen), held=thing.name))
        assert kitchen.scene().held == thing.name and kitchen.gripper().holding
        snapshot = kitchen.snapshot()
        states = []
        for _ in range(2):
            kitchen.restore(snapshot)
            driver = Driver(kitchen.arm, 20.0)
            driver.squeeze()
            driver.hold(0.4)
            states.append(kitchen.snapshot())
        assert np.array_equal(*states)
        assert kitchen.scene().held == thing.name


def asleep(kitchen, name):
    return kitchen.data.body_awake[kitchen.model.joint(name).bodyid[0]] == ASLEEP


def rest(kitchen, seconds):
    Driver(kitchen.arm, 20.0).hold(seconds)


def test_everything_at_rest_sleeps_and_a_snapshot_of_it_goes_on_bit_for_bit(kitchen):
    kitchen.set_scene(random_scene(kitchen.spec, np.random.default_rng(2)))
    rest(kitchen, 1.0)
    assert all(asleep(kitchen, thing.name) for thing in (*kitchen.spec.fixtures, *kitchen.spec.objects))
    snapshot = kitchen.snapshot()
    rest(kitchen, 0.5)
    continued = kitchen.snapshot()
    for other in (kitchen, Kitchen(kitchen.spec)):
        other.restore(snapshot)
        rest(other, 0.5)
        assert np.array_equal(other.snapshot(), continued)


def test_what_slept_long_is_still_where_it_was_and_seen_there_and_what_is_held_never_sleeps(kitchen):
    held, others = kitchen.spec.objects[0].name, [thing.name for thing in kitchen.spec.objects[1:]]
    kitchen.set_scene(replace(cleared(kitchen), held=held))
    before, driver = kitchen.scene(), Driver(kitchen.arm, 20.0)
    driver.squeeze()
    driver.hold(8.0)
    assert all(asleep(kitchen, name) for name in others) and not asleep(kitchen, held)
    after, force = kitchen.scene(), driver.hand().force
    assert after.held == held and kitchen.gripper().holding
    assert all(np.allclose(after.poses[name], before.poses[name], atol=1e-4) for name in others)
    body = kitchen.model.joint(held).bodyid[0]
    assert np.allclose(force, kitchen.model.body_mass[body] * kitchen.model.opt.gravity, atol=0.05)
    sleepers = kitchen.data.body_awake[kitchen.model.geom_bodyid] == ASLEEP
    seen = kitchen.data.geom_xpos[sleepers].copy()
    kitchen.restore(kitchen.snapshot())
    assert np.array_equal(kitchen.data.geom_xpos[sleepers], seen)


def test_a_sleeper_wakes_when_something_pushes_it(kitchen):
    fixture, thing = next(f for f in kitchen.spec.fixtures if f.kind in HINGED), kitchen.spec.objects[0]
    x, z, side = kitchen.spec.spots_world[0][0], kitchen.spec.counter_world[4], np.sign(fixture.handle_world[1])
    poses = {o.name: (x, -side * (0.12 + 0.16 * i), z, 0.0) for i, o in enumerate(kitchen.spec.objects)}
    kitchen.set_scene(replace(cleared(kitchen, **unlatched(fixture)), poses={**poses, thing.name: (x, side * 0.30, z, 0.3)}))
    rest(kitchen, 1.0)
    before = np.array(kitchen.scene().poses[thing.name])
    assert asleep(kitchen, fixture.name) and asleep(kitchen, thing.name)
    # Only the door is driven: the object has to wake by its touch.
    drive(kitchen, fixture.name, DOOR_TORQUE)
    assert not asleep(kitchen, thing.name)
    assert np.abs(np.array(kitchen.scene().poses[thing.name]) - before).max() > 0.002


def test_two_kitchens_of_one_seed_are_equal_to_the_last_bit():
    first, second = Kitchen(8), Kitchen(8)
    scene = random_scene(first.spec, np.random.default_rng(1))
    for kitchen in (first, second):
        kitchen.set_scene(scene)
    assert np.array_equal(first.snapshot(), second.snapshot())
    assert np.array_equal(first.view().rgb, second.view().rgb)


def test_nothing_touches_at_rest_but_feet(kitchen):
    kitchen.set_scene(cleared(kitchen))
    names = [kitchen.model.geom(int(g)).name for pair in kitchen.data.contact.geom[: kitchen.data.ncon] for g in pair]
    assert len(names) == 8 * len(kitchen.spec.objects)
    assert all("/foot_" in n or n == "kitchen/counter" for n in names)


def test_masks_name_every_thing_that_can_be_seen(kitchen):
    kitchen.set_scene(cleared(kitchen))
    masks = kitchen.masks()
    expected = {t.name for t in (*kitchen.spec.fixtures, *kitchen.spec.objects, *kitchen.spec.surfaces)}
    assert set(masks) == expected
    assert all(masks[f.name].sum() >= 8 for f in kitchen.spec.fixtures)
    assert all(masks[o.name].sum() >= 15 for o in kitchen.spec.objects)


def test_divergence_is_an_error_and_names_the_primitive(kitchen, monkeypatch):
    def diverge(arm, command):
        kitchen.data.qpos[3] = np.nan
        mujoco.mj_step(kitchen.model, kitchen.data)

    monkeypatch.setattr(robot_scene, "run_primitive", diverge)
    with pytest.raises(PhysicsError, match="pull"):
        kitchen.run(Command("pull", (0.6, 0.2, 0.2), (-1.0, 0.0, 0.0), 0))
    kitchen.set_scene(cleared(kitchen))


def test_acting_in_a_view_runs_the_motor_program():
    kitchen = Kitchen(0)
    row, column = np.argwhere(kitchen.masks()[kitchen.spec.objects[0].name]).mean(axis=0).astype(int)
    result = kitchen.act(Action("grasp", (int(row), int(column)), 0), kitchen.view())
    assert result.duration > 1.0 and result.reason
    assert np.abs(kitchen.data.qpos[:7] - kitchen.arm.ready).max() < 0.02


def test_robosuite_makes_it_by_name_with_the_arm_first_and_no_drag():
    environment = robosuite.make("HiermapKitchen", robots="Panda", kitchen=6)
    model = environment.sim.model._model
    assert [model.joint(i).name for i in range(7)] == [f"robot0_joint{i}" for i in range(1, 8)]
    assert model.opt.density == 0.0 and model.opt.viscosity == 0.0
    assert np.allclose(model.dof_armature[:7], 0.2)
    observation, reward, done, _ = environment.step(np.zeros(environment.action_dim))
    assert reward == 0.0 and not done and np.isfinite(observation["robot0_joint_pos"]).all()

"""Every program on a real fixture or object, judged by the true state, and the ways a program ends without moving."""

from dataclasses import replace

import numpy as np
import pytest

from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.robosuite_arm import prepare
from hiermap.primitives.motion.arm import Arm, ArmFault
from hiermap.primitives.skills import run
from hiermap.primitives.skills.run import is_holding, run_primitive
from hiermap.primitives.specs import PRIMITIVES, Command, Reason
from hiermap.worlds.kitchen.scene_sampling import initial_scene
from hiermap.worlds.rules.slabs import outward
from hiermap.worlds.rules.transitions import with_fraction

TOWARD_ROBOT, UP = (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def fixture_of(kitchen, *kinds):
    found = [f for f in kitchen.spec.fixtures if f.kind in kinds]
    if not found:
        pytest.skip(f"kitchen {kitchen.spec.seed} has no {kinds}")
    return found[0]


def top_of(kitchen, thing):
    x, y, z, _ = kitchen.scene().poses[thing.name]
    return x, y, z + thing.height


def free_spot(kitchen):
    taken = {tuple(np.round(pose[:2], 2)) for pose in kitchen.scene().poses.values()}
    return next(s for s in kitchen.spec.spots_world if all(np.hypot(s[0] - x, s[1] - y) > 0.1 for x, y in taken))


def handy(kitchen):
    return next(o for o in kitchen.spec.objects if o.grip_offset[1] == 0.0)


def assert_at_ready(kitchen):
    state = kitchen.arm.plant
    assert np.abs(state.q - kitchen.arm.ready).max() < 5e-3 and np.abs(state.qd).max() < 0.02


def test_pull_opens_a_drawer_and_push_shuts_it(kitchen):
    drawer = fixture_of(kitchen, "drawer")
    roll = 1 if drawer.handle == "bar_horizontal" else 0
    result = run_primitive(kitchen.arm, Command("pull", tuple(drawer.handle_at(0.0)), TOWARD_ROBOT, roll))
    assert result.succeeded and result.reason == "done"
    assert kitchen.scene().fractions[drawer.name] >= 0.9
    assert result.displacement == pytest.approx(drawer.joint_range, abs=0.06)
    assert_at_ready(kitchen)

    face = np.array(drawer.moved(np.array(drawer.face_world), kitchen.scene().fractions[drawer.name]))
    beside = face + np.array([0.0, 0.3 * drawer.size[0], 0.0])
    result = run_primitive(kitchen.arm, Command("push", tuple(beside), TOWARD_ROBOT, 0))
    assert result.succeeded
    assert kitchen.scene().fractions[drawer.name] <= 0.02
    assert_at_ready(kitchen)
    assert not is_holding(kitchen.arm) and kitchen.arm.width() > 0.07


@pytest.mark.parametrize("share", [0.45, 0.6, 0.75, 0.9])
def test_push_shuts_a_door_wherever_it_is_touched(kitchen, share):
    door = fixture_of(kitchen, "latched_door")
    scene = with_fraction(kitchen.spec, with_fraction(kitchen.spec, kitchen.scene(), door.latch, 1.0), door.name, 1.0)
    kitchen.set_scene(scene)
    hinge, face = np.array(door.joint_anchor_world), np.array(door.face_world)
    at = hinge + 2 * share * (face - hinge) + np.array([0.0, 0.0, 0.02])
    run_primitive(kitchen.arm, Command("push", tuple(door.moved(at, 1.0)), tuple(outward(door, 1.0)), 0))
    assert kitchen.scene().fractions[door.name] <= 0.02
    assert_at_ready(kitchen)


def test_pull_opens_a_door_it_knows_no_axis_of(kitchen):
    door = fixture_of(kitchen, "left_door", "right_door", "microwave")
    away = [spot for spot in kitchen.spec.spots_world if spot[1] * door.face_world[1] < 0]
    z = kitchen.spec.counter_world[4]
    poses = {o.name: (*spot, z, 0.0) for o, spot in zip(kitchen.spec.objects, away, strict=False)}
    kitchen.set_scene(replace(initial_scene(kitchen.spec), poses={**kitchen.scene().poses, **poses}))
    result = run_primitive(kitchen.arm, Command("pull", tuple(door.handle_at(0.0)), TOWARD_ROBOT, 0))
    assert result.succeeded
    assert kitchen.scene().fractions[door.name] >= 0.9


def test_rotate_turns_a_knob_the_way_its_bin_says(kitchen):
    knob = fixture_of(kitchen, "knob", "latch")
    on_is_anticlockwise = np.dot(knob.joint_axis_world, knob.normal_world) > 0
    axis = np.array(knob.handle_axis_world)
    roll = 0 if abs(axis[2]) > abs(axis[1]) else 1
    command = Command("rotate", tuple(knob.handle_at(0.0)), tuple(knob.normal_world), 2 * roll + (0 if on_is_anticlockwise else 1))
    result = run_primitive(kitchen.arm, command)
    assert result.succeeded
    assert kitchen.scene().fractions[knob.name] >= 0.8
    assert result.displacement > 1.1


def test_grasp_takes_an_object_and_place_puts_it_where_asked(kitchen):
    thing = handy(kitchen)
    result = run_primitive(kitchen.arm, Command("grasp", top_of(kitchen, thing), UP, 0))
    assert result.succeeded and kitchen.scene().held == thing.name and is_holding(kitchen.arm)
    assert_at_ready(kitchen)
    target = (*free_spot(kitchen), kitchen.spec.counter_world[4])
    result = run_primitive(kitchen.arm, Command("place", target, UP, 0))
    assert result.succeeded and kitchen.scene().held is None
    assert np.linalg.norm(np.array(kitchen.scene().poses[thing.name][:3]) - target) < 0.015
    assert kitchen.upright(thing.name) > 0.99


def grasped(kitchen):
    thing = handy(kitchen)
    assert run_primitive(kitchen.arm, Command("grasp", top_of(kitchen, thing), UP, 0)).succeeded
    return thing, free_spot(kitchen)


def test_what_would_bear_on_something_on_its_way_is_brought_over_the_point_from_higher(kitchen):
    thing, free = grasped(kitchen)
    counter = kitchen.spec.counter_world[4]
    # As a tall thing over the floor of a drawer: from the usual height it would stand in the counter.
    result = run_primitive(kitchen.arm, Command("place", (*free, counter - 0.14), UP, 0))
    assert result.succeeded and kitchen.scene().held is None
    assert np.linalg.norm(np.array(kitchen.scene().poses[thing.name][:3]) - (*free, counter)) < 0.02
    assert kitchen.upright(thing.name) > 0.99


def test_what_meets_something_before_it_is_lowered_stays_in_the_hand(kitchen):
    thing, free = grasped(kitchen)
    result = run_primitive(kitchen.arm, Command("place", (*free, kitchen.spec.counter_world[4] - 0.24), UP, 0))
    assert result.reason == Reason.BLOCKED and kitchen.scene().held == thing.name
    assert_at_ready(kitchen)


@pytest.mark.parametrize("side", [1, -1])
def test_fingers_that_land_on_the_thing_itself_go_over_to_that_side(kitchen, side):
    thing = handy(kitchen)
    x, y, z = top_of(kitchen, thing)
    # Half a finger is over its edge.
    aside = kitchen.arm.finger_limit - thing.grip_width / 2 + 0.006
    result = run_primitive(kitchen.arm, Command("grasp", (x, y + side * aside, z), UP, 0))
    assert result.succeeded and kitchen.scene().held == thing.name


def test_push_carries_an_object_ten_centimetres_sideways(kitchen):
    thing = handy(kitchen)
    x, y = kitchen.spec.spots_world[2]
    poses = dict(kitchen.scene().poses)
    for other, spot in zip((o for o in kitchen.spec.objects if o is not thing), (0, 4), strict=False):
        poses[other.name] = (*kitchen.spec.spots_world[spot], kitchen.spec.counter_world[4], 0.0)
    poses[thing.name] = (x, y, kitchen.spec.counter_world[4], 0.0)
    kitchen.set_scene(replace(initial_scene(kitchen.spec), poses=poses))
    result = run_primitive(kitchen.arm, Command("push", top_of(kitchen, thing), UP, 1))
    assert result.succeeded
    moved = np.array(kitchen.scene().poses[thing.name][:2]) - (x, y)
    assert 0.08 < moved[1] < 0.13 and abs(moved[0]) < 0.03
    assert kitchen.upright(thing.name) > 0.95


def test_a_thing_that_does_not_give_is_reported_as_stalled(kitchen):
    drawer = fixture_of(kitchen, "drawer")
    point = np.array(drawer.face_world) + np.array([0.0, 0.3 * drawer.size[0], 0.0])
    result = run_primitive(kitchen.arm, Command("push", tuple(point), TOWARD_ROBOT, 0))
    assert not result.succeeded and result.reason == "stalled" and result.displacement < 0.01


def test_a_grasp_in_the_air_is_reported_as_missed(kitchen):
    result = run_primitive(kitchen.arm, Command("grasp", (0.45, 0.2, 0.45), UP, 0))
    assert not result.succeeded and result.reason == "missed"
    assert_at_ready(kitchen)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_what_cannot_be_reached_moves_nothing(kitchen, name):
    if PRIMITIVES[name].needs_object:
        kitchen.set_scene(replace(initial_scene(kitchen.spec), held=handy(kitchen).name))
    before = kitchen.data.qpos.copy()
    result = run_primitive(kitchen.arm, Command(name, (1.6, 0.0, 0.4), TOWARD_ROBOT, 0))
    assert not result.succeeded and result.reason == "unreachable" and result.duration == 0.0
    np.testing.assert_array_equal(kitchen.data.qpos, before)


def test_a_full_hand_refuses_all_but_place_and_an_empty_hand_refuses_place(kitchen):
    point = tuple(fixture_of(kitchen, "drawer").handle_at(0.0))
    assert run_primitive(kitchen.arm, Command("place", point, UP, 0)).reason == "hand_empty"
    kitchen.set_scene(replace(initial_scene(kitchen.spec), held=handy(kitchen).name))
    before = kitchen.data.qpos.copy()
    for name in ("grasp", "push", "pull", "rotate"):
        assert run_primitive(kitchen.arm, Command(name, point, TOWARD_ROBOT, 0)).reason == "hand_full"
    np.testing.assert_array_equal(kitchen.data.qpos, before)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (Command("kick", (0.5, 0, 0.3), UP, 0), "unknown primitive 'kick'; known: grasp, place, push, pull, rotate"),
        (Command("place", (0.5, 0, 0.3), UP, 2), "place has bins 0..1"),
        (Command("pull", (float("nan"), 0, 0.3), UP, 0), "finite point and normal"),
    ],
)
def test_a_command_without_meaning_is_an_error(kitchen, command, message):
    with pytest.raises(ValueError, match=message.replace("..", r"\.\.")):
        run_primitive(kitchen.arm, command)


def test_the_same_command_from_a_snapshot_ends_bit_for_bit_the_same(kitchen):
    thing = handy(kitchen)
    kitchen.set_scene(replace(initial_scene(kitchen.spec), held=thing.name))
    snapshot = kitchen.snapshot()
    free = kitchen.spec.spots_world[2]
    command = Command("place", (*free, kitchen.spec.counter_world[4]), UP, 0)
    first = run_primitive(kitchen.arm, command)
    end = kitchen.data.qpos.copy()
    kitchen.restore(snapshot)
    assert run_primitive(kitchen.arm, command) == first
    np.testing.assert_array_equal(kitchen.data.qpos, end)


def test_a_diverging_simulation_is_a_fault_not_a_result(kitchen):
    kitchen.data.qvel[: kitchen.model.nv] = 1e11
    with pytest.raises(ArmFault, match="diverged"):
        run_primitive(kitchen.arm, Command("grasp", (0.45, 0.2, 0.45), UP, 0))
    kitchen.set_scene(initial_scene(kitchen.spec))


def prepared(kitchen, name):
    """The kitchen arranged so that the primitive makes sense, and a command for it."""
    if name in ("push", "pull"):
        drawer = fixture_of(kitchen, "drawer")
        opened = 0.0 if name == "pull" else 1.0
        kitchen.set_scene(replace(initial_scene(kitchen.spec), fractions={**kitchen.scene().fractions, drawer.name: opened}))
        face = np.array(drawer.moved(np.array(drawer.face_world), opened)) + np.array([0.0, 0.3 * drawer.size[0], 0.0])
        roll = 1 if drawer.handle == "bar_horizontal" else 0
        return (
            Command(name, tuple(drawer.handle_at(0.0)), TOWARD_ROBOT, roll)
            if name == "pull"
            else Command(name, tuple(face), TOWARD_ROBOT, 0)
        )
    if name == "rotate":
        knob = fixture_of(kitchen, "knob", "latch")
        axis = np.array(knob.handle_axis_world)
        sense = 0 if np.dot(knob.joint_axis_world, knob.normal_world) > 0 else 1
        return Command(name, tuple(knob.handle_at(0.0)), tuple(knob.normal_world), sense + (0 if abs(axis[2]) > abs(axis[1]) else 2))
    thing = handy(kitchen)
    if name == "grasp":
        return Command(name, top_of(kitchen, thing), UP, 0)
    kitchen.set_scene(replace(initial_scene(kitchen.spec), held=thing.name))
    taken = [pose[:2] for pose in kitchen.scene().poses.values()]
    free = next(s for s in kitchen.spec.spots_world if all(np.hypot(s[0] - x, s[1] - y) > 0.1 for x, y in taken))
    return Command(name, (*free, kitchen.spec.counter_world[4]), UP, 0)


ARM_MEMBERS = {*Arm.__annotations__, *(name for name in vars(Arm) if not name.startswith("_"))}


class OnlyArm:
    """Whatever an `Arm` offers of another arm, and nothing else."""

    def __init__(self, arm):
        object.__setattr__(self, "_arm", arm)

    def __getattr__(self, name):
        if name not in ARM_MEMBERS:
            raise AssertionError(f"a motor program asked its arm for {name!r}, which no other arm need have")
        return getattr(object.__getattribute__(self, "_arm"), name)

    def __setattr__(self, name, value):
        raise AssertionError(f"a motor program sets its arm's {name!r}")


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_program_needs_nothing_of_its_arm_but_the_protocol(kitchen, name):
    command = prepared(kitchen, name)
    arm = OnlyArm(kitchen.arm)
    with pytest.raises(AssertionError, match="'data'"):
        _ = arm.data
    assert run_primitive(arm, command).reason is Reason.DONE


def bound_by(monkeypatch, name, seconds):
    monkeypatch.setattr(run, "PRIMITIVES", {**PRIMITIVES, name: replace(PRIMITIVES[name], bound_seconds=seconds)})


@pytest.mark.parametrize("seconds", [0.5, 4.0, 7.5])
@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_program_ends_within_its_bound_and_says_that_time_was_up(kitchen, monkeypatch, name, seconds):
    command = prepared(kitchen, name)
    snapshot = kitchen.snapshot()
    bound_by(monkeypatch, name, seconds)
    result = run_primitive(kitchen.arm, command)
    assert result.duration <= seconds + 1e-9
    monkeypatch.undo()
    kitchen.restore(snapshot)
    free = run_primitive(kitchen.arm, command)
    assert free.duration <= PRIMITIVES[name].bound_seconds
    if free.duration > seconds:
        assert (result.succeeded, result.reason) == (False, Reason.TIMEOUT)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_program_that_would_run_on_is_ended_and_brought_home(kitchen, monkeypatch, name):
    def endless(driver, command):
        driver.follow(driver.arm.ready[None] + np.array([0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
        while True:
            driver.hold(1.0)

    command = prepared(kitchen, name)
    monkeypatch.setattr(run, "PROGRAMS", {name: endless})
    result = run_primitive(kitchen.arm, command)
    assert (result.succeeded, result.reason) == (False, Reason.TIMEOUT)
    assert PRIMITIVES[name].bound_seconds - 6.0 < result.duration <= PRIMITIVES[name].bound_seconds
    assert_at_ready(kitchen)


def test_preparing_the_panda_twice_changes_nothing(kitchen):
    before = kitchen.model.dof_armature.copy(), kitchen.model.actuator_ctrlrange.copy()
    prepare(kitchen.model, PANDA)
    np.testing.assert_array_equal(kitchen.model.dof_armature, before[0])
    np.testing.assert_array_equal(kitchen.model.actuator_ctrlrange, before[1])
    assert kitchen.model.opt.density == kitchen.model.opt.viscosity == 0.0

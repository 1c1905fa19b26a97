"""What a scene is made of is read off its joints, free bodies and level tops."""

import mujoco
import numpy as np
import pytest

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.mjcf.parts import Parts, base_of, inside, on_top, opening, parts_of

DRAWER = """<body name="drawer" pos="0 0 0.5"><joint name="drawer" type="slide" axis="0 -1 0" range="0 0.2"/>
  <geom type="box" size="0.15 0.1 0.01" pos="0 0.1 -0.05"/><geom type="box" size="0.15 0.01 0.06"/></body>"""
DOOR = """<body name="door" pos="0.5 0 0.5"><joint name="door" axis="0 0 1" range="-1.5 0"/>
  <geom type="box" size="0.15 0.01 0.2" pos="0.15 0 0"/></body>"""
KNOB = '<body name="knob"><joint axis="0 1 0" range="0 1.57"/><geom type="cylinder" size="0.02 0.02"/></body>'
BUTTON = '<body name="button"><joint name="button" type="slide" range="0 0.02"/><geom type="box" size="0.01 0.01 0.01"/></body>'
MUG = '<body name="mug" pos="{}"><freejoint/><geom type="cylinder" size="0.03 0.04"/></body>'
TABLE = '<geom name="table" type="box" size="0.4 0.4 0.02" pos="0 0 1"/><geom name="wall" type="box" size="0.4 0.4 0.02" euler="1.57 0 0"/>'


def read(*bodies: str) -> tuple[mujoco.MjModel, mujoco.MjData, Parts]:
    model = mujoco.MjModel.from_xml_string(f"<mujoco><compiler angle='radian'/><worldbody>{''.join(bodies)}</worldbody></mujoco>")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data, parts_of(model, data)


def test_the_kind_of_a_fixture_follows_from_how_it_moves() -> None:
    parts = read(DRAWER, DOOR, KNOB, BUTTON)[2]
    assert {name: fixture.ends for name, fixture in parts.fixtures.items()} == {
        "drawer": ("closed", "open"),
        "door": ("closed", "open"),
        "knob": ("off", "on"),
        "button": ("off", "on"),
    }
    assert [name for name, fixture in parts.fixtures.items() if fixture.holds_things] == ["drawer"]


@pytest.mark.parametrize("yaw", [0.0, 0.3, 0.8, 1.57])
def test_a_turned_sliding_door_is_no_tray(yaw: float) -> None:
    door = f"""<body name="door" pos="0 0 0.5" euler="0 0 {yaw}"><joint name="door" type="slide" axis="1 0 0" range="0 0.2"/>
      <geom type="box" size="0.1 0.01 0.1"/></body>"""
    assert not read(door)[2].fixtures["door"].holds_things


def test_rest_is_the_end_at_which_the_scene_is_written() -> None:
    model, data, parts = read(DRAWER, DOOR)
    door = parts.fixtures["door"]
    assert (door.rest, door.far) == (0.0, -1.5) and door.fraction(-0.75) == 0.5 and door.fraction(0.3) == 0.0
    assert np.allclose(opening(model, data, door), [0, -1, 0])
    assert np.allclose(opening(model, data, parts.fixtures["drawer"]), [0, -1, 0])


def test_everything_that_makes_sense_can_be_asked_and_nothing_else() -> None:
    asked = set(read(DRAWER, KNOB, MUG.format("0 0 1.06"), TABLE)[2].vocabulary())
    expected = ["open drawer", "closed drawer", "on knob", "off knob", "held mug", "inside mug drawer", "on_top mug table"]
    assert asked == {Predicate(kind, tuple(rest)) for kind, *rest in map(str.split, expected)}


def test_a_free_body_that_cannot_be_seen_is_no_thing() -> None:
    ghost = '<body name="ghost"><freejoint/><inertial mass="1" pos="0 0 0" diaginertia="1 1 1"/></body>'
    assert set(read(DRAWER, ghost)[2].things) == set()


def test_a_top_under_another_top_is_no_surface() -> None:
    below = '<geom name="below" type="box" size="0.4 0.4 0.02" pos="0 0 0.965"/>'
    assert set(read(DRAWER, TABLE, below)[2].surfaces) == {"table"}


def test_the_base_of_a_pan_is_below_its_weight_not_in_the_middle_of_the_box_around_it() -> None:
    pan = """<body name="pan" pos="0.1 0.2 1.04"><freejoint/><geom type="cylinder" size="0.05 0.02" mass="0.3"/>
      <geom type="box" size="0.05 0.01 0.01" pos="0.1 0 0" mass="0.1"/></body>"""
    model, data, parts = read(TABLE, DRAWER, pan)
    assert np.allclose(base_of(model, data, parts.things["pan"]), [0.1 + 0.1 / 4, 0.2, 1.02])


@pytest.mark.parametrize(
    ("place", "is_inside", "is_on"), [("0 0.1 0.51", True, False), ("0.2 0.1 1.06", False, True), ("0 2 1.06", False, False)]
)
def test_where_a_thing_is_follows_from_its_base(place: str, is_inside: bool, is_on: bool) -> None:
    model, data, parts = read(DRAWER, TABLE, MUG.format(place))
    base = base_of(model, data, parts.things["mug"])
    assert np.allclose(base, np.array(place.split(), float) - [0, 0, 0.04])
    assert inside(model, data, parts.fixtures["drawer"], base) == is_inside
    assert on_top(model, data, parts.surfaces["table"], base) == is_on


@pytest.mark.parametrize(
    ("bodies", "message"),
    [
        ('<body><joint name="loose"/><geom size="0.1"/></body>', "joint 'loose' has no limits"),
        ('<body><joint name="ball" type="ball"/><geom size="0.1"/></body>', "joint 'ball': expected one hinge or slide"),
        ('<body name="two"><joint name="a" range="0 1"/><joint name="b" range="0 1"/><geom size="0.1"/></body>', "'a': expected one"),
        (TABLE, "nothing that moves"),
        ('<body name="table"><freejoint/><geom size="0.1"/></body>' + TABLE, "'table' names two parts"),
    ],
)
def test_what_cannot_be_used_is_named_with_a_remedy(bodies: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(bodies)

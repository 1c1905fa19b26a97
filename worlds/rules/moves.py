"""What one primitive does to one thing: the moves of the exact rules, and the geometry that each of them needs to be free."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from hiermap.primitives.hand import PUSH_DISTANCE_M, YAWS_RAD
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.kitchen.spec import OPENABLE, FixtureSpec, KitchenSpec, ObjectSpec, SceneState
from hiermap.worlds.rules.places import SIDES, Place
from hiermap.worlds.rules.slabs import PALM_TO_FOREARM, Clearance, front_hand, outward, part_slabs, slab, top_hand, upright

SWEEP_STEPS = 16
"""Samples of a door's swing: 5 degrees each, 2.5 cm at the tip, less than any object's diameter."""
PUSH_LEVER = 0.62
"""A door is pushed shut at this part of its width from the hinge."""
BESIDE = 0.03
"""Room beside a handle that is pushed sideways, for the closed fingers [m]."""
PALM_BEHIND = 0.08
"""The hand that pushes sideways leans back toward the robot: its palm reaches from the fingers to twice this distance behind them [m]."""
SIDE_START = 0.085
"""A sideways push comes down this far beside the middle of the object [m]."""
FEET = 0.005
"""The lowest part of an object, which brushes whatever is that low, does not count [m]."""

AHEAD = np.array([-1.0, 0.0, 0.0])
"""Outward normal of a front that faces the robot."""

INWARD, LEFT, RIGHT = (PRIMITIVES["push"].rotations.index(name) for name in ("inward", "left", "right"))
SIDE_OF_BIN = {LEFT: "left", RIGHT: "right"}
ROLL_0, ROLL_90 = (PRIMITIVES["pull"].rotations.index(name) for name in ("roll_0", "roll_90"))


@dataclass(frozen=True)
class Move:
    """One primitive applied to one thing. Moves that differ only in the orientation of the hand are equal.

    Attributes:
        primitive: key in `PRIMITIVES`.
        target: the fixture or object it acts on; the held object for "place".
        rotation_index: an orientation bin that suits; others may suit too.
        to: "open", "closed", "on" or "off": what shall hold of a fixture afterwards; None for objects.
        side: "left" or "right" for an object that is pushed, else None.
        place: where to set the object down for "place", else None.
    """

    primitive: str
    target: str
    rotation_index: int = field(default=0, compare=False)
    to: str | None = None
    side: str | None = None
    place: Place | None = None

    def __str__(self) -> str:
        place = None if self.place is None else str(self.place)
        inner = filter(None, (self.target, self.to, place, PRIMITIVES[self.primitive].rotations[self.rotation_index]))
        return f"{self.primitive}({', '.join(inner)})"


def opening_axis(primitive: str, rotation_index: int) -> np.ndarray:
    """Unit direction [2] (x, y) along which the fingers of a hand pointing down open."""
    yaw = YAWS_RAD[primitive][rotation_index]
    return np.array([-np.sin(yaw), np.cos(yaw)])


def roll_bins(fixture: FixtureSpec, fraction: float) -> tuple[int, ...]:
    """The gripper rolls (0: fingers open horizontally, 1: vertically) that hold the handle at `fraction`."""
    if fixture.handle == "knob":
        return (ROLL_0, ROLL_90)
    if fixture.handle == "bar_horizontal":
        return (ROLL_90,)
    if fixture.handle == "bar_vertical":
        return (ROLL_0,)
    anchor = np.array(fixture.joint_anchor_world)
    axis = fixture.moved(anchor + np.array(fixture.handle_axis_world), fraction) - fixture.moved(anchor, fraction)
    return (ROLL_0,) if abs(axis[1]) <= np.hypot(axis[0], axis[2]) else (ROLL_90,)


def fixture_primitive(fixture: FixtureSpec, to: str, fraction: float) -> tuple[str, tuple[int, ...]]:
    """The primitive and the orientation bins that bring the fixture from `fraction` to the end `to`."""
    if fixture.kind == "sliding_door":
        outwards = fixture.joint_axis_world[1] if to == "open" else -fixture.joint_axis_world[1]
        return "push", (LEFT if outwards > 0 else RIGHT,)
    if fixture.kind in OPENABLE:
        return ("pull", roll_bins(fixture, fraction)) if to == "open" else ("push", (INWARD,))
    if fixture.kind == "switch":
        return "push", (INWARD,)
    on_is_ccw = float(np.dot(fixture.joint_axis_world, fixture.normal_world)) > 0
    bins = PRIMITIVES["rotate"].effects()["ccw" if on_is_ccw == (to == "on") else "cw"]
    return "rotate", tuple(bins[roll] for roll in roll_bins(fixture, fraction))


def conceivable(spec: KitchenSpec, scene: SceneState, primitive: str, rotation_index: int, any_bin: bool = False) -> Iterator[Move]:
    """Every move but placing that a primitive in an orientation bin may mean, possible now or not.

    With `any_bin` those that need another bin too, but a fixture is never turned the other way: for judging what happened.
    """
    for fixture in spec.fixtures:
        for to in fixture.ends:
            needed, bins = fixture_primitive(fixture, to, scene.fractions[fixture.name])
            if needed == primitive and (rotation_index in bins or (any_bin and primitive != "rotate")):
                yield Move(primitive, fixture.name, rotation_index, to=to)
    for name in scene.poses:
        if primitive == "grasp":
            yield Move("grasp", name, rotation_index)
        if primitive == "push" and rotation_index in SIDE_OF_BIN:
            yield Move("push", name, rotation_index, side=SIDE_OF_BIN[rotation_index])


def push_point(fixture: FixtureSpec, fraction: float) -> np.ndarray:
    """Where the front of a door or drawer is pushed shut, [3] [m]: `PUSH_LEVER` of the width from the hinge, the middle of a drawer."""
    point = np.array(fixture.face_world)
    anchor = np.array(fixture.joint_anchor_world)
    if fixture.joint_type == "hinge":
        along = 2 if abs(fixture.joint_axis_world[1]) > 0.5 else 1
        side = np.sign(point[along] - anchor[along])
        width = fixture.size[1] if along == 2 else fixture.size[0]
        point[along] += side * width * (PUSH_LEVER - 0.5)
    return fixture.moved(point, fraction)


def fixture_space(fixture: FixtureSpec, to: str, rotation_index: int, clearance: Clearance) -> tuple[np.ndarray, np.ndarray]:
    """Slabs `[N, 8]` that the part passes and slabs `[M, 8]` that the hand passes while the move is made."""
    primitive, _ = fixture_primitive(fixture, to, 0.5)
    fractions = np.linspace(0.0, 1.0, 6)
    wide, flat = clearance.hand_half_width, clearance.hand_half_thickness
    if primitive == "rotate":
        turned = [front_hand(fixture.handle_at(f), AHEAD, wide, flat, clearance.arm_above) for f in fractions]
        return np.zeros((0, 8)), np.concatenate(turned)
    if fixture.kind == "switch":
        return np.zeros((0, 8)), front_hand(np.array(fixture.face_world), AHEAD, flat, wide, clearance.arm_above)
    steps = SWEEP_STEPS if fixture.joint_type == "hinge" else 4
    part = np.concatenate([part_slabs(fixture, f) for f in np.linspace(0.0, 1.0, steps)])
    hands = []
    for f in fractions:
        normal = outward(fixture, f)
        if primitive == "pull":
            sideways = wide if rotation_index == ROLL_0 else flat
            hands.append(front_hand(fixture.handle_at(f), normal, sideways, flat + wide - sideways, clearance.arm_above))
        elif fixture.kind == "sliding_door":
            hands.append(front_hand(fixture.handle_at(f), normal, flat + BESIDE, wide, clearance.arm_above))
        else:
            beside = fixture.handle_length / 2 if fixture.kind == "drawer" else 0.0
            hands.append(front_hand(push_point(fixture, f), normal, flat + min(beside, fixture.size[0] / 2), wide, clearance.arm_above))
    return part, np.concatenate(hands)


def grasp_bins(thing: ObjectSpec, yaw_rad: float, in_drawer: bool) -> tuple[int, ...]:
    """Orientation bins in which the hand can take the object; over a drawer only along the kitchen front, if at all."""
    usable = (0,) if in_drawer else (0, 2, 1, 3)
    if thing.length <= 0.0:
        return usable
    # The fingers close across the box's narrow side, its y at yaw 0.
    differences = {b: abs((YAWS_RAD["grasp"][b] - yaw_rad + np.pi / 2) % np.pi - np.pi / 2) for b in usable}
    return tuple(b for b in sorted(usable, key=differences.__getitem__) if differences[b] <= np.pi / 8 + 1e-6)


def hand_over(thing: ObjectSpec, bases_world: ArrayLike, primitive: str, rotation_index: int, clearance: Clearance) -> np.ndarray:
    """Slabs `[N, 3, 8]` of the fingers, the palm and, when it is set down, the object itself at base points `[N, 3]`."""
    bases = np.asarray(bases_world, float)
    hand = top_hand(bases + np.array([0.0, 0.0, thing.grip_offset[2]]), opening_axis(primitive, rotation_index), clearance)
    if primitive == "grasp":
        return np.concatenate([hand, hand[:, :1]], axis=1)
    z = bases[:, 2]
    body = upright(bases, np.array([1.0, 0.0]), thing.radius, thing.radius, z + FEET, z + thing.height)
    return np.concatenate([hand, body[:, None]], axis=1)


def push_space(thing: ObjectSpec, start: Place, side: str, clearance: Clearance) -> np.ndarray:
    """Slabs `[3, 8]` that the object, the fingers behind it and the palm pass while it is pushed sideways by `PUSH_DISTANCE_M`."""
    x, y, z = start.point_world
    sign = SIDES[side]
    along = np.array([0.0, 1.0])
    half_path, palm_z = PUSH_DISTANCE_M / 2 + thing.radius, z + 0.06
    path = slab(np.array([x, y + sign * PUSH_DISTANCE_M / 2]), along, half_path, thing.radius, z + FEET, z + thing.height)
    first, last = -SIDE_START, PUSH_DISTANCE_M - thing.radius
    middle, half = np.array([x, y + sign * (first + last) / 2]), (last - first) / 2
    fingers = slab(middle, along, half + 0.015, 0.02, z + 0.01, palm_z)
    behind = middle - np.array([PALM_BEHIND, 0.0])
    palm = slab(behind, along, half + clearance.hand_half_thickness, PALM_BEHIND, palm_z, z + PALM_TO_FOREARM)
    return np.concatenate([path, fingers, palm])


def cylinder(thing: ObjectSpec, base_world: Sequence[float]) -> np.ndarray:
    """The object at a base point [3] as x, y, radius, lowest and highest z, `[5]` [m]."""
    x, y, z = base_world
    return np.array([x, y, thing.radius, z + FEET, z + thing.height])

"""The loose things of a kitchen: sampled sizes and their MJCF bodies."""

from collections.abc import Callable
from xml.etree.ElementTree import Element

import numpy as np

from hiermap.worlds.kitchen import mjcf
from hiermap.worlds.kitchen.spec import OBJECT_KINDS, RGBA, ObjectSpec

FEET = 0.004
"""Radius of the four feet an object stands on [m]: four sphere contacts instead of the ten or more of a disc."""
FEET_LIFT = 0.002
"""Gap between the counter and an upright object's walls [m], so that only its feet touch."""


def sample_object(kind: str, rng: np.random.Generator, rgba: RGBA) -> ObjectSpec:
    """Random size, mass and friction of one kind; every height is at most 8 cm so that it fits into any drawer."""
    u = rng.uniform
    # Slippery enough that a mug slides, instead of toppling, when a door or a finger pushes it 3 cm above the counter.
    friction = float(u(0.35, 0.55))
    if kind == "mug":
        radius, height = float(u(0.0255, 0.0275)), float(u(0.066, 0.076))
        return ObjectSpec(kind, radius, height, (0.0, 0.0, height - 0.022), 2 * radius, float(u(0.18, 0.30)), rgba, friction=friction)
    if kind == "can":
        radius, height = float(u(0.0235, 0.0270)), float(u(0.066, 0.076))
        return ObjectSpec(kind, radius, height, (0.0, 0.0, height - 0.022), 2 * radius, float(u(0.20, 0.35)), rgba, friction=friction)
    if kind == "box":
        width, length, height = float(u(0.040, 0.052)), float(u(0.060, 0.080)), float(u(0.060, 0.076))
        radius = float(np.hypot(width, length) / 2)
        return ObjectSpec(kind, radius, height, (0.0, 0.0, height - 0.022), width, float(u(0.20, 0.35)), rgba, length, friction)
    if kind == "bowl":
        radius, height = float(u(0.050, 0.056)), float(u(0.048, 0.055))
        return ObjectSpec(
            kind, radius, height, (0.0, radius - BOWL_WALL / 2, height - 0.012), BOWL_WALL, float(u(0.12, 0.18)), rgba, friction=friction
        )
    if kind == "pot":
        radius, height = float(u(0.048, 0.056)), float(u(0.072, 0.080))
        return ObjectSpec(kind, radius, height, (0.0, 0.0, height - 0.012), 2 * LID_KNOB, float(u(0.30, 0.45)), rgba, friction=friction)
    raise ValueError(f"unknown object kind {kind!r}; known: {OBJECT_KINDS}")


BOWL_WALL = 0.008
"""Thickness of a bowl's wall [m], which is what the fingers span."""
LID_KNOB = 0.013
"""Radius of the knob on a pot's lid [m]."""
LID_KNOB_HEIGHT = 0.028
"""Height of that knob [m]: the pads are 16 mm long."""


def object_body(spec: ObjectSpec) -> Element:
    """A free body at the origin; body and joint carry the object's name, geoms `NAME/part`."""
    body = mjcf.body(spec.name)
    mjcf.free_joint(body, spec.name)
    for index, angle in enumerate(np.arange(4) * np.pi / 2 + np.pi / 4):
        reach = 0.9 * spec.radius if spec.length == 0 else 0.85 * spec.radius
        turn = angle if spec.length == 0 else np.copysign(np.arctan2(spec.grip_width, spec.length), np.sin(angle))
        x = np.copysign(reach * np.cos(turn), np.cos(angle))
        mjcf.sphere(body, f"{spec.name}/foot_{index}", (x, reach * np.sin(turn), FEET), FEET, spec.rgba, mjcf.OBJECT, spec.friction, 0.0005)
    _BUILDERS[spec.name](body, spec)
    return body


def _cylinder(body: Element, spec: ObjectSpec) -> None:
    half = (spec.height - FEET_LIFT) / 2
    mjcf.cylinder(body, f"{spec.name}/wall", (0, 0, FEET_LIFT + half), spec.radius, half, spec.rgba, mjcf.OBJECT, spec.mass)


def _mug(body: Element, spec: ObjectSpec) -> None:
    _cylinder(body, spec)
    # Seen but not felt: a real handle would catch on fingers and neighbours without changing any task.
    mjcf.box(body, "mug/handle", (spec.radius + 0.008, 0, spec.height / 2), (0.010, 0.004, spec.height / 4), spec.rgba, mjcf.GHOST)
    mjcf.cylinder(body, "mug/coffee", (0, 0, spec.height), 0.75 * spec.radius, 0.0005, (0.18, 0.09, 0.04, 1.0), mjcf.GHOST)


def _can(body: Element, spec: ObjectSpec) -> None:
    _cylinder(body, spec)
    mjcf.cylinder(body, "can/top", (0, 0, spec.height), 0.85 * spec.radius, 0.0005, (0.80, 0.80, 0.82, 1.0), mjcf.GHOST)


def _box(body: Element, spec: ObjectSpec) -> None:
    half = (spec.height - FEET_LIFT) / 2
    mjcf.box(
        body, "box/wall", (0, 0, FEET_LIFT + half), (spec.length / 2, spec.grip_width / 2, half), spec.rgba, mjcf.OBJECT, mass=spec.mass
    )


def _bowl(body: Element, spec: ObjectSpec) -> None:
    bottom = 0.006
    mjcf.cylinder(
        body,
        "bowl/bottom",
        (0, 0, FEET_LIFT + bottom / 2),
        spec.radius - BOWL_WALL / 2,
        bottom / 2,
        spec.rgba,
        mjcf.OBJECT,
        0.6 * spec.mass,
    )
    count, middle, half_z = 8, spec.radius - BOWL_WALL / 2, (spec.height - FEET_LIFT) / 2
    half_width = (spec.radius - BOWL_WALL / 4) * np.tan(np.pi / count)
    for index in range(count):
        angle = 2 * np.pi * index / count
        centre = (middle * np.cos(angle), middle * np.sin(angle), FEET_LIFT + half_z)
        axes = ((-np.sin(angle), np.cos(angle), 0.0), (-np.cos(angle), -np.sin(angle), 0.0))
        mjcf.box(
            body, f"bowl/wall_{index}", centre, (half_width, BOWL_WALL / 2, half_z), spec.rgba, mjcf.OBJECT, axes, 0.4 * spec.mass / count
        )


def _pot(body: Element, spec: ObjectSpec) -> None:
    half = (spec.height - FEET_LIFT - LID_KNOB_HEIGHT) / 2
    mjcf.cylinder(body, "pot/wall", (0, 0, FEET_LIFT + half), spec.radius, half, spec.rgba, mjcf.OBJECT, 0.9 * spec.mass)
    knob_z = spec.height - LID_KNOB_HEIGHT / 2
    mjcf.cylinder(body, "pot/lid_knob", (0, 0, knob_z), LID_KNOB, LID_KNOB_HEIGHT / 2, (0.1, 0.1, 0.1, 1.0), mjcf.OBJECT, 0.1 * spec.mass)


_BUILDERS: dict[str, Callable[[Element, ObjectSpec], None]] = {"mug": _mug, "bowl": _bowl, "can": _can, "pot": _pot, "box": _box}

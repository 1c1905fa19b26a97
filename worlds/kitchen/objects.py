"""The loose things of a kitchen: sampled sizes and their MJCF bodies."""

from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from hiermap.worlds.kitchen import mjcf
from hiermap.worlds.kitchen.spec import RGBA, ObjectSpec

FEET = 0.004
"""Radius of the four feet an object stands on [m]: four sphere contacts instead of the ten or more of a disc."""
COFFEE, TIN, BLACK = (0.18, 0.09, 0.04, 1.0), (0.80, 0.80, 0.82, 1.0), (0.1, 0.1, 0.1, 1.0)
FEET_LIFT = 0.002
"""Gap between the counter and an upright object's walls [m], so that only its feet touch."""
BOWL_WALL = 0.008
"""Thickness of a bowl's wall [m], which is what the fingers span."""
LID_KNOB = 0.013
"""Radius of the knob on a pot's lid [m]."""
LID_KNOB_HEIGHT = 0.028
"""Height of that knob [m]: the pads are 16 mm long."""
Interval = tuple[float, float]
SIZES: dict[str, tuple[Interval, Interval | None, Interval, Interval, float]] = {
    "mug": ((0.0255, 0.0275), None, (0.066, 0.076), (0.18, 0.30), 0.022),
    "can": ((0.0235, 0.0270), None, (0.066, 0.076), (0.20, 0.35), 0.022),
    "box": ((0.040, 0.052), (0.060, 0.080), (0.060, 0.076), (0.20, 0.35), 0.022),
    "bowl": ((0.050, 0.056), None, (0.048, 0.055), (0.12, 0.18), 0.012),
    "pot": ((0.048, 0.056), None, (0.072, 0.080), (0.30, 0.45), 0.012),
}
"""Lowest and highest radius (a box's width), length (of boxes), height [m] and mass [kg], and how far below the top it is gripped [m];
every height is at most 8 cm so that it fits into any drawer."""


def sample_object(kind: str, rng: np.random.Generator, rgba: RGBA) -> ObjectSpec:
    """Random size, mass and friction of one kind."""
    across, along, tall, heavy, depth = SIZES[kind]
    # Slippery enough that a mug slides, instead of toppling, when a door or a finger pushes it 3 cm above the counter.
    friction, radius = float(rng.uniform(0.35, 0.55)), float(rng.uniform(*across))
    length = 0.0 if along is None else float(rng.uniform(*along))
    width = {"box": radius, "bowl": BOWL_WALL, "pot": 2 * LID_KNOB}.get(kind, 2 * radius)
    if along is not None:
        radius = float(np.hypot(width, length) / 2)
    height, mass = float(rng.uniform(*tall)), float(rng.uniform(*heavy))
    grip = (0.0, radius - BOWL_WALL / 2 if kind == "bowl" else 0.0, height - depth)
    return ObjectSpec(kind, radius, height, grip, width, mass, rgba, length, friction)


def object_body(spec: ObjectSpec) -> Element:
    """A free body at the origin; body and joint carry the object's name, geoms `NAME/part`."""
    body = mjcf.body(spec.name)
    SubElement(body, "freejoint", name=spec.name)
    for index, angle in enumerate(np.arange(4) * np.pi / 2 + np.pi / 4):
        reach = 0.9 * spec.radius if spec.length == 0 else 0.85 * spec.radius
        turn = angle if spec.length == 0 else np.copysign(np.arctan2(spec.grip_width, spec.length), np.sin(angle))
        x = np.copysign(reach * np.cos(turn), np.cos(angle))
        foot = {"pos": (x, reach * np.sin(turn), FEET), "size": FEET, "mass": 0.0005, "friction": spec.friction}
        mjcf.geom(body, f"{spec.name}/foot_{index}", "sphere", mjcf.OBJECT, spec.rgba, **foot)
    _BUILDERS[spec.name](body, spec)
    return body


def _solid(body: Element, spec: ObjectSpec, part: str, kind: str, across: Sequence[float], height: float, share: float = 1.0) -> None:
    """A part that stands right above the feet and has a share of the mass; `across` is a radius, or half a length and half a width [m]."""
    shape = {"pos": (0, 0, FEET_LIFT + height / 2), "size": (*across, height / 2), "mass": share * spec.mass}
    mjcf.geom(body, f"{spec.name}/{part}", kind, mjcf.OBJECT, spec.rgba, **shape)


def _mug(body: Element, spec: ObjectSpec) -> None:
    _solid(body, spec, "wall", "cylinder", (spec.radius,), spec.height - FEET_LIFT)
    # Seen but not felt: a real handle would catch on fingers and neighbours without changing any task.
    handle = {"pos": (spec.radius + 0.008, 0, spec.height / 2), "size": (0.010, 0.004, spec.height / 4)}
    mjcf.geom(body, "mug/handle", "box", mjcf.GHOST, spec.rgba, **handle)
    mjcf.geom(body, "mug/coffee", "cylinder", mjcf.GHOST, COFFEE, pos=(0, 0, spec.height), size=(0.75 * spec.radius, 0.0005))


def _can(body: Element, spec: ObjectSpec) -> None:
    _solid(body, spec, "wall", "cylinder", (spec.radius,), spec.height - FEET_LIFT)
    mjcf.geom(body, "can/top", "cylinder", mjcf.GHOST, TIN, pos=(0, 0, spec.height), size=(0.85 * spec.radius, 0.0005))


def _box(body: Element, spec: ObjectSpec) -> None:
    _solid(body, spec, "wall", "box", (spec.length / 2, spec.grip_width / 2), spec.height - FEET_LIFT)


def _bowl(body: Element, spec: ObjectSpec) -> None:
    middle = spec.radius - BOWL_WALL / 2
    _solid(body, spec, "bottom", "cylinder", (middle,), 0.006, share=0.6)
    count, half_z = 8, (spec.height - FEET_LIFT) / 2
    half_width = (spec.radius - BOWL_WALL / 4) * np.tan(np.pi / count)
    shape = {"size": (half_width, BOWL_WALL / 2, half_z), "mass": 0.4 * spec.mass / count}
    for index in range(count):
        angle = 2 * np.pi * index / count
        centre = (middle * np.cos(angle), middle * np.sin(angle), FEET_LIFT + half_z)
        axes = (-np.sin(angle), np.cos(angle), 0.0, -np.cos(angle), -np.sin(angle), 0.0)
        mjcf.geom(body, f"bowl/wall_{index}", "box", mjcf.OBJECT, spec.rgba, pos=centre, xyaxes=axes, **shape)


def _pot(body: Element, spec: ObjectSpec) -> None:
    _solid(body, spec, "wall", "cylinder", (spec.radius,), spec.height - FEET_LIFT - LID_KNOB_HEIGHT, share=0.9)
    knob = {"pos": (0, 0, spec.height - LID_KNOB_HEIGHT / 2), "size": (LID_KNOB, LID_KNOB_HEIGHT / 2), "mass": 0.1 * spec.mass}
    mjcf.geom(body, "pot/lid_knob", "cylinder", mjcf.OBJECT, BLACK, **knob)


_BUILDERS: dict[str, Callable[[Element, ObjectSpec], None]] = {"mug": _mug, "bowl": _bowl, "can": _can, "pot": _pot, "box": _box}

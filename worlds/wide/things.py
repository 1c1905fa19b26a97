"""What stands about in a wide kitchen and a hand can take: each draws its own size and builds itself with its base at its body's origin."""

from collections.abc import Callable, Mapping, Sequence

import mujoco
import numpy as np

from hiermap.worlds.wide.carpentry import BOX, CAPSULE, CYLINDER, DENSITY, THING, Point

HEIGHT_M, RADIUS_M, NARROW_M, BROAD_M, CUBE_M = (0.055, 0.09), (0.020, 0.029), (0.018, 0.028), (0.026, 0.036), (0.013, 0.028)
"""Heights of cans, jars, boxes and cubes; half of how wide they are."""

Thing = Callable[[mujoco.MjsBody, np.random.Generator], None]


def round_thing(body: mujoco.MjsBody, rng: np.random.Generator) -> None:
    """A cylinder."""
    height = float(rng.uniform(*HEIGHT_M))
    _solid(body, CYLINDER, [float(rng.uniform(*RADIUS_M)), height / 2, 0.0], 0.0, height, _colour(rng))


def box(body: mujoco.MjsBody, rng: np.random.Generator) -> None:
    """Broader than it is thick."""
    height = float(rng.uniform(*HEIGHT_M))
    _solid(body, BOX, [float(rng.uniform(*BROAD_M)), float(rng.uniform(*NARROW_M)), height / 2], 0.0, height, _colour(rng))


def cube(body: mujoco.MjsBody, rng: np.random.Generator) -> None:
    """As broad as thick, and every other one as high."""
    tall, narrow = float(rng.uniform(*HEIGHT_M)), float(rng.uniform(*CUBE_M))
    height = tall if rng.random() < 0.5 else 2 * narrow
    _solid(body, BOX, [narrow, narrow, height / 2], 0.0, height, _colour(rng))


def bottle(body: mujoco.MjsBody, rng: np.random.Generator) -> None:
    """A wide body and a neck, by which it is taken."""
    height, neck, colour = float(rng.uniform(0.045, 0.065)), float(rng.uniform(0.030, 0.040)), _colour(rng)
    _solid(body, CYLINDER, [float(rng.uniform(0.024, 0.032)), height / 2, 0.0], 0.0, height, colour)
    _solid(body, CYLINDER, [float(rng.uniform(0.010, 0.014)), neck / 2, 0.0], height, neck, colour)


def lid(body: mujoco.MjsBody, rng: np.random.Generator) -> None:
    """A disc with a grip in its middle."""
    height, grip, colour = float(rng.uniform(0.008, 0.012)), float(rng.uniform(0.030, 0.036)), _colour(rng)
    _solid(body, CYLINDER, [float(rng.uniform(0.028, 0.040)), height / 2, 0.0], 0.0, height, colour)
    _solid(body, CYLINDER, [float(rng.uniform(0.011, 0.014)), grip / 2, 0.0], height, grip, colour)


def kettle(body: mujoco.MjsBody, rng: np.random.Generator) -> None:
    """A wide body under an arch, by which it is taken."""
    radius, height, rise = float(rng.uniform(0.030, 0.055)), float(rng.uniform(0.045, 0.07)), float(rng.uniform(0.032, 0.055))
    colour, thick = _colour(rng), float(rng.uniform(0.005, 0.010))
    _solid(body, CYLINDER, [radius, height / 2, 0.0], 0.0, height, colour)
    corners = [(0.0, side * 0.8 * radius, height + rise * up) for side in (-1, 1) for up in (0, 1)]
    for one, other in ((0, 1), (2, 3), (1, 3)):
        _rod(body, corners[one], corners[other], thick, colour)


def pan(body: mujoco.MjsBody, rng: np.random.Generator) -> None:
    """A low wide body with one long handle, by which it is taken."""
    radius, height, length = float(rng.uniform(0.035, 0.05)), float(rng.uniform(0.025, 0.04)), float(rng.uniform(0.06, 0.09))
    colour, thick = _colour(rng), float(rng.uniform(0.007, 0.011))
    _solid(body, CYLINDER, [radius, height / 2, 0.0], 0.0, height, colour)
    _rod(body, (0.0, 0.9 * radius, height - thick), (0.0, radius + length, height + 0.01), thick, colour, light=0.2)


THING_KINDS: Mapping[str, Thing] = {"can": round_thing, "box": box, "jar": round_thing, "cube": cube, "kettle": kettle, "pan": pan}
UNSEEN_THINGS: Mapping[str, Thing] = {"bottle": bottle, "lid": lid}
"""Those of `UNSEEN_THINGS` only from the first test seed on: nothing is ever trained on them."""


def _colour(rng: np.random.Generator) -> list[float]:
    return [*rng.uniform(0.1, 0.9, 3).tolist(), 1.0]


def _rod(body: mujoco.MjsBody, start: Point, end: Point, radius: float, rgba: Sequence[float], light: float = 1.0) -> None:
    """A round rod between two points."""
    body.add_geom(
        type=CAPSULE,
        fromto=[*start, *end],
        size=[radius, 0, 0],
        rgba=rgba,
        contype=THING[0],
        conaffinity=THING[1],
        friction=[0.45, 0.005, 0.0001],
        density=1.5 * light * DENSITY,
    )


def _solid(body: mujoco.MjsBody, kind: mujoco.mjtGeom, size: Sequence[float], base: float, height: float, rgba: Sequence[float]) -> None:
    """Of a size and height, its base so high [m]."""
    body.add_geom(
        type=kind,
        pos=[0.0, 0.0, base + height / 2],
        size=size,
        rgba=rgba,
        contype=THING[0],
        conaffinity=THING[1],
        friction=[0.45, 0.005, 0.0001],
        density=1.5 * DENSITY,
    )

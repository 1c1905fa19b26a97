"""Where things may be set down: points of surfaces and of the bottoms of open containers, found by rays and collisions."""

from collections.abc import Sequence

import mujoco
import numpy as np

from hiermap.primitives.hand import YAWS_RAD
from hiermap.primitives.motion.kinematics import UP
from hiermap.primitives.specs import Command
from hiermap.worlds.geometry.kinematic_copy import STATIC, KinematicCopy
from hiermap.worlds.geometry.ways import reach
from hiermap.worlds.mjcf.parts import bounds, geoms_of
from hiermap.worlds.rules.places import POINT_DIGITS, Place
from hiermap.worlds.rules.state_table import HELD

SPACING_M = 0.07
"""Between points of one surface or container."""
MOST_POINTS = 4
"""Of one surface or container: the nearest to its middle and then always the farthest from those before, within the frame and reach."""
EDGE_M = 0.05
"""Points keep so far from an edge: of seven things that did not stay where they were set down six stood 3 to 4 cm from one."""
HELD_M = 0.05
"""So far above a floor the fingers are that set something down."""
CLEAR_M = 0.002
"""A thing is set down this much above a floor to ask whether it fits."""
MOST_PLACES = HELD - 1
"""A state has no more numbers for places that things share, one being for where a thing is written."""
OVER_M = 0.30
"""From so far above a container its bottom is looked for."""
FREE_M = 0.10
"""Nothing that stands still is so near above a surface's point."""


def floors(copy: KinematicCopy) -> list[Place]:
    """Every place that things share, in a fixed order; of every floor as many as a state has numbers for."""
    copy.reset()
    found = [_of_surface(copy, name) for name in copy.parts.surfaces]
    for name, part in copy.parts.fixtures.items():
        if part.holds_things:
            copy.turn(name, 1.0)
            found.append(_of_container(copy, name))
            copy.reset()
    fitting = (most for most in range(MOST_POINTS, 1, -1) if sum(len(own[:most]) for own in found) <= MOST_PLACES)
    most = next(fitting, 1)
    return [place for own in found for place in own[:most]][:MOST_PLACES]


def fits(copy: KinematicCopy, thing: str, place: Place) -> bool:
    """Whether a thing, turned as it is written, stands free at a place with nothing else there."""
    copy.reset()
    group = copy.groups[thing]
    if place.drawer is not None:
        copy.turn(place.drawer, 1.0)
    copy.stand(thing, np.array(place.point_world) + CLEAR_M * UP)
    near = copy.distances()[group]
    copy.reset()
    return bool(near[STATIC] > -CLEAR_M and (place.drawer is None or near[copy.groups[place.drawer]] > -CLEAR_M))


def _of_surface(copy: KinematicCopy, name: str) -> list[Place]:
    """On top of a box or cylinder, where nothing stands still."""
    model, data, geom = copy.model, copy.data, copy.parts.surfaces[name]
    mujoco.mj_kinematics(model, data)
    box = model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX
    half = model.geom_size[geom] if box else model.geom_size[geom][[0, 0, 1]]
    axes, centre = data.geom_xmat[geom].reshape(3, 3), data.geom_xpos[geom]
    points = (centre + axes @ np.array([x, y, half[2]]) for x, y in _grid(half[0], half[1]))
    free = [point for point in points if copy.first_met(point + FREE_M * UP, (CLEAR_M - FREE_M) * UP)[1] < 0]
    return [Place(_rounded(point), name) for point in _apart(copy, free)]


def _of_container(copy: KinematicCopy, name: str) -> list[Place]:
    """On the bottom of a container that stands open: where a ray from above meets it below its rim."""
    model, data, body = copy.model, copy.data, copy.parts.fixtures[name].body
    mujoco.mj_kinematics(model, data)
    low, high = bounds(model, data, geoms_of(model, body))
    middle, half = (low + high) / 2, (high - low) / 2
    found = []
    for x, y in _grid(half[0], half[1]):
        above = np.array([middle[0] + x, middle[1] + y, high[2] + OVER_M])
        way, group = copy.first_met(above, np.array([0.0, 0.0, -OVER_M - 2 * half[2]]))
        floor = above[2] - way
        if group == copy.groups[name] and floor < low[2] + half[2]:
            found.append(np.array([*above[:2], floor]))
    return [Place(_rounded(point), name, drawer=name) for point in _apart(copy, found)]


def _grid(half_x: float, half_y: float) -> list[tuple[float, float]]:
    """Points `SPACING_M` apart within a rectangle about the origin, the nearest to it first."""
    counts = (int(max(half - EDGE_M, 0.0) // SPACING_M) for half in (half_x, half_y))
    rows, columns = (np.arange(-count, count + 1) * SPACING_M for count in counts)
    points = [(float(x), float(y)) for x in rows for y in columns]
    return sorted(points, key=lambda point: (np.hypot(*point), point))


def _apart(copy: KinematicCopy, points: Sequence[np.ndarray]) -> list[np.ndarray]:
    """`MOST_POINTS` of the points [3] that are seen and reached from above, each the farthest from those before it."""
    left = [point for point in points if _is_served(copy, point)]
    chosen = left[:1]
    while left and len(chosen) < MOST_POINTS:
        away = np.linalg.norm(np.array(left)[:, None] - np.array(chosen), axis=-1).min(axis=1)
        if away.max() < SPACING_M / 2:
            break
        chosen.append(left[int(away.argmax())])
    return chosen


def _is_served(copy: KinematicCopy, point: np.ndarray) -> bool:
    """Whether the frame shows a point and the hand comes down on it."""
    frame = copy.scene.frame
    if not frame.contains(frame.point_to_cell(point)[0]):
        return False
    x, y, z = point + HELD_M * UP
    commands = (Command("place", (x, y, z), (0.0, 0.0, 1.0), rotation) for rotation in range(len(YAWS_RAD["place"])))
    return any(reach(copy, command) is not None for command in commands)


def _rounded(point: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (round(float(coordinate), POINT_DIGITS) for coordinate in point)
    return x, y, z

"""Which seen cells of a part or thing a primitive would move: by which way it goes, and whether the fingers get around it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from scipy.ndimage import white_tophat

from hiermap.primitives.hand import YAWS_RAD
from hiermap.primitives.motion.kinematics import UP
from hiermap.primitives.skills.push import FLAP_TILT, FLAP_UP, FRONTAL
from hiermap.primitives.specs import PRIMITIVES, Command
from hiermap.worlds.base import Action
from hiermap.worlds.geometry.fingers import is_top, may_take
from hiermap.worlds.geometry.kinematic_copy import KinematicCopy
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.perception.grounding import ground

ALONG = 0.6
"""Cosine between where a primitive pushes or pulls and where the part goes there."""
ABOUT = 0.85
"""Cosine between the face's normal and the axis of what is turned."""
CELLS = 48
"""Cells of a part that are tried, spread evenly: so many of what stands off its face, and so many of the rest."""
LEVER = 0.5
"""Cosine between the normal of a front and the axis of what is pushed aside there: of a lever, or of a door that slides."""
OFF_FACE_M = 0.012
HANDLE_CELLS = 9
"""What stands further off a part than this, and is narrower, is a handle."""
GIVES_M = 0.004
"""A point that moves less over the whole range moves nothing worth pushing."""
BESIDE_M = 0.06
"""A front is best pushed this far beside its handle, which the palm would meet."""
FAR_M = 10.0
"""Where nothing is seen."""
NEAR_AXIS_M = 0.09
"""What is turned is gripped this near to its axis."""
AT_EDGE = 0.85
"""What hangs open is lifted this share of its reach from the hinge, or further."""
FAR_FROM_HINGE = 0.35
"""A swinging part is pushed or pulled this share of its reach from the hinge, or further."""
EDGE_CELLS = 2
"""At the frame's edge noise decides what is seen: no way is known by so many of its outermost cells."""
ASIDE = PRIMITIVES["push"].rotations.index("left")
"""An orientation of what goes level, as pulls do."""
NONE = np.zeros((0, 3))
Cell = tuple[int, int]


def fixture_grips(copy: KinematicCopy, view: SpatialView, mask: np.ndarray, name: str, start: float, end: float) -> list[Command]:
    """What would bring a fixture from fraction `start` to `end`, as the view shows it, the best of each orientation first."""
    seen = mask & view.valid
    handle = standing_off(view, seen)
    cells = [*_spread(_inner(handle)), *_spread(_inner(seen & ~handle))]
    found = [command for _, command in grips_at(copy, view, cells, seen, handle, name, start, end)]
    return _ranked(found, view.points[handle] if copy.slides(copy.parts.fixtures[name]) else NONE)


def grips_at(
    copy: KinematicCopy,
    view: SpatialView,
    cells: Sequence[Cell],
    seen: np.ndarray,
    handle: np.ndarray,
    name: str,
    start: float,
    end: float,
) -> Iterator[tuple[Cell, Command]]:
    """What would do it at some cells of a fixture, of which `seen` `[H, W]` bool is in sight and `handle` stands off it."""
    points = np.array([view.point(cell) for cell in cells], float).reshape(-1, 3)
    part, axis = copy.parts.fixtures[name], copy.opening_axis(name) * np.sign(end - start)
    way = copy.carried(name, points, start, start + 0.05 * (end - start)) - points
    gone = np.linalg.norm(copy.carried(name, points, start, end) - points, axis=1)
    off_axis = copy.off_axis(name, points)
    opens, slides = part.ends[0] == "closed", copy.slides(part)
    furthest = copy.off_axis(name, view.points[seen].astype(float)).max(initial=0.0)
    wide = ~np.bool_(opens) | (off_axis >= FAR_FROM_HINGE * furthest)
    for cell, step, given, from_axis in zip(cells, way, np.where(wide, gone, 0.0), off_axis, strict=True):
        known = ground(view, Action("push", cell, 0))
        fitting = _turning(known, axis) if not (opens or slides) and from_axis <= NEAR_AXIS_M else iter(())
        if given >= GIVES_M:
            upright = ground(view, Action("push", cell, ASIDE)) if opens or handle[cell] else known
            # A knob and a button stand off their panel too, but what pushes them aside does not move them.
            is_bar = handle[cell] and (slides or not opens) and abs(np.array(upright.normal_world) @ axis) < LEVER
            level = _level_ways(upright, opens and (end > start or slides), bool(is_bar))
            ways = _inward_ways(known, opens, slides, end > start, bool(is_bar), from_axis >= AT_EDGE * furthest)
            if slides and not opens and is_top(copy, known, name):
                ways["down"] = -UP
            fitting = chain(fitting, _going(upright, step, level), _going(known, step, ways))
        yield from ((cell, command) for command in fitting if may_take(copy, command, name))


def standing_off(view: SpatialView, seen: np.ndarray) -> np.ndarray:
    """Which of some cells `[H, W]` bool show something narrow that stands off what is behind it: `[H, W]` bool."""
    if not seen.any():
        return seen
    # A face is oblique to the view: along its normal it is level, and only what stands off it is higher.
    face = np.median(view.normals[seen], axis=0)
    ways = (-view.frame.view_direction, face / max(float(np.linalg.norm(face)), 1e-6))
    heights = (np.where(seen, view.points @ way, -FAR_M) for way in ways)
    return seen & np.logical_and.reduce([white_tophat(height, size=HANDLE_CELLS) > OFF_FACE_M for height in heights])


def thing_grips(copy: KinematicCopy, view: SpatialView, mask: np.ndarray, name: str) -> list[Command]:
    """Grasps of a thing as the view shows it, the most central of each orientation first."""
    return _ranked([command for _, command in thing_grips_at(copy, view, _spread(_inner(mask & view.valid)), name)], NONE)


def thing_grips_at(copy: KinematicCopy, view: SpatialView, cells: Sequence[Cell], name: str) -> Iterator[tuple[Cell, Command]]:
    """Grasps of a thing at some cells of it."""
    for cell in cells:
        for rotation in range(len(YAWS_RAD["grasp"])):
            command = ground(view, Action("grasp", cell, rotation))
            if is_top(copy, command, name) and may_take(copy, command, name):
                yield cell, command


def _level_ways(known: Command, pulled: bool, has_bar: bool) -> dict[str, np.ndarray]:
    """Effect -> which way [3] it takes a point along the ground: a pull ("") where it is `pulled`, and pushes aside by its bar."""
    normal = np.array(known.normal_world)
    if abs(normal[2]) > FLAP_TILT:
        return {}
    flat = _flat(normal)
    aside = np.cross(flat, UP)
    ways = {"left": aside, "right": -aside} if has_bar and normal[0] < FRONTAL else {}
    return ways | ({"": flat} if pulled else {})


def _inward_ways(known: Command, opens: bool, slides: bool, out: bool, has_bar: bool, at_edge: bool) -> dict[str, np.ndarray]:
    """The same of pushes inward: what opens is pushed in, where it `slides` also out, a flap by its edge; what is switched is pushed from
    the front unless it `has_bar`."""
    normal = np.array(known.normal_world)
    if abs(normal[2]) > FLAP_TILT:
        return {"inward": FLAP_UP} if at_edge and not slides and not (opens and out) else {}
    pushed = (slides or not out) if opens else (normal[0] < FRONTAL and not has_bar)
    return {"inward": -_flat(normal)} if pushed else {}


def _flat(normal: np.ndarray) -> np.ndarray:
    """A direction [3] along the ground, of unit length."""
    flat = np.array([normal[0], normal[1], 0.0])
    return flat / np.linalg.norm(flat)


def _going(known: Command, step: np.ndarray, ways: Mapping[str, np.ndarray]) -> Iterator[Command]:
    """The pulls and pushes at a point that goes where they would take it, in all orientations."""
    for primitive in ("pull", "push"):
        for rotation, bin_ in enumerate(PRIMITIVES[primitive].bins):
            if bin_.effect in ways and ways[bin_.effect] @ step >= ALONG * np.linalg.norm(step):
                yield replace(known, primitive=primitive, rotation_index=rotation)


def _turning(known: Command, axis: np.ndarray) -> Iterator[Command]:
    """The turns about the normal at a point that are turns about the axis, the right way round."""
    for rotation, bin_ in enumerate(PRIMITIVES["rotate"].bins):
        if (1.0 if bin_.effect == "ccw" else -1.0) * np.array(known.normal_world) @ axis >= ABOUT:
            yield replace(known, primitive="rotate", rotation_index=rotation)


def _inner(mask: np.ndarray) -> np.ndarray:
    """A mask `[H, W]` without the cells at the frame's edge."""
    inner = np.zeros_like(mask)
    inside = (slice(EDGE_CELLS, -EDGE_CELLS),) * 2
    inner[inside] = mask[inside]
    return inner


def _spread(mask: np.ndarray) -> list[Cell]:
    """Up to `CELLS` cells of a mask, evenly."""
    cells = np.argwhere(mask)
    chosen = cells[np.linspace(0, len(cells) - 1, min(CELLS, len(cells))).round().astype(int)] if len(cells) else cells
    return [(int(row), int(column)) for row, column in chosen]


def _ranked(found: Sequence[Command], handle: np.ndarray) -> list[Command]:
    """In order of how far they are from the best of the same primitive and orientation: inward pushes from `BESIDE_M` beside what stands
    off at `handle` [N, 3], sideways ones from the foremost, others from the middle."""

    def off(command: Command) -> float:
        effect = PRIMITIVES[command.primitive].bins[command.rotation_index].effect
        alike = np.array([c.point_world for c in found if (c.primitive, c.rotation_index) == (command.primitive, command.rotation_index)])
        offset = alike - command.point_world
        if effect == "inward" and len(handle):
            return abs(float(np.linalg.norm(handle - command.point_world, axis=1).min()) - BESIDE_M)
        if effect in ("left", "right"):
            return float((offset @ np.array(command.normal_world)).max())
        return float(np.linalg.norm(offset.mean(axis=0)))

    return sorted(found, key=off)

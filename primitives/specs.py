"""What the robot can do: the visible registry of primitives and their orientation bins.

Pure data: importing this module needs neither mujoco nor torch, so planners may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ROTATION_BINS = 4
"""R: orientation bins of every primitive; one that needs fewer leaves the rest unused."""


@dataclass(frozen=True)
class PrimitiveSpec:
    """One motor primitive as the planner sees it.

    Attributes:
        name: key in `PRIMITIVES`.
        rotations: what each used orientation bin means, at most `ROTATION_BINS` names.
        bound_seconds: the program ends within this simulated time [s].
        needs_object: True if it only makes sense with an object held, False if only with a free hand.
        typical_seconds: cost charged by a planner before the primitive was ever run [s].
    """

    name: str
    rotations: tuple[str, ...]
    bound_seconds: float
    typical_seconds: float
    needs_object: bool = False


@dataclass(frozen=True)
class Command:
    """A primitive grounded in metres, as a motor program receives it.

    Attributes:
        primitive: key in `PRIMITIVES`.
        point_world: contact point on the visible surface, [3] [m].
        normal_world: unit outward surface normal there (robust local plane), [3].
        rotation_index: orientation bin.
    """

    primitive: str
    point_world: tuple[float, float, float]
    normal_world: tuple[float, float, float]
    rotation_index: int


@dataclass(frozen=True)
class PrimitiveResult:
    """What a motor program reports, from its own feedback alone.

    Attributes:
        succeeded: the program's own opinion; a fresh look may disagree.
        reason: "done" or why not ("unreachable", "blocked", "missed", "stalled", "slipped", "timeout", "hand_full", "hand_empty").
        duration: simulated time used [s].
        displacement: path length of the tool while in contact [m], or turned angle [rad] for rotate.
    """

    succeeded: bool
    reason: str
    duration: float
    displacement: float


_SPECS = (
    PrimitiveSpec("grasp", ("yaw_0", "yaw_45", "yaw_90", "yaw_135"), 15.0, 5.0),
    PrimitiveSpec("place", ("yaw_0", "yaw_90"), 15.0, 5.0, needs_object=True),
    PrimitiveSpec("push", ("inward", "left", "right", "down"), 25.0, 9.0),
    PrimitiveSpec("pull", ("roll_0", "roll_90"), 30.0, 10.0),
    PrimitiveSpec("rotate", ("ccw_roll_0", "cw_roll_0", "ccw_roll_90", "cw_roll_90"), 25.0, 9.0),
)

PRIMITIVES: Mapping[str, PrimitiveSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Name -> spec; the order is the channel order of every map."""

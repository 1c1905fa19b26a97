"""What the robot can do: the visible registry of primitives and their orientation bins.

Pure data: importing this module needs neither mujoco nor torch, so planners may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

ROTATION_BINS = 4
"""R: orientation bins of every primitive; one that needs fewer leaves the rest unused."""


@dataclass(frozen=True)
class Bin:
    """One orientation in which a primitive is applied.

    Attributes:
        name: unique within its primitive; stored data and weights know the bin by it.
        effect: what it leads to; bins of one effect differ only in how the hand is turned.
        mirror: name of the bin it becomes when left and right are exchanged, "" if it stays.
    """

    name: str
    effect: str = ""
    mirror: str = ""


@dataclass(frozen=True)
class PrimitiveSpec:
    """One motor primitive as the planner sees it.

    Attributes:
        name: key in `PRIMITIVES`.
        bins: its orientations, at most `ROTATION_BINS`; the order is that of its channels.
        bound_seconds: the program ends within this simulated time [s].
        needs_object: True if it only makes sense with an object held, False if only with a free hand.
        from_above: the hand comes straight down, whatever the surface looks like.
        typical_seconds: cost charged by a planner before the primitive was ever run [s].
    """

    name: str
    bins: tuple[Bin, ...]
    bound_seconds: float
    typical_seconds: float
    needs_object: bool = False
    from_above: bool = False

    @property
    def rotations(self) -> tuple[str, ...]:
        """Names of the bins."""
        return tuple(bin_.name for bin_ in self.bins)

    def effects(self) -> dict[str, tuple[int, ...]]:
        """Effect -> the bins that lead to it."""
        wanted = dict.fromkeys(bin_.effect for bin_ in self.bins)
        return {effect: tuple(k for k, bin_ in enumerate(self.bins) if bin_.effect == effect) for effect in wanted}


@dataclass(frozen=True)
class Command:
    """A primitive grounded in metres, as a motor program receives it.

    Attributes:
        primitive: key in `PRIMITIVES`.
        point_world: contact point on the visible surface, `[3]` [m].
        normal_world: unit outward surface normal there (robust local plane), [3].
        rotation_index: orientation bin.
    """

    primitive: str
    point_world: tuple[float, float, float]
    normal_world: tuple[float, float, float]
    rotation_index: int


class Reason(StrEnum):
    """Why a primitive ended."""

    DONE = "done"
    UNREACHABLE = "unreachable"
    """No branch of the arm reaches the pose; nothing has moved."""
    BLOCKED = "blocked"
    """Something stands in the way of the approach."""
    MISSED = "missed"
    """Nothing was met or gripped where something should be."""
    STALLED = "stalled"
    """What was pushed, pulled or turned gave too little."""
    SLIPPED = "slipped"
    """The grip or the contact was lost, or led nowhere."""
    TIMEOUT = "timeout"
    """The program's time was over."""
    HAND_FULL = "hand_full"
    HAND_EMPTY = "hand_empty"
    """The hand is not as the primitive needs it; nothing has moved."""
    NOTHING_THERE = "nothing_there"
    """The cell or the bin means nothing that a program could do."""
    UNGROUNDED = "ungrounded"
    """The cell shows nothing to act on any more."""
    SPOILED = "spoiled"
    """Something fell over or off the counter: the judge's word, no program's."""


@dataclass(frozen=True)
class PrimitiveResult:
    """What a motor program reports, from its own feedback alone.

    Attributes:
        succeeded: the program's own opinion; a fresh look may disagree.
        reason: DONE, or why not.
        duration: simulated time used [s].
        displacement: path length of the tool while in contact [m], or turned angle [rad] for rotate.
    """

    succeeded: bool
    reason: Reason
    duration: float
    displacement: float


_SPECS = (
    PrimitiveSpec(
        "grasp",
        (Bin("yaw_0"), Bin("yaw_45", mirror="yaw_135"), Bin("yaw_90"), Bin("yaw_135", mirror="yaw_45")),
        bound_seconds=15.0,
        typical_seconds=5.0,
        from_above=True,
    ),
    PrimitiveSpec("place", (Bin("yaw_0"), Bin("yaw_90")), 15.0, 5.0, needs_object=True, from_above=True),
    PrimitiveSpec(
        "push", (Bin("inward", "inward"), Bin("left", "left", "right"), Bin("right", "right", "left"), Bin("down", "down")), 30.0, 9.0
    ),
    PrimitiveSpec("pull", (Bin("roll_0"), Bin("roll_90")), 30.0, 10.0),
    # Where a mark shows which way a knob turns on, it shows the other way in a mirror; where only a convention tells, a model is told that
    # it looks into one.
    PrimitiveSpec(
        "rotate",
        (
            Bin("ccw_roll_0", "ccw", "cw_roll_0"),
            Bin("cw_roll_0", "cw", "ccw_roll_0"),
            Bin("ccw_roll_90", "ccw", "cw_roll_90"),
            Bin("cw_roll_90", "cw", "ccw_roll_90"),
        ),
        bound_seconds=25.0,
        typical_seconds=9.0,
    ),
)

PRIMITIVES: Mapping[str, PrimitiveSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Name -> spec; the order is the channel order of every map."""

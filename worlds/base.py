"""The contract between planners and any world: frozen records, opaque state.

Letters, everywhere: `B` batch, `P` primitives, `R` orientation bins, `H x W` cells, `D` latent channels.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import Goal

if TYPE_CHECKING:
    from hiermap.worlds.perception.fusion import SpatialView


@dataclass(frozen=True)
class Action:
    """Apply a primitive at a cell.

    Attributes:
        primitive: key in `hiermap.primitives.specs.PRIMITIVES`.
        cell: (row, column) in the spatial frame.
        rotation_index: orientation bin, below `ROTATION_BINS`.
    """

    primitive: str
    cell: tuple[int, int]
    rotation_index: int


@dataclass(frozen=True)
class GripperState:
    """The robot's own knowledge of its hand: opening `width` [m] and whether it holds something."""

    width: float
    holding: bool


@dataclass(frozen=True, eq=False)
class CameraView:
    """One calibrated perspective RGB-D image.

    Attributes:
        rgb: `[h, w, 3]` uint8.
        depth: `[h, w]` distance along the optical axis [m]; NaN where unknown.
        K: `[3, 3]` intrinsics [px].
        T_camera_to_world: `[4, 4]`, OpenCV axes (x right, y down, z forward) [m].
        is_robot: `[h, w]` bool, pixels that another self-filter attributes to the robot's own body, or None.
        fiducials_world: `[n, 3]` known places of calibration marks [m], or None.
        fiducials_pixel: `[n, 2]` where the camera sees them (u, v) [px]; NaN for one it does not see.
    """

    rgb: np.ndarray
    depth: np.ndarray
    K: np.ndarray
    T_camera_to_world: np.ndarray
    is_robot: np.ndarray | None = None
    fiducials_world: np.ndarray | None = None
    fiducials_pixel: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class RobotBody:
    """Where the robot's own links are by its joint angles: `n` oriented boxes, and what it holds.

    Attributes:
        centres_world: `[n, 3]` [m].
        axes_world: `[n, 3, 3]` rotations; columns are the boxes' axes.
        half_sizes: `[n, 3]` [m] along these axes.
        held_world: `[3]` [m] the point between the fingers while they hold something, else None.
    """

    centres_world: np.ndarray
    axes_world: np.ndarray
    half_sizes: np.ndarray
    held_world: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Observation:
    """What a robot may know before it acts: calibrated images and its own hand, nothing privileged."""

    views: tuple[CameraView, ...]
    gripper: GripperState
    body: RobotBody | None = None
    """What to leave out of the views as the robot's own; None leaves out nothing but `CameraView.is_robot`."""


@dataclass(frozen=True, eq=False)
class Node:
    """A (possibly imagined) state.

    Attributes:
        state: opaque to everything but its world.
        progress: 1 / (1 + n) in [0, 1], n the estimated number of missing primitives; 1 exactly when the goal is believed.
        predicates: `str(predicate)` of the goal -> probability that it holds, in [0, 1]; empty if the world does not say.
    """

    state: Any
    progress: float
    predicates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an action leads to.

    Attributes:
        node: after an action that has its effect.
        success: probability that it has, in [0, 1].
        cost: its duration [s].
        same_as: index of the first action of the same expansion that leads to the same state, if it is another one.
    """

    node: Node
    success: float
    cost: float
    same_as: int | None = None


class World(Protocol):
    """Where a planner may imagine."""

    frame: SpatialFrame

    def root(self, view: "SpatialView", goal: Goal, first: "SpatialView | None" = None, remembered: Node | None = None) -> Node:
        """The node of what is seen now.

        `first` is the episode's first view, in which the goal's masks are given, when `view` is a later one. `remembered` is the node
        that the planner holds for this moment: what cannot be seen now, such as the mug in a drawer that was shut since, may be carried
        over from it.

        Raises:
            InvalidObservationError: a view that this world cannot read.
            InvalidGoalError: a target cannot be what the goal says of it, as far as this world can tell.
        """

    def maps(self, nodes: Sequence[Node]) -> np.ndarray:
        """`[N, P, R, H, W]` probability in [0, 1] that primitive P in orientation bin R applied at a cell has its effect."""

    def expand(self, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
        """For each node one outcome per action, in order; everything in as few passes as possible."""

    def key(self, node: Node) -> Hashable:
        """Equal for nodes that a search should treat as duplicates."""

    def point(self, node: Node, cell: tuple[int, int]) -> tuple[float, float, float] | None:
        """World point of the surface at a cell [m], imagined where the node is; None where nothing is known."""


@runtime_checkable
class Foresight(Protocol):
    """What a world may offer besides: guesses that are far cheaper than imagining, so that a search imagines only what it looks at.

    Attributes:
        foresees: whether it can; a model may have been trained without.
    """

    foresees: bool

    def promises(self, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
        """As `World.expand`, but guessed: the outcomes' nodes have progress and predicates only, their state is None."""

    def foretold(self, node: Node, action: Action, goal: Goal) -> Node:
        """What is promised of an action, as a node to be remembered by `World.root`: what is seen stays, beliefs change."""

    def twins(self, parent: Node, children: Sequence[Node]) -> list[int | None]:
        """For each imagined child of a node the index of an earlier one that is the same state, or None."""

    def undoes(self, before: Node, between: Node, after: Node) -> bool:
        """Whether the second of two imagined changes in a row takes back what the first did."""


@runtime_checkable
class Tracking(Protocol):
    """What a world may offer besides: it follows where things are by what is really done, not only by what was planned."""

    def tracked(self, imagined: Node, before: Node, action: Action) -> Node:
        """The imagined node of a step, to be remembered by `World.root`, after an action that had its effect where `before` was seen."""


@runtime_checkable
class Familiar(Protocol):
    """What a world may offer besides: whether it has learned from places like the one it looks at."""

    def familiarity(self, node: Node) -> float | None:
        """Of what a root sees, in [0, 1]: about 1 where it has learned, 0 where its answers mean nothing; None if it cannot tell."""


@runtime_checkable
class Picturing(Protocol):
    """What a world may offer besides: what a node looks like, for people."""

    def depth(self, node: Node) -> np.ndarray:
        """Depth of every cell along the view `[H, W]` [m], as it is imagined."""


@runtime_checkable
class Acting(Protocol):
    """What a world may offer besides: a policy that was trained to act at once, without maps and without imagining anything."""

    def policy(self, node: Node, goal: Goal) -> Mapping[Action, float]:
        """Actions that it would take in a node, each with its probability in [0, 1].

        Raises:
            ConfigError: the world's model was trained without.
        """

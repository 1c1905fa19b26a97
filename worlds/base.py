"""The contract between planners and any world: frozen records, opaque state.

Letters, everywhere: `B` batch, `P` primitives, `R` orientation bins, `H x W` cells, `D` latent channels.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import Goal


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


@dataclass(frozen=True)
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


FIRST_VIEW = "first"
"""Key in `Observation.extras`: the episode's first Observation, in which the goal's masks are given; absent in the first one itself."""
IMAGINED = "imagined"
"""Key in `Observation.extras`: the Node the planner holds for this moment. A world may carry over from it what cannot be seen now, such as
the mug in a drawer that was shut since; it is the planner's own memory, nothing privileged."""


@dataclass(frozen=True)
class Observation:
    """What a robot may know before it acts: calibrated images and its own hand, nothing privileged."""

    views: tuple[CameraView, ...]
    gripper: GripperState
    extras: Mapping[str, Any] = field(default_factory=dict)
    """Opaque to planners; only the toy world and the oracle world, which are allowed to know their state, read it."""
    body: RobotBody | None = None
    """What to leave out of the views as the robot's own; None leaves out nothing but `CameraView.is_robot`."""


@dataclass(frozen=True)
class Node:
    """A (possibly imagined) state: opaque `state`, `maps` `[P, R, H, W]` success probability in [0, 1], `progress` in [0, 1].

    `progress` is 1 exactly when the world believes the goal holds, and estimates how near the goal is otherwise.
    """

    state: Any
    maps: np.ndarray
    progress: float


@dataclass(frozen=True)
class Outcome:
    """The node after an action that has its effect, the probability `success` in [0, 1] that it has, and its `cost` [s]."""

    node: Node
    success: float
    cost: float


@runtime_checkable
class World(Protocol):
    """Where a planner may imagine."""

    frame: SpatialFrame

    def root(self, observation: Observation, goal: Goal) -> Node:
        """The node of what is seen now."""
        ...

    def expand(self, node: Node, actions: Sequence[Action], goal: Goal) -> list[Outcome]:
        """One outcome per action, in order; many actions in one pass."""
        ...

    def key(self, node: Node) -> Hashable:
        """Equal for nodes that a search should treat as duplicates."""
        ...

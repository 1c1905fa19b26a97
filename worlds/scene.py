"""Where actions happen: what execution needs of a robot, and what tasks, judges and environments need of a scene besides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hiermap.primitives.specs import PrimitiveResult
from hiermap.worlds.base import Action, Observation, World
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import Predicate

if TYPE_CHECKING:
    from hiermap.worlds.perception.fusion import SpatialView


class RealWorld(Protocol):
    """A robot, or a simulator in its place."""

    def observe(self) -> "Observation | SpatialView":
        """What is seen now."""

    def act(self, action: Action, view: "SpatialView") -> PrimitiveResult:
        """Apply a primitive at a cell of the view the action was chosen in.

        Raises:
            InvalidObservationError: the cell shows nothing to act on.
            PhysicsError: the simulation diverged; the episode is void.
        """


class Scene(RealWorld, Protocol):
    """A `RealWorld` whose truth can be asked, by whoever poses a task or judges it: never by what plans and acts."""

    frame: SpatialFrame

    def masks(self) -> Mapping[str, np.ndarray]:
        """Name -> `[H, W]` bool, the cells of each thing in the present view."""

    def vocabulary(self) -> list[Predicate]:
        """Every predicate that makes sense here, in a fixed order."""

    def truth(self, predicates: Sequence[Predicate]) -> dict[str, bool]:
        """`str(predicate)` -> whether it truly holds now."""

    def snapshot(self) -> Any:
        """Everything needed to go on from this moment; take it between primitives only."""

    def restore(self, snapshot: Any) -> None:
        """Back to a snapshot of this or of an equally built scene."""


@dataclass(frozen=True, eq=False)
class Oracle:
    """Optional part of a task: the true dynamics.

    Attributes:
        scene: the task's scene, its looks carrying the true state.
        world: makes a `World` on a copy of its own; given "oracle", or a function from a view to maps `[P, R, H, W]` in [0, 1].
    """

    scene: RealWorld
    world: Callable[[Any], World]


@dataclass(frozen=True, eq=False)
class PosedTask:
    """Something asked of a scene.

    Attributes:
        suite, seed: what it was drawn from.
        scene: as the task begins.
        predicates: what shall hold.
        shortest: primitives of the shortest solution; 0 if nobody has looked for one.
        detours: steps of that solution which no predicate asks for.
        oracle: None where there is none.
        next: poses the n-th further task, n >= 1, where the last one has left the scene, of things seen at first; None if it finds none.
    """

    suite: str
    seed: int
    scene: Scene
    predicates: tuple[Predicate, ...]
    shortest: int
    detours: int = 0
    oracle: Oracle | None = None
    next: "Callable[[int], PosedTask | None]" = lambda number: None

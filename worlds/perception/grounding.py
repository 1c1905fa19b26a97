"""From a cell of the view to metres: what a motor program is told."""

from hiermap.primitives.specs import PRIMITIVES, Command
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import UP_WORLD
from hiermap.worlds.perception.fusion import SpatialView


def ground(view: SpatialView, action: Action) -> Command:
    """The metric command of an action: the visible surface point of its cell and the face's outward normal there.

    Raises:
        InvalidObservationError: unknown primitive or orientation bin, a cell outside the frame or where nothing is seen.
    """
    spec = PRIMITIVES.get(action.primitive)
    if spec is None:
        raise InvalidObservationError(f"unknown primitive {action.primitive!r}; known: {', '.join(PRIMITIVES)}")
    if not 0 <= action.rotation_index < len(spec.rotations):
        raise InvalidObservationError(
            f"{action.primitive} has orientation bins 0..{len(spec.rotations) - 1} {spec.rotations}, got {action.rotation_index}"
        )
    normal = UP_WORLD if spec.from_above else view.normal(action.cell)
    return Command(action.primitive, tuple(view.point(action.cell).tolist()), tuple(normal.tolist()), action.rotation_index)

"""A single-primitive trial set up in its scene, with what only a judge knows of it."""

from hiermap.worlds.base import Action
from hiermap.worlds.kitchen.spec import KitchenSpec
from hiermap.worlds.oracle import affordances
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.rules import judge
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.tasks.kitchen_options import KitchenOptions
from hiermap.worlds.tasks.kitchens import PROCEDURAL, KitchenScene
from hiermap.worlds.tasks.single_primitives import primitive_trial


class PosedTrial:
    """One move asked for in a scene.

    Attributes:
        scene: as the trial begins.
        move: what shall happen.
    """

    scene: KitchenScene

    def __init__(self, suite: str, seed: int, sensing: SensingOptions | None = None, options: KitchenOptions = PROCEDURAL) -> None:
        drawn = primitive_trial(suite, seed, arm=options.robot)
        self.move, self._spec = drawn.move, drawn.spec
        self.scene = self._kitchen = KitchenScene(drawn.spec, sensing, arm=options.robot)
        self._kitchen.set_scene(drawn.scene)
        self._before, self._masks = self._kitchen.scene(), self._kitchen.masks()

    def oracle_action(self, view: SpatialView) -> Action | None:
        """Where privileged geometry makes the trial's own move in the first view; None when no cell shows its target."""
        return affordances.action_for(self._spec, self._before, view, self.move, self._masks)

    def meaning(self, action: Action, view: SpatialView) -> Move | None:
        """The move that an action at a cell of the first view would make, None if that cell has nothing for this primitive."""
        return affordances.move_for(self._spec, self._before, action, view)

    def had_effect(self, move: Move) -> bool:
        """Whether the scene has truly changed as the move says."""
        return judge.effect(self._spec, self._before, self._kitchen.scene(), move)

    def kind(self, move: Move) -> str:
        """The kind of thing a move acts on, as `kind_of` says."""
        return kind_of(self._spec, move)


def kind_of(spec: KitchenSpec, move: Move) -> str:
    """The kind of thing a move acts on: the fixture's kind, the object's name, or for "place" what it is put on."""
    kinds = {fixture.name: fixture.kind for fixture in spec.fixtures}
    if move.primitive != "place":
        return kinds.get(move.target, move.target)
    name = str(move.place and move.place.name)
    return kinds.get(name, "surface" if name in {surface.name for surface in spec.surfaces} else "counter")

"""What comes of an action in a kitchen: executed by a motor program and judged, or teleported to what the exact rules say."""

from collections.abc import Sequence
from dataclasses import replace

from hiermap.data.walks.recorder import Look, Step
from hiermap.primitives.hand import YAWS_RAD
from hiermap.primitives.specs import PRIMITIVES, Command, PrimitiveResult, Reason
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError, PhysicsError
from hiermap.worlds.kitchen.spec import KitchenSpec, SceneState
from hiermap.worlds.oracle.affordances import move_for, oracle_maps
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.rules.judge import effect, truth
from hiermap.worlds.rules.moves import Move, conceivable
from hiermap.worlds.rules.places import LOW, drawer_around, place_at
from hiermap.worlds.rules.shortest_paths import steps_to_predicates
from hiermap.worlds.rules.transitions import after, rotations, table_for
from hiermap.worlds.simulator.kitchen import Kitchen

LABEL_STEPS_CAP = 5
"""Predicates farther away than this many primitives are labelled beyond the cap."""
MIN_UPRIGHT = 0.9
"""Cosine of the tilt beyond which an object counts as knocked over; one that leans on a wall is not."""
_ORDER = tuple(PRIMITIVES)


def look(kitchen: Kitchen) -> Look:
    """The present view of a kitchen with all its labels."""
    scene, view = kitchen.scene(), kitchen.view()
    maps = oracle_maps(kitchen.spec, scene, view, kitchen.masks())
    table = table_for(kitchen.spec, scene)
    steps = steps_to_predicates(table, LABEL_STEPS_CAP)
    return Look(view, scene, maps, truth(kitchen.spec, scene), steps, kitchen.snapshot(), table)


def executed(kitchen: Kitchen, now: Look, action: Action) -> Step:
    """Run the motor program; the judge says from the true scenes whether the primitive had its effect."""
    command = ground(now.view, action)
    result = kitchen.run(command)
    if result.duration == 0.0:
        return Step(now, now, action, command, False, result)
    if _spoiled(kitchen):
        # What lies on its side or on the floor is beyond every primitive: the failure is kept, the walk goes on from before it.
        kitchen.restore(now.snapshot)
        return Step(now, now, action, command, False, replace(result, succeeded=False, reason=Reason.SPOILED))
    following = look(kitchen)
    had_effect = any_effect(kitchen.spec, now.scene, following.scene, action, command.point_world)
    return Step(now, following, action, command, had_effect, result)


def _spoiled(kitchen: Kitchen) -> bool:
    """Whether an object was knocked over or fell off the counter."""
    scene, least_z = kitchen.scene(), kitchen.spec.counter_world[4] - LOW
    loose = {name: pose[:3] for name, pose in scene.poses.items() if name != scene.held}
    fallen = any(point[2] < least_z and drawer_around(kitchen.spec, scene, point) is None for point in loose.values())
    return fallen or any(kitchen.upright(name) < MIN_UPRIGHT for name in loose)


def teleported(kitchen: Kitchen, now: Look, action: Action) -> Step:
    """Set the scene to what the rules say; an action the maps do not allow fails and changes nothing."""
    command = ground(now.view, action)
    if not now.maps[_ORDER.index(action.primitive), action.rotation_index, action.cell[0], action.cell[1]]:
        return in_vain(now, action, command)
    move = move_for(kitchen.spec, now.scene, action, now.view)
    turn_rad = 0.0
    if move is not None and move.place is not None:
        # Exactly where the cell says, as a hand does, not at the nearest place that has a name.
        move, turn_rad = replace(move, place=place_at(kitchen.spec, command.point_world)), YAWS_RAD["place"][action.rotation_index]
    elif move is None or not rotations(kitchen.spec, now.scene, move):
        raise InvalidObservationError(f"the cell of {action} means {move}, which the rules do not allow")
    kitchen.set_scene(after(kitchen.spec, now.scene, move, turn_rad))
    following = look(kitchen)
    if not effect(kitchen.spec, now.scene, following.scene, move):
        raise PhysicsError(f"{move} teleported in kitchen {kitchen.spec.seed} does not stay as the rules say")
    return Step(now, following, action, command, True, as_usual(action))


def in_vain(now: Look, action: Action, command: Command) -> Step:
    """What the maps do not allow changes nothing."""
    wrong_hand = Reason.HAND_FULL if now.view.holding else Reason.HAND_EMPTY
    reason = Reason.MISSED if now.view.holding == PRIMITIVES[action.primitive].needs_object else wrong_hand
    return Step(now, now, action, command, False, PrimitiveResult(False, reason, 0.0, 0.0))


def as_usual(action: Action) -> PrimitiveResult:
    """What a program reports that did its deed in the usual time."""
    return PrimitiveResult(True, Reason.DONE, PRIMITIVES[action.primitive].typical_seconds, 0.0)


def any_effect(spec: KitchenSpec, before: SceneState, after: SceneState, action: Action, point_world: Sequence[float]) -> bool:
    """Whether the true scenes show any effect that the action at `point_world` [3] [m] is for, on whatever thing."""
    if action.primitive == "place":
        moves = [Move("place", before.held, place=place_at(spec, point_world))] if before.held else []
    else:
        moves = list(conceivable(spec, before, action.primitive, action.rotation_index, any_bin=True))
    return any(effect(spec, before, after, move) for move in moves)

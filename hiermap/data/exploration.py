"""What an episode is made of: a random kitchen in a random state, and a walk of purposeful, random, geometry- and model-guided actions.

`play_episode` runs the motor programs in the simulator and labels what really happened. `rules_episode` teleports to what the exact
rules say, hundreds of times cheaper than moving an arm: data for a first training, with exact labels. Both try several actions from
one snapshot now and then, and both void an action when the simulation diverges.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hiermap.data.goal_directed import Purpose
from hiermap.data.recorder import Look, Step, Walk
from hiermap.primitives.hand import YAWS_RAD
from hiermap.primitives.specs import PRIMITIVES, PrimitiveResult, Reason
from hiermap.system.versions import versions
from hiermap.worlds.base import Action
from hiermap.worlds.errors import DataError, InvalidObservationError, PhysicsError
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.kitchen.spec import OPENABLE, KitchenSpec, SceneState
from hiermap.worlds.oracle.affordances import move_for, oracle_maps
from hiermap.worlds.perception.cameras import fiducial_error_px
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.rules.judge import effect, truth
from hiermap.worlds.rules.moves import LEFT, RIGHT, Move, fixture_primitive
from hiermap.worlds.rules.places import FREE_PREFIX, in_drawer, place_named, pose_at
from hiermap.worlds.rules.transitions import apply, is_applicable, steps_to_go
from hiermap.worlds.simulator.kitchen import Kitchen, Snapshot

if TYPE_CHECKING:
    from hiermap.data.collect import CollectSettings
    from hiermap.data.episodes import Episode

STEPS_CAP = 5
"""Predicates farther away than this many primitives are labelled beyond the cap."""
JITTER_SHARE, JITTER_CELLS = 0.25, 2
"""Guided actions miss by up to so many cells this often, so that the edges of the maps are seen too."""
NEAR_MISS_SHARE, NEAR_MISS_CELLS = 0.5, 6
"""Half of the random actions are aimed near a map's region or in its wrong orientation: far ones teach little."""
MIN_FREE_MODEL_VALUE = 0.05
"""Model-guided actions are drawn from cells worth at least this."""
MAX_ATTEMPTS = 4
"""Tries per wanted interaction before a walk is left as short as it is."""

MIN_UPRIGHT = 0.9
"""Cosine of the tilt beyond which an object counts as knocked over; one that leans on a wall is not."""

_ORDER = tuple(PRIMITIVES)
Maps = Callable[[SpatialView], np.ndarray]


@dataclass(frozen=True, eq=False)
class Here:
    """Where the walk stands: a view's index and the snapshot that belongs to it."""

    index: int
    snapshot: Snapshot


def play_episode(seed: int, settings: "CollectSettings") -> "Episode":
    """A walk executed by the motor programs; raises DataError if hardly anything could be recorded."""
    return _episode(seed, settings, "play", _executed)


def rules_episode(seed: int, settings: "CollectSettings") -> "Episode":
    """A walk whose effects are teleported by the exact rules; raises as `play_episode`."""
    return _episode(seed, settings, "rules", _teleported)


def _episode(seed: int, settings: "CollectSettings", source: str, attempt: Callable) -> "Episode":
    rng = np.random.default_rng([seed, 0x9A])
    kitchen = Kitchen(seed)
    kitchen.set_scene(random_scene(kitchen.spec, rng))
    walk = Walk(kitchen.spec, kitchen.masks())
    here = Here(walk.add(look(kitchen)), kitchen.snapshot())
    learned = _learned_maps(settings.weights)
    purpose = Purpose(kitchen.spec, walk.masks, settings.purpose_share)
    for _ in range(MAX_ATTEMPTS * settings.interactions_per_episode):
        if len(walk.steps) >= settings.interactions_per_episode:
            break
        now = walk.looks[here.index]
        aimed = purpose.next(now, rng)
        action = aimed or choose(now, rng, settings.random_share, settings.model_share if learned else 0.0, learned)
        if action is None:
            break
        try:
            there = attempt(kitchen, walk, here, action)
        except (PhysicsError, InvalidObservationError):
            walk.voided += 1
            purpose.moves.clear()
            kitchen.restore(here.snapshot)
            continue
        if there.index == here.index or not walk.steps[-1].effect:
            purpose.moves.clear()
        if not aimed and there.index != here.index and rng.random() < settings.branch_share:
            kitchen.restore(here.snapshot)
        else:
            here = there
    if not walk.steps:
        raise DataError(f"kitchen {seed} gave no transition ({walk.voided} voided)")
    error_px = max((fiducial_error_px(view) or 0.0 for view in kitchen.observe().views), default=0.0)
    flags = [f"{name}:{count}" for name, count in (("voided", walk.voided), ("spoiled", walk.spoiled)) if count]
    meta = {
        "seed": seed,
        "family": kitchen.spec.family,
        "source": source,
        "walks": settings.walks,
        "versions": versions(),
        "calibration_error_px": error_px,
        "flags": flags,
    }
    return walk.pack(meta)


def look(kitchen: Kitchen) -> Look:
    """The present view of a kitchen with all its labels."""
    scene, view = kitchen.scene(), kitchen.view()
    maps = oracle_maps(kitchen.spec, scene, view, kitchen.masks())
    return Look(view, scene, maps, truth(kitchen.spec, scene), steps_to_go(kitchen.spec, scene, STEPS_CAP))


# --- choosing an action -------------------------------------------------------------------------------------------------------------------


def choose(now: Look, rng: np.random.Generator, random_share: float, model_share: float, learned: Maps | None) -> Action | None:
    """A random, model-guided or geometry-guided action; None if the view offers nothing at all."""
    if not now.view.valid.any():
        return None
    draw = rng.random()
    if draw < random_share:
        return random_action(now, rng)
    if learned is not None and draw < random_share + model_share:
        values = learned(now.view)
        guided = guided_action(values > max(MIN_FREE_MODEL_VALUE, 0.5 * float(values.max())), now, rng)
    else:
        guided = guided_action(now.maps, now, rng)
    return guided or random_action(now, rng)


def guided_action(maps: np.ndarray, now: Look, rng: np.random.Generator) -> Action | None:
    """Uniform over the primitives that maps `[P, R, H, W]` bool allow, then over their separate regions, then over cells and bins."""
    available = np.flatnonzero(maps.any(axis=(1, 2, 3)))
    if len(available) == 0:
        return None
    p = int(rng.choice(available))
    regions, count = ndimage.label(maps[p].any(axis=0), structure=np.ones((3, 3)))
    rows, columns = np.nonzero(regions == rng.integers(1, count + 1))
    at = int(rng.integers(len(rows)))
    cell = int(rows[at]), int(columns[at])
    rotation = int(rng.choice(np.flatnonzero(maps[p, :, cell[0], cell[1]])))
    if rng.random() < JITTER_SHARE:
        cell = _moved(cell, JITTER_CELLS, now, rng)
    return Action(_ORDER[p], cell, rotation)


def random_action(now: Look, rng: np.random.Generator) -> Action:
    """Any primitive, anywhere that something is seen; half of the time near a region of its map or in a wrong orientation."""
    p = int(rng.integers(len(_ORDER)))
    rotation = int(rng.integers(len(PRIMITIVES[_ORDER[p]].rotations)))
    cells = np.argwhere(now.maps[p].any(axis=0))
    if len(cells) and rng.random() < NEAR_MISS_SHARE:
        near = cells[rng.integers(len(cells))]
        return Action(_ORDER[p], _moved((int(near[0]), int(near[1])), NEAR_MISS_CELLS, now, rng), rotation)
    seen = np.argwhere(now.view.valid)
    row, column = seen[rng.integers(len(seen))]
    return Action(_ORDER[p], (int(row), int(column)), rotation)


def _moved(cell: tuple[int, int], reach: int, now: Look, rng: np.random.Generator) -> tuple[int, int]:
    """A cell up to `reach` rows and columns away where something is seen; the cell itself if that is nowhere."""
    rows, columns = now.view.valid.shape
    row = int(np.clip(cell[0] + rng.integers(-reach, reach + 1), 0, rows - 1))
    column = int(np.clip(cell[1] + rng.integers(-reach, reach + 1), 0, columns - 1))
    return (row, column) if now.view.valid[row, column] else cell


@lru_cache(maxsize=1)
def _learned_maps(weights: str | None) -> Maps | None:
    if weights is None:
        return None
    import torch  # takes seconds to load and is needed only here

    from hiermap.model.weights import load_weights

    torch.set_num_threads(1)
    model = load_weights(weights).model

    def maps(view: SpatialView) -> np.ndarray:
        with torch.inference_mode():
            return model.decode(model.encode(torch.from_numpy(view.channels()[None])))[0].numpy()

    return maps


# --- what comes of it ---------------------------------------------------------------------------------------------------------------------


def _executed(kitchen: Kitchen, walk: Walk, here: Here, action: Action) -> Here:
    """Run the motor program; the judge says from the true scenes whether the primitive had its effect."""
    now = walk.looks[here.index]
    command = ground(now.view, action)
    result = kitchen.run(command)
    if result.duration == 0.0:
        walk.steps.append(Step(here.index, here.index, action, command, False, result))
        return here
    if _spoiled(kitchen):
        # What lies on its side or on the floor is beyond every primitive: the failure is kept, the walk goes on from before it.
        walk.spoiled += 1
        kitchen.restore(here.snapshot)
        walk.steps.append(Step(here.index, here.index, action, command, False, replace(result, succeeded=False, reason=Reason.SPOILED)))
        return here
    after = look(kitchen)
    had_effect = any_effect(kitchen.spec, now.scene, after.scene, action, command.point_world)
    there = Here(walk.add(after), kitchen.snapshot())
    walk.steps.append(Step(here.index, there.index, action, command, had_effect, result))
    return there


def _spoiled(kitchen: Kitchen) -> bool:
    """Whether an object was knocked over or fell off the counter."""
    spec, scene = kitchen.spec, kitchen.scene()
    drawers = [f for f in spec.fixtures if f.kind == "drawer"]
    for name, pose in scene.poses.items():
        if name == scene.held:
            continue
        point = np.array(pose[:3])
        fallen = point[2] < spec.counter_world[4] - 0.03 and not any(in_drawer(d, scene.fractions[d.name], point) for d in drawers)
        if fallen or kitchen.upright(name) < MIN_UPRIGHT:
            return True
    return False


def _teleported(kitchen: Kitchen, walk: Walk, here: Here, action: Action) -> Here:
    """Set the scene to what the rules say; an action the maps do not allow fails and changes nothing."""
    now = walk.looks[here.index]
    command = ground(now.view, action)
    seconds = PRIMITIVES[action.primitive].typical_seconds
    if not now.maps[_ORDER.index(action.primitive), action.rotation_index, action.cell[0], action.cell[1]]:
        failed = PrimitiveResult(False, _why_not(now, action), 0.0, 0.0)
        walk.steps.append(Step(here.index, here.index, action, command, False, failed))
        return here
    move = _set_down(now, action) if action.primitive == "place" else move_for(kitchen.spec, now.scene, action, now.view)
    if move is None or (action.primitive != "place" and not is_applicable(kitchen.spec, now.scene, move)):
        raise InvalidObservationError(f"the cell of {action} means {move}, which the rules do not allow")
    kitchen.set_scene(_after(kitchen.spec, now.scene, move))
    after = look(kitchen)
    if not effect(kitchen.spec, now.scene, after.scene, move):
        raise PhysicsError(f"{move} teleported in kitchen {kitchen.spec.seed} does not stay as the rules say")
    there = Here(walk.add(after), kitchen.snapshot())
    walk.steps.append(Step(here.index, there.index, action, command, True, PrimitiveResult(True, Reason.DONE, seconds, 0.0)))
    return there


def _set_down(now: Look, action: Action) -> Move | None:
    """Placing exactly where the cell says, as a hand does, not at the nearest place that has a name."""
    held = now.scene.held
    return Move("place", held, _point_place(tuple(now.view.point(action.cell))), action.rotation_index) if held else None


def _point_place(point_world: Sequence[float]) -> str:
    return FREE_PREFIX + ",".join(f"{coordinate:.4f}" for coordinate in point_world)


def _after(spec: KitchenSpec, scene: SceneState, move: Move) -> SceneState:
    if move.primitive != "place":
        return apply(spec, scene, move)
    yaw_rad = scene.poses[move.target][3] + YAWS_RAD["place"][move.rotation_index]
    pose = pose_at(spec, place_named(spec, move.argument), dict(scene.fractions), yaw_rad)
    return replace(scene, poses={**scene.poses, move.target: pose}, held=None)


def _why_not(now: Look, action: Action) -> Reason:
    if now.view.holding != PRIMITIVES[action.primitive].needs_object:
        return Reason.HAND_FULL if now.view.holding else Reason.HAND_EMPTY
    return Reason.MISSED


def any_effect(spec: KitchenSpec, before: SceneState, after: SceneState, action: Action, point_world: Sequence[float]) -> bool:
    """Whether the true scenes show any effect that the action at `point_world` [3] [m] is for, on whatever thing."""
    return any(effect(spec, before, after, move) for move in conceivable(spec, before, action, point_world))


def conceivable(spec: KitchenSpec, scene: SceneState, action: Action, point_world: Sequence[float]) -> list[Move]:
    """Every move of the action's primitive and orientation bin, possible now or not; placing means the point itself."""
    name, rotation = action.primitive, action.rotation_index
    if name == "grasp":
        return [Move("grasp", thing) for thing in scene.poses]
    if name == "place":
        return [Move("place", scene.held, _point_place(point_world), rotation)] if scene.held else []
    found = []
    for fixture in spec.fixtures:
        for argument in ("open", "closed") if fixture.kind in OPENABLE else ("on", "off"):
            primitive, bins = fixture_primitive(fixture, argument, scene.fractions[fixture.name])
            if primitive == name and (rotation in bins or name != "rotate"):
                found.append(Move(name, fixture.name, argument, rotation))
    if name == "push" and rotation in (LEFT, RIGHT):
        found += [Move("push", thing, "left" if rotation == LEFT else "right", rotation) for thing in scene.poses]
    return found

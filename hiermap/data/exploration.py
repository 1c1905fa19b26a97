"""What an episode is made of: a random kitchen in a random state, and a walk of purposeful, random, geometry- and model-guided actions.

Several actions are tried from one snapshot now and then, and one that makes the simulation diverge is void.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hiermap.agent.learned_maps import LazyWeights
from hiermap.data.action_choice import Maps, choose
from hiermap.data.goal_directed import Purpose, drawn_goals, nameable
from hiermap.data.recorder import Step, pack
from hiermap.data.transitions import executed, look, teleported
from hiermap.primitives.specs import Reason
from hiermap.system.versions import versions
from hiermap.worlds.errors import DataError, InvalidObservationError, PhysicsError
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.kitchen.spec import DOORS, KitchenSpec, SceneState
from hiermap.worlds.perception.calibration import calibrated
from hiermap.worlds.perception.cameras import fiducial_error_px
from hiermap.worlds.rules.obstacles import standing
from hiermap.worlds.rules.slabs import cylinder_overlaps, part_slabs
from hiermap.worlds.rules.transitions import with_fraction
from hiermap.worlds.simulator.kitchen import Kitchen

if TYPE_CHECKING:
    from hiermap.data.collect import CollectSettings
    from hiermap.data.episodes import Episode

BUMPED = 0.03, 0.97
"""Between which shares of its way something bumped is left, more often near an end than in the middle."""
MAX_ATTEMPTS = 4
"""Tries per wanted interaction before a walk is left as short as it is."""


def explored(seed: int, settings: "CollectSettings") -> "Episode":
    """A walk of `settings.source`; raises DataError if nothing could be recorded."""
    attempt = {"play": executed, "rules": teleported}[settings.source]
    rng = np.random.default_rng([seed, 0x9A])
    kitchen = Kitchen(seed, settings.sensing)
    kitchen.set_scene(random_scene(kitchen.spec, rng))
    masks, steps, voided = kitchen.masks(), list[Step](), 0
    here = look(kitchen)
    looks = [here]
    learned = _learned_maps(settings.weights)
    purpose = Purpose(kitchen.spec, masks, settings.purpose_share, settings.walk)
    for _ in range(MAX_ATTEMPTS * settings.interactions_per_episode):
        if len(steps) >= settings.interactions_per_episode:
            break
        aimed = purpose.next(here, rng)
        action = aimed or choose(here, rng, settings, learned)
        if action is None:
            break
        try:
            steps.append(attempt(kitchen, here, action))
        except (PhysicsError, InvalidObservationError):
            voided += 1
            purpose.moves.clear()
            kitchen.restore(here.snapshot)
            continue
        there = steps[-1].after
        if there is here or not steps[-1].effect:
            purpose.moves.clear()
        if there is not here:
            looks.append(there)
        if not aimed and there is not here and rng.random() < settings.branch_share:
            kitchen.restore(here.snapshot)
        else:
            here = there
        bump = settings.walk.bump_share
        # Without bumps nothing is drawn, and seeds give the walks that they always gave.
        if bump and rng.random() < bump and (scene := bumped(kitchen.spec, here.scene, rng)) is not None:
            kitchen.set_scene(scene)
            here = look(kitchen)
            looks.append(here)
            purpose.moves.clear()
    if not steps:
        raise DataError(f"kitchen {seed} gave no transition ({voided} voided)")
    spoiled = sum(step.result.reason == Reason.SPOILED for step in steps)
    error_px = max((fiducial_error_px(view) or 0.0 for view in calibrated(kitchen.observe().views)[0]), default=0.0)
    flags = [f"{name}:{count}" for name, count in (("voided", voided), ("spoiled", spoiled)) if count]
    meta = {
        "seed": seed,
        "family": kitchen.spec.family,
        "source": settings.source,
        "walks": settings.walks,
        "versions": versions(),
        "calibration_error_px": error_px,
        "flags": flags,
    }
    wanted = settings.walk.goals
    goals = purpose.goals + drawn_goals(kitchen.spec, [look.scene for look in looks], wanted - len(purpose.goals), settings.walk, rng)
    return pack(kitchen.spec, masks, looks, steps, [goal for goal in goals if nameable(goal, masks)][:wanted], meta)


def bumped(spec: KitchenSpec, scene: SceneState, rng: np.random.Generator) -> SceneState | None:
    """The scene with something that moves anywhere on its way; None where that would touch what stands there.

    A door moves once its latch is undone, a latch while all its doors are shut.
    """
    stuck = {f.latch for f in spec.fixtures if scene.fractions[f.name] > 0.0}
    movable = [f for f in spec.fixtures if f.name not in stuck and (f.latch is None or scene.fractions[f.latch] > 0.0)]
    if not movable:
        return None
    chosen, fraction = movable[rng.integers(len(movable))], BUMPED[0] + (BUMPED[1] - BUMPED[0]) * float(rng.beta(0.7, 0.7))
    part = part_slabs(chosen, fraction)
    touches = chosen.kind in DOORS and cylinder_overlaps(part, standing(spec, scene), 0.0).any()
    return None if touches else with_fraction(spec, scene, chosen.name, fraction)


@lru_cache(maxsize=1)
def _learned_maps(weights: str | None) -> Maps | None:
    return None if weights is None else LazyWeights(weights).maps_of

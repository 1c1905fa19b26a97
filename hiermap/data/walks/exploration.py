"""What an episode is made of: a random kitchen in a random state, and a walk of purposeful, random, geometry- and model-guided actions.

Several actions are tried from one snapshot now and then, and one that makes the simulation diverge is void.
"""

from collections.abc import Mapping
from functools import lru_cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import numpy as np

from hiermap.agent.learned_maps import LazyWeights
from hiermap.data.episodes import LABELS
from hiermap.data.walks.action_choice import Maps, choose
from hiermap.data.walks.goal_directed import Purpose, drawn_goals, nameable
from hiermap.data.walks.recorder import Step, Walked, pack
from hiermap.primitives.specs import Reason
from hiermap.system.versions import versions
from hiermap.worlds.errors import DataError, InvalidObservationError, PhysicsError
from hiermap.worlds.perception.calibration import calibrated
from hiermap.worlds.perception.cameras import fiducial_error_px

if TYPE_CHECKING:
    from hiermap.data.collect import CollectSettings
    from hiermap.data.episodes import Episode

WALKED: Mapping[str, str] = {
    "play": "hiermap.data.walks.procedural:Played",
    "rules": "hiermap.data.walks.procedural:Teleported",
    "wide": "hiermap.data.walks.wide:Wide",
}
"""Source -> "module:class" of the `Walked` that it makes of (seed, settings, random generator)."""
MAX_ATTEMPTS = 4
"""Tries per wanted interaction before a walk is left as short as it is."""


def explored(seed: int, settings: "CollectSettings") -> "Episode":
    """A walk of `settings.source`; raises DataError if nothing could be recorded."""
    rng = np.random.default_rng([seed, 0x9A])
    ground: Walked = resolve_name(WALKED[settings.source])(seed, settings, rng)
    masks, steps, voided = ground.masks, list[Step](), 0
    here = ground.look()
    looks = [here]
    learned = _learned_maps(settings.weights)
    purpose = Purpose(ground.cells, masks, settings.purpose_share, settings.walk)
    for _ in range(MAX_ATTEMPTS * settings.interactions_per_episode):
        if len(steps) >= settings.interactions_per_episode:
            break
        aimed = purpose.next(here, rng)
        action = aimed or choose(here, rng, settings, learned)
        if action is None:
            break
        try:
            steps.append(ground.attempt(here, action))
        except (PhysicsError, InvalidObservationError):
            voided += 1
            purpose.moves.clear()
            ground.restore(here)
            continue
        there = steps[-1].after
        if there is here or not steps[-1].effect:
            purpose.moves.clear()
        if there is not here:
            looks.append(there)
        if not aimed and there is not here and rng.random() < settings.branch_share:
            ground.restore(here)
        else:
            here = there
        bump = settings.walk.bump_share
        # Without bumps nothing is drawn, and seeds give the walks that they always gave.
        if bump and rng.random() < bump and (bumped := ground.bumped(here, rng)) is not None:
            here = bumped
            looks.append(here)
            purpose.moves.clear()
    if not steps:
        raise DataError(f"kitchen {seed} gave no transition ({voided} voided)")
    spoiled = sum(step.result.reason == Reason.SPOILED for step in steps)
    flags = [f"{name}:{count}" for name, count in (("voided", voided), ("spoiled", spoiled)) if count]
    meta = {
        "seed": seed,
        "family": ground.family,
        "source": settings.source,
        "walks": settings.walks,
        "versions": versions(),
        "calibration_error_px": max((fiducial_error_px(view) or 0.0 for view in calibrated(ground.observe().views)[0]), default=0.0),
        "flags": flags,
        "labels": LABELS,
    }
    wanted = settings.walk.goals
    goals = purpose.goals + drawn_goals([look.table for look in looks], wanted - len(purpose.goals), settings.walk, rng)
    return pack(ground.kinds, masks, looks, steps, [goal for goal in goals if nameable(goal, masks)][:wanted], meta)


@lru_cache(maxsize=1)
def _learned_maps(weights: str | None) -> Maps | None:
    return None if weights is None else LazyWeights(weights).maps_of

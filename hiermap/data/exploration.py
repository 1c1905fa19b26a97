"""What an episode is made of: a random kitchen in a random state, and a walk of purposeful, random, geometry- and model-guided actions.

Source `play` runs the motor programs in the simulator and labels what really happened. Source `rules` teleports to what the exact
rules say, hundreds of times cheaper than moving an arm: data for a first training, with exact labels. Both try several actions from
one snapshot now and then, and both void an action when the simulation diverges.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hiermap.agent.learned_maps import LazyWeights
from hiermap.data.action_choice import Maps, choose
from hiermap.data.goal_directed import Purpose
from hiermap.data.recorder import Walk
from hiermap.data.transitions import Here, executed, look, teleported
from hiermap.system.versions import versions
from hiermap.worlds.errors import DataError, InvalidObservationError, PhysicsError
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.perception.calibration import calibrated
from hiermap.worlds.perception.cameras import fiducial_error_px
from hiermap.worlds.simulator.kitchen import Kitchen

if TYPE_CHECKING:
    from hiermap.data.collect import CollectSettings
    from hiermap.data.episodes import Episode

MAX_ATTEMPTS = 4
"""Tries per wanted interaction before a walk is left as short as it is."""


def explored(seed: int, settings: "CollectSettings") -> "Episode":
    """A walk of `settings.source`; raises DataError if nothing could be recorded."""
    attempt = {"play": executed, "rules": teleported}[settings.source]
    rng = np.random.default_rng([seed, 0x9A])
    kitchen = Kitchen(seed, settings.sensing)
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
    error_px = max((fiducial_error_px(view) or 0.0 for view in calibrated(kitchen.observe().views)[0]), default=0.0)
    flags = [f"{name}:{count}" for name, count in (("voided", walk.voided), ("spoiled", walk.spoiled)) if count]
    meta = {
        "seed": seed,
        "family": kitchen.spec.family,
        "source": settings.source,
        "walks": settings.walks,
        "versions": versions(),
        "calibration_error_px": error_px,
        "flags": flags,
    }
    return walk.pack(meta)


@lru_cache(maxsize=1)
def _learned_maps(weights: str | None) -> Maps | None:
    return None if weights is None else LazyWeights(weights).maps_of

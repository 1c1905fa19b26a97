"""Tiny synthetic episodes that cost no simulation: for tests of the file layer and of training code, never for weights."""

import numpy as np

from hiermap.data.episodes import NOT_APPLICABLE, Episode
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.system.versions import versions
from hiermap.worlds.goals import BINARY, UNARY
from hiermap.worlds.legend import registered

ROWS, COLUMNS = 12, 16
JOINTS = ("door",)
THINGS = {"door": "left_door", "mug": "mug"}


def toy_episode(seed: int, interactions: int = 4) -> Episode:
    """A walk of `interactions` transitions in which nothing means anything, a pure function of the seed."""
    rng = np.random.default_rng([seed, 0x70])
    views, things = interactions + 1, len(THINGS)
    normals = rng.normal(size=(interactions, 3))
    truth = rng.integers(0, 2, (views, things, len(UNARY)))
    values = {
        "rgb": rng.integers(0, 256, (views, ROWS, COLUMNS, 3)),
        "depth_mm": rng.integers(0, 9000, (views, ROWS, COLUMNS)),
        "holding": rng.integers(0, 2, views),
        "maps_packed": np.packbits(rng.random((views, len(PRIMITIVES), ROTATION_BINS, ROWS, COLUMNS)) < 0.1, axis=-1),
        "fractions": rng.random((views, len(JOINTS))),
        "before": np.arange(interactions),
        "after": np.arange(1, interactions + 1),
        "primitive": rng.integers(0, len(PRIMITIVES), interactions),
        "cell": rng.integers(0, (ROWS, COLUMNS), (interactions, 2)),
        "rotation": rng.integers(0, ROTATION_BINS, interactions),
        "point_world": rng.normal(size=(interactions, 3)),
        "normal_world": normals / np.linalg.norm(normals, axis=1, keepdims=True),
        "effect": rng.random(interactions) < 0.5,
        "succeeded": rng.random(interactions) < 0.5,
        "reason": ["done"] * interactions,
        **{key: rng.random(interactions) for key in ("duration", "displacement")},
        "names": list(THINGS),
        "kinds": list(THINGS.values()),
        "masks_packed": np.packbits(rng.random((things, ROWS, COLUMNS)) < 0.2, axis=-1),
        "unary": truth,
        "steps_unary": np.where(truth, 0, NOT_APPLICABLE),
        **{key: np.full((views, things, things, len(BINARY)), NOT_APPLICABLE) for key in ("binary", "steps_binary")},
    }
    meta = {"seed": seed, "family": "toy", "source": "toy", "versions": versions(), "calibration_error_px": 0.0, "flags": []}
    return Episode.of(values, {**meta, "joints": list(JOINTS), "legend": registered().to_dict()})

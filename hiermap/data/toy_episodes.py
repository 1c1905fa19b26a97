"""Tiny synthetic episodes that cost no simulation: for tests of the file layer and of training code, never for weights."""

import numpy as np

from hiermap.data.episodes import NOT_APPLICABLE, Episode
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.system.versions import versions
from hiermap.worlds.goals import BINARY, UNARY
from hiermap.worlds.legend import registered

ROWS, COLUMNS = 12, 16
JOINTS = ("door",)
THINGS = (("door", "left_door"), ("mug", "mug"))


def toy_episode(seed: int, interactions: int = 4) -> Episode:
    """A walk of `interactions` transitions in which nothing means anything, a pure function of the seed."""
    rng = np.random.default_rng([seed, 0x70])
    views, things = interactions + 1, len(THINGS)
    normals = rng.normal(size=(interactions, 3))
    truth = rng.integers(0, 2, (views, things, len(UNARY)))
    return Episode(
        rgb=rng.integers(0, 256, (views, ROWS, COLUMNS, 3)).astype(np.uint8),
        depth_mm=rng.integers(0, 9000, (views, ROWS, COLUMNS)).astype(np.uint16),
        holding=rng.integers(0, 2, views).astype(np.uint8),
        maps_packed=np.packbits(rng.random((views, len(PRIMITIVES), ROTATION_BINS, ROWS, COLUMNS)) < 0.1, axis=-1),
        fractions=rng.random((views, len(JOINTS))).astype(np.float32),
        before=np.arange(interactions, dtype=np.int16),
        after=np.arange(1, interactions + 1, dtype=np.int16),
        primitive=rng.integers(0, len(PRIMITIVES), interactions).astype(np.int8),
        cell=rng.integers(0, (ROWS, COLUMNS), (interactions, 2)).astype(np.int16),
        rotation=rng.integers(0, ROTATION_BINS, interactions).astype(np.int8),
        point_world=rng.normal(size=(interactions, 3)).astype(np.float32),
        normal_world=(normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32),
        effect=rng.random(interactions) < 0.5,
        succeeded=rng.random(interactions) < 0.5,
        reason=np.full(interactions, "done", dtype="U16"),
        duration=rng.random(interactions).astype(np.float32),
        displacement=rng.random(interactions).astype(np.float32),
        names=np.array([name for name, _ in THINGS], dtype="U24"),
        kinds=np.array([kind for _, kind in THINGS], dtype="U16"),
        masks_packed=np.packbits(rng.random((things, ROWS, COLUMNS)) < 0.2, axis=-1),
        unary=truth.astype(np.uint8),
        binary=np.full((views, things, things, len(BINARY)), NOT_APPLICABLE, dtype=np.uint8),
        steps_unary=np.where(truth, 0, NOT_APPLICABLE).astype(np.uint8),
        steps_binary=np.full((views, things, things, len(BINARY)), NOT_APPLICABLE, dtype=np.uint8),
        meta={
            "seed": seed,
            "family": "toy",
            "source": "toy",
            "versions": versions(),
            "calibration_error_px": 0.0,
            "joints": list(JOINTS),
            "flags": [],
            "legend": registered().to_dict(),
        },
    )

"""Which action an exploring walk tries: random, or guided by the oracle's or a learned model's maps."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hiermap.data.walk_options import WalkOptions
from hiermap.data.walks.recorder import Look
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.perception.fusion import SpatialView

if TYPE_CHECKING:
    from hiermap.data.collect import CollectSettings

_ORDER = tuple(PRIMITIVES)
Maps = Callable[[SpatialView], np.ndarray]
"""Learned maps `[P, R, H, W]` in [0, 1] of a view."""


def choose(now: Look, rng: np.random.Generator, settings: "CollectSettings", learned: Maps | None) -> Action | None:
    """A random, model-guided or geometry-guided action; None if the view offers nothing at all."""
    if not now.view.valid.any():
        return None
    draw, walk = rng.random(), settings.walk
    if draw < settings.random_share:
        return random_action(now, rng, walk)
    if learned is not None and draw < settings.random_share + settings.model_share:
        values = learned(now.view)
        guided = guided_action(values > max(walk.least_model_value, 0.5 * float(values.max())), now, rng, walk)
    else:
        guided = guided_action(now.maps, now, rng, walk)
    return guided or random_action(now, rng, walk)


def guided_action(maps: np.ndarray, now: Look, rng: np.random.Generator, walk: WalkOptions) -> Action | None:
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
    if rng.random() < walk.jitter_share:
        cell = _moved(cell, walk.jitter_cells, now, rng)
    return Action(_ORDER[p], cell, rotation)


def random_action(now: Look, rng: np.random.Generator, walk: WalkOptions) -> Action:
    """Any primitive, anywhere that something is seen; half of the time near a region of its map or in a wrong orientation."""
    p = int(rng.integers(len(_ORDER)))
    rotation = int(rng.integers(len(PRIMITIVES[_ORDER[p]].rotations)))
    cells = np.argwhere(now.maps[p].any(axis=0))
    if len(cells) and rng.random() < walk.near_miss_share:
        near = cells[rng.integers(len(cells))]
        return Action(_ORDER[p], _moved((int(near[0]), int(near[1])), walk.near_miss_cells, now, rng), rotation)
    seen = np.argwhere(now.view.valid)
    row, column = seen[rng.integers(len(seen))]
    return Action(_ORDER[p], (int(row), int(column)), rotation)


def _moved(cell: tuple[int, int], reach: int, now: Look, rng: np.random.Generator) -> tuple[int, int]:
    """A cell up to `reach` rows and columns away where something is seen; the cell itself if that is nowhere."""
    rows, columns = now.view.valid.shape
    row = int(np.clip(cell[0] + rng.integers(-reach, reach + 1), 0, rows - 1))
    column = int(np.clip(cell[1] + rng.integers(-reach, reach + 1), 0, columns - 1))
    return (row, column) if now.view.valid[row, column] else cell

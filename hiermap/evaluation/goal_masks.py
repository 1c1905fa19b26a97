"""Goal masks as somebody might give them: exact, a cell too small or too large, or grown from a click."""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from hiermap.worlds.perception.clicks import grow
from hiermap.worlds.perception.fusion import SpatialView

SAME_COLOUR = 12
"""Steps of 255 within which cells look alike to somebody who clicks."""
_SQUARE = np.ones((3, 3), bool)


def as_told(masks: Mapping[str, np.ndarray], view: SpatialView, how: str, seed: int) -> dict[str, np.ndarray]:
    """Exact masks `[H, W]` bool by name as told in one of the ways `hiermap.evaluation.suites.MASKS`; `seed` moves the clicks."""
    return {
        name: _told(np.asarray(mask, bool), view, how, np.random.default_rng([seed, i])) for i, (name, mask) in enumerate(masks.items())
    }


def _told(mask: np.ndarray, view: SpatialView, how: str, rng: np.random.Generator) -> np.ndarray:
    if how == "exact":
        return mask
    if how == "dilated":
        return ndimage.binary_dilation(mask, _SQUARE)
    if how == "click":
        return grow(view, click(mask, view, rng))
    smaller = ndimage.binary_erosion(mask, _SQUARE)
    return smaller if smaller.any() else mask


def click(mask: np.ndarray, view: SpatialView, rng: np.random.Generator) -> tuple[int, int]:
    """Where somebody clicks who means `mask`: up to a cell beside its visual middle, on the colour that most of it has, if one has."""
    seen = mask & view.valid if (mask & view.valid).any() else mask
    colours, counts = np.unique(view.rgb[seen], axis=0, return_counts=True)
    alike = seen & (np.abs(view.rgb.astype(int) - colours[counts.argmax()]).max(axis=-1) < SAME_COLOUR)
    shown = alike if 2 * alike.sum() > seen.sum() else seen
    depth_inside = ndimage.distance_transform_edt(np.pad(shown, 1))[1:-1, 1:-1]
    middle = np.array(np.unravel_index(depth_inside.argmax(), mask.shape))
    beside = np.clip(middle + rng.integers(-1, 2, 2), 0, np.array(mask.shape) - 1)
    row, column = beside if shown[tuple(beside)] else middle
    return int(row), int(column)

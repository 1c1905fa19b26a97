"""A click grows to the thing it touches, from the view's colours, depths and normals alone.

Shade changes brightness but not hue: touching pieces of one hue are one thing, also a drawer's front and its paler inside. Trim (bars,
glass, lids, marks: grey, black or tiny pieces) belongs to the coloured piece around it. What stands in front may cut a thing in two.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hiermap.worlds.errors import InvalidGoalError
from hiermap.worlds.goals import Goal
from hiermap.worlds.perception.fusion import SpatialView

TINT, ROUNDING, SHADE, STEP_M = 0.012, 0.004, 2.0, 0.04
"""Neighbouring cells of one piece: shares of red and green within TINT (and what rounding does to dark ones), ratio of brightness, step."""
HUE, EVEN, GAP_M, INSIDE_M = 0.02, 1.2, 0.15, 0.015
"""Pieces of one paint: turns of hue, ratio of saturations, depth between them [m]; a drawer's inside lies at least INSIDE_M behind."""
GREY, TINTED, COLOURED, DARK = 0.1, 0.12, 0.25, 0.2
"""Saturations of what has no hue, of what has one and of what is no frame or counter; brightness of black."""
TINY, LITTLE, SMALL, PANE = 12, 30, 90, 300
"""Cells of a speck, of a mark or hub, of a bar or switch, of a window pane."""
RIM_M, BEHIND_M, HUB_M = 0.1, 0.01, 0.04
"""An owner lies at most RIM_M behind its trim; trim lies at most BEHIND_M behind its owner, a hub HUB_M behind its lever."""
CELLS_APART, PLANE_M = 24, 0.012
"""Parts of a thing that something stands before: distance of their middles in cells, and from each other's plane."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """The view in pieces `n` of one colour and without steps, and their borders `b`, each in both orders.

    Attributes:
        labels: `[H, W]` piece of each cell; unseen cells are pieces of their own.
        cells, rgb, point, normal, middle: `[n]`, and means `[n, 3]` in [0, 1], `[n, 3]` [m], `[n, 3]`, `[n, 2]` (row, column).
        first, second, length, gap, below: `[b]` pieces, cells along the border, depth of second behind first [m], share below less above.
    """

    labels: np.ndarray
    cells: np.ndarray
    rgb: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    middle: np.ndarray
    first: np.ndarray
    second: np.ndarray
    length: np.ndarray
    gap: np.ndarray
    below: np.ndarray

    @property
    def paint(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Hue in turns, saturation and brightness in [0, 1], each `[n]`."""
        red, green, blue = self.rgb.T
        high = self.rgb.max(axis=1)
        hue = np.arctan2(np.sqrt(0.75) * (green - blue), red - (green + blue) / 2) / (2 * np.pi)
        return hue, 1 - self.rgb.min(axis=1) / np.maximum(high, 1e-3), high


def grow(view: SpatialView, cell: tuple[int, int]) -> np.ndarray:
    """Cells `[H, W]` bool of the thing at `cell` (row, column).

    Raises:
        InvalidGoalError: nothing is seen there.
    """
    if not view.valid[cell]:
        raise InvalidGoalError(f"nothing is seen at cell {cell}; expected a click on a visible surface")
    pieces = _pieces(view)
    owner = _owners(pieces)
    links = [_one_paint(pieces, owner), _cut_in_two(pieces), (np.arange(len(owner)), owner)]
    thing = _joined(len(owner), np.concatenate([a for a, _ in links]), np.concatenate([b for _, b in links]))
    return thing[pieces.labels] == thing[pieces.labels[cell]]


def grown(goal: Goal, view: SpatialView) -> Goal:
    """The goal with every target of a single cell, a click in the first view `view`, grown; raises as `grow`."""
    clicked = {name: np.argwhere(target.mask)[0] for name, target in goal.targets.items() if np.count_nonzero(target.mask) == 1}
    masks = {name: grow(view, (int(row), int(column))) for name, (row, column) in clicked.items()}
    return replace(goal, targets={**goal.targets, **{name: replace(goal.targets[name], mask=mask) for name, mask in masks.items()}})


def _joined(count: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _pieces(view: SpatialView) -> Pieces:
    index = np.arange(view.valid.size).reshape(view.valid.shape)
    a, b = (np.concatenate(pair) for pair in ((index[:, :-1].ravel(), index[:-1].ravel()), (index[:, 1:].ravel(), index[1:].ravel())))
    seen = view.valid.ravel()[a] & view.valid.ravel()[b]
    a, b = a[seen], b[seen]
    rgb, depth = view.rgb.reshape(-1, 3) / 255.0, view.depth.ravel().astype(float)
    total, high = np.maximum(rgb.sum(axis=1), 0.01), np.maximum(rgb.max(axis=1), 0.01)
    tint, step = rgb / total[:, None], depth[b] - depth[a]
    alike = np.abs(tint[a] - tint[b]).max(axis=1) < TINT + ROUNDING / np.minimum(total[a], total[b])
    alike &= (np.maximum(high[a], high[b]) < SHADE * np.minimum(high[a], high[b])) & (np.abs(step) < STEP_M)
    labels = _joined(index.size, a[alike], b[alike])
    cells = np.bincount(labels)
    layers = (rgb, view.points.reshape(-1, 3), view.normals.reshape(-1, 3), view.frame.grid().reshape(-1, 2))
    means = (np.stack([np.bincount(labels, column) / cells for column in layer.T], axis=1) for layer in layers)
    return Pieces(labels.reshape(index.shape), cells, *means, *_borders(labels[a], labels[b], step, b - a > 1))


def _borders(a: np.ndarray, b: np.ndarray, step: np.ndarray, down: np.ndarray) -> tuple[np.ndarray, ...]:
    """The pair fields of `Pieces` from neighbouring cells' pieces, the depth step from a to b and whether b lies below a."""
    first, second = np.concatenate([a, b]), np.concatenate([b, a])
    pairs, which, length = np.unique(np.stack([first, second])[:, first != second], axis=1, return_inverse=True, return_counts=True)
    signed = (np.concatenate([value, -value.astype(float)])[first != second] for value in (step, down))
    return (*pairs, length, *(np.bincount(which.ravel(), value) / length for value in signed))


def _owners(pieces: Pieces) -> np.ndarray:
    """Which piece each piece belongs to, `[n]`: trim to the coloured piece along most of its rim, everything else to itself."""
    _, saturation, bright = pieces.paint
    p, q, cells = pieces.first, pieces.second, pieces.cells
    trim = (saturation < GREY) & (cells < SMALL) | (bright < DARK) & (cells < PANE) | (saturation < COLOURED) & (cells < TINY)
    near = (pieces.gap < RIM_M) & ~trim[q]
    rim = np.bincount(p, pieces.length * near, len(cells))
    little = cells[p] < LITTLE
    owned = trim[p] & near & (saturation > COLOURED)[q] & (bright > DARK)[q] & (cells[p] < 3 * cells[q])
    owned &= (pieces.gap > np.where(little, -HUB_M, -BEHIND_M)) & (pieces.length >= np.where(little, 0.12, 0.4) * rim[p])
    # A dark plate under a pot is no trim of the pot.
    owned &= (pieces.normal[p, 2] < 0.8) | (pieces.point[p, 2] > pieces.point[q, 2] - 2 * BEHIND_M)
    order = np.flatnonzero(owned)[np.argsort(pieces.length[owned], kind="stable")]
    owner = np.arange(len(cells))
    owner[p[order]] = q[order]
    return owner


def _one_paint(pieces: Pieces, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of one hue, and the two halves of a switch."""
    hue, saturation, bright = pieces.paint
    p, q = pieces.first, pieces.second
    tinted = (saturation > TINTED) & (bright > DARK) & (owner == np.arange(len(owner)))
    turn = np.abs((hue[p] - hue[q] + 0.5) % 1 - 0.5)
    same = tinted[p] & tinted[q] & (turn < HUE) & (np.abs(pieces.gap) < GAP_M) & (pieces.length > 1)
    even = np.maximum(saturation[p], saturation[q]) < EVEN * np.minimum(saturation[p], saturation[q])
    inside = (saturation[q] < saturation[p]) & (pieces.gap > INSIDE_M) & (pieces.below < -0.5)
    half = (pieces.cells < SMALL) & (np.abs(pieces.normal[:, 2]) < 0.85) & (saturation > COLOURED) & (bright > DARK)
    halves = half[p] & half[q] & (np.abs(pieces.gap) < 2 * BEHIND_M) & (pieces.length > 4)
    joined = same & (even | inside) | halves
    return p[joined], q[joined]


def _cut_in_two(pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of one colour in one plane near each other: a front behind its bar, a board behind a mug."""
    _, saturation, bright = pieces.paint
    own = (saturation > COLOURED) & (bright > DARK) | (pieces.normal[:, 2] > 0.8)
    some = np.flatnonzero((pieces.cells > 2) & own)
    p, q = (some[side] for side in np.triu_indices(len(some), 1))
    alike = (np.abs(pieces.rgb[p] - pieces.rgb[q]).max(axis=1) < 0.03) & (
        np.abs(pieces.middle[p] - pieces.middle[q]).max(axis=1) < CELLS_APART
    )
    p, q = p[alike], q[alike]
    normal = (pieces.normal[p] + pieces.normal[q]) / 2
    flush = np.abs(((pieces.point[p] - pieces.point[q]) * normal).sum(axis=1)) < PLANE_M
    flush &= (pieces.normal[p] * pieces.normal[q]).sum(axis=1) > 0.8
    return p[flush], q[flush]

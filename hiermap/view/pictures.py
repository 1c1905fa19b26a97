"""Pictures of an instant as PNG files, each with the words for those who do not see it."""

from collections.abc import Mapping

import numpy as np

from hiermap.primitives.specs import PRIMITIVES
from hiermap.report.pictures import Picture, depth_picture, png
from hiermap.view.desk import Instant

NO_MAP, DEPTH = "no map", "depth"
LAYERS = (NO_MAP, *PRIMITIVES, DEPTH)
"""What may be laid over a view."""


def layer(instant: Instant, name: str, like: np.ndarray, outlines: Mapping[str, np.ndarray] | None = None, scale: int = 4) -> bytes:
    """A PNG of an instant: its view, or one of `LAYERS` over it, with the planned cell where it belongs to that.

    Args:
        like: depth `[H, W]` [m] whose scale of colours is used.
        outlines: name -> mask `[H, W]` bool, drawn over the plain view.
        scale: pixels a cell.
    """
    view, action = instant.view, instant.action
    if name == DEPTH and view.depth is not None:
        picture = depth_picture(view.depth, like)
    elif name in PRIMITIVES:
        heat = view.heats[list(PRIMITIVES).index(name)]
        picture = Picture(view.rgb, heat=heat, primitive=name, action=action if action and action.primitive == name else None)
    else:
        picture = Picture(view.rgb, action=action, outlines=outlines or {})
    return png([picture], scale=scale)


def in_words(instant: Instant, name: str) -> str:
    """What a layer shows."""
    action = instant.action
    if name in PRIMITIVES:
        best = instant.view.heats[list(PRIMITIVES).index(name)].max()
        planned = f", planned at row {action.cell[0]}, column {action.cell[1]}" if action and action.primitive == name else ""
        return f"Map of {name}, {instant.words}: at best {best:.2f}{planned}"
    if name == DEPTH:
        return f"Depth, {instant.words}: near is bright" if instant.view.depth is not None else f"No depth is imagined, {instant.words}"
    planned = f", with the cell where {action.primitive} is planned" if action else ""
    return f"{'The colours seen last' if instant.imagined else 'The fused view'}, {instant.words}{planned}"

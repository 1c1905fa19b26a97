"""Pictures of views, maps and moments, drawn with matplotlib's own renderer (no display, no global state)."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action

SCALE, SMALL_SCALE = 4, 2
"""Screen pixels per cell: a 96 x 128 view becomes 384 x 512."""
COLOURS: Mapping[str, str] = {"grasp": "#2e86de", "place": "#27ae60", "push": "#e67e22", "pull": "#c0398f", "rotate": "#d6b214"}
"""One colour a primitive in every picture, apart in hue and readable over wood and steel."""
_INKS = ("#e6283c", "#286ee6", "#149650", "#aa3cc8", "#e68214")
_ARROWS = {"inward": (0, -1), "left": (-1, 0), "right": (1, 0), "down": (0, 1), "roll_0": (0, 1), "roll_90": (0, 1)}
"""Orientation -> direction on the picture (columns, rows) of a push or pull; inward is away from the robot, so up the picture."""
LABEL: Mapping[str, Any] = {"ha": "center", "va": "bottom", "parse_math": False, "bbox": {"fc": "white", "ec": "none", "pad": 1}}
"""Words on a picture, as they are: a "$" in a name is no formula."""
_DPI, _GAP, _TITLE = 100, 6, 22
"""Dots per inch, and pixels between pictures and above titled ones."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A view and what is drawn over it.

    Attributes:
        rgb: `[H, W, 3]` uint8.
        title: a line above it.
        heat: `[H, W]` in [0, 1], a map laid in the colour of `primitive` over the view, which is then dimmed and grey.
        action: its cell is ringed and, where it moves something, its direction shown.
        outlines: name -> mask `[H, W]` bool; its edge is drawn and named.
    """

    rgb: np.ndarray
    title: str = ""
    heat: np.ndarray | None = None
    primitive: str = ""
    action: Action | None = None
    outlines: Mapping[str, np.ndarray] = field(default_factory=dict)


def png(*rows: Sequence[Picture], scale: int = SCALE) -> bytes:
    """A PNG file's content: pictures of one size in rows of one length, `scale` pixels a cell."""
    height, width = (scale * cells for cells in rows[0][0].rgb.shape[:2])
    above = _TITLE if rows[0][0].title else 0
    pixels = len(rows[0]) * (width + _GAP) - _GAP, len(rows) * (height + above)
    figure = Figure(figsize=(pixels[0] / _DPI, pixels[1] / _DPI), dpi=_DPI)
    inside = {"left": 0, "right": 1, "bottom": 0, "top": 1 - above / pixels[1], "wspace": _GAP / width, "hspace": above / height}
    axes = figure.subplots(len(rows), len(rows[0]), squeeze=False, gridspec_kw=inside)
    for place, picture in zip(axes.flat, (picture for row in rows for picture in row), strict=True):
        draw(place, picture)
    return content(figure)


def content(figure: Figure) -> bytes:
    """The PNG file of a figure; the same drawing gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def depth_picture(depth: np.ndarray, like: np.ndarray, title: str = "") -> Picture:
    """Depth `[H, W]` [m] in colours, near ones bright, on the scale of another depth image; cells of which none is known are grey."""
    low, high = np.nanpercentile(like, [2, 98])
    shares = np.clip((high - depth) / max(high - low, 1e-6), 0, 1)
    rgb = (255 * colormaps["viridis"](np.nan_to_num(shares))[..., :3]).astype(np.uint8)
    return Picture(np.where(np.isfinite(depth)[..., None], rgb, np.uint8(128)), title)


def draw(axes: Axes, picture: Picture) -> None:
    """A picture into axes of its shape."""
    axes.set_axis_off()
    axes.set_title(picture.title, fontsize=10, pad=4, parse_math=False)
    if picture.heat is None:
        axes.imshow(picture.rgb, interpolation="nearest")
    else:
        _overlay(axes, picture.rgb, picture.heat, COLOURS[picture.primitive])
    axes.autoscale(False)
    for (name, mask), ink in zip(picture.outlines.items(), cycle(_INKS), strict=False):
        _outline(axes, name, mask, ink)
    if picture.action is not None:
        _mark(axes, picture.action)


def _overlay(axes: Axes, rgb: np.ndarray, heat: np.ndarray, colour: str) -> None:
    axes.imshow(rgb.mean(axis=-1), cmap="gray", vmin=-255, vmax=255, interpolation="nearest")
    ramp = LinearSegmentedColormap.from_list("ramp", [to_rgba(colour, 0.0), to_rgba(colour, 1.0)])
    axes.imshow(heat, cmap=ramp, norm=PowerNorm(0.7, 0.0, 1.0, clip=True), interpolation="nearest")


def _outline(axes: Axes, name: str, mask: np.ndarray, ink: str) -> None:
    rows, columns = np.nonzero(mask)
    if rows.size:
        axes.contour(mask, [0.5], colors=[ink], linewidths=2)
        axes.text(columns.mean(), max(rows.min() - 1, 5), name.replace("_", " "), color=ink, fontsize=12, **LABEL)


def _mark(axes: Axes, action: Action) -> None:
    row, column = action.cell
    colour = COLOURS[action.primitive]
    for ink, width in (("white", 4), (colour, 1.5)):
        axes.add_patch(Circle((column, row), 3.2, fill=False, edgecolor=ink, linewidth=width))
    dx, dy = _ARROWS.get(PRIMITIVES[action.primitive].rotations[action.rotation_index], (0, 0))
    if dx or dy:
        shape = {"width": 1.2, "head_width": 5, "head_length": 4, "length_includes_head": True}
        axes.arrow(column + 4 * dx, row + 4 * dy, 9 * dx, 9 * dy, facecolor=colour, edgecolor="white", **shape)

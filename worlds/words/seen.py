"""What is seen of the things that a goal may name: where they are in the first view, and which colours they have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hiermap.worlds.perception.fusion import SpatialView

COLOURED, GREY_VALUES = 0.2, (0.22, 0.72)
"""Saturation from which a pixel has a hue, and between which values it is grey below that."""
HUES: Mapping[str, tuple[float, float]] = {
    "red": (328, 378),
    "orange": (12, 46),
    "yellow": (42, 74),
    "green": (68, 170),
    "turquoise": (158, 202),
    "blue": (190, 264),
    "purple": (248, 318),
    "pink": (300, 350),
}
"""Name -> lowest and highest hue [degrees]; neighbours overlap, since people disagree there."""
BROWN_VALUE, BLACK_VALUE = 0.55, 0.18
"""Orange and yellow up to the first value are called brown too; anything up to the second is black."""
COLOURS = (*HUES, "brown", "black", "grey", "white")
SHARE = 0.4
"""A thing has a colour that at least this share of its pixels has."""


@dataclass(frozen=True)
class Seen:
    """One thing in the first view.

    Attributes:
        top, row, column: its highest row, and the middle of its cells, as shares of the picture's height and width in [0, 1].
        distance: from the robot's base over the floor [m].
        colours: names from `COLOURS`.
    """

    name: str
    top: float
    row: float
    column: float
    distance: float
    colours: tuple[str, ...]


class Things(dict[str, Seen]):
    """What is seen, by name; and what people call all that is there, seen or not, by name and without an article."""

    def __init__(self, things: Iterable[Seen], called: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__({thing.name: thing for thing in things})
        self.called = called


def seen(view: SpatialView, masks: Mapping[str, np.ndarray]) -> tuple[Seen, ...]:
    """What the masks `[H, W]` bool show of the view, a `Seen` for each that is not empty."""
    height, width = view.depth.shape
    found = []
    for name, mask in masks.items():
        rows, columns = np.nonzero(mask)
        if len(rows):
            away = float(np.median(np.hypot(*view.points[mask][:, :2].T)))
            middle = (float(rows.mean()) / height, float(columns.mean()) / width)
            found.append(Seen(name, float(rows.min()) / height, *middle, away, colours(view.rgb[mask])))
    return tuple(found)


def colours(pixels: np.ndarray) -> tuple[str, ...]:
    """Plain names of the colours that pixels `[N, 3]` uint8 have, the most frequent first."""
    share = {name: float(np.mean(has)) for name, has in _coloured(pixels.astype(np.float64) / 255.0).items()}
    return tuple(sorted((name for name in share if share[name] >= SHARE), key=lambda name: -share[name]))


def _coloured(rgb: np.ndarray) -> dict[str, np.ndarray]:
    """Name -> `[N]` bool: which pixels `[N, 3]` in [0, 1] have that colour."""
    value, spread = rgb.max(axis=1), np.ptp(rgb, axis=1)
    plain = spread < COLOURED * value
    has = {name: ~plain & (value > GREY_VALUES[0]) & _between(_hue(rgb, value, spread), *ends) for name, ends in HUES.items()}
    has["brown"] = (has["orange"] | has["yellow"]) & (value <= BROWN_VALUE)
    has["black"] = (value <= GREY_VALUES[0]) & (plain | (value <= BLACK_VALUE))
    has["grey"] = plain & (value > GREY_VALUES[0]) & (value < GREY_VALUES[1])
    has["white"] = plain & (value >= GREY_VALUES[1])
    return has


def _hue(rgb: np.ndarray, value: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Hue of pixels, `[N]` [degrees]."""
    red, green, blue = rgb.T
    sixth = np.where(
        value == red,
        ((green - blue) / np.maximum(spread, 1e-9)) % 6,
        np.where(value == green, (blue - red) / np.maximum(spread, 1e-9) + 2, (red - green) / np.maximum(spread, 1e-9) + 4),
    )
    return 60.0 * sixth


def _between(hue: np.ndarray, low: float, high: float) -> np.ndarray:
    return (hue - low) % 360.0 <= high - low

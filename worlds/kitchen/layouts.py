"""Procedural kitchens: layout families (disjoint for training and testing) and `sample_kitchen`."""

import colorsys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from hiermap.worlds.kitchen import lower_units as lower
from hiermap.worlds.kitchen import upper_units as upper
from hiermap.worlds.kitchen.lower_units import Slot, Unit
from hiermap.worlds.kitchen.mjcf import GRIPPING
from hiermap.worlds.kitchen.objects import sample_object
from hiermap.worlds.kitchen.spec import HINGED, OBJECT_KINDS, RGBA, FixtureSpec, KitchenSpec, PanelSpec, SurfaceSpec

TEST_SEED_START = 200_000
"""Seeds from here on use the test families."""
HALF_WIDTH = 0.46
"""The kitchen spans y in +-HALF_WIDTH [m]; farther out a Panda cannot reach at these heights."""
CENTRE_HALF = 0.13
"""Half width of the lower middle column [m]: two knobs 18 cm apart and 16 cm from the next drawer handle."""
SPOTS_Y = (-0.30, -0.15, 0.0, 0.15, 0.30)
"""Where objects may stand along the counter [m]: 15 cm apart so that an open hand fits between."""
SPOT_X = 0.072
"""Distance of the spots from the counter's front edge [m]: a pot stands 8 mm behind the rail and the hand still reaches it from above."""
SLAB = 0.016
"""Thickness of the counter slab [m]."""
FLOOR_Z = -0.04
"""The floor [m], a little below the robot's base so that the arm's lower links never scrape it."""
SURFACE_HALF = (0.058, 0.062)
"""Half size of boards and burners along x and y [m]: the pot's base fits."""
RAIL_Z = (0.016, 0.024)
"""Lower and upper edge of the rail along the counter's front [m above it]: below the doors, which pass over it, and high enough
that an object squeezed between rail and door is held by friction like in a gripper, instead of toppling over the edge."""
RAIL_HALF = 0.004
"""Half thickness of the rail [m]."""
STOP_HALF, STOP_HEIGHT = 0.006, 0.045
"""Half thickness and height of the stop beside each fully open door [m]: an object that a door pushes along the rail gets stuck there."""


@dataclass(frozen=True)
class Family:
    """Which unit stands where; lower: left, middle, right; upper: left, centre, right."""

    name: str
    lower: tuple[str, str, str]
    upper: tuple[str, str, str]


TRAIN_FAMILIES = (
    Family("galley", ("drawers_2", "stove", "drawers_1"), ("door", "switch", "microwave")),
    Family("corner", ("drawers_1", "blank", "oven"), ("latched", "tap", "door")),
    Family("bakery", ("oven", "stove", "drawers_2"), ("sliding", "blank", "latched")),
    Family("studio", ("drawers_2", "blank", "drawers_2"), ("microwave", "switch", "blank")),
    Family("cottage", ("drawers_1", "stove", "drawers_1"), ("latched", "blank", "door")),
    Family("canteen", ("drawers_2", "stove", "oven"), ("door", "tap", "sliding")),
    Family("pantry", ("drawers_1", "blank", "drawers_2"), ("latched", "tap", "microwave")),
    Family("bistro", ("oven", "stove", "drawers_1"), ("microwave", "switch", "door")),
)
TEST_FAMILIES = (
    Family("loft", ("drawers_1", "stove", "drawers_1"), ("latched", "switch", "microwave")),
    Family("cabin", ("oven", "blank", "drawers_2"), ("door", "tap", "latched")),
    Family("diner", ("drawers_2", "stove", "oven"), ("microwave", "switch", "sliding")),
    Family("villa", ("drawers_2", "blank", "drawers_1"), ("sliding", "switch", "latched")),
)

Column = tuple[str, float, float, int]
"""Side name, lowest and highest y [m], and outer direction."""
Builder = Callable[[Slot, np.random.Generator], Unit]
LOWER_UNITS: dict[str, Builder] = {
    "drawers_1": partial(lower.drawers, count=1),
    "drawers_2": partial(lower.drawers, count=2),
    "stove": lower.stove,
    "oven": lower.oven,
    "blank": lower.blank,
}
UPPER_UNITS: dict[str, Builder] = {
    "door": upper.hinged_door,
    "latched": upper.latched_door,
    "microwave": upper.microwave,
    "sliding": upper.sliding_door,
    "tap": upper.tap,
    "switch": upper.switch,
    "blank": lambda slot, rng: Unit(),
}


def families(seed: int) -> tuple[Family, ...]:
    """The families a seed may draw from: `TEST_FAMILIES` from `TEST_SEED_START` on, `TRAIN_FAMILIES` below."""
    return TEST_FAMILIES if seed >= TEST_SEED_START else TRAIN_FAMILIES


def sample_kitchen(seed: int) -> KitchenSpec:
    """The kitchen of a seed (any non-negative integer): 5 to 8 fixtures, 2 or 3 objects, 1 to 3 surfaces."""
    if seed < 0:
        raise ValueError(f"kitchen seed {seed}: expected a non-negative integer")
    rng = np.random.default_rng([seed, 7])
    options = families(seed)
    family = options[int(rng.integers(len(options)))]
    mirrored = bool(rng.integers(2))
    order = -1 if mirrored else 1
    low, high = family.lower[::order], family.upper[::order]
    counter_z, front = float(rng.uniform(0.265, 0.295)), float(rng.uniform(0.58, 0.595))
    back = front + float(rng.uniform(0.175, 0.19))
    colours = _Palette(rng)
    columns = (("left", CENTRE_HALF, HALF_WIDTH, 1), ("middle", -CENTRE_HALF, CENTRE_HALF, 1), ("right", -HALF_WIDTH, -CENTRE_HALF, -1))
    units = _units(LOWER_UNITS, low, columns, colours, front_x=front, z_min=lower.BOTTOM_Z, z_max=counter_z - SLAB)
    shift = float(rng.uniform(-0.01, 0.01))
    columns = (("left", 0.115, 0.43 + shift, 1), ("centre", -0.085, 0.085, 1), ("right", -0.43 - shift, -0.115, -1))
    units += _units(UPPER_UNITS, high, columns, colours, front_x=back, z_min=counter_z, z_max=counter_z + 0.3)
    fixtures = tuple(f for unit in units for f in unit.fixtures)
    spots = tuple((front + SPOT_X, y) for y in SPOTS_Y)
    return KitchenSpec(
        seed=seed,
        family=family.name + ("_mirrored" if mirrored else ""),
        fixtures=fixtures,
        objects=tuple(
            sample_object(OBJECT_KINDS[i], rng, colours.next((0.75, 1.0), (0.55, 1.0)))
            for i in sorted(rng.permutation(len(OBJECT_KINDS))[: int(rng.integers(2, 4))])
        ),
        surfaces=_surfaces(spots, counter_z, "stove" in low, colours),
        counter_world=(front, back, -HALF_WIDTH, HALF_WIDTH, counter_z),
        spots_world=spots,
        upper_front_x=back,
        floor_z=FLOOR_Z,
        panels=(
            *_shell(front, back, counter_z, colours),
            *_rail(fixtures, front, counter_z, colours.metal),
            *(p for u in units for p in u.panels),
        ),
    )


class _Palette:
    """Colours of one kitchen: evenly spread hues in random order, so that things differ visibly."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        count = 14
        self.hues = list((rng.permutation(count) + rng.uniform(0.0, 1.0)) / count)
        base_hue, base_value = rng.uniform(), rng.uniform(0.35, 0.85)
        self.carcass = _rgba(base_hue, 0.18, base_value)
        self.counter = _rgba(rng.uniform(), 0.12, rng.uniform(0.3, 0.9))
        self.metal = _rgba(base_hue, 0.08, rng.uniform(0.25, 0.6))

    def next(self, saturation: tuple[float, float] = (0.35, 0.75), value: tuple[float, float] = (0.45, 0.95)) -> RGBA:
        hue = self.hues.pop()
        self.hues.insert(0, hue)
        return _rgba(hue, self.rng.uniform(*saturation), self.rng.uniform(*value))


def _rgba(hue: float, saturation: float, value: float) -> RGBA:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return (round(red, 4), round(green, 4), round(blue, 4), 1.0)


def _units(
    builders: Mapping[str, Builder], kinds: Sequence[str], columns: Sequence[Column], colours: _Palette, **where: float
) -> list[Unit]:
    """A unit of every column's kind; `where` is what a `Slot` says of their tier."""
    units = []
    for kind, (side, y_min, y_max, outer) in zip(kinds, columns, strict=True):
        fronts = (colours.next(), colours.next())
        slot = Slot(side, y_min, y_max, outer=outer, colours=fronts, carcass=colours.carcass, metal=colours.metal, **where)
        units.append(builders[kind](slot, colours.rng))
    return units


def _surfaces(spots: Sequence[tuple[float, float]], counter_z: float, stove: bool, colours: _Palette) -> tuple[SurfaceSpec, ...]:
    """Two burners where there is a stove, and a board where there is none or, half the time, besides."""
    placed: list[tuple[str, int, RGBA]] = []
    if stove:
        placed = [("burner_left", 3, (0.06, 0.06, 0.07, 1.0)), ("burner_right", 1, (0.16, 0.10, 0.10, 1.0))]
    if not stove or colours.rng.uniform() < 0.5:
        free = [index for index in range(len(spots)) if index not in {spot for _, spot, _ in placed}]
        placed.append(("board", int(colours.rng.choice(free)), colours.next((0.4, 0.7), (0.6, 0.85))))
    return tuple(SurfaceSpec(name, (*spots[spot], counter_z), SURFACE_HALF, rgba) for name, spot, rgba in placed)


def _shell(front: float, back: float, counter_z: float, colours: _Palette) -> tuple[PanelSpec, ...]:
    """Counter slab, toe-kick, outer walls, column dividers and the wall behind."""
    depth, bottom = lower.CARCASS_DEPTH, lower.BOTTOM_Z
    far = back + upper.UPPER_DEPTH + 0.02
    slab = ((front + far) / 2, 0.0, counter_z - SLAB / 2), ((far - front) / 2, HALF_WIDTH, SLAB / 2)
    toe = (front + 0.04 + depth / 2, 0.0, (FLOOR_Z + bottom) / 2), (depth / 2, HALF_WIDTH, (bottom - FLOOR_Z) / 2)
    panels = [PanelSpec("counter", *slab, colours.counter), PanelSpec("toe_kick", *toe, lower.DARK)]
    half_z = (counter_z - SLAB - bottom) / 2
    for index, y in enumerate((-HALF_WIDTH - 0.006, -CENTRE_HALF, CENTRE_HALF, HALF_WIDTH + 0.006)):
        half_y, start = (0.006, 0.0) if index in (0, 3) else (0.0018, 0.017)
        half_x = (depth - start) / 2
        centre = (front + start + half_x, y, bottom + half_z)
        panels.append(PanelSpec(f"divider_{index}", centre, (half_x, half_y, half_z), colours.carcass))
    return tuple(panels)


def _rail(fixtures: tuple[FixtureSpec, ...], front: float, counter_z: float, rgba: RGBA) -> tuple[PanelSpec, ...]:
    """A rail along the front edge of the counter and a stop just outside the sweep of every hinged door.

    Without them a door would brush objects off the counter; with them whatever stands in its way stops it.
    """
    x, z, half_z = front + RAIL_HALF + 0.003, counter_z + sum(RAIL_Z) / 2, (RAIL_Z[1] - RAIL_Z[0]) / 2
    panels = [PanelSpec("rail", (x, 0.0, z), (RAIL_HALF, HALF_WIDTH, half_z), rgba, friction=GRIPPING)]
    for index, y in enumerate(np.linspace(-HALF_WIDTH + 0.01, HALF_WIDTH - 0.01, 4)):
        half = (RAIL_HALF, RAIL_HALF, RAIL_Z[0] / 2)
        panels.append(PanelSpec(f"rail_post_{index}", (x, float(y), counter_z + half[2]), half, rgba))
    for door in (f for f in fixtures if f.kind in HINGED):
        half = (STOP_HALF, STOP_HALF, STOP_HEIGHT / 2)
        centre = (x, _stop_y(door, x), counter_z + half[2])
        panels.append(PanelSpec(f"stop_{door.name}", centre, half, rgba, friction=GRIPPING, is_stop=True))
    return tuple(panels)


def _stop_y(door: FixtureSpec, x: float) -> float:
    """Where on the line at `x` a stop clears the outer face of the fully open door by 4 mm."""
    outer = -door.joint_axis_world[2]
    anchor_x, anchor_y, _ = door.joint_anchor_world
    distance = lower.PANEL_THICKNESS / 2 + 0.004 + STOP_HALF * float(np.sqrt(2.0))
    turned = door.joint_range
    return anchor_y + outer * (distance + (x - anchor_x) * float(np.cos(turned))) / float(np.sin(turned))

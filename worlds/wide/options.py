"""From what the kitchens of the wide world are drawn; loads nothing that builds them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, TypeVar

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.records import Share, check_fields

BEHIND_M = 0.015
"""Fingers need so much room behind a bar."""
ROW_M = 1.8
"""No arm reaches both ends of a longer row of columns."""

Kind = TypeVar("Kind")
Columns = Annotated[int, 1, 5]
Things = Annotated[int, 0, 6]
Cameras = Annotated[int, 1, 5]
Width = Annotated[float, 0.2, 0.6]
Counter = Annotated[float, 0.1, 0.6]
Front = Annotated[float, 0.45, 0.8]
Table = Annotated[float, 0.0, 0.5]
Upper = Annotated[float, 0.1, 0.5]
BarRadius = Annotated[float, 0.003, 0.02]
StandOff = Annotated[float, 0.02, 0.12]
Radius = Annotated[float, 0.007, 0.035]


@dataclass(frozen=True)
class WideOptions:
    """From what the kitchens of the wide world are drawn, each from and to; by default what the shipped weights have learned from.

    Attributes:
        tables: share of the kitchens that are a table without a wall and what stands on it.
        walls, overhead: share of the others with a wall behind them, and with units that hang over the counters.
        without: kinds of units and things that are left out, for example [door, can].
        columns, width_m: how many columns of units the others have, and how wide each is [m].
        counter_m: heights of their counters over the arm's base [m].
        upper_m: heights of what stands or hangs over a counter [m].
        front_m: how far their fronts are before it [m].
        yaw_rad: a column is turned out of the row by up to this [rad].
        table_m: heights of a table over the arm's base [m].
        bar_radius_m, stand_off_m: of bars, and how far their axes are before a front [m].
        knob_radius_m, button_radius_m: of what is turned and what is pressed [m].
        things: how many stand about, one of a kind.
        cameras: how many look.

    Raises:
        ConfigError: a range that is turned about, or that no kitchen can meet.
    """

    tables: Share = 0.3
    walls: Share = 0.5
    overhead: Share = 0.4
    without: tuple[str, ...] = ()
    columns: tuple[Columns, Columns] = (2, 4)
    width_m: tuple[Width, Width] = (0.22, 0.50)
    counter_m: tuple[Counter, Counter] = (0.16, 0.38)
    upper_m: tuple[Upper, Upper] = (0.14, 0.32)
    front_m: tuple[Front, Front] = (0.55, 0.67)
    yaw_rad: Annotated[float, 0, 0.6] = 0.5
    table_m: tuple[Table, Table] = (0.0, 0.24)
    bar_radius_m: tuple[BarRadius, BarRadius] = (0.004, 0.0125)
    stand_off_m: tuple[StandOff, StandOff] = (0.028, 0.110)
    knob_radius_m: tuple[Radius, Radius] = (0.010, 0.029)
    button_radius_m: tuple[Radius, Radius] = (0.012, 0.028)
    things: tuple[Things, Things] = (1, 6)
    cameras: tuple[Cameras, Cameras] = (1, 5)

    def __post_init__(self) -> None:
        check_fields(self, "wide")
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name != "without" and isinstance(value, list | tuple) and value[0] > value[1]:
                raise ConfigError(f"wide.{option.name} is {list(value)}, expected the smaller first")
        if (behind := self.stand_off_m[0] - self.bar_radius_m[1]) < BEHIND_M:
            raise ConfigError(
                f"wide.stand_off_m is {list(self.stand_off_m)}, which leaves {1000 * behind:.0f} mm behind bars of wide.bar_radius_m="
                f"{list(self.bar_radius_m)}; fingers need {1000 * BEHIND_M:.0f}"
            )
        if (row := self.columns[0] * self.width_m[0]) > ROW_M:
            raise ConfigError(
                f"wide.columns is {list(self.columns)} with wide.width_m={list(self.width_m)}, at least {row:.2f} m in a row, of which no "
                f"arm reaches both ends; expected at most {ROW_M:g}"
            )

    def kept(self, kinds: Mapping[str, Kind]) -> dict[str, Kind]:
        """Those that are not left out."""
        return {name: kind for name, kind in kinds.items() if name not in self.without}

    @property
    def told(self) -> str:
        """What differs from the defaults, in words for a record; "" if nothing does."""
        changed = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return "".join(f" {name} {value if isinstance(value, float) else list(value)}" for name, value in changed.items())


DRAWN = WideOptions()
"""What the shipped weights have learned from."""

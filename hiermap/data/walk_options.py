"""How an exploring walk chooses: what it aims for, and how its actions miss."""

from dataclasses import dataclass, fields
from typing import Annotated

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.records import Cells, Share, check_fields


@dataclass(frozen=True)
class WalkOptions:
    """Shares and reaches of an exploring walk.

    Attributes:
        jitter_share, jitter_cells: guided actions miss by up to so many cells this often, so that the edges of the maps are seen too.
        near_miss_share, near_miss_cells: this share of the random actions is aimed within so many cells of a map's region or in its wrong
            orientation: far ones teach little.
        least_model_value: model-guided actions are drawn from cells worth at least this.
        shortest, longest: a walk with an aim is asked for about so many primitives; no way is longer than the second.
        detour_share: of the goals that are asked to need steps that they do not name.
        bump_share: chance that after an action something that moves is left anywhere on its way, as an arm that brushes it leaves it.
        goals: whole goals that every view's distance to is recorded: those that were walked to, then some drawn as tasks are.
        put_away_share: of the goals that put something into a drawer and shut it; the others are drawn as those of tasks.
    """

    jitter_share: Share = 0.25
    jitter_cells: Cells = 2
    near_miss_share: Share = 0.5
    near_miss_cells: Cells = 6
    least_model_value: Share = 0.05
    shortest: Annotated[int, 1, 20] = 2
    longest: Annotated[int, 1, 20] = 5
    detour_share: Share = 0.4
    put_away_share: Share = 0.5
    bump_share: Share = 0.0
    goals: Annotated[int, 0, 100] = 6

    def __post_init__(self) -> None:
        check_fields(self, "walk")
        if self.shortest > self.longest:
            raise ConfigError(f"walk.shortest is {self.shortest}, expected at most walk.longest, which is {self.longest}")

    @property
    def told(self) -> str:
        """What differs from the defaults, in words for a record; "" if nothing does."""
        changed = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return "".join(f" {name} {value:g}" for name, value in changed.items())

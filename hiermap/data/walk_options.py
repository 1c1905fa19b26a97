"""How an exploring walk chooses: what it aims for, and how its actions miss."""

from dataclasses import dataclass, fields

from hiermap.worlds.errors import ConfigError


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

    jitter_share: float = 0.25
    jitter_cells: int = 2
    near_miss_share: float = 0.5
    near_miss_cells: int = 6
    least_model_value: float = 0.05
    shortest: int = 2
    longest: int = 5
    detour_share: float = 0.4
    put_away_share: float = 0.5
    bump_share: float = 0.0
    goals: int = 6

    def __post_init__(self) -> None:
        shares = (self.jitter_share, self.near_miss_share, self.detour_share, self.put_away_share, self.bump_share)
        if (
            not all(0.0 <= share <= 1.0 for share in shares)
            or min(self.jitter_cells, self.near_miss_cells, self.goals) < 0
            or not 1 <= self.shortest <= self.longest
        ):
            raise ConfigError(f"walk options out of range (shares in [0, 1], cells and goals >= 0, 1 <= shortest <= longest): {self}")

    @property
    def told(self) -> str:
        """What differs from the defaults, in words for a record; "" if nothing does."""
        changed = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return "".join(f" {name} {value:g}" for name, value in changed.items())

"""What acting can be told; loads nothing else."""

from dataclasses import dataclass
from typing import Annotated

from hiermap.worlds.records import Cells, Count, Share, check_fields


@dataclass(frozen=True)
class ExecutionOptions:
    """When a step is still worth doing, and when its effect is believed.

    Attributes:
        aim_cells, aim_steps: a step imagined several actions ahead is re-aimed by at most `aim_steps` climbs of `aim_cells` cells each.
        good_affordance: it is not re-aimed while the real map holds this share of the success it was planned with.
        kept_affordance: it is still worth doing while the real map near it holds at least this share of that success.
        refusals: as often a step is aimed at what is beside a cell that the arm cannot reach, before there is another plan.
        seen_if_reported, seen_if_not: share of the imagined change that must be seen to believe an effect, when the motor program reports
            success and when it does not.
        blind: carry out every step of a plan at its imagined cell, without re-aiming it or giving it up when the world differs; what is
            seen only says how deep the cell lies. With max_replans=0 the first plan is all that is done.
        holds: a predicate believed at least this much counts as true when the real view is compared with the imagined one.
        hardly: where no plan is found, what the maps offer at no less than this is tried as well; above 0.
    """

    aim_cells: Cells = 2
    aim_steps: Cells = 2
    good_affordance: Share = 0.8
    kept_affordance: Share = 0.5
    refusals: Count = 6
    seen_if_reported: Share = 0.25
    seen_if_not: Share = 0.6
    holds: Share = 0.5
    hardly: Annotated[float, 1e-9, 1] = 0.02
    blind: bool = False

    def __post_init__(self) -> None:
        check_fields(self, "execution")

"""What acting can be told; loads nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExecutionOptions:
    """When a step is still worth doing, and when its effect is believed.

    Attributes:
        aim_cells, aim_steps: a step imagined several actions ahead is re-aimed by at most `aim_steps` climbs of `aim_cells` cells each.
        good_affordance: it is not re-aimed while the real map holds this share of the success it was planned with.
        kept_affordance: it is still worth doing while the real map near it holds at least this share of that success.
        seen_if_reported, seen_if_not: share of the imagined change that must be seen to believe an effect, when the motor program reports
            success and when it does not.
        blind: carry out every step of a plan at its imagined cell, without re-aiming it or giving it up when the world differs; what is
            seen only says how deep the cell lies. With max_replans=0 the first plan is all that is done.
        holds: a predicate believed at least this much counts as true when the real view is compared with the imagined one.
    """

    aim_cells: int = 2
    aim_steps: int = 2
    good_affordance: float = 0.8
    kept_affordance: float = 0.5
    seen_if_reported: float = 0.25
    seen_if_not: float = 0.6
    holds: float = 0.5
    blind: bool = False

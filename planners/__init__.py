"""How hiermap decides: searches over any world. `PLANNERS` is the visible registry."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from planners.beam import beam
from planners.best_first import best_first, greedy_best_first, weighted_best_first
from planners.exhaustive import exhaustive
from planners.memory import Avoid
from planners.options import Budget, SearchOptions
from planners.peaks import Candidate, PeakOptions, candidates
from planners.random_walk import random_walk
from planners.reactive import reactive
from planners.result import Plan, PlanResult, PlanStep, Status

Search = Callable[..., PlanResult]
"""`search(world, observation, goal, budget, rng, options) -> PlanResult`."""

PLANNERS: Mapping[str, Search] = MappingProxyType(
    {
        "best_first": best_first,
        "weighted": weighted_best_first,
        "greedy": greedy_best_first,
        "beam": beam,
        "reactive": reactive,
        "random": random_walk,
        "exhaustive": exhaustive,
    }
)
"""Name -> search."""

__all__ = [
    "PLANNERS",
    "Avoid",
    "Budget",
    "Candidate",
    "PeakOptions",
    "Plan",
    "PlanResult",
    "PlanStep",
    "Search",
    "SearchOptions",
    "Status",
    "candidates",
]

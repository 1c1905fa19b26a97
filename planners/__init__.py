"""How hiermap decides: searches over any world. `PLANNERS` is the visible registry."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from hiermap.planners.beam import beam
from hiermap.planners.best_first import best_first, exhaustive, greedy_best_first, weighted_best_first
from hiermap.planners.candidates import PeakOptions, candidates
from hiermap.planners.failure_memory import Avoid
from hiermap.planners.options import Budget, SearchOptions
from hiermap.planners.plan import Plan, PlanResult, PlanStep, Status
from hiermap.planners.search_tree import Tree
from hiermap.planners.vector import vector
from hiermap.planners.walks import greedy_rollout, random_walk, reactive

Search = Callable[[Tree, np.random.Generator], PlanResult]
"""Grows a tree, which brings the problem, the budget, the heuristic and the candidate generator, until there is an answer."""

PLANNERS: Mapping[str, Search] = MappingProxyType(
    {
        "best_first": best_first,
        "weighted": weighted_best_first,
        "greedy": greedy_best_first,
        "beam": beam,
        "greedy_rollout": greedy_rollout,
        "reactive": reactive,
        "random": random_walk,
        "exhaustive": exhaustive,
        "vector": vector,
    }
)
"""Name -> search."""

__all__ = [
    "PLANNERS",
    "Avoid",
    "Budget",
    "PeakOptions",
    "Plan",
    "PlanResult",
    "PlanStep",
    "Search",
    "SearchOptions",
    "Status",
    "Tree",
    "candidates",
]

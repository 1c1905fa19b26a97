"""Best-first search: A*, weighted A* and greedy search are one loop with three ordering functions."""

import heapq
from collections.abc import Callable, Hashable
from functools import partial

import numpy as np

from hiermap.planners.options import SearchOptions
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import Entry, Tree

Ordering = Callable[[Entry, SearchOptions], tuple[float, ...]]


def a_star(entry: Entry, options: SearchOptions) -> tuple[float, ...]:
    """f = g + h; ties prefer the entry nearer to the goal. Optimal while h is admissible (Hart, Nilsson and Raphael 1968)."""
    return entry.cost + entry.remaining(options), entry.remaining(options)


def weighted(entry: Entry, options: SearchOptions) -> tuple[float, ...]:
    """f = g + w h: at most w times dearer than the best plan (Pohl 1970)."""
    return entry.cost + options.weight * entry.remaining(options), entry.remaining(options)


def greedy(entry: Entry, options: SearchOptions) -> tuple[float, ...]:
    """h alone, ties by g."""
    return entry.remaining(options), entry.cost


def search(ordering: Ordering, tree: Tree, rng: np.random.Generator) -> PlanResult:
    """Expand the frontier in the given order, `options.batch` nodes per pass, until its first entry satisfies the goal."""
    frontier: list[tuple[tuple[float, ...], int, Entry]] = []
    cheapest: dict[Hashable, float] = {}
    found: list[Entry] = []

    def offer(entry: Entry) -> None:
        key = tree.world.key(entry.node)
        if entry.cost >= cheapest.get(key, float("inf")):
            tree.duplicates += 1
            return
        cheapest[key] = entry.cost
        found.extend([entry] if entry.solved else [])
        heapq.heappush(frontier, (ordering(entry, tree.options), entry.index, entry))

    offer(tree.root)
    while frontier:
        if frontier[0][2].solved:
            first = frontier[0][2]
            others = sorted((e for e in found if e is not first), key=lambda e: (e.cost, e.index))
            return tree.result(Status.SOLVED, [first, *others])
        status = tree.spent()
        if status is not None:
            return _best_found(tree, status, found)
        for children in tree.grow(_pop(tree, frontier, cheapest)):
            for child in children:
                offer(child)
    return tree.result(tree.exhausted())


def _pop(tree: Tree, frontier: list, cheapest: dict[Hashable, float]) -> list[Entry]:
    """Up to a batch of the first entries; a solved one ends the batch, since what comes before it may still beat it."""
    batch: list[Entry] = []
    while frontier and len(batch) < tree.options.batch and not frontier[0][2].solved:
        entry = heapq.heappop(frontier)[2]
        outdated = entry.cost > cheapest[tree.world.key(entry.node)]
        if not outdated and tree.may_deepen(entry):
            batch.append(entry)
    return batch


def _best_found(tree: Tree, status: Status, found: list[Entry]) -> PlanResult:
    """When the budget is spent, a plan not proven cheapest is still a plan."""
    if found:
        return tree.result(Status.SOLVED, sorted(found, key=lambda e: (e.cost, e.index)))
    return tree.result(status)


best_first = partial(search, a_star)
weighted_best_first = partial(search, weighted)
greedy_best_first = partial(search, greedy)

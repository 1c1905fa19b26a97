"""Best-first search: A*, weighted A* and greedy search are one loop with three ordering functions; exhaustive search is the ground truth
for small worlds, blind to priors and heuristics."""

import heapq
from collections.abc import Callable, Hashable
from functools import partial
from itertools import count

import numpy as np

from hiermap.planners.candidates import every_action
from hiermap.planners.lazy import Children
from hiermap.planners.options import SearchOptions
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import LEAST_SUCCESS, Entry, Tree

LAST_LOOKS = 4
"""Guesses imagined before a search gives up."""
Frontier = list[tuple[tuple[float, ...], int, Entry]]
Ordering = Callable[[Entry, SearchOptions], tuple[float, ...]]


def a_star(entry: Entry, options: SearchOptions, weight: float = 1.0) -> tuple[float, ...]:
    """f = g + h; ties prefer the entry nearer to the goal. Optimal while h is admissible (Hart, Nilsson and Raphael 1968)."""
    return entry.cost + weight * entry.remaining(options), entry.remaining(options)


def weighted(entry: Entry, options: SearchOptions) -> tuple[float, ...]:
    """f = g + w h: at most w times dearer than the best plan (Pohl 1970)."""
    return a_star(entry, options, options.weight)


def greedy(entry: Entry, options: SearchOptions) -> tuple[float, ...]:
    """h alone, ties by g."""
    return entry.remaining(options), entry.cost


def search(ordering: Ordering, tree: Tree, rng: np.random.Generator) -> PlanResult:
    """Expand the frontier in the given order, `options.batch` nodes per pass, until its first entry satisfies the goal."""
    frontier: Frontier = []
    cheapest: dict[Hashable, float] = {}
    found: list[Entry] = []
    children, numbers = Children(tree), count()

    def offer(entry: Entry) -> None:
        if not entry.guessed:
            key = tree.world.key(entry.node)
            if entry.cost >= cheapest.get(key, float("inf")):
                tree.duplicates += 1
                return
            cheapest[key] = entry.cost
            found.extend([entry] if entry.solved else [])
        heapq.heappush(frontier, (ordering(entry, tree.options), next(numbers), entry))

    offer(tree.root)
    while frontier:
        first = frontier[0][2]
        status = Status.SOLVED if first.solved else tree.spent()
        if first.guessed and status is not Status.TIMEOUT:
            new = children.imagined([heapq.heappop(frontier)[2]])
        elif status is not None:
            if not found:
                last = children.imagined(_most_promising(frontier))
                found += [entry for entry in last if entry.solved]
            # When the budget is spent, a plan not proven cheapest is still a plan.
            status = Status.SOLVED if found else status
            return tree.result(status, sorted(found, key=lambda e: (e is not first, e.cost, e.index)))
        else:
            new = children.of(_pop(tree, frontier, cheapest))
        for entry in new:
            offer(entry)
    return tree.result(tree.exhausted())


def exhaustive(tree: Tree, rng: np.random.Generator) -> PlanResult:
    """The cheapest plan over every cell and orientation above the least success, in order of cost (Dijkstra 1959)."""
    frontier = [(0.0, 0, tree.root)]
    closed: set[Hashable] = set()
    while frontier:
        _, _, entry = heapq.heappop(frontier)
        if entry.solved:
            return tree.result(Status.SOLVED, [entry, *(e for _, _, e in sorted(frontier, key=lambda item: item[:2]) if e.solved)])
        key = tree.world.key(entry.node)
        if key in closed or not tree.may_deepen(entry):
            tree.duplicates += key in closed
            continue
        status = tree.spent()
        if status is not None:
            return tree.result(status)
        closed.add(key)
        for child in tree.grow([entry], lambda maps, *_: every_action(maps, LEAST_SUCCESS))[0]:
            heapq.heappush(frontier, (child.cost, child.index, child))
    return tree.result(tree.exhausted())


def _most_promising(frontier: Frontier) -> list[Entry]:
    """The guesses nearest to the goal: where a search without a plan ends, the partial plan is chosen among what is imagined."""
    return heapq.nsmallest(LAST_LOOKS, (entry for *_, entry in frontier if entry.guessed), key=lambda e: (e.steps_to_go, e.cost))


def _pop(tree: Tree, frontier: Frontier, cheapest: dict[Hashable, float]) -> list[Entry]:
    """Up to a batch of the first entries; a solved one ends the batch, since what comes before it may still beat it. So does a guess."""
    batch: list[Entry] = []
    while frontier and len(batch) < tree.options.batch and not (frontier[0][2].solved or frontier[0][2].guessed):
        entry = heapq.heappop(frontier)[2]
        outdated = entry.cost > cheapest[tree.world.key(entry.node)]
        if not outdated and tree.may_deepen(entry):
            batch.append(entry)
    return batch


best_first = partial(search, a_star)
weighted_best_first = partial(search, weighted)
greedy_best_first = partial(search, greedy)

"""Best-first search: A*, weighted A* and greedy search are one loop with three ordering functions; exhaustive search is the ground truth
for small worlds, blind to priors and heuristics."""

import heapq
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np

from hiermap.planners.candidates import every_action
from hiermap.planners.lazy import Children
from hiermap.planners.options import SearchOptions
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import LEAST_SUCCESS, NEARER, Entry, Tree
from hiermap.worlds.base import Action

LAST_LOOKS = 4
"""Guesses imagined before a search gives up, or before a descent goes on from the nearest of them."""
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
    return _Search(ordering, tree).run()


class _Search:
    """A frontier in order, and what was found.

    A wrong estimate makes a swamp: all that lies in it looks nearer than the way out of it, and order alone never comes to its end. So once
    `options.patience` expansions in a row have come no nearer, predicates that are not believed count from then on too, and what follows
    from each first action is gone down greedily for as long as every step leads nearer than the last (after local exploration: Xie, Mueller
    and Holte 2014).
    """

    def __init__(self, ordering: Ordering, tree: Tree) -> None:
        self.ordering, self.tree, self.children = ordering, tree, Children(tree)
        self.frontier: Frontier = []
        self.cheapest: dict[Hashable, float] = {}
        self.found: list[Entry] = []
        self.expanded: set[int] = set()
        self.options = replace(tree.options, unmet=None)
        self.numbers, self.nearest, self.waited = count(), float("inf"), 0

    def run(self) -> PlanResult:
        tree = self.tree
        self.offer(tree.root)
        while self.frontier:
            first = self.frontier[0][2]
            status = Status.SOLVED if first.solved else tree.spent()
            if first.guessed and status is not Status.TIMEOUT:
                self.offer(*self.children.imagined([heapq.heappop(self.frontier)[2]]))
            elif status is not None:
                return self.result(status, first)
            elif tree.options.patience is not None and self.waited >= tree.options.patience:
                self.explore()
            else:
                self.offer(*self.expand(self.pop()))
        return tree.result(tree.exhausted())

    def result(self, status: Status, first: Entry) -> PlanResult:
        """When the budget is spent, a plan not proven cheapest is still a plan."""
        if not self.found:
            self.found += [entry for entry in self.children.imagined(self.most_promising()) if entry.solved]
        status = Status.SOLVED if self.found else status
        return self.tree.result(status, sorted(self.found, key=lambda e: (e is not first, e.cost, e.index)))

    def most_promising(self) -> list[Entry]:
        """The guesses nearest to the goal: where a search without a plan ends, the partial plan is chosen among what is imagined."""
        return self.nearest_of([entry for *_, entry in self.frontier if entry.guessed])

    def offer(self, *entries: Entry) -> None:
        """Put what is no dearer way to a node known already into the frontier."""
        for entry in entries:
            if not entry.guessed:
                key = self.tree.world.key(entry.node)
                if entry.cost >= self.cheapest.get(key, float("inf")):
                    self.tree.duplicates += 1
                    continue
                self.cheapest[key] = entry.cost
                self.found.extend([entry] if entry.solved else [])
                if self.missing(entry) <= self.nearest - NEARER:
                    self.nearest, self.waited = self.missing(entry), 0
            heapq.heappush(self.frontier, (self.ordering(entry, self.options), next(self.numbers), entry))

    def pop(self) -> list[Entry]:
        """Up to a batch of the first entries; a solved one ends it, since what comes before it may still beat it, and so does a guess."""
        batch: list[Entry] = []
        frontier = self.frontier
        while frontier and len(batch) < self.tree.options.batch and not (frontier[0][2].solved or frontier[0][2].guessed):
            entry = heapq.heappop(frontier)[2]
            outdated = entry.index in self.expanded or entry.cost > self.cheapest[self.tree.world.key(entry.node)]
            if not outdated and self.tree.may_deepen(entry):
                batch.append(entry)
        return batch

    def expand(self, entries: list[Entry]) -> list[Entry]:
        self.waited += len(entries)
        self.expanded.update(entry.index for entry in entries)
        return self.children.of(entries)

    def missing(self, entry: Entry) -> float:
        """Primitives missing at an entry, by what counts now."""
        return entry.missing(self.options)

    def nearest_of(self, entries: Iterable[Entry], number: int = LAST_LOOKS) -> list[Entry]:
        """Those nearest to the goal, the nearest first."""
        return heapq.nsmallest(number, entries, key=lambda entry: (self.missing(entry), entry.cost))

    def count_predicates(self) -> None:
        """From now on what is not believed counts too: the heuristic alone came no nearer."""
        if self.options != self.tree.options:
            self.options = self.tree.options
            self.frontier = [(self.ordering(entry, self.options), number, entry) for _, number, entry in self.frontier]
            heapq.heapify(self.frontier)
            self.nearest = min(self.missing(entry) for entry in self.tree.entries)

    def explore(self) -> None:
        """One greedy descent from what is nearest to the goal in every branch, the most promising branch first; ends at the first plan."""
        self.count_predicates()
        branches: dict[Action, Entry] = {}
        for *_, entry in self.frontier:
            if entry.parent is not None and entry.index not in self.expanded:
                start = branches.setdefault(_first_action(entry), entry)
                if (self.missing(entry), entry.cost) < (self.missing(start), start.cost):
                    branches[_first_action(entry)] = entry
        self.waited = 0
        taken = {id(start) for start in branches.values() if start.guessed}
        self.frontier = [item for item in self.frontier if id(item[2]) not in taken]
        heapq.heapify(self.frontier)
        for start in self.nearest_of(branches.values(), len(branches)):
            self.descend(start)
            if self.found or self.tree.spent() is not None:
                return

    def descend(self, entry: Entry) -> None:
        """Follow the nearest child for as long as it is nearer than its parent by `NEARER`."""
        before = float("inf")
        looks = [entry]
        while looks:
            guessed = [look for look in looks if look.guessed]
            imagined = self.children.imagined(guessed)
            self.offer(*imagined)
            near = self.nearest_of([*imagined, *(look for look in looks if not look.guessed)], 1)
            if not near or near[0].solved or self.missing(near[0]) > before - NEARER or near[0].index in self.expanded:
                return
            if self.tree.spent() is not None or not self.tree.may_deepen(near[0]):
                return
            before = self.missing(near[0])
            children = self.expand(near)
            looks = self.nearest_of(children)
            self.offer(*(child for child in children if not (child.guessed and child in looks)))


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


def _first_action(entry: Entry) -> Action:
    """What the way to an entry that is not the root begins with."""
    while entry.parent is not None and entry.parent.parent is not None:
        entry = entry.parent
    assert entry.action is not None
    return entry.action


best_first = partial(search, a_star)
weighted_best_first = partial(search, weighted)
greedy_best_first = partial(search, greedy)

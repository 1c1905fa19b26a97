"""The tree every search grows: imagined nodes, what led to them, what they cost, and the result made of it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import networkx as nx
import numpy as np

from hiermap.planners.candidates import Candidate, candidates
from hiermap.planners.failure_memory import discount, discounted
from hiermap.planners.options import Budget, SearchOptions
from hiermap.planners.plan import Plan, PlanResult, PlanStep, Status
from hiermap.worlds.base import Action, Node, Observation, Outcome, World
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.goals import Goal

LEAST_SUCCESS = 1e-3
"""An edge less likely than this is no edge: it would cost more than a dozen sure primitives."""
MOST_STEPS = 20.0
"""A progress of 0 (or nearly) counts as this many missing primitives, so that a pessimistic world prunes nothing."""


@runtime_checkable
class BatchWorld(Protocol):
    """Optional: a world that imagines several nodes' actions in one pass."""

    def expand_batch(self, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
        """Per node, one outcome per action, equal to `expand` on each node."""
        ...


@runtime_checkable
class ExplainingWorld(Protocol):
    """Optional: a world that says which goal predicates hold and where in space a cell lies."""

    def predicates(self, node: Node, goal: Goal) -> Mapping[str, float]:
        """`str(predicate)` -> probability that it holds in `node`."""
        ...

    def point(self, node: Node, cell: tuple[int, int]) -> tuple[float, float, float] | None:
        """World point of the surface at `cell` [m], or None where it is not known."""
        ...


@runtime_checkable
class MergingWorld(Protocol):
    """Optional: a world that recognises siblings that are one and the same state, though different actions lead to them."""

    def twins(self, parent: Node, children: Sequence[Node]) -> list[int]:
        """Per child the index of the first child that is the same state, which may be itself."""
        ...


def expand_many(world: World, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
    """Outcomes of several nodes in one pass where the world offers that, else node by node."""
    if isinstance(world, BatchWorld):
        return world.expand_batch(nodes, actions, goal)
    return [world.expand(node, chosen, goal) for node, chosen in zip(nodes, actions, strict=True)]


@dataclass(frozen=True, eq=False)
class Entry:
    """A node in the tree: the edge that led to it and the totals from the root.

    `belief` is the probability that the goal holds in a node where it is believed to; its risk is part of `cost`, or a search would
    always prefer the short plan whose end the world is hardly sure of.
    """

    index: int
    node: Node
    parent: "Entry | None" = None
    action: Action | None = None
    affordance: float = 1.0
    success: float = 1.0
    seconds: float = 0.0
    cost: float = 0.0
    depth: int = 0
    belief: float = 1.0

    @property
    def solved(self) -> bool:
        return self.node.progress >= 1.0

    @property
    def steps_to_go(self) -> float:
        """Estimated number of missing primitives, from progress = 1 / (1 + n)."""
        return min(1.0 / max(self.node.progress, 1e-9) - 1.0, MOST_STEPS)

    def remaining(self, options: SearchOptions) -> float:
        """The heuristic h [s]."""
        return options.seconds_per_step * self.steps_to_go


class Tree:
    """Entries grown so far, within a budget."""

    def __init__(self, world: World, root: Node, goal: Goal, budget: Budget, options: SearchOptions, started: float) -> None:
        self.world, self.goal, self.budget, self.options, self.started = world, goal, budget, options, started
        self.entries = [Entry(0, root)]
        self.expansions = 0
        self.duplicates = 0
        self.cut_by_depth = False
        self._masks = [target.mask for target in goal.targets.values()]

    @property
    def root(self) -> Entry:
        return self.entries[0]

    def spent(self) -> Status | None:
        """The status to end with if the budget is used up."""
        if self.expansions >= self.budget.expansions:
            return Status.UNSOLVABLE_WITHIN_BUDGET
        if time.perf_counter() - self.started >= self.budget.seconds:
            return Status.TIMEOUT
        return None

    def exhausted(self) -> Status:
        """The status to end with when nothing is left to imagine."""
        return Status.UNSOLVABLE_WITHIN_BUDGET if self.cut_by_depth else Status.UNSOLVABLE

    def candidates(self, entry: Entry) -> list[Candidate]:
        """Peaks of an entry's maps, after the memory of failures."""
        maps, peaks = entry.node.maps, self.options.peaks
        if self.options.avoid:
            # The threshold judges what the world says; a failure makes an action dear, not unthinkable.
            maps = discounted(np.where(maps >= peaks.threshold, maps, 0.0), self.options.avoid, entry.depth)
            peaks = replace(peaks, threshold=LEAST_SUCCESS)
        return candidates(maps, peaks, self._masks)

    def grow(self, entries: Sequence[Entry], choose: Callable[[Entry], list[Candidate]] | None = None) -> list[list[Entry]]:
        """The children of each entry by each candidate action; never more entries than the budget still allows."""
        choose = choose or self.candidates
        entries = entries[: self.budget.expansions - self.expansions]
        self.expansions += len(entries)
        chosen = [choose(entry) for entry in entries]
        actions = [[candidate.action for candidate in some] for some in chosen]
        outcomes = expand_many(self.world, [entry.node for entry in entries], actions, self.goal)
        return [self._children(*each) for each in zip(entries, chosen, outcomes, strict=True)]

    def _children(self, parent: Entry, chosen: Sequence[Candidate], outcomes: Sequence[Outcome]) -> list[Entry]:
        """One entry per state that the outcomes lead to, by the cheapest action that does."""
        cheapest: dict[int, Entry] = {}
        for candidate, outcome, twin in zip(chosen, outcomes, self._twins(parent, outcomes), strict=True):
            child = self._child(parent, candidate, outcome)
            if child is None:
                continue
            self.duplicates += twin in cheapest
            if twin not in cheapest or child.cost < cheapest[twin].cost:
                cheapest[twin] = child
        children = [replace(child, index=len(self.entries) + number) for number, child in enumerate(cheapest.values())]
        self.entries += children
        return children

    def _child(self, parent: Entry, candidate: Candidate, outcome: Outcome) -> Entry | None:
        """An entry without a number yet; None for an edge too unlikely to be one."""
        success = outcome.success * discount(candidate.action, self.options.avoid, parent.depth)
        if success < LEAST_SUCCESS:
            return None
        belief = self._belief(outcome.node)
        return Entry(
            index=-1,
            node=outcome.node,
            parent=parent,
            action=candidate.action,
            affordance=candidate.prior,
            success=success,
            seconds=outcome.cost,
            cost=parent.cost + outcome.cost - self.options.risk_seconds * float(np.log(success * belief)),
            depth=parent.depth + 1,
            belief=belief,
        )

    def _twins(self, parent: Entry, outcomes: Sequence[Outcome]) -> Sequence[int]:
        if isinstance(self.world, MergingWorld):
            return self.world.twins(parent.node, [outcome.node for outcome in outcomes])
        return range(len(outcomes))

    def _belief(self, node: Node) -> float:
        if node.progress < 1.0 or not isinstance(self.world, ExplainingWorld):
            return 1.0
        return max(float(np.prod(list(self.world.predicates(node, self.goal).values()))), LEAST_SUCCESS)

    def may_deepen(self, entry: Entry) -> bool:
        """Whether an entry is short enough to be expanded; remembers when one was not."""
        if entry.depth < self.options.max_depth:
            return True
        self.cut_by_depth = True
        return False

    def plan(self, entry: Entry) -> Plan:
        """The path from the root to `entry`."""
        path = _path(entry)
        success = float(np.prod([step.success for step in path])) * entry.belief
        return Plan(tuple(self._step(step) for step in path), entry.cost, success, float(entry.node.progress))

    def _step(self, entry: Entry) -> PlanStep:
        assert entry.parent is not None and entry.action is not None  # only the root has neither
        predicates: Mapping[str, float] = {}
        point = None
        if isinstance(self.world, ExplainingWorld):
            predicates = dict(self.world.predicates(entry.node, self.goal))
            point = self.world.point(entry.parent.node, entry.action.cell)
        before, after = entry.parent.node, entry.node
        return PlanStep(entry.action, entry.affordance, entry.success, entry.seconds, before, after, predicates, point)

    def result(self, status: Status, found: Iterable[Entry] = ()) -> PlanResult:
        """The answer: `found` are solved entries, the first is the plan; without any, the most promising partial plan."""
        found = list(found)[: 1 + self.options.alternatives]
        best = found[0] if found else min(self.entries, key=lambda e: (e.steps_to_go, e.cost, e.index))
        metrics = {
            "expansions": self.expansions,
            "generated": len(self.entries) - 1,
            "duplicates": self.duplicates,
            "seconds": time.perf_counter() - self.started,
            "depth": best.depth,
        }
        graph = self.graph({entry.index for entry in [self.root, *_path(best)]})
        others = tuple(self.plan(entry) for entry in found[1:])
        return PlanResult(status, self.plan(best), others, graph, metrics, _message(status, self), goal=self.goal, budget=self.budget)

    def graph(self, on_plan: set[int]) -> nx.DiGraph:
        """What was imagined, with scalar attributes only, so that GraphML can hold it."""
        graph = nx.DiGraph()
        for e in self.entries:
            numbers = {"progress": float(e.node.progress), "cost": float(e.cost), "depth": e.depth}
            graph.add_node(e.index, **numbers, solved=e.solved, on_plan=e.index in on_plan)
        for e in self.entries[1:]:
            graph.add_edge(e.parent.index, e.index, **_edge(e))  # type: ignore[union-attr]
        return graph


def plant(world: World, observation: Observation, goal: Goal, budget: Budget, options: SearchOptions) -> Tree | PlanResult:
    """A tree with the real view as its root, or the result that says why the observation cannot be used."""
    started = time.perf_counter()
    try:
        root = world.root(observation, goal)
    except InvalidObservationError as error:
        return PlanResult(Status.INVALID_OBSERVATION, message=str(error), observation=observation, goal=goal, budget=budget)
    return Tree(world, root, goal, budget, options, started)


def _edge(entry: Entry) -> dict[str, Any]:
    assert entry.action is not None
    (row, column), rotation = entry.action.cell, entry.action.rotation_index
    numbers = {"affordance": float(entry.affordance), "success": float(entry.success), "seconds": float(entry.seconds)}
    return {"primitive": entry.action.primitive, "row": row, "column": column, "rotation_index": rotation, **numbers}


def _path(entry: Entry) -> list[Entry]:
    path = []
    while entry.parent is not None:
        path.append(entry)
        entry = entry.parent
    return path[::-1]


def _message(status: Status, tree: Tree) -> str:
    budget = tree.budget
    if status is Status.TIMEOUT:
        return f"no plan within {budget.seconds:g} s and {tree.expansions} expansions; allow more seconds"
    if status is Status.UNSOLVABLE_WITHIN_BUDGET:
        depth = tree.options.max_depth
        return f"no plan within {budget.expansions} expansions and {depth} steps; allow more expansions or steps, or a lower peak threshold"
    if status is Status.UNSOLVABLE:
        return f"no imagined state satisfies '{tree.goal}': all {len(tree.entries)} were visited; lower the peak threshold, or ask for less"
    return ""

"""The tree every search grows: imagined nodes, what led to them, what they cost, and the result made of it."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hiermap.planners.candidates import Candidate, PeakOptions, Pointed, candidates
from hiermap.planners.failure_memory import discount, discounted
from hiermap.planners.options import Budget, SearchOptions
from hiermap.planners.plan import Plan, PlanResult, PlanStep, Status, empty_graph
from hiermap.worlds.base import Action, Foresight, Node, Outcome, World
from hiermap.worlds.goals import Goal

if TYPE_CHECKING:
    import networkx as nx

LEAST_SUCCESS = 1e-3
"""An edge less likely than this is no edge: it would cost more than a dozen sure primitives."""
NEARER = 0.5
"""Missing primitives by which something has to be nearer to the goal to count as progress."""
HANDLING = {"grasp", "place"}
"""Primitives that fill or empty the hand."""
MOST_STEPS = 20.0
"""A progress of 0 (or nearly) counts as this many missing primitives, so that a pessimistic world prunes nothing."""
_MESSAGES = {
    Status.TIMEOUT: "no plan within {tree.budget.seconds:g} s and {tree.expansions} expansions; allow more seconds",
    Status.UNSOLVABLE_WITHIN_BUDGET: "no plan within {tree.budget.expansions} expansions and {tree.options.max_depth} steps; "
    "allow more expansions or steps, or a lower peak threshold",
    Status.UNSOLVABLE: "no imagined state satisfies '{tree.goal}': all {visited} were visited; lower the peak threshold, or ask for less",
}

Heuristic = Callable[[Node], float]
"""Estimated number of missing primitives, >= 0; 0 for a node that satisfies the goal."""
Candidates = Callable[[np.ndarray, PeakOptions, Pointed], list[Candidate]]
"""Actions worth imagining, from maps `[P, R, H, W]`, the options, and where the goal points to."""


def missing_primitives(node: Node) -> float:
    """What the world itself estimates, from progress = 1 / (1 + n)."""
    return min(1.0 / max(node.progress, 1e-9) - 1.0, MOST_STEPS)


@dataclass(frozen=True, eq=False)
class Entry:
    """A node in the tree: the edge that led to it, the totals from the root and `steps_to_go`, what the heuristic says is missing.

    `belief` is the probability that the goal holds in a node where it is believed to; its risk is part of `cost`, or a search would
    always prefer the short plan whose end the world is hardly sure of. A guessed entry stands for a node that is not imagined yet.
    """

    index: int
    node: Node
    steps_to_go: float
    parent: "Entry | None" = None
    action: Action | None = None
    affordance: float = 1.0
    success: float = 1.0
    seconds: float = 0.0
    cost: float = 0.0
    depth: int = 0
    belief: float = 1.0
    guessed: bool = False

    @property
    def solved(self) -> bool:
        return self.node.progress >= 1.0 and not self.guessed

    @property
    def candidate(self) -> Candidate:
        """What led here."""
        assert self.action is not None  # only the root has none
        return Candidate(self.action, self.affordance)

    def missing(self, options: SearchOptions) -> float:
        """Primitives missing: what the heuristic says, and `unmet` for what is not believed of the goal; none where it is solved."""
        if not options.unmet or self.node.progress >= 1.0:
            return self.steps_to_go
        return self.steps_to_go + options.unmet * sum(1.0 - float(chance) for chance in self.node.predicates.values())

    def remaining(self, options: SearchOptions) -> float:
        """The heuristic h [s]."""
        return options.step_seconds * self.missing(options)


class Tree:
    """Entries grown so far, within a budget.

    Args:
        world: where to imagine.
        root: the node of what is seen now.
        goal: what shall hold.
        budget: what may be spent.
        options: and how.
        heuristic: estimates what is missing.
        propose: chooses the actions worth imagining.
    """

    def __init__(
        self,
        world: World,
        root: Node,
        goal: Goal,
        budget: Budget,
        options: SearchOptions,
        heuristic: Heuristic = missing_primitives,
        propose: Candidates = candidates,
    ) -> None:
        self.world, self.goal, self.budget, self.options = world, goal, budget, options
        self.heuristic, self.propose = heuristic, propose
        self.started = time.perf_counter()
        self.root = Entry(0, root, heuristic(root))
        self.entries = [self.root]
        self.expansions = 0
        self.duplicates = 0
        self.cut_by_depth = False
        self._pointed = Pointed.at(target.mask for target in goal.targets.values())

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

    def candidates(self, entry: Entry, maps: np.ndarray, propose: Candidates | None = None) -> list[Candidate]:
        """What is proposed for an entry with maps `[P, R, H, W]`, after the memory of failures."""
        peaks = self.options.peaks
        if self.options.avoid:
            # The threshold judges what the world says; a failure makes an action dear, not unthinkable.
            maps = discounted(np.where(maps >= peaks.threshold, maps, 0.0), self.options.avoid, entry.depth, self.options.memory)
            peaks = replace(peaks, threshold=LEAST_SUCCESS)
        return (propose or self.propose)(maps, peaks, self._pointed)

    def grow(self, entries: Sequence[Entry], propose: Candidates | None = None) -> list[list[Entry]]:
        """The children of each entry by each candidate action; never more entries than the budget still allows."""
        entries, chosen = self.chosen(entries, propose)
        actions = [[candidate.action for candidate in some] for some in chosen]
        outcomes = self.world.expand([entry.node for entry in entries], actions, self.goal)
        return [self._children(*each) for each in zip(entries, chosen, outcomes, strict=True)]

    def chosen(self, entries: Sequence[Entry], propose: Candidates | None = None) -> tuple[Sequence[Entry], list[list[Candidate]]]:
        """The entries that the budget still lets expand, which counts them as expanded, and the candidates of each."""
        entries = entries[: self.budget.expansions - self.expansions]
        self.expansions += len(entries)
        maps = self.maps(entries) if entries else ()
        return entries, [self.candidates(entry, some, propose) for entry, some in zip(entries, maps, strict=True)]

    def maps(self, entries: Sequence[Entry]) -> np.ndarray:
        """Where actions are possible `[N, P, R, H, W]`: in each entry, or, without future maps, now."""
        if self.options.future_maps:
            return self.world.maps([entry.node for entry in entries])
        return self.world.maps([self.root.node]).repeat(len(entries), axis=0)

    def _children(self, parent: Entry, chosen: Sequence[Candidate], outcomes: Sequence[Outcome]) -> list[Entry]:
        """One entry per state that the outcomes lead to, by the cheapest action that does."""
        cheapest: dict[int, Entry] = {}
        for index, (candidate, outcome) in enumerate(zip(chosen, outcomes, strict=True)):
            child = self.child(parent, candidate, outcome)
            if child is None:
                continue
            twin = index if outcome.same_as is None else outcome.same_as
            self.duplicates += twin in cheapest
            if twin not in cheapest or child.cost < cheapest[twin].cost:
                cheapest[twin] = child
        return [self.keep(child) for child in cheapest.values()]

    def keep(self, child: Entry) -> Entry:
        """The child with its number, once it is part of the tree."""
        self.entries.append(replace(child, index=len(self.entries)))
        return self.entries[-1]

    def child(self, parent: Entry, candidate: Candidate, outcome: Outcome) -> Entry | None:
        """An entry without a number yet, guessed if the outcome is; None for an edge too unlikely to be one."""
        penalty = discount(candidate.action, self.options.avoid, parent.depth, self.options.memory)
        # Without future maps the present one says how likely an action succeeds, also in imagined states; it is discounted already.
        success = outcome.success * penalty if self.options.future_maps else candidate.prior
        if success < LEAST_SUCCESS or self._takes_back(parent, candidate.action, outcome.node):
            return None
        solved, guessed = outcome.node.progress >= 1.0, outcome.node.state is None
        doubt = self.options.doubt if guessed else 0.0
        belief = max(float(np.prod(list(outcome.node.predicates.values()))), LEAST_SUCCESS) if solved else 1.0
        return Entry(
            index=-1,
            node=outcome.node,
            steps_to_go=max(self.heuristic(outcome.node) - doubt, 0.0),
            parent=parent,
            action=candidate.action,
            affordance=candidate.prior,
            success=success,
            seconds=outcome.cost,
            cost=parent.cost + outcome.cost - self.options.risk_seconds * float(np.log(success * belief)),
            depth=parent.depth + 1,
            belief=belief,
            guessed=guessed,
        )

    def _takes_back(self, parent: Entry, action: Action, after: Node) -> bool:
        """Whether an action only undoes the one before it; what a hand took may well be set down again, elsewhere."""
        if parent.parent is None or parent.action is None or {parent.action.primitive, action.primitive} & HANDLING or after.state is None:
            return False
        world = self.world
        undone = isinstance(world, Foresight) and world.foresees and world.undoes(parent.parent.node, parent.node, after)
        self.duplicates += undone
        return undone

    def may_deepen(self, entry: Entry) -> bool:
        """Whether an entry is short enough to be expanded; remembers when one was not."""
        if entry.depth < self.options.max_depth:
            return True
        self.cut_by_depth = True
        return False

    def plan(self, entry: Entry) -> Plan:
        """The path from the root to `entry`."""
        path = _path(entry)
        holds = float(np.prod(list(entry.node.predicates.values())))  # of a partial plan too: what it is asked for is the goal
        said = holds * float(np.prod([step.success for step in path]))
        success = self.options.promised(said, len(path))
        return Plan(tuple(self._step(step) for step in path), entry.cost, success, float(entry.node.progress))

    def _step(self, entry: Entry) -> PlanStep:
        assert entry.parent is not None and entry.action is not None  # only the root has neither
        before, after, point = entry.parent.node, entry.node, self.world.point(entry.parent.node, entry.action.cell)
        if entry.guessed and isinstance(self.world, Foresight):
            after = self.world.foretold(before, entry.action, self.goal)
        imagined = self.options.future_maps and not entry.guessed
        maps = self.world.maps([before, after] if imagined else [before])
        return PlanStep(entry.action, entry.affordance, entry.success, entry.seconds, before, after, maps[0], maps[-1], point)

    def result(self, status: Status, found: Iterable[Entry] = ()) -> PlanResult:
        """The answer: `found` are the solved entries, or those to answer with, the first is the plan; else the most promising partial plan.

        Where more expansions might have helped, that is never the root while there is anything else: staying solves nothing.
        """
        staying_is_worst = status is not Status.UNSOLVABLE
        found = list(found)[: 1 + self.options.alternatives]
        best = (
            found[0] if found else min(self.entries, key=lambda e: (staying_is_worst and e is self.root, self._missing(e), e.cost, e.index))
        )
        metrics = {
            "expansions": self.expansions,
            "generated": len(self.entries) - 1,
            "duplicates": self.duplicates,
            "seconds": time.perf_counter() - self.started,
            "depth": best.depth,
        }
        graph = self.graph({entry.index for entry in [self.root, *_path(best)]})
        others = tuple(self.plan(entry) for entry in found[1:])
        message = _MESSAGES.get(status, "").format(tree=self, visited=len(self.entries))
        plan = self.plan(best)
        return PlanResult(status, plan, others, graph, metrics, message, root=self.root.node, goal=self.goal, budget=self.budget)

    def _missing(self, entry: Entry) -> float:
        """Primitives missing at an entry, and those that the risk of the way there is worth: a way that failed before leads nowhere."""
        risk = entry.cost - sum(step.seconds for step in _path(entry))
        return entry.missing(self.options) + risk / max(self.options.step_seconds, 1e-9)

    def graph(self, on_plan: set[int]) -> "nx.DiGraph":
        """What was imagined, with scalar attributes only, so that GraphML can hold it."""
        graph = empty_graph()
        for e in self.entries:
            numbers = {"progress": float(e.node.progress), "cost": float(e.cost), "depth": e.depth}
            graph.add_node(e.index, **numbers, solved=e.solved, on_plan=e.index in on_plan)
        for e in self.entries[1:]:
            assert e.parent is not None and e.action is not None  # only the root has neither
            (row, column), rotation = e.action.cell, e.action.rotation_index
            numbers = {name: float(getattr(e, name)) for name in ("affordance", "success", "seconds")}
            place = {"row": row, "column": column, "rotation_index": rotation}
            graph.add_edge(e.parent.index, e.index, primitive=e.action.primitive, **place, **numbers)
        return graph


def _path(entry: Entry) -> list[Entry]:
    path = []
    while entry.parent is not None:
        path.append(entry)
        entry = entry.parent
    return path[::-1]

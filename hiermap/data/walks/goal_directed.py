"""Walks with an aim: a random goal and the exact rules' shortest way to it, so that records hold the sequences that tasks consist of.

Random actions hardly ever shut a drawer on something, and a model that never saw that cannot imagine it: so that is drawn more often.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hiermap.data.walk_options import WalkOptions
from hiermap.data.walks.recorder import GOAL_STEPS_CAP, Look
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.goals import Predicate
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.shortest_paths import shortest
from hiermap.worlds.rules.state_table import StateTable
from hiermap.worlds.tasks.goal_sampling import GoalSampler

_ORDER = tuple(PRIMITIVES)
Cells = Callable[[Look, Move, int], np.ndarray]
Goal = tuple[Predicate, ...]
"""A conjunction; whose things have what masks does not matter here."""


@dataclass
class Purpose:
    """The moves still to make towards the goal drawn last; empty while the walk wanders, and to be cleared when one has no effect.

    `goals` are all that were drawn and set out for. `masks` (name -> `[H, W]` bool) are of the first view; `share` is the chance that a
    wandering walk sets out, in [0, 1]; `cells` tells where in a look a move in an orientation would be meant, `[H, W]` bool.
    """

    cells: Cells
    masks: Mapping[str, np.ndarray]
    share: float
    walk: WalkOptions = field(default_factory=WalkOptions)
    moves: list[Move] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)

    def next(self, now: Look, rng: np.random.Generator) -> Action | None:
        """The next action on the way, at a random cell that means it; None to wander, or when the way is no longer open."""
        if not self.moves and rng.random() < self.share:
            self.moves = list(self._draw(now, rng))
        if not self.moves:
            return None
        action = self._aimed(self.moves.pop(0), now, rng)
        if action is None:
            self.moves.clear()
        return action

    def _draw(self, now: Look, rng: np.random.Generator) -> tuple[Move, ...]:
        table = now.table
        if rng.random() < self.walk.put_away_share:
            goal: Goal | None = self._put_away(now, rng)
        else:
            sampler = GoalSampler(table)
            length = int(rng.integers(self.walk.shortest, self.walk.longest + 1))
            goal = sampler.draw(rng, length, bool(rng.random() < self.walk.detour_share))
        way = (goal and shortest(table, goal, self.walk.longest)) or ()
        self.goals += [goal] * bool(way) if goal else []
        return way

    def _put_away(self, now: Look, rng: np.random.Generator) -> tuple[Predicate, ...]:
        """Something that was in sight at first goes into a container, and that is shut."""
        seen = [name for name in now.scene.poses if self.masks[name].any()]
        containers = now.table.containers
        if not seen or not containers:
            return ()
        drawer = str(rng.choice(containers))
        return Predicate("inside", (str(rng.choice(seen)), drawer)), Predicate("closed", (drawer,))

    def _aimed(self, move: Move, now: Look, rng: np.random.Generator) -> Action | None:
        for rotation in now.table.rotations(move):
            cells = np.argwhere(self.cells(now, move, rotation) & now.maps[_ORDER.index(move.primitive), rotation])
            if len(cells):
                row, column = cells[rng.integers(len(cells))]
                return Action(move.primitive, (int(row), int(column)), rotation)
        return None


def nameable(goal: Sequence[Predicate], masks: Mapping[str, np.ndarray]) -> bool:
    """Whether everything that a goal names was in sight at first; `masks`: name -> `[H, W]` bool."""
    return all(masks[name].any() for predicate in goal for name in predicate.arguments)


def drawn_goals(tables: Sequence[StateTable], count: int, walk: WalkOptions, rng: np.random.Generator) -> list[Goal]:
    """Up to `count` goals as tasks ask for them, near and far, each drawn where one of the tables begins."""
    goals = []
    for index in rng.integers(len(tables), size=max(count, 0)):
        sampler = GoalSampler(tables[index])
        goals.append(sampler.draw(rng, int(rng.integers(1, GOAL_STEPS_CAP)), bool(rng.random() < walk.detour_share)))
    return [goal for goal in goals if goal]

"""Whether goals that make no sense are refused, and goals that do are not.

    python benchmarks/senseless_goals.py [seed=160000] [kitchens=50] [each=4] [suites=chain-1,chain-3,chain-5,chain-10] [weights=default]

In the kitchens of `seed`, `seed + 1`, ... it draws `each` senseless goals, of a different kind each time, half of them together with what
the kitchen's own task asks for, and plans them in the learned world. It prints how many were refused as `invalid_goal`, how many were
called solved, at once (believed) or with a plan (planned), for how many no plan was found, and how many goals of `suites` were refused.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hiermap.agent.planner import Planner
from hiermap.evaluation.problem import Problem, pose
from hiermap.planners import Budget, Status
from hiermap.worlds.goals import BINARY, UNARY, Goal, Predicate, Target
from hiermap.worlds.tasks.start_scenes import MIN_VISIBLE_CELLS

BUDGET = Budget(seconds=30.0, expansions=20)
OUTCOMES = ("refused", "believed", "planned", "no plan")


@dataclass(frozen=True)
class Things:
    """What is in a kitchen by what can be asked of it, of what is seen well enough, and where nothing is that has a name.

    Attributes:
        able: (kind of predicate, whether as its place) -> names of the things of which it makes sense.
        masks: name -> `[H, W]` bool.
        bare, unseen: `[H, W]` bool, cells that show nothing with a name, and no surface at all.
        rng: draws.
    """

    able: Mapping[tuple[str, bool], list[str]]
    masks: Mapping[str, np.ndarray]
    bare: np.ndarray
    unseen: np.ndarray
    rng: np.random.Generator

    @classmethod
    def of(cls, problem: Problem, rng: np.random.Generator) -> "Things":
        """By the names and rules of a kitchen: for whoever makes up goals, never for what plans."""
        masks = {name: mask for name, mask in problem.masks.items() if mask.sum() >= MIN_VISIBLE_CELLS}
        spec = problem.task.scene.spec  # type: ignore[attr-defined]
        able = {(end, False): [f.name for f in spec.fixtures if end in f.ends] for end in ("open", "closed", "on", "off")}
        able |= {(kind, False): [thing.name for thing in spec.objects] for kind in ("held", *BINARY)}
        able |= {("inside", True): [d.name for d in spec.drawers], ("on_top", True): [s.name for s in spec.surfaces]}
        able = {form: [name for name in names if name in masks] for form, names in able.items()}
        return cls(able, masks, ~np.any(list(problem.masks.values()), axis=0), ~problem.view.valid, rng)

    def one(self, names: list[str]) -> str:
        return str(self.rng.choice(names))

    def fit(self, kind: str, place: bool = False) -> str:
        return self.one(self.able[kind, place])

    def unfit(self, kind: str, place: bool = False) -> str:
        return self.one([name for name in self.masks if name not in self.able[kind, place]])

    def told(self, *predicates: tuple[str, ...], **masks: np.ndarray) -> Goal:
        """A goal with the kitchen's own masks, or others by name."""
        names = dict.fromkeys(name for _, *arguments in predicates for name in arguments)
        targets = {name: Target(name, masks.get(name, self.masks.get(name))) for name in names}  # type: ignore[arg-type]
        return Goal(tuple(Predicate(kind, tuple(rest)) for kind, *rest in predicates), targets)


def wrong_thing(things: Things) -> Goal:
    """A property that the thing cannot have."""
    kind = things.one(list(UNARY))
    return things.told((kind, things.unfit(kind)))


def wrong_passenger(things: Things) -> Goal:
    """Something that cannot be carried, in or on a place."""
    kind = things.one(list(BINARY))
    place = things.fit(kind, True)
    return things.told((kind, things.one([n for n in things.masks if n not in (*things.able[kind, False], place)]), place))


def wrong_place(things: Things) -> Goal:
    """A thing in what is no container or on what is no surface, mostly far away from it."""
    kind = things.one(list(BINARY))
    thing = things.fit(kind)
    return things.told((kind, thing, things.one([n for n in things.masks if n not in (*things.able[kind, True], thing)])))


def contradiction(things: Things) -> Goal:
    """What cannot hold together."""
    kind = things.one(list(BINARY))
    thing, place = things.fit(kind), things.fit(kind, True)
    choices: list[tuple[tuple[str, ...], ...]] = [
        ((kind, thing, thing),),
        ((kind, place, place),),
        ((kind, thing, place), (kind, place, thing)),
        ((kind, thing, place), ("held", thing)),
    ]
    choices += [((a, name), (b, name)) for a, b in (("open", "closed"), ("on", "off")) for name in things.able[a, False][:1]]
    choices += [(("held", thing), ("held", other)) for other in things.able["held", False] if other != thing][:1]
    choices += [((kind, thing, place), (kind, thing, other)) for other in things.able[kind, True] if other != place][:1]
    return things.told(*choices[things.rng.integers(len(choices))])


def bare_mask(things: Things) -> Goal:
    """A mask of what has no name: wall, counter, floor, where the robot is."""
    roomy = ndimage.binary_erosion(things.bare, np.ones((5, 5)))
    row, column = things.rng.choice(np.argwhere(roomy))
    down, across = things.rng.integers(2, 12, 2)
    patch = np.zeros_like(roomy)
    patch[max(row - down, 0) : row + down + 1, max(column - across, 0) : column + across + 1] = True
    return _asked_of(things, patch & things.bare)


def useless_mask(things: Things) -> Goal:
    """A mask that is empty, covers nothing that is seen, or covers another target."""
    choices = [np.zeros_like(things.bare)] + [things.unseen] * bool(things.unseen.any())
    which = int(things.rng.integers(len(choices) + 1))
    if which < len(choices):
        return _asked_of(things, choices[which])
    kind = things.one(list(UNARY))
    thing = things.fit(kind)
    return things.told((kind, thing), (kind, "twin"), twin=ndimage.binary_dilation(things.masks[thing]))


def _asked_of(things: Things, mask: np.ndarray) -> Goal:
    kind = things.one([*UNARY, *BINARY])
    if kind in UNARY:
        return things.told((kind, "something"), something=mask)
    place = bool(things.rng.integers(2))
    other = things.fit(kind, not place)
    return things.told((kind, other, "something") if place else (kind, "something", other), something=mask)


KINDS: Mapping[str, Callable[[Things], Goal]] = {
    make.__name__: make for make in (wrong_thing, wrong_passenger, wrong_place, contradiction, bare_mask, useless_mask)
}
"""Kinds of senselessness."""


def senseless_goal(kind: str, problem: Problem, seed: int) -> Goal:
    """A goal of one of `KINDS` in the first view of a problem, every other time together with the problem's own."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    things = Things.of(problem, rng)
    goal = KINDS[kind](things)
    if rng.integers(2):
        return goal
    own = [p for p in problem.goal.predicates if not set(p.arguments) & set(goal.targets)]
    own_targets = {name: problem.goal.targets[name] for p in own for name in p.arguments}
    return Goal((*goal.predicates, *own), {**goal.targets, **own_targets})


def outcome(planner: Planner, problem: Problem, goal: Goal) -> tuple[str, str]:
    """One of `OUTCOMES`, and the planner's words."""
    result = planner.plan(problem.view, goal, BUDGET)
    if result.status is Status.INVALID_GOAL:
        return "refused", result.message
    return ("planned" if len(result.plan) else "believed") if result else "no plan", result.message


def main(arguments: list[str]) -> None:
    """Print both tables."""
    options = dict(word.split("=", 1) for word in arguments)
    seed, kitchens, each = (int(options.get(key, value)) for key, value in (("seed", 160000), ("kitchens", 50), ("each", 4)))
    suites = options.get("suites", "chain-1,chain-3,chain-5,chain-10").split(",")
    planner = Planner.from_pretrained(options.get("weights", "default"))
    found: dict[str, Counter] = {kind: Counter() for kind in KINDS}
    true: dict[str, Counter] = {suite: Counter() for suite in suites}
    for number in range(kitchens):
        problem = pose("chain-3", seed + number)
        for k in range(each):
            kind = list(KINDS)[(number * each + k) % len(KINDS)]
            goal = senseless_goal(kind, problem, seed + number)
            what, words = outcome(planner, problem, goal)
            found[kind][what] += 1
            if what != "refused":
                print(f"not refused: {goal} in the kitchen of chain-3 seed {seed + number}: {what}; {words}")
        for suite in suites:
            own = problem if suite == "chain-3" else pose(suite, seed + number)
            result = planner.plan(own.view, own.goal, Budget(expansions=0))
            true[suite][result.status is Status.INVALID_GOAL] += 1
            if result.status is Status.INVALID_GOAL:
                print(f"refused: {own.goal} of {suite} seed {seed + number}: {result.message}")
    print("\n| senseless goals | n | " + " | ".join(OUTCOMES) + " |\n" + "| --- " * (2 + len(OUTCOMES)) + "|")
    for kind, counts in [*found.items(), ("all", sum(found.values(), Counter()))]:
        print(f"| {kind.replace('_', ' ')} | {counts.total()} | " + " | ".join(str(counts[name]) for name in OUTCOMES) + " |")
    print("\n| true goals | n | refused |\n| --- | --- | --- |")
    for suite, counts in [*true.items(), ("all", sum(true.values(), Counter()))]:
        print(f"| {suite} | {counts.total()} | {counts[True]} |")


if __name__ == "__main__":
    main(sys.argv[1:])

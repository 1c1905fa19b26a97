"""Whether the rules of a scene's geometry and its physics agree: random moves that the rules allow, made by the motor programs.

In every trial the scene begins at random, a primitive is drawn among those that some move needs, and a move among its moves, made at the
best cell of its oracle map in the view of that moment, or with `cell=any` at a random one. A move agrees if the judge sees its effect; one
that no cell shows is not made, and only counted. To place something it is grasped first, which counts too. Without `path`, wide kitchens
from the seed on, with `EACH` starts in each.

    python benchmarks/rules_and_physics.py path=examples/bring_your_own_kitchen/kitchen.xml [moves=100] [seed=173000] [cell=best]
    python benchmarks/rules_and_physics.py [moves=100] [seed=173000] [arm=panda] [cell=best]
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, repeat
from pathlib import Path

import numpy as np

from hiermap.primitives.arms.spec import ArmSpec
from hiermap.primitives.specs import Command
from hiermap.system.proportions import wilson
from hiermap.worlds.base import Action
from hiermap.worlds.geometry.affordances import regions
from hiermap.worlds.geometry.geometry_table import NOMINAL, GeometryTable
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.mjcf.mjcf_scene import MjcfScene, PartsScene
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.state_table import Operator
from hiermap.worlds.tasks.geometry_chains import geometry_of, wide_scenes
from hiermap.worlds.tasks.kitchen_options import KitchenOptions
from hiermap.worlds.tasks.wide_trials import happened
from hiermap.worlds.wide.kitchens import kind_of

UNSEEN = "unseen"
HEIGHTS_M, YAWS_RAD, LEVEL = (0.1, 0.2, 0.3, 0.4), (0.1, 0.25), 0.9
"""Borders of what is counted together; a face with more of its normal upward has no front."""
EACH, MOST = 5, 4
"""Starts in each wide kitchen, and starts at most for every move asked for."""


def action_now(
    geometry: SceneGeometry, scene: PartsScene, rules: GeometryTable, operator: Operator, any_cell: np.random.Generator | None = None
) -> tuple[Action, SpatialView] | None:
    """The oracle's action for an operator's move as the view of this moment shows it, the best or any; None if no cell does."""
    view = scene.view()
    found = regions(geometry, rules, scene.data.qpos, view, scene.masks())
    region = next((region for region in found if region.operator is operator), None)
    if region is None:
        return None
    row, column = region.best if any_cell is None else any_cell.choice(np.argwhere(region.cells | region.beside))
    return Action(operator.move.primitive, (int(row), int(column)), region.rotation), view


def drawn(rules: GeometryTable, rng: np.random.Generator, primitives: tuple[str, ...] = ()) -> Operator | None:
    """A primitive that some move needs, each as likely, and one of its moves."""
    operators = [rules.operators[number] for number in rules.applicable(np.array([rules.start]))[0]]
    kinds = sorted({o.move.primitive for o in operators if not primitives or o.move.primitive in primitives})
    if not kinds:
        return None
    kind = str(rng.choice(kinds))
    among = [operator for operator in operators if operator.move.primitive == kind]
    return among[int(rng.integers(len(among)))]


@dataclass(frozen=True)
class Made:
    """A move, where it was made, and how it came out: "agrees", "unseen" (no cell shows it) or what the program said."""

    move: Move
    outcome: str
    command: Command | None

    def groups(self) -> Iterator[str]:
        """What it is counted under: primitive and kind, height, and, of what has a front, how far that is turned from the arm."""
        yield f"{self.move.primitive} {kind_of(self.move.target)}"
        if self.command is not None:
            yield f"height {banded(self.command.point_world[2], HEIGHTS_M)} m"
            x, y, z = self.command.normal_world
            if z < LEVEL and x < 0:
                yield f"yaw {banded(abs(float(np.arctan2(y, -x))), YAWS_RAD)} rad"


def banded(value: float, borders: tuple[float, ...]) -> str:
    """Between which of some rising borders a value lies."""
    number = int(np.searchsorted(borders, value))
    ends = ("", *(f"{border:g}" for border in borders), "")
    return f"{ends[number]} to {ends[number + 1]}".strip()


def trial(geometry: SceneGeometry, scene: PartsScene, rng: np.random.Generator, anywhere: bool) -> Iterator[Made]:
    """Moves from one random start, at their best cells or `anywhere` in their maps."""
    fractions, numbers = geometry.start(rng)
    rules = GeometryTable(geometry, fractions, numbers, NOMINAL)
    scene.pose(fractions, {name: geometry.base(name, number, fractions) for name, number in numbers.items()})
    operator = drawn(rules, rng)
    while operator is not None:
        known = action_now(geometry, scene, rules, operator, rng if anywhere else None)
        command, move = None if known is None else ground(known[1], known[0]), operator.move
        if command is not None and move.place is not None and anywhere:
            move = replace(move, place=replace(move.place, point_world=command.point_world))
        reason = UNSEEN if known is None else str(scene.act(*known).reason)
        agrees = known is not None and happened(scene, move)
        yield Made(move, "agrees" if agrees else reason, command)
        if not agrees or operator.move.primitive != "grasp":
            return
        held = operator.move.target
        rules = GeometryTable(geometry, fractions, {name: number for name, number in numbers.items() if name != held}, NOMINAL, held)
        operator = drawn(rules, rng, ("place",))


def scenes(path: str | None, seed: int, arm: ArmSpec) -> Iterator[tuple[SceneGeometry, PartsScene]]:
    """The scene in a file for ever, or a wide kitchen after another, each `EACH` times."""
    if path is not None:
        yield from repeat((geometry_of(Path(path), None), MjcfScene(Path(path))))
    for kitchen in count(seed):
        scene = next(wide_scenes(kitchen, 2, arm=arm))
        yield from repeat((SceneGeometry.of(scene), scene), EACH)


def main(arguments: list[str]) -> None:
    """Print the moves that disagreed, and how many agree by primitive and by kind of part."""
    given = dict(word.split("=", 1) for word in arguments)
    moves, seed, arm = int(given.get("moves", 100)), int(given.get("seed", 173000)), KitchenOptions(arm=given.get("arm", "panda")).robot
    tried, agreed, unseen, total = Counter[str](), Counter[str](), 0, [0, 0]
    for number, (geometry, scene) in enumerate(scenes(given.get("path"), seed, arm)):
        for made in trial(geometry, scene, np.random.default_rng([seed, number]), given.get("cell") == "any"):
            if made.outcome == UNSEEN:
                unseen += 1
                continue
            agrees = made.outcome == "agrees"
            total = [total[0] + agrees, total[1] + 1]
            for group in made.groups():
                tried[group] += 1
                agreed[group] += agrees
            if not agrees:
                print(f"{number}, {scene.about}: {made.move}: {made.outcome}", flush=True)
        if total[1] >= moves or number >= MOST * moves:
            break
    for name, times in sorted(tried.items()):
        print(f"{name:20} {agreed[name]:4} of {times:4}")
    low, high = wilson(*total)
    share = total[0] / total[1]
    print(f"{unseen} more that no cell shows")
    print(f"{'all':20} {total[0]:4} of {total[1]:4}: {100 * share:.1f} % ({100 * low:.1f} to {100 * high:.1f})")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Whether the rules of a scene's geometry and its physics agree: random moves that the rules allow, made by the motor programs.

In every trial the scene begins at random, a primitive is drawn among those that some move needs, and a move among its moves, made at the
best cell of its oracle map in the view of that moment. A move agrees if the judge sees its effect; one that no cell shows is not made, and
only counted. To place something it is grasped first, which counts too.

    python benchmarks/rules_and_physics.py path=examples/bring_your_own_kitchen/kitchen.xml [moves=100] [seed=173000]
    python benchmarks/rules_and_physics.py [moves=100] [seed=173000]      (wide kitchens of the seeds from there on, `EACH` starts in each)
"""

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path

import numpy as np

from hiermap.system.proportions import wilson
from hiermap.worlds.base import Action
from hiermap.worlds.geometry.affordances import regions
from hiermap.worlds.geometry.geometry_table import NOMINAL, GeometryTable
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.goals import Predicate
from hiermap.worlds.mjcf.mjcf_scene import MjcfScene, PartsScene
from hiermap.worlds.mjcf.parts import base_of
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.state_table import Operator
from hiermap.worlds.tasks.geometry_chains import geometry_of, wide_scene

UNSEEN = "unseen"
EACH, MOST = 5, 4
"""Starts in each wide kitchen, and starts at most for every move asked for."""
PLACED_M = 0.05
"""What was set down stands at most this far from where it was meant to."""


def action_now(geometry: SceneGeometry, scene: PartsScene, rules: GeometryTable, operator: Operator) -> tuple[Action, SpatialView] | None:
    """The oracle's best action for an operator's move as the view of this moment shows it; None if no cell does."""
    view = scene.view()
    found = regions(geometry, rules, scene.data.qpos, view, scene.masks())
    region = next((region for region in found if region.operator is operator), None)
    return None if region is None else (Action(operator.move.primitive, region.best, region.rotation), view)


def happened(scene: PartsScene, move: Move) -> bool:
    """Whether the judge sees what a move is for."""
    if move.place is not None:
        base = base_of(scene.model, scene.data, scene.parts.things[move.target])
        return bool(np.linalg.norm(base - move.place.point_world) <= PLACED_M) and not scene.between_fingers()
    wanted = Predicate(move.to or "held", (move.target,))
    return scene.truth([wanted])[str(wanted)]


def drawn(rules: GeometryTable, rng: np.random.Generator, primitives: tuple[str, ...] = ()) -> Operator | None:
    """A primitive that some move needs, each as likely, and one of its moves."""
    operators = [rules.operators[number] for number in rules.applicable(np.array([rules.start]))[0]]
    kinds = sorted({o.move.primitive for o in operators if not primitives or o.move.primitive in primitives})
    if not kinds:
        return None
    kind = str(rng.choice(kinds))
    among = [operator for operator in operators if operator.move.primitive == kind]
    return among[int(rng.integers(len(among)))]


def trial(geometry: SceneGeometry, scene: PartsScene, rng: np.random.Generator) -> Iterator[tuple[Move, str]]:
    """Moves from one random start, and how each came out: "agrees", "unseen" (no cell shows it) or what the program said."""
    fractions, numbers = geometry.start(rng)
    rules = GeometryTable(geometry, fractions, numbers, NOMINAL)
    scene.pose(fractions, {name: geometry.base(name, number, fractions) for name, number in numbers.items()})
    operator = drawn(rules, rng)
    while operator is not None:
        known = action_now(geometry, scene, rules, operator)
        reason = UNSEEN if known is None else str(scene.act(*known).reason)
        agrees = known is not None and happened(scene, operator.move)
        yield operator.move, "agrees" if agrees else reason
        if not agrees or operator.move.primitive != "grasp":
            return
        held = operator.move.target
        rules = GeometryTable(geometry, fractions, {name: number for name, number in numbers.items() if name != held}, NOMINAL, held)
        operator = drawn(rules, rng, ("place",))


def scenes(path: str | None, seed: int) -> Iterator[tuple[SceneGeometry, PartsScene]]:
    """The scene in a file for ever, or a wide kitchen after another, each `EACH` times."""
    if path is not None:
        yield from repeat((geometry_of(Path(path), None), MjcfScene(Path(path))))
    for kitchen in count(seed):
        scene = wide_scene(kitchen)
        yield from repeat((SceneGeometry.of(scene), scene), EACH)


def main(arguments: list[str]) -> None:
    """Print the moves that disagreed, and how many agree by primitive and by kind of part."""
    given = dict(word.split("=", 1) for word in arguments)
    moves, seed = int(given.get("moves", 100)), int(given.get("seed", 173000))
    tried, agreed, unseen = Counter[str](), Counter[str](), 0
    for number, (geometry, scene) in enumerate(scenes(given.get("path"), seed)):
        for move, outcome in trial(geometry, scene, np.random.default_rng([seed, number])):
            if outcome == UNSEEN:
                unseen += 1
                continue
            named = f"{move.primitive} {move.target.rstrip('_0123456789')}"
            tried[named] += 1
            agreed[named] += outcome == "agrees"
            if outcome != "agrees":
                print(f"{number}, {scene.about}: {move}: {outcome}", flush=True)
        if tried.total() >= moves or number >= MOST * moves:
            break
    for name, times in sorted(tried.items()):
        print(f"{name:20} {agreed[name]:4} of {times:4}")
    low, high = wilson(agreed.total(), tried.total())
    share = agreed.total() / tried.total()
    print(f"{unseen} more that no cell shows")
    print(f"{'all':20} {agreed.total():4} of {tried.total():4}: {100 * share:.1f} % ({100 * low:.1f} to {100 * high:.1f})")


if __name__ == "__main__":
    main(sys.argv[1:])

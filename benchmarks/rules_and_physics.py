"""Whether the rules of a scene's geometry and its physics agree: random moves that the rules allow, made by the motor programs.

In every trial the scene begins at random, a primitive is drawn among those that some move needs, and a move among its moves; the cell is
found in the view of that moment. A move agrees if the judge sees its effect. To place something it is grasped first, which counts too.

    python benchmarks/rules_and_physics.py path=examples/bring_your_own_kitchen/kitchen.xml [moves=100] [seed=173000]
    python benchmarks/rules_and_physics.py [moves=100] [seed=173000]      (wide kitchens of the seeds from there on, `EACH` starts in each)
"""

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path

import numpy as np

from hiermap.primitives.specs import Command
from hiermap.system.proportions import wilson
from hiermap.worlds.geometry.geometry_table import NOMINAL, GeometryTable
from hiermap.worlds.geometry.grips import fixture_grips, thing_grips
from hiermap.worlds.geometry.kinematic_copy import KinematicCopy
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.goals import Predicate
from hiermap.worlds.mjcf.mjcf_scene import MjcfScene, PartsScene
from hiermap.worlds.mjcf.parts import base_of
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.state_table import Operator
from hiermap.worlds.tasks.geometry_chains import geometry_of, wide_scene

EACH, MOST = 5, 4
"""Starts in each wide kitchen, and starts at most for every move asked for."""
PLACED_M = 0.05
"""What was set down stands at most this far from where it was meant to."""


def now(geometry: SceneGeometry, scene: PartsScene, move: Move, rotations: tuple[int, ...]) -> Command | None:
    """The command for a move as the view of this moment shows it, the best of those in the given orientations."""
    copy, view, masks = geometry.copy, scene.view(), scene.masks()
    copy.follow(scene.data.qpos)
    if move.place is not None:
        return Command("place", move.place.point_world, (0.0, 0.0, 1.0), rotations[0])
    if move.to is None:
        grips = thing_grips(copy, view, masks[move.target], move.target)
    else:
        end = scene.parts.fixtures[move.target].ends.index(move.to)
        grips = fixture_grips(copy, view, masks[move.target], move.target, 1 - end, end)
    copy.reset()
    fitting = (command for command in grips if command.primitive == move.primitive and command.rotation_index in rotations)
    return next(fitting, None)


def happened(scene: PartsScene, move: Move) -> bool:
    """Whether the judge sees what a move is for."""
    if move.place is not None:
        base = base_of(scene.model, scene.data, scene.parts.things[move.target])
        return bool(np.linalg.norm(base - move.place.point_world) <= PLACED_M) and not scene.between_fingers()
    wanted = Predicate(move.to or "held", (move.target,))
    return scene.truth([wanted])[str(wanted)]


def drawn(rules: GeometryTable, state: int, rng: np.random.Generator, primitives: tuple[str, ...] = ()) -> Operator | None:
    """A primitive that some move needs, each as likely, and one of its moves."""
    operators = [rules.operators[number] for number in rules.applicable(np.array([state]))[0]]
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
    state, operator = rules.start, drawn(rules, rules.start, rng)
    while operator is not None:
        command = now(geometry, scene, operator.move, rules.free_rotations(state, operator))
        reason = "unseen" if command is None else str(scene.run(command).reason)
        agrees = command is not None and happened(scene, operator.move)
        yield operator.move, "agrees" if agrees else reason
        state = (state & ~operator.clear) | operator.put
        operator = drawn(rules, state, rng, ("place",)) if agrees and operator.move.primitive == "grasp" else None


def scenes(path: str | None, seed: int) -> Iterator[tuple[SceneGeometry, PartsScene]]:
    """The scene in a file for ever, or a wide kitchen after another, each `EACH` times."""
    if path is not None:
        yield from repeat((geometry_of(Path(path), None), MjcfScene(Path(path))))
    for kitchen in count(seed):
        scene = wide_scene(kitchen)
        yield from repeat((SceneGeometry(KinematicCopy(scene.model, scene.parts)), scene), EACH)


def main(arguments: list[str]) -> None:
    """Print the moves that disagreed, and how many agree by primitive and by kind of part."""
    given = dict(word.split("=", 1) for word in arguments)
    moves, seed = int(given.get("moves", 100)), int(given.get("seed", 173000))
    tried, agreed = Counter[str](), Counter[str]()
    for number, (geometry, scene) in enumerate(scenes(given.get("path"), seed)):
        for move, outcome in trial(geometry, scene, np.random.default_rng([seed, number])):
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
    print(f"{'all':20} {agreed.total():4} of {tried.total():4}: {100 * share:.1f} % ({100 * low:.1f} to {100 * high:.1f})")


if __name__ == "__main__":
    main(sys.argv[1:])

"""What a world model believes along shortest solutions: of the goal's predicates, and of the distance that is left.

A task's shortest solution is followed exactly in its scene, at the oracle's cells, so the true distance is known at every view: k, k - 1
and so on to 0. A world looks at every view as an execution does (`seen`), or at the first alone and imagines the others (`imagined`); from
there it also says what each action promises. Tasks that cannot be followed are left out and counted. All weights are asked about the same
paths; `beliefs.kept=0` shows what is read without memory of what was believed before.

    OMP_NUM_THREADS=1 python benchmarks/paths.py [suite=chain-10] [seed=118100] [paths=20] [weights=default,runs/shuffled] [beliefs.kept=8]
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from results_table import table
from tqdm import tqdm

from hiermap.model.weights import load_weights
from hiermap.planners.search_tree import missing_primitives
from hiermap.system.config import typed
from hiermap.system.proportions import wilson
from hiermap.training.held_out import FALL
from hiermap.worlds.base import Action
from hiermap.worlds.errors import HiermapError
from hiermap.worlds.goals import PREDICATES, Goal, Target
from hiermap.worlds.imagined.belief_options import BeliefOptions
from hiermap.worlds.imagined.latent import LatentWorld
from hiermap.worlds.oracle.affordances import action_for
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules.judge import holds
from hiermap.worlds.rules.transitions import after
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.tasks.chains import sample_task

SEEN, IMAGINED = "seen", "imagined"


@dataclass(frozen=True, kw_only=True)
class PathsOptions:
    """What to follow, and who is asked.

    Attributes:
        suite: chain-1 .. chain-10.
        seed: of the first task.
        paths: tasks, of seeds `seed`, `seed + 1`, ...
        weights: shipped names or directories, between commas.
        beliefs: when what is imagined counts as true.
    """

    suite: str = "chain-10"
    seed: int = 118100
    paths: int = 20
    weights: str = "default"
    beliefs: BeliefOptions = field(default_factory=BeliefOptions)


@dataclass(frozen=True, eq=False)
class Followed:
    """A shortest solution of k steps: k + 1 views, k actions between them, and truths `[k + 1, Q]` bool of the goal's predicates."""

    goal: Goal
    views: Sequence[SpatialView]
    actions: Sequence[Action]
    truths: np.ndarray


@dataclass(frozen=True, eq=False)
class Answers:
    """What a world made of k steps.

    Attributes:
        kinds: `[N]` of the N = Q (k + 1) checks of predicates.
        truths, believed: `[N]` bool.
        to_go: `[k + 1]` primitives still needed.
        promised: `[k]` those that each action promised to leave; empty where the world foresees nothing.
    """

    kinds: np.ndarray
    truths: np.ndarray
    believed: np.ndarray
    to_go: np.ndarray
    promised: np.ndarray


Found = Mapping[tuple[str, str], Sequence[Answers]]
"""(Weights, way) -> what was answered along every path."""


def follow(suite: str, seed: int) -> Followed:
    """The path of a seed's task; HiermapError where there is none."""
    task = sample_task(suite, seed)
    kitchen = Kitchen(task.spec)
    kitchen.set_scene(task.scene)
    first, named = kitchen.masks(), [name for predicate in task.goal_predicates for name in predicate.arguments]
    goal = Goal(task.goal_predicates, {name: Target(name, first[name]) for name in named})
    views, actions, scenes = [kitchen.view()], [], [kitchen.scene()]
    for move in task.solution:
        action = action_for(task.spec, scenes[-1], views[-1], move, kitchen.masks())
        if action is None:
            raise HiermapError("nothing is seen of what a step acts on")
        kitchen.set_scene(after(task.spec, scenes[-1], move))
        actions.append(action)
        views.append(kitchen.view())
        scenes.append(kitchen.scene())
    truths = np.array([[holds(task.spec, scene, predicate) for predicate in goal.predicates] for scene in scenes])
    if not truths[-1].all():
        raise HiermapError("the goal does not hold at the end")
    return Followed(goal, views, actions, truths)


def answers(world: LatentWorld, path: Followed, way: str) -> Answers:
    """What the world believes along a path, `SEEN` or `IMAGINED`."""
    node = world.root(path.views[0], path.goal)
    nodes, promised = [node], []
    for action, view in zip(path.actions, path.views[1:], strict=True):
        if world.foresees:
            promised += world.promises([node], [[action]], path.goal)[0]
        node = world.expand([node], [[action]], path.goal)[0][0].node
        if way == SEEN:
            node = world.root(view, path.goal, path.views[0], node)
        nodes.append(node)
    return Answers(
        np.array([predicate.kind for _ in nodes for predicate in path.goal.predicates]),
        path.truths.ravel(),
        np.array([node.state.believed for node in nodes]).ravel(),
        np.array([missing_primitives(node) for node in nodes]),
        np.array([missing_primitives(outcome.node) for outcome in promised]),
    )


def distances(found: Found) -> str:
    """The table of believed ends and estimated distances, in nodes and as the actions from them promise."""
    lines, steps = [], 0
    for (weights, way), some in found.items():
        nodes, promised = np.stack([one.to_go for one in some]), np.stack([one.promised for one in some])
        steps = nodes.shape[1] - 1
        lines.append((Path(weights).name, way, *figures(nodes, nodes)))
        if promised.size:
            lines.append((Path(weights).name, f"{way}, promised", *figures(nodes, promised)))
    judged = ("goal believed at the end %", "95 % interval", "steps", f"% falling by {FALL}", "% rising", "mean absolute error", "RMSE")
    return table(("weights", "along", *judged, f"mean estimate at {steps}, {steps - 1}, .., 0"), lines)


def figures(nodes: np.ndarray, estimates: np.ndarray) -> tuple[str, ...]:
    """A row: what was estimated in nodes `[n, k + 1]`, and either the same again or what was promised `[n, k]` of all but the first."""
    ended, change = estimates[:, -1] == 0, estimates[:, 1 - nodes.shape[1] :] - nodes[:, :-1]
    error = estimates - np.arange(estimates.shape[1])[::-1]
    low, high = wilson(int(ended.sum()), len(ended))
    shares = (f"{100 * share:.1f}" for share in (np.mean(change <= -FALL), np.mean(change > 0)))
    errors = f"{np.abs(error).mean():.2f}", f"{np.sqrt(np.mean(error**2)):.2f}"
    means = ["-"] * (nodes.shape[1] - estimates.shape[1]) + [f"{mean:.1f}" for mean in estimates.mean(axis=0)]
    return f"{100 * ended.mean():.1f}", f"{100 * low:.1f} to {100 * high:.1f}", str(change.size), *shares, *errors, " ".join(means)


def checks(found: Found) -> str:
    """The table of wrong beliefs by kind of predicate, those of the first views included."""
    asked = {kind for some in found.values() for one in some for kind in one.kinds}
    kinds, lines = [kind for kind in PREDICATES if kind in asked], []
    for (weights, way), some in found.items():
        kind, truth, believed = (np.concatenate([getattr(one, name) for one in some]) for name in ("kinds", "truths", "believed"))
        for what, sought in (("true, not believed", True), ("false, believed", False)):
            of = [truth == sought, *((truth == sought) & (kind == each) for each in kinds)]
            counts = (f"{(which & (believed != sought)).sum()}/{which.sum()}" for which in of)
            lines.append((Path(weights).name, way, what, *counts))
    return table(("weights", "along", "wrong checks", "all", *kinds), lines)


def main(words: list[str]) -> None:
    options = typed(PathsOptions, OmegaConf.to_container(OmegaConf.from_dotlist(words)))
    torch.set_num_threads(1)
    worlds = {name: LatentWorld(load_weights(name).model, options=options.beliefs) for name in options.weights.split(",")}
    found: dict[tuple[str, str], list[Answers]] = {(name, way): [] for name in worlds for way in (SEEN, IMAGINED)}
    left_out, seeds = Counter(), range(options.seed, options.seed + options.paths)
    for seed in tqdm(seeds, desc=options.suite, unit="path", file=sys.stderr):
        try:
            path = follow(options.suite, seed)
        except HiermapError as reason:
            left_out[str(reason)] += 1
            continue
        for (name, way), some in found.items():
            some.append(answers(worlds[name], path, way))
    reasons = "".join(f"; {count}: {reason}" for reason, count in left_out.items())
    followed = f"{len(seeds) - left_out.total()} paths, {left_out.total()} left out{reasons}"
    print(f"{options.suite}, {len(seeds)} seeds from {options.seed}: {followed}")
    if left_out.total() == len(seeds):
        raise SystemExit("no path to measure")
    print(f"\n{distances(found)}\n\n{checks(found)}")


if __name__ == "__main__":
    main(sys.argv[1:])

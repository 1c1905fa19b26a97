"""Whether the planner knows places that it has not seen: familiarity at home, abroad, and of what no camera would see.

At home are kitchens of ours on their first view, somewhere along a shortest solution, and there with `config=realistic`; abroad are scenes
by other people at random places (`foreign_scenes.py`). As many first views at home are changed. "Surest" is the median of the highest
success that any action is given, "after" of what familiarity leaves of it.

    pip install 'gymnasium-robotics>=1.4.2' && pip install --no-deps 'ogbench>=1.2.2'
    OMP_NUM_THREADS=1 python benchmarks/familiarity.py [seed=174500] [kitchens=100] [abroad=118900] [placements=20] [weights=default]
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from itertools import product

import numpy as np
from foreign_scenes import FOREIGN
from omegaconf import OmegaConf
from results_table import table
from tqdm import tqdm

from hiermap.agent.planner import UNFAMILIAR
from hiermap.model.weights import load_weights
from hiermap.worlds.goals import Goal
from hiermap.worlds.imagined.latent import LatentWorld
from hiermap.worlds.perception.fusion import FRAME, MEAN_DEPTH_M, SpatialView
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.rules import transitions
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.sensors import draw_drift
from hiermap.worlds.tasks.chains import sample_task

SUITES = ("chain-1", "chain-3", "chain-5")
REALISTIC = SensingOptions(**OmegaConf.load(str(files("hiermap.configs") / "realistic.yaml")).sensing)
HOME = ("first view", "along a solution", "realistic")
BLOCK = 24, 32
Change = Callable[[SpatialView, np.random.Generator], SpatialView]


def home(seed: int) -> Iterator[tuple[str, SpatialView]]:
    """Views of the kitchen of a task."""
    task = sample_task(SUITES[seed % len(SUITES)], seed)
    done = np.random.default_rng(seed).integers(1, len(task.solution) + 1)
    scenes = [task.scene]
    for move in task.solution[:done]:
        scenes.append(transitions.apply(task.spec, scenes[-1], move))
    kitchen = Kitchen(task.spec)
    for name, scene in zip(HOME, (scenes[0], scenes[-1]), strict=False):
        kitchen.set_scene(scene)
        yield name, kitchen.view()
    kitchen.sensing, kitchen.drift = REALISTIC, draw_drift(REALISTIC, np.random.default_rng(seed))
    yield HOME[-1], kitchen.view()


def shown(view: SpatialView, depth: np.ndarray, valid: np.ndarray | None = None, rgb: np.ndarray | None = None) -> SpatialView:
    """A view of another depth, of which nothing else is known."""
    valid = view.valid if valid is None else valid
    return SpatialView(view.rgb if rgb is None else rgb, np.where(valid, depth, 0).astype(np.float32), valid, view.holding, view.frame)


def noise(view: SpatialView, rng: np.random.Generator) -> SpatialView:
    """Random colours at random depths."""
    rgb = rng.integers(0, 256, view.rgb.shape).astype(np.uint8)
    return shown(view, rng.uniform(0.6, 1.3, view.depth.shape), np.ones_like(view.valid), rgb)


def floor(view: SpatialView, rng: np.random.Generator) -> SpatialView:
    """Nothing but a grey floor at the height of the robot's base."""
    height = [view.frame.cell_to_point(view.frame.grid(), np.full(view.frame.shape, depth))[..., 2] for depth in (0.0, 1.0)]
    return shown(view, height[0] / (height[0] - height[1]), np.ones_like(view.valid), np.full_like(view.rgb, 150))


def shuffled(view: SpatialView, rng: np.random.Generator) -> SpatialView:
    """Blocks of the view in another order."""
    starts = product(range(0, FRAME.rows, BLOCK[0]), range(0, FRAME.columns, BLOCK[1]))
    corners = [(slice(row, row + BLOCK[0]), slice(column, column + BLOCK[1])) for row, column in starts]
    rgb, depth, valid = view.rgb.copy(), view.depth.copy(), view.valid.copy()
    for here, there in zip(corners, rng.permutation(len(corners)), strict=True):
        rgb[here], depth[here], valid[here] = view.rgb[corners[there]], view.depth[corners[there]], view.valid[corners[there]]
    return shown(view, depth, valid, rgb)


CHANGES: Mapping[str, Change] = {
    "noise": noise,
    "only a floor": floor,
    "only a wall": lambda view, rng: shown(view, np.full(view.depth.shape, MEAN_DEPTH_M), np.ones_like(view.valid)),
    "nothing seen": lambda view, rng: shown(view, view.depth, np.zeros_like(view.valid)),
    "upside down": lambda view, rng: shown(view, view.depth[::-1], view.valid[::-1], view.rgb[::-1]),
    "blocks in another order": shuffled,
    "tilted by 20 cm": lambda view, rng: shown(view, view.depth + np.linspace(-0.1, 0.1, view.depth.shape[1])),
    "5 cm nearer": lambda view, rng: shown(view, view.depth - 0.05),
    "depth noise of 2 cm a cell": lambda view, rng: shown(view, view.depth + rng.normal(0, 0.02, view.depth.shape)),
    "every other cell unseen": lambda view, rng: shown(view, view.depth, view.valid & (rng.random(view.valid.shape) < 0.5)),
    "colours black": lambda view, rng: replace(view, rgb=np.zeros_like(view.rgb)),
    "colours inverted": lambda view, rng: replace(view, rgb=255 - view.rgb),
    "colours random": lambda view, rng: replace(view, rgb=rng.integers(0, 256, view.rgb.shape).astype(np.uint8)),
}


def auroc(known: np.ndarray, strange: np.ndarray) -> float:
    """Chance that something at home is more familiar than something strange."""
    pairs = np.subtract.outer(known, strange)
    return float(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def main(arguments: list[str]) -> None:
    """Print the table."""
    options = dict(word.split("=", 1) for word in arguments)
    seed, kitchens, abroad, placements = (
        int(options.get(key, value)) for key, value in (("seed", 174500), ("kitchens", 100), ("abroad", 118900), ("placements", 20))
    )
    world = LatentWorld(load_weights(options.get("weights", "default")).model)
    found: dict[str, list[tuple[float, float]]] = {}

    def look(name: str, view: SpatialView) -> None:
        node = world.root(view, Goal((), {}))
        familiarity = world.familiarity(node)
        if familiarity is None:
            sys.exit("these weights do not say how well depth is usually decoded; see benchmarks/usual_depth.py")
        found.setdefault(name, []).append((familiarity, float(world.maps([node]).max())))

    for number in tqdm(range(seed, seed + kitchens)):
        for name, view in home(number):
            look(name, view)
            if name == HOME[0] and number < seed + placements:
                for change in CHANGES:
                    look(change, CHANGES[change](view, np.random.default_rng(number)))
    for name, scene in ((name, make()) for name, make in FOREIGN.items()):
        for number in range(placements):
            look(name, scene.seen(np.random.default_rng([abroad, number]))[0])
    rows, known = [], np.concatenate([np.array(found[name])[:, 0] for name in HOME])
    for name in (*HOME, *FOREIGN, *CHANGES):
        familiar, surest = np.array(found[name]).T
        told = (len(familiar), f"{np.median(familiar):.3f}", f"{familiar.min():.3f} to {familiar.max():.3f}", (familiar < UNFAMILIAR).sum())
        sure = f"{np.median(surest):.2f}", f"{np.median(familiar * surest):.2f}"
        rows.append((name, *map(str, told), "" if name in HOME else f"{auroc(known, familiar):.3f}", *sure))
    print(table(("what", "n", "familiarity", "from, to", "warned of", "AUROC", "surest", "after"), rows))
    print("\n" + ", ".join(f"{name} {auroc(known, np.array(found[name])[:, 0]):.4f}" for name in (*FOREIGN, "noise")))


if __name__ == "__main__":
    main(sys.argv[1:])

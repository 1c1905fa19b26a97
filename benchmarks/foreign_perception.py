"""What shipped maps offer in scenes by other people, seen from random places.

FrankaKitchen or OGBench's table (`foreign_scenes.py`) is scaled, turned and moved at random in front of the frame and looked at by cameras
that stand at random around ours. A part counts as offered when the map of its right action reaches 0.5 within 3 cm of where it is seen.
Maps know how far an arm reaches, and some placements put parts beyond it: those that a Panda reaches are counted beside.

    pip install 'hiermap[franka-kitchen]' && pip install --no-deps 'ogbench>=1.2.2'
    OMP_NUM_THREADS=1 python benchmarks/foreign_perception.py [scene=FrankaKitchen] [seed=118900] [placements=20] [weights=default]
"""

import sys
from collections.abc import Mapping

import mujoco
import numpy as np
from foreign_scenes import FOREIGN, GROUPS, ForeignScene, Placement
from results_table import table
from scipy.ndimage import binary_dilation
from tqdm import tqdm

from hiermap.model.weights import load_weights
from hiermap.primitives.motion.arm import Arm
from hiermap.primitives.motion.control import GivenUp
from hiermap.primitives.motion.ik_branches import best_reach
from hiermap.primitives.skills.approaches import approach_of
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.goals import Goal
from hiermap.worlds.imagined.latent import LatentWorld
from hiermap.worlds.perception.fusion import FRAME, SpatialView
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.records import one_of
from hiermap.worlds.tasks.geometry_chains import wide_scene

RIGHT: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "FrankaKitchen": {
        "bottom knob": ("rotate", "cw"),
        "top knob": ("rotate", "cw"),
        "light": ("push", "left"),
        "slide cabinet": ("push", "right"),
        "hinge cabinet": ("pull", ""),
        "microwave": ("pull", ""),
        "kettle": ("grasp", ""),
    },
    "OGBench": {
        "drawer": ("pull", ""),
        "window": ("push", "inward"),
        "first button": ("push", "down"),
        "second button": ("push", "down"),
        "cube": ("grasp", ""),
    },
}
"""Part -> the primitive that is right for it, and how the names of the right orientation bins begin."""
OFFERED, WITHIN_M = 0.5, 0.03
TRIED = 6
"""Cells of a part at which the arm's reach is asked."""
ENOUGH: Mapping[str, int] = {"FrankaKitchen": 5, "OGBench": 4}
"""Parts that make a placement count."""


def bodies(model: mujoco.MjModel, name: str) -> list[int]:
    """A body and all that hangs from it."""
    found = [model.body(name).id]
    for body in range(found[0] + 1, model.nbody):
        if model.body_parentid[body] in found:
            found.append(body)
    return found


def parts_seen(scene: ForeignScene, view: SpatialView, placement: Placement) -> dict[str, np.ndarray]:
    """Which cells show each part, `[H, W]` bool: the nearest geom to what is seen there, by a short ray onto it."""
    eye = placement.turn.T @ view.frame.view_direction
    starts = placement.home(view.points.astype(float)) - 0.03 * eye
    owner = np.full(view.frame.shape, -1)
    geom = np.zeros(1, np.int32)
    for cell in np.argwhere(view.valid):
        distance = mujoco.mj_ray(scene.model, scene.data, starts[tuple(cell)], eye, GROUPS, True, -1, geom)
        if 0 <= distance < 0.08:
            owner[tuple(cell)] = scene.model.geom_bodyid[geom[0]]
    return {part: np.isin(owner, bodies(scene.model, body)) for part, body in scene.parts.items()}


def offered(maps: np.ndarray, seen: np.ndarray, primitive: str, orientation: str) -> float:
    """The highest value `[P, R, H, W]` of a part's right action near where it is seen."""
    reach = int(WITHIN_M / FRAME.cell_size)
    near = binary_dilation(seen, iterations=reach) if seen.any() else seen
    index = list(PRIMITIVES).index(primitive)
    return float(maps[index, _right(primitive, orientation)][:, near].max(initial=0.0))


def _right(primitive: str, orientation: str) -> list[int]:
    return [r for r, name in enumerate(PRIMITIVES[primitive].rotations) if name.startswith(orientation)]


def in_reach(arm: Arm, view: SpatialView, seen: np.ndarray, primitive: str, orientation: str) -> bool:
    """Whether the arm comes to a part for its right action, at one of some cells of it."""
    cells = np.argwhere(seen & view.valid)
    for row, column in cells[np.linspace(0, len(cells) - 1, min(TRIED, len(cells))).round().astype(int)]:
        for rotation in _right(primitive, orientation):
            try:
                best_reach(arm, approach_of(ground(view, Action(primitive, (int(row), int(column)), rotation))).options)
            except GivenUp:
                continue
            return True
    return False


def main(arguments: list[str]) -> None:
    """Print how often each part is offered."""
    options = dict(word.split("=", 1) for word in arguments)
    seed, count = int(options.get("seed", 118900)), int(options.get("placements", 20))
    world = LatentWorld(load_weights(options.get("weights", "default")).model)
    name = options.get("scene", "FrankaKitchen")
    one_of("scene", name, sorted(FOREIGN))
    scene, right, least = FOREIGN[name](), RIGHT[name], ENOUGH[name]
    arm = wide_scene(0).arm  # a Panda at the origin; which kitchen it stands in does not matter
    best: dict[str, list[float]] = {part: [] for part in right}
    reached: dict[str, list[bool]] = {part: [] for part in right}
    for number in tqdm(range(count)):
        view, placement = scene.seen(np.random.default_rng([seed, number]))
        maps = world.maps([world.root(view, Goal((), {}))])[0]
        seen = parts_seen(scene, view, placement)
        for part, (primitive, orientation) in right.items():
            best[part].append(offered(maps, seen[part], primitive, orientation))
            reached[part].append(in_reach(arm, view, seen[part], primitive, orientation))
    rows = [
        (part, f"{np.median(v):.2f}", f"{np.mean(np.array(v) >= OFFERED):.2f}", f"{max(v):.2f}", f"{np.mean(reached[part]):.2f}")
        for part, v in best.items()
    ]
    print(table(("part", "median peak", f"share >= {OFFERED}", "best", "in reach"), rows))
    enough = np.mean(np.sum([np.array(v) >= OFFERED for v in best.values()], axis=0) >= least)
    possible = np.mean(np.sum(list(reached.values()), axis=0) >= least)
    print(f"\nat least {least} of {len(right)} parts offered in {enough:.0%} of {count} placements, in reach in {possible:.0%}")


if __name__ == "__main__":
    main(sys.argv[1:])

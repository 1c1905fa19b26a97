"""What shipped maps offer in scenes by other people, seen from random places.

FrankaKitchen or OGBench's table (`foreign_scenes.py`) is scaled, turned and moved at random in front of the frame and looked at by cameras
that stand at random around ours. A part counts as offered when the map of its right action reaches 0.5 within 3 cm of where it is seen.

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
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.goals import Goal
from hiermap.worlds.imagined.latent import LatentWorld
from hiermap.worlds.perception.fusion import FRAME, SpatialView
from hiermap.worlds.records import one_of

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
    right = [r for r, name in enumerate(PRIMITIVES[primitive].rotations) if name.startswith(orientation)]
    return float(maps[index, right][:, near].max(initial=0.0))


def main(arguments: list[str]) -> None:
    """Print how often each part is offered."""
    options = dict(word.split("=", 1) for word in arguments)
    seed, count = int(options.get("seed", 118900)), int(options.get("placements", 20))
    world = LatentWorld(load_weights(options.get("weights", "default")).model)
    name = options.get("scene", "FrankaKitchen")
    one_of("scene", name, sorted(FOREIGN))
    scene, right, least = FOREIGN[name](), RIGHT[name], ENOUGH[name]
    best: dict[str, list[float]] = {part: [] for part in right}
    for number in tqdm(range(count)):
        view, placement = scene.seen(np.random.default_rng([seed, number]))
        maps = world.maps([world.root(view, Goal((), {}))])[0]
        seen = parts_seen(scene, view, placement)
        for part, (primitive, orientation) in right.items():
            best[part].append(offered(maps, seen[part], primitive, orientation))
    rows = [(part, f"{np.median(v):.2f}", f"{np.mean(np.array(v) >= OFFERED):.2f}", f"{max(v):.2f}") for part, v in best.items()]
    print(table(("part", "median peak", f"share >= {OFFERED}", "best"), rows))
    enough = np.mean(np.sum([np.array(v) >= OFFERED for v in best.values()], axis=0) >= least)
    print(f"\nat least {least} of {len(right)} parts offered in {enough:.0%} of {count} placements")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The README's photographs: a kitchen with its robot by ray casting, and the storyboard of a task by MuJoCo's renderer.

MUJOCO_GL=osmesa python benchmarks/pictures.py task=chain-3 seed=176012 out=docs/pictures

With `wide=SEED` sixteen kitchens of the wide world instead, in random states, of the seeds from there on.

MUJOCO_GL=osmesa python benchmarks/pictures.py wide=174400 out=docs/pictures
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from hiermap.agent.learned_maps import LazyWeights
from hiermap.evaluation.attempt_recording import filmed
from hiermap.evaluation.problem import attempts, planner_for, pose
from hiermap.evaluation.suites import RunOptions
from hiermap.report.storyboard import deed, jpeg
from hiermap.report.video import FPS
from hiermap.system.files import write_atomically
from hiermap.worlds.simulator.film import Film
from hiermap.worlds.simulator.photograph import Portrait
from hiermap.worlds.tasks.geometry_chains import wide_scene

ABOUT_TO_S = 3.5
"""The robot is photographed so long after the second primitive began."""
PHOTO, SCENE, SMALL, DPI = (1120, 840), (480, 360), (360, 270), 100


def storyboard(film: Film, renderer: str) -> Figure:
    """The photographs of a film beside each other, each with its words."""
    take, called = Portrait(film.scene, SCENE, renderer), film.scene.called()
    states = [film.shots[0].states[0], *(shot.states[-1] for shot in film.shots)]
    words = ["at first", *(f"{number}. {deed(shot, called)}" for number, shot in enumerate(film.shots, 1))]
    figure = Figure(figsize=(len(states) * SCENE[0] / DPI, (SCENE[1] + 40) / DPI), dpi=DPI, layout="constrained")
    for axes, state, word in zip(figure.subplots(1, len(states), squeeze=False).flat, states, words, strict=True):
        axes.imshow(take(state))
        axes.set_title(word, fontsize=17)
        axes.set_axis_off()
    return figure


def kitchens(first: int, renderer: str) -> np.ndarray:
    """Photographs of sixteen wide kitchens, four by four: `[height, width, 3]` uint8."""
    taken = []
    for seed in range(first, first + 16):
        scene = wide_scene(seed)
        scene.perturb(np.random.default_rng(seed))
        taken.append(Portrait(scene, SMALL, renderer)(scene.data.qpos))
    return np.concatenate([np.concatenate(taken[row : row + 4], axis=1) for row in range(0, 16, 4)])


def main(task: str = "chain-3", seed: str = "176012", out: str = "docs/pictures", renderer: str = "auto", wide: str = "") -> None:
    """Solve the task, leave `kitchen.jpg` and `storyboard.jpg`; or leave `wide.jpg`."""
    if wide:
        write_atomically(Path(out) / "wide.jpg", jpeg(kitchens(int(wide), renderer)))
        return
    options = RunOptions()
    problem, film = filmed(pose(task, int(seed), options), pictures=True, video=True)
    assert film is not None
    done = attempts(problem, planner_for(options, problem, LazyWeights(options.weights)), options)[-1]
    print(f"{task}, seed {seed}: {done.failure_reason or 'solved'} after {len(film.shots)} primitives")
    states = film.shots[min(1, len(film.shots) - 1)].states
    state = states[min(round(ABOUT_TO_S * FPS), len(states) - 1)]
    write_atomically(Path(out) / "kitchen.jpg", jpeg(Portrait(film.scene, PHOTO, "rays")(state)))
    figure = storyboard(film, renderer)
    figure.savefig(Path(out) / "storyboard.jpg", pil_kwargs={"quality": 82, "optimize": True})


if __name__ == "__main__":
    main(**dict(word.split("=", 1) for word in sys.argv[1:]))

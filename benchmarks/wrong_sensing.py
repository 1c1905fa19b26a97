"""Whether wrong depth, calibration, proprioception and old or foreign images are noticed, and true views are not refused.

Each kind of fault (`sensing_faults.py`) is tried in the kitchens of `n` chain-3 tasks, of one camera and of all, with exact sensing, with
the same without calibration marks, and with `config=realistic`. A view is refused, or it is put back: a note tells how far a camera was
moved, and what is fused is within 15 mm of the truth in nine cells of ten. Old and foreign images are handed to an execution after its
first primitive. What is neither is planned from, to see whether the goal is wrongly taken to hold (a plan that is solved and empty).

    OMP_NUM_THREADS=1 python benchmarks/wrong_sensing.py [seed=160700] [n=20] [states=17] [workers=1] [weights=default]
"""

import re
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from multiprocessing import get_context

import mujoco
import numpy as np
from omegaconf import OmegaConf
from results_table import table
from sensing_faults import CHANGES, LATER, OTHERS, Fault, of_all, of_one
from tqdm import tqdm

from hiermap import Budget, Observation, Planner, PlanResult, PrimitiveResult, SpatialView, execute, pose
from hiermap.agent.watch import check_scene
from hiermap.evaluation.problem import Problem
from hiermap.evaluation.suites import RunOptions
from hiermap.worlds.errors import InvalidObservationError, PhysicsError
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.sensors import draw_drift

REALISTIC = SensingOptions(**OmegaConf.load(str(files("hiermap.configs") / "realistic.yaml")).sensing)
SETTINGS: Mapping[str, SensingOptions] = {"exact": SensingOptions(), "unmarked": SensingOptions(), "realistic": REALISTIC}
FAULTS: Mapping[str, Mapping[str, Fault]] = {
    **{kind: {"one": of_one(change), "all": of_all(change)} for kind, change in CHANGES.items()},
    **{kind: {"": fault} for kind, fault in OTHERS.items()},
}
TOLD_MM, TOLD_DEGREES = 20.0, 2.0
"""A note of less may be about a camera that was bumped anyway."""
NO_SEARCH, PLANNING = Budget(seconds=30, expansions=0), Budget(seconds=30, expansions=60)
ARM_RAD = 0.4
"""By how much each joint of an arm that is not at ready is turned at most."""
JOINTS = "joint angles: each 0.2 rad off"


def observed(kitchen: Kitchen, setting: str, rng: np.random.Generator) -> Observation:
    """A true look with the cameras of a setting."""
    kitchen.sensing = SETTINGS[setting]
    kitchen.drift = draw_drift(kitchen.sensing, rng)
    return unmarked(kitchen.observe()) if setting == "unmarked" else kitchen.observe()


def unmarked(seen: Observation) -> Observation:
    return replace(seen, views=tuple(replace(view, fiducials_world=None, fiducials_pixel=None) for view in seen.views))


def verdict(planner: Planner, problem: Problem, seen: Observation, true: SpatialView) -> str:
    """What comes of a look: refused, put back, solved and empty, or unnoticed."""
    with np.errstate(all="ignore"):
        result = planner.plan(seen, problem.goal, NO_SEARCH)
    if result.view is None:
        return "refused"
    if result and not result.plan.steps:
        return "solved, empty"
    moved = re.findall(r"moved ([\d.]+) mm, turned ([\d.]+) degrees", " ".join(result.view.notes))
    told = any(float(mm) > TOLD_MM or float(degrees) > TOLD_DEGREES for mm, degrees in moved)
    both = result.view.valid & true.valid
    right = (np.abs(result.view.depth - true.depth)[both] < 0.015).mean() > 0.9
    return "put back" if told and right else "unnoticed"


@dataclass
class Replay:
    """A robot that has done one primitive already and hands over one look."""

    report: PrimitiveResult
    after: Observation

    def act(self, action: object, view: SpatialView) -> PrimitiveResult:
        return self.report

    def observe(self) -> Observation:
        return self.after


@dataclass
class Recorder:
    """A scene that keeps what its primitives reported and what was seen after them."""

    scene: Kitchen
    reports: list[PrimitiveResult]
    looks: list[Observation]

    def act(self, action: object, view: SpatialView) -> PrimitiveResult:
        self.reports.append(self.scene.act(action, view))
        return self.reports[-1]

    def observe(self) -> Observation:
        self.looks.append(self.scene.observe())
        return self.looks[-1]


def later_verdict(planner: Planner, result: PlanResult, report: PrimitiveResult, seen: Observation) -> str:
    """What an execution makes of its second look."""
    done = execute(Replay(report, seen), result, planner, max_replans=0, max_primitives=1)
    if done.failure_reason.startswith("invalid_observation"):
        return "refused"
    return "solved, empty" if done else "unnoticed"


def refused(planner: Planner, seen: Observation, first: SpatialView) -> bool:
    """Whether a true look is."""
    try:
        check_scene(planner.see(seen), first)
    except InvalidObservationError as error:
        tqdm.write(f"a true view: {error}")
        return True
    return False


def with_other_joints(kitchen: Kitchen, seen: Observation, rng: np.random.Generator) -> Observation:
    """What is seen, with the body of another pose."""
    angles, indices = kitchen.data.qpos.copy(), kitchen.arm.qpos
    kitchen.data.qpos[indices] += 0.2 * rng.choice([-1, 1], 7)
    mujoco.mj_forward(kitchen.model, kitchen.data)
    body = kitchen.observe().body
    kitchen.data.qpos[:] = angles
    mujoco.mj_forward(kitchen.model, kitchen.data)
    return replace(seen, body=body)


def true_looks(planner: Planner, kitchen: Kitchen, states: int, rng: np.random.Generator) -> Counter:
    """How many looks at random states were refused, and of how many; in every other one the arm is not at ready."""
    found, first = Counter(), {setting: planner.see(observed(kitchen, setting, rng)) for setting in SETTINGS}
    for state in range(states):
        try:
            kitchen.set_scene(random_scene(kitchen.spec, rng))
        except (PhysicsError, ValueError):
            continue
        if state % 2:
            kitchen.data.qpos[kitchen.arm.qpos] += rng.uniform(-ARM_RAD, ARM_RAD, 7)
            mujoco.mj_forward(kitchen.model, kitchen.data)
        for setting in SETTINGS:
            found["refused"] += refused(planner, observed(kitchen, setting, rng), first[setting])
            found["looks"] += 1
    return found


def carried_out(planner: Planner, problem: Problem) -> tuple[PlanResult, Recorder, Counter]:
    """A true execution: how many of its looks were refused, and of how many."""
    recorder = Recorder(problem.real, [], [])
    result = planner.plan(problem.view, problem.goal, PLANNING)
    done = execute(recorder, result, planner, max_replans=4, max_primitives=8)
    wrong = done.failure_reason.startswith("invalid_observation")
    if wrong:
        tqdm.write(f"a true execution: {done.failure_reason}")
    return result, recorder, Counter(refused=int(wrong), looks=len(recorder.looks))


def trial(seed: int, states: int, weights: str) -> tuple[dict[str, Counter], Counter]:
    """Of one kitchen: what came of every kind, and how many true looks were refused."""
    planner = Planner.from_pretrained(weights)
    found: dict[str, Counter] = {kind: Counter() for kind in (*FAULTS, JOINTS, *LATER)}
    rng, problem = np.random.default_rng([seed, 52]), pose("chain-3", seed)
    kitchen = Kitchen(problem.real.spec)
    kitchen.set_scene(problem.real.scene())
    for setting in SETTINGS:
        seen = observed(kitchen, setting, rng)
        view = fuse(seen)
        for kind, faults in FAULTS.items():
            found[kind].update(verdict(planner, problem, fault(seen, rng), view) for fault in faults.values())
        found[JOINTS][verdict(planner, problem, with_other_joints(kitchen, seen, rng), view)] += 1
    result, recorder, true = carried_out(planner, problem)
    if recorder.looks:
        before, after, other = problem.view.source, recorder.looks[0], Kitchen(seed + 1000).observe()
        for kind, change in LATER.items():
            found[kind][later_verdict(planner, result, recorder.reports[0], change(before, after, other, rng))] += 1
    true += carried_out(planner, pose("chain-3", seed, RunOptions(sensing=REALISTIC)))[2]
    return found, true + Counter(true_looks(planner, kitchen, states, rng))


def main(arguments: list[str]) -> None:
    """Print the table of kinds, and how many true views were refused."""
    options = dict(word.split("=", 1) for word in arguments)
    start, n, states = int(options.get("seed", 160700)), int(options.get("n", 20)), int(options.get("states", 17))
    run = partial(trial, states=states, weights=options.get("weights", "default"))
    with ProcessPoolExecutor(int(options.get("workers", 1)), get_context("spawn")) as pool:
        trials = list(tqdm(pool.map(run, range(start, start + n)), total=n))
    found = {kind: sum((some[kind] for some, _ in trials), Counter()) for kind in trials[0][0]}
    true = sum((looks for _, looks in trials), Counter())
    columns = ("refused", "put back", "unnoticed", "solved, empty")
    rows = [(kind, *(str(counts[name]) for name in columns), str(counts.total())) for kind, counts in found.items()]
    print(table(("kind", *columns, "of"), rows))
    total = sum(found.values(), Counter())
    noticed = total["refused"] + total["put back"]
    print(f"\nnoticed: {noticed} of {total.total()} ({noticed / total.total():.2%}); solved, empty: {total['solved, empty']}")
    print(f"true views refused: {true['refused']} of {true['looks']}")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The same motor programs through this project's stepping and through robosuite's stock `env.step`: primitives per second.

Both sides run the same program code with the same control laws on the same kitchens, scenes and commands. Ours sets torques
once per control period and lets MuJoCo run the substeps between. Stock `env.step` runs its controllers and observables in
Python at every substep, so its side is driven at every substep. A third row drives `env.step` only once per control period:
the most generous adapter one could write. The raw row is the physical limit: plain `mj_step` from the same states with the very
torques and finger commands that our side applied, which has to end in the same state bit for bit. In our kitchens, and so in these
two rows, what is at rest sleeps (`mjENBL_SLEEP`); the rows of `env.step` have robosuite's stock physics, where nothing sleeps.
Times are CPU time, and the sides take turns trial by trial.

    OMP_NUM_THREADS=1 python benchmarks/stepping.py [kitchens=4] [seed=100500]
"""

import ctypes
import sys
import time
from dataclasses import dataclass, field

import mujoco
import numpy as np
from robosuite.controllers import load_composite_controller_config

from hiermap.primitives.arms.mujoco_step import gather
from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.robosuite_arm import STATE, RobosuiteArm
from hiermap.primitives.skills.run import run_primitive
from hiermap.primitives.specs import Command, PrimitiveResult
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.kitchen.spec import SceneState
from hiermap.worlds.oracle.affordances import action_for
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.rules.judge import effect
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.transitions import legal_moves
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.robosuite_env import TIMESTEP_S, HiermapKitchen

STEP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
TRIALS_PER_KITCHEN = 5


class EnvStepArm(RobosuiteArm):
    """The same Panda driven through `env.step`: torques as the action of robosuite's joint-torque controller.

    Args:
        environment: a `HiermapKitchen` whose arm is controlled by JOINT_TORQUE.
        substeps: physics steps per `env.step`.
    """

    def __init__(self, environment: HiermapKitchen, substeps: int) -> None:
        self.environment = environment
        super().__init__(PANDA, environment.sim.model._model, environment.sim.data._data)
        self.period = self.plant.period = substeps * TIMESTEP_S
        self._step = STEP(self._env_step)
        self.plant.step = ctypes.cast(self._step, ctypes.c_void_p).value

    def _env_step(self, context: int) -> int:
        gripper = self.environment.robots[0].gripper["right"]
        # robosuite's gripper action only says "open further" or "close further", in steps of 0.2.
        missing = self.plant.fingers / self.finger_limit - gripper.current_action[0]
        grip = -np.sign(missing) if abs(missing) >= 0.1 else 0.0
        before = self.data.time
        self.environment.step(np.append(self.plant.torque, grip))
        gather(context)
        return int(self.data.time <= before)


def stock_environment(kitchen: Kitchen, substeps: int) -> HiermapKitchen:
    """robosuite's environment of the same kitchen, its arm under robosuite's joint-torque controller."""
    config = load_composite_controller_config(controller="BASIC", robot="Panda")
    limit = kitchen.arm.torque_limit.tolist()
    config["body_parts"]["right"] = {
        "type": "JOINT_TORQUE",
        "input_max": limit,
        "input_min": [-x for x in limit],
        "output_max": limit,
        "output_min": [-x for x in limit],
        "use_torque_compensation": False,
        "interpolation": None,
        "ramp_ratio": 0.2,
        "gripper": {"type": "GRIP"},
    }
    return HiermapKitchen(kitchen=kitchen.spec, controller_configs=config, control_freq=1.0 / (substeps * TIMESTEP_S))


@dataclass(frozen=True)
class Trial:
    """One move in one scene: the grounded command and MuJoCo's state before it."""

    kitchen: Kitchen
    scene: SceneState
    move: Move
    command: Command
    state: np.ndarray


@dataclass
class Side:
    """What one way of stepping came to; `cpu` and `simulated` in seconds."""

    name: str
    cpu: float = 0.0
    simulated: float = 0.0
    effects: list[bool] = field(default_factory=list)

    def add(self, seconds: float, result: PrimitiveResult, had_effect: bool) -> None:
        self.cpu += seconds
        self.simulated += result.duration
        self.effects.append(had_effect)


def trials(kitchen: Kitchen, rng: np.random.Generator) -> list[Trial]:
    """Random scenes, each with a random visible move."""
    found: list[Trial] = []
    for _ in range(8 * TRIALS_PER_KITCHEN):
        if len(found) == TRIALS_PER_KITCHEN:
            break
        scene = random_scene(kitchen.spec, rng)
        options = legal_moves(kitchen.spec, scene)
        if not options:
            continue
        move = options[int(rng.integers(len(options)))]
        kitchen.set_scene(scene)
        view = kitchen.view()
        action = action_for(kitchen.spec, kitchen.scene(), view, move, kitchen.masks())
        if action is not None:
            found.append(Trial(kitchen, kitchen.scene(), move, ground(view, action), kitchen.snapshot()))
    return found


def state_of(arm: RobosuiteArm) -> np.ndarray:
    """Everything MuJoCo goes on from."""
    state = np.empty(mujoco.mj_stateSize(arm.model, STATE))
    mujoco.mj_getState(arm.model, arm.data, state, STATE)
    return state


def run(arm: RobosuiteArm, trial: Trial, side: Side) -> np.ndarray:
    """Run the trial's command on `arm` from the trial's state and judge it in the trial's kitchen; the state after it."""
    mujoco.mj_setState(arm.model, arm.data, trial.state, STATE)
    if isinstance(arm, EnvStepArm):
        arm.environment.robots[0].gripper["right"].current_action = np.array([1.0, -1.0])
    arm.reset()
    start = time.process_time()
    result = run_primitive(arm, trial.command)
    seconds = time.process_time() - start
    kitchen, after = trial.kitchen, state_of(arm)
    kitchen.restore(after)
    side.add(seconds, result, effect(kitchen.spec, trial.scene, kitchen.scene(), trial.move))
    return after


def recorded(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    """What the program commands in each control period, [T, motors], and the state after it."""
    arm, commands = trial.kitchen.arm, []
    address = int(arm.plant.step)
    inner = STEP(address)

    def step(context: int) -> int:
        diverged = inner(context)
        commands.append(arm.data.ctrl.copy())
        return diverged

    outer = STEP(step)
    arm.plant.step = ctypes.cast(outer, ctypes.c_void_p).value
    after = run(arm, trial, Side("recording"))
    arm.plant.step = address
    return np.array(commands), after


def replay(trial: Trial, commands: np.ndarray, substeps: int, side: Side) -> np.ndarray:
    """Bare `mj_step` under `commands` from the trial's state: the physical limit; the state after it."""
    model, data = trial.kitchen.model, trial.kitchen.data
    trial.kitchen.restore(trial.state)
    start, ctrl = time.process_time(), data.ctrl
    for command in commands:
        ctrl[:] = command
        mujoco.mj_step(model, data, substeps)
    side.cpu += time.process_time() - start
    return state_of(trial.kitchen.arm)


def main(arguments: list[str]) -> None:
    """Print the table and the ratio."""
    options = dict(argument.split("=", 1) for argument in arguments)
    count, seed = int(options.get("kitchens", 4)), int(options.get("seed", 100500))
    ours, stock, generous = Side("hiermap stepping"), Side("env.step, every substep"), Side("env.step, every control period")
    raw = Side("mj_step, same commands")
    for index in range(count):
        kitchen = Kitchen(seed + index)
        period = round(kitchen.arm.period / TIMESTEP_S)
        peers = [EnvStepArm(stock_environment(kitchen, n), n) for n in (1, period)]
        for trial in trials(kitchen, np.random.default_rng([seed + index, 3])):
            # Recording also compiles what is not compiled yet.
            commands, after = recorded(trial)
            for end in (run(kitchen.arm, trial, ours), replay(trial, commands, period, raw)):
                if not np.array_equal(end, after):
                    raise SystemExit(f"{trial.command} in kitchen {kitchen.spec.seed} did not repeat bit for bit: run it again alone")
            for arm, side in zip(peers, (stock, generous), strict=True):
                run(arm, trial, side)
    report(ours, stock, generous, raw)


def report(ours: Side, stock: Side, generous: Side, raw: Side) -> None:
    """The table, and last of all `ratio NUMBER`."""
    titles = ("primitives", "effects", "same", "sim s", "cpu s", "prim/s", "x real")
    print(f"{'stepping':32s}" + "".join(f" {title:>10s}" for title in titles))
    for side in (ours, stock, generous):
        n = len(side.effects)
        same = np.mean(np.array(side.effects) == np.array(ours.effects))
        print(
            f"{side.name:32s} {n:10d} {sum(side.effects):10d} {100 * same:9.0f}% {side.simulated:10.1f} {side.cpu:10.1f} "
            f"{n / side.cpu:10.2f} {side.simulated / side.cpu:10.1f}"
        )
    print(f"{raw.name:32s} {'':32s} {ours.simulated:10.1f} {raw.cpu:10.1f} {len(ours.effects) / raw.cpu:10.2f}")
    print(f"share of the physical limit {raw.cpu / ours.cpu:.2f}")
    print(f"ratio to env.step once per control period {generous.cpu / ours.cpu:.2f}")
    print(f"ratio {stock.cpu / ours.cpu:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])

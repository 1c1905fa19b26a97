"""A task as a Gymnasium environment: after `import hiermap`, `gymnasium.make("hiermap/Chain-v0", length=5)` or "hiermap/Kitchen-v0"."""

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import gymnasium
import numpy as np

from hiermap.worlds.errors import ConfigError, InvalidGoalError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.gym.controls import CONTROLS, Control
from hiermap.worlds.gym.goal_encoding import encoded, goal_space
from hiermap.worlds.gym.moment import Moment
from hiermap.worlds.gym.observations import FELT, OBSERVATIONS
from hiermap.worlds.perception.fusion import FRAME, SpatialView
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.records import one_of, shown
from hiermap.worlds.scene import PosedTask
from hiermap.worlds.simulator.robot_scene import RobotScene
from hiermap.worlds.tasks.chain_names import CHAINS, GOAL, SEQUELS
from hiermap.worlds.tasks.kitchens import FREE, KITCHENS

Observed = dict[str, Any]
Masks = Mapping[str, np.ndarray]
MOST_SEEDS = 2**62
"""From more no generator draws."""
Tell = Callable[[Masks, SpatialView, int], Masks]


class KitchenEnv(gymnasium.Env[Observed, np.ndarray]):
    """Reach a goal in a kitchen that is drawn from a seed.

    Observation: a flat dictionary of the parts in `hiermap.worlds.gym.observations` that `obs` and `control` name, and of the goal
    (`hiermap.worlds.gym.goal_encoding`); `gymnasium.wrappers.FilterObservation` leaves out what you do not want, such as the words.
    Action: see `hiermap.worlds.gym.controls`. Reward: 1 when everything the task asks for truly holds (under "joint" and "osc" for half a
    second), which also terminates; else 0. `info` of a reset names the task, that of a step has `is_success` and a primitive's own report.
    A simulation that diverges raises `hiermap.worlds.errors.PhysicsError`: such an episode is void.

    Args:
        suite: where tasks are drawn from, "chain-k"; "free" asks for nothing, and such an episode never terminates.
        control: "primitive", "joint" or "osc".
        obs: "fused", "cameras" or "state" (privileged).
        kitchen: key in `hiermap.worlds.tasks.kitchens.KITCHENS`.
        seeds: tasks are drawn from so many seeds, starting at `first_seed`.
        max_steps: the episode is truncated after so many; None for as many as suit the control.
        sensing: how well the cameras see.
        frame: of the kitchen's views.
        tell: makes masks that somebody might give of the exact ones, the first view and the task's seed.
        render_mode: "rgb_array", what a camera over the robot's shoulder sees, or "human", a window.
    """

    metadata = {"render_modes": ["rgb_array", "human"]}  # noqa: RUF012 (Gymnasium's own convention)

    def __init__(
        self,
        suite: str = FREE,
        control: str = "primitive",
        obs: str = "fused",
        kitchen: str = "hiermap",
        seeds: int = 100_000,
        first_seed: int = 0,
        max_steps: int | None = None,
        sensing: SensingOptions | None = None,
        frame: SpatialFrame = FRAME,
        tell: Tell = lambda masks, view, seed: masks,
        render_mode: str | None = None,
    ) -> None:
        one_of("suite", suite, (FREE, GOAL, *CHAINS, *SEQUELS))
        one_of("control", control, CONTROLS)
        one_of("obs", obs, OBSERVATIONS)
        one_of("kitchen", kitchen, KITCHENS)
        if render_mode is not None:
            one_of("render_mode", render_mode, KitchenEnv.metadata["render_modes"])
        self.sensing = SensingOptions() if sensing is None else sensing
        for key, part, good, what in (
            ("sensing", self.sensing, isinstance(self.sensing, SensingOptions), "SensingOptions"),
            ("frame", frame, isinstance(frame, SpatialFrame), "SpatialFrame"),
            ("tell", tell, callable(tell), "function"),
        ):
            if not good:
                raise ConfigError(f"{key}={shown(part)}; expected a {what}")
        self.control: Control = CONTROLS[control](frame)
        self.max_steps = self.control.most_steps if max_steps is None else max_steps
        for key, number, least in (("seeds", seeds, 1), ("first_seed", first_seed, 0), ("max_steps", self.max_steps, 1)):
            if not whole(number, least):
                raise ConfigError(f"{key}={shown(number)}; expected a whole number of at least {least}")
        self.suite, self.pose, self.seeds, self.first_seed = suite, KITCHENS[kitchen], min(seeds, MOST_SEEDS), first_seed
        self.tell, self.render_mode = tell, render_mode
        if render_mode == "human":
            check_display()
        self.metadata = {"render_modes": ["rgb_array", *["human"] * has_display()], "render_fps": self.control.hz}
        self.parts = (*OBSERVATIONS[obs], FELT[control])
        told = [part.space(frame, self.sensing) for part in self.parts]
        self.observation_space: gymnasium.Space[Any] = gymnasium.spaces.Dict(
            {name: space for some in (*told, goal_space(frame)) for name, space in some.items()}
        )
        self.action_space = self.control.space
        self.task: PosedTask | None = None
        self._window: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observed, dict[str, Any]]:
        """A task drawn from the seed; `options={"task": seed or PosedTask}` fixes it.

        Raises:
            ConfigError: the options fix no task.
        InvalidGoalError: nobody can judge what the task asks.
        """
        super().reset(seed=seed)
        if not isinstance(options, Mapping | None):
            raise ConfigError(f"options={shown(options)}; expected for example {{'task': 7}}")
        drawn = (options or {}).get("task", self.first_seed + int(self.np_random.integers(self.seeds)))
        if not isinstance(drawn, PosedTask) and not whole(drawn, 0):
            raise ConfigError(f"options task={shown(drawn)}; expected a seed, a whole number of at least 0, or a PosedTask")
        task = drawn if isinstance(drawn, PosedTask) else self.pose(self.suite, int(drawn), self.sensing)
        if senseless := [*map(str, set(task.predicates) - set(task.scene.vocabulary()))]:
            raise InvalidGoalError(f"the goal {min(senseless)} can never be true here; `hiermap kitchen` lists what can be asked")
        self.control.begin(task.scene)
        self.task, self._moment, self._steps, self._held_for = task, self._first(task), 0, 0
        if self.render_mode == "human":
            self.close()
            self._show()
        return self._observed(), {"suite": task.suite, "task": task.seed, "goal": tuple(map(str, task.predicates))}

    def step(self, action: np.ndarray) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Act for one step of the control; ConfigError for an action of the wrong shape, or that is no number or none of the space's."""
        if self.task is None:
            raise RuntimeError("step() before reset(): call reset(seed=...) first")
        before = self._moment
        report = self.control.act(checked(action, self.action_space), before)
        self._moment = Moment(self.task.scene, before.goal, before.targets, report)
        self._steps += 1
        truth = self.task.scene.truth(self.task.predicates)
        self._held_for = self._held_for + 1 if truth and all(truth.values()) else 0
        done = self._held_for >= self.control.lasting_steps
        if self.render_mode == "human":
            self._show()
        info = {"is_success": done, **({} if report is None else asdict(report))}
        return self._observed(), float(done), done, self._steps >= self.max_steps, info

    def render(self) -> np.ndarray | None:
        """What a camera over the robot's shoulder sees, `[h, w, 3]` uint8; where there is no robot, the fused view."""
        if self.task is None or self.render_mode == "human":
            return None
        scene = self.task.scene
        return scene.picture() if isinstance(scene, RobotScene) else self._moment.view.rgb.copy()

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
        self._window = None

    def _first(self, task: PosedTask) -> Moment:
        moment = Moment(task.scene, {}, ())
        names = tuple(dict.fromkeys(name for predicate in task.predicates for name in predicate.arguments))
        if not names:
            return Moment(task.scene, encoded((), {}, task.scene.frame), ())
        exact = task.scene.masks()
        masks = self.tell({name: exact[name] for name in names}, moment.view, task.seed)
        return Moment(task.scene, encoded(task.predicates, masks, task.scene.frame), names)

    def _observed(self) -> Observed:
        goal = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in self._moment.goal.items()}
        return {name: value for part in self.parts for name, value in part.read(self._moment).items()} | goal

    def _show(self) -> None:
        assert self.task is not None  # only between steps
        scene = self.task.scene
        if not isinstance(scene, RobotScene):
            raise ConfigError(f"a {type(scene).__name__} has no window; take render_mode='rgb_array'")
        if self._window is None:
            self._window = window(scene)
        self._window.sync()


def chain(length: int = 1, **options: Any) -> KitchenEnv:
    """A `KitchenEnv` whose tasks' shortest solutions have exactly `length` primitives, 1 to 10; the entry point of "hiermap/Chain-v0"."""
    if f"chain-{length}" not in CHAINS:
        raise ConfigError(f"length={shown(length)}; expected a whole number from 1 to {len(CHAINS)}")
    return KitchenEnv(f"chain-{length}", **options)


def whole(number: Any, least: int) -> bool:
    """Whether something is a whole number, and not too small."""
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and bool(number >= least)


def checked(action: Any, space: gymnasium.Space[Any]) -> np.ndarray:
    """An action as the control takes it, cut to the bounds of a `Box`; ConfigError for what is none."""
    told = np.asarray(action)
    if told.shape != space.shape:
        raise ConfigError(f"the action has shape {told.shape}, expected {space.shape} for {space}")
    if told.dtype.kind not in "iuf" or not np.isfinite(told).all():
        raise ConfigError(f"the action is {shown(told.tolist())}, expected finite numbers for {space}")
    if isinstance(space, gymnasium.spaces.Box):
        return np.clip(told, space.low, space.high)
    if not space.contains(told.astype(np.int64)) or (told != told.astype(np.int64)).any():
        raise ConfigError(f"the action is {told.tolist()}, expected one of {space}")
    return told.astype(np.int64)


def has_display() -> bool:
    """Whether a window can be opened here."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def check_display() -> None:
    """ConfigError where there is no display for a window."""
    if not has_display():
        raise ConfigError("render_mode='human' needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set; take 'rgb_array'")


def window(scene: RobotScene) -> Any:
    """MuJoCo's own viewer of a scene; ConfigError where it cannot be opened."""
    try:
        import mujoco.viewer

        with warnings.catch_warnings(action="ignore"):
            opens = mujoco.viewer.glfw.init()
        if not opens:  # asked beforehand, since MuJoCo ends the process
            raise OSError("GLFW finds no display that answers")
        return mujoco.viewer.launch_passive(scene.model, scene.data, show_left_ui=False, show_right_ui=False)
    # Each graphics loader raises its own kind of error.
    except Exception as error:
        raise ConfigError(f"render_mode='human' cannot open a window ({error}); take render_mode='rgb_array'") from error

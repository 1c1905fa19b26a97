"""A task as a Gymnasium environment whose step is one primitive: after `import hiermap`, `gymnasium.make("hiermap/Kitchen-v0")`."""

from dataclasses import asdict
from typing import Any

import gymnasium
import numpy as np

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS, PrimitiveResult, Reason
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.perception.fusion import FRAME, see
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.records import one_of
from hiermap.worlds.scene import PosedTask
from hiermap.worlds.tasks.chain_names import CHAINS, SEQUELS
from hiermap.worlds.tasks.kitchens import FREE, KITCHENS

FAR_M = 4.0
"""Upper bound of view depth in the observation space [m]."""
Observed = dict[str, np.ndarray]


class KitchenEnv(gymnasium.Env[Observed, np.ndarray]):
    """Act by (primitive, row, column, orientation bin); see the fused spatial frame.

    Observation: "rgb" `[H, W, 3]` uint8, "depth" `[H, W]` float32 view depth [m] (0 unknown), "holding" `[1]` int8.
    Reward: 1 when everything the task asks for first truly holds, which also terminates; else 0. `info` of a reset names the task, that of
    a step is the primitive's own report. A simulation that diverges raises `hiermap.worlds.errors.PhysicsError`: such an episode is void.

    Args:
        suite: where tasks are drawn from, "chain-k"; "free" asks for nothing, and such an episode never terminates.
        kitchen: key in `hiermap.worlds.tasks.kitchens.KITCHENS`.
        seeds: tasks are drawn from so many seeds, starting at `first_seed`.
        max_primitives: the episode is truncated after so many.
        sensing: how well the cameras see.
        frame: of the kitchen's views.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 (Gymnasium's own convention)

    def __init__(
        self,
        suite: str = FREE,
        kitchen: str = "hiermap",
        seeds: int = 100_000,
        first_seed: int = 0,
        max_primitives: int = 20,
        sensing: SensingOptions | None = None,
        frame: SpatialFrame = FRAME,
        render_mode: str | None = None,
    ) -> None:
        one_of("kitchen", kitchen, KITCHENS)
        one_of("suite", suite, (FREE, *CHAINS, *SEQUELS))
        self.suite, self.pose, self.seeds, self.first_seed = suite, KITCHENS[kitchen], seeds, first_seed
        self.max_primitives, self.sensing, self.render_mode = max_primitives, sensing, render_mode
        rows, columns = frame.shape
        self.action_space = gymnasium.spaces.MultiDiscrete([len(PRIMITIVES), rows, columns, ROTATION_BINS])
        self.observation_space: gymnasium.Space[Any] = gymnasium.spaces.Dict(
            rgb=gymnasium.spaces.Box(0, 255, (rows, columns, 3), np.uint8),
            depth=gymnasium.spaces.Box(0.0, FAR_M, (rows, columns), np.float32),
            holding=gymnasium.spaces.Box(0, 1, (1,), np.int8),
        )
        self.task: PosedTask | None = None
        self._primitives = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observed, dict[str, Any]]:
        """A task drawn from the seed; `options={"task": seed or PosedTask}` fixes it."""
        super().reset(seed=seed)
        drawn = (options or {}).get("task", self.first_seed + int(self.np_random.integers(self.seeds)))
        self.task = task = drawn if isinstance(drawn, PosedTask) else self.pose(self.suite, int(drawn), self.sensing)
        self._primitives = 0
        return self._observed(task), {"suite": task.suite, "task": task.seed, "goal": tuple(map(str, task.predicates))}

    def step(self, action: np.ndarray) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Run one primitive to its end."""
        if self.task is None:
            raise RuntimeError("step() before reset(): call reset(seed=...) first")
        number, row, column, rotation = (int(v) for v in action)
        try:
            result = self.task.scene.act(Action(tuple(PRIMITIVES)[number], (row, column), rotation), self._view)
        except InvalidObservationError:
            # An action space of cells includes cells where nothing is and bins that a primitive does not use.
            result = PrimitiveResult(False, Reason.NOTHING_THERE, 0.0, 0.0)
        self._primitives += 1
        truth = self.task.scene.truth(self.task.predicates)
        done = bool(truth) and all(truth.values())
        return self._observed(self.task), float(done), done, self._primitives >= self.max_primitives, asdict(result)

    def render(self) -> np.ndarray | None:
        """The fused colour picture, `[H, W, 3]` uint8."""
        return None if self.task is None else self._view.rgb

    def _observed(self, task: PosedTask) -> Observed:
        self._view = view = see(task.scene.observe(), task.scene.frame)
        depth = np.clip(view.depth, 0.0, FAR_M).astype(np.float32)
        return {"rgb": view.rgb, "depth": depth, "holding": np.array([view.holding], np.int8)}

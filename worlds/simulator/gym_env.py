"""The kitchen as a Gymnasium environment whose step is one primitive: `gymnasium.make("hiermap/Kitchen-v0")` after `import hiermap`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import gymnasium
import numpy as np

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS, PrimitiveResult, Reason
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.perception.fusion import FRAME
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.kitchen import Kitchen

FAR_M = 4.0
"""Upper bound of view depth in the observation space [m]."""
Observed = dict[str, np.ndarray]


class KitchenEnv(gymnasium.Env[Observed, np.ndarray]):
    """Act by (primitive, row, column, orientation bin); see the fused spatial frame.

    Observation: "rgb" `[H, W, 3]` uint8, "depth" `[H, W]` float32 view depth [m] (0 unknown), "holding" `[1]` int8.
    Reward: 1 when `success(kitchen)` first holds, which also terminates; else 0. `info` carries the primitive's own report.
    A simulation that diverges raises `hiermap.worlds.base.PhysicsError`: such an episode is void.

    Args:
        kitchens: seeds `0 .. kitchens - 1` are drawn from, starting at `first_kitchen`.
        success: what the episode is for, judged on the kitchen's true scene; None never terminates.
        max_primitives: the episode is truncated after so many.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 (Gymnasium's own convention)

    def __init__(
        self,
        kitchens: int = 100_000,
        first_kitchen: int = 0,
        success: Callable[[Kitchen], bool] | None = None,
        max_primitives: int = 20,
        sensing: SensingOptions | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.kitchens, self.first_kitchen, self.success = kitchens, first_kitchen, success
        self.max_primitives, self.sensing, self.render_mode = max_primitives, sensing, render_mode
        rows, columns = FRAME.shape
        self.action_space = gymnasium.spaces.MultiDiscrete([len(PRIMITIVES), rows, columns, ROTATION_BINS])
        self.observation_space: gymnasium.Space[Any] = gymnasium.spaces.Dict(
            rgb=gymnasium.spaces.Box(0, 255, (rows, columns, 3), np.uint8),
            depth=gymnasium.spaces.Box(0.0, FAR_M, (rows, columns), np.float32),
            holding=gymnasium.spaces.Box(0, 1, (1,), np.int8),
        )
        self.kitchen: Kitchen | None = None
        self._primitives = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observed, dict[str, Any]]:
        """A kitchen and scene drawn from the seed; `options={"kitchen": seed or KitchenSpec, "scene": SceneState}` fixes them."""
        super().reset(seed=seed)
        options = options or {}
        drawn = self.first_kitchen + int(self.np_random.integers(self.kitchens))
        self.kitchen = Kitchen(options.get("kitchen", drawn), self.sensing)
        scene = options.get("scene")
        self.kitchen.set_scene(random_scene(self.kitchen.spec, self.np_random) if scene is None else scene)
        self._primitives = 0
        return self._observed(self.kitchen), {"kitchen": self.kitchen.spec.seed, "family": self.kitchen.spec.family}

    def step(self, action: np.ndarray) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Run one primitive to its end."""
        if self.kitchen is None:
            raise RuntimeError("step() before reset(): call reset(seed=...) first")
        number, row, column, rotation = (int(v) for v in action)
        try:
            result = self.kitchen.act(Action(tuple(PRIMITIVES)[number], (row, column), rotation), self._view)
        except InvalidObservationError:
            # An action space of cells includes cells where nothing is and bins that a primitive does not use.
            result = PrimitiveResult(False, Reason.NOTHING_THERE, 0.0, 0.0)
        self._primitives += 1
        done = bool(self.success is not None and self.success(self.kitchen))
        return self._observed(self.kitchen), float(done), done, self._primitives >= self.max_primitives, asdict(result)

    def render(self) -> np.ndarray | None:
        """The fused colour picture, `[H, W, 3]` uint8."""
        return None if self.kitchen is None else self._view.rgb

    def _observed(self, kitchen: Kitchen) -> Observed:
        self._view = view = kitchen.view()
        depth = np.clip(view.depth, 0.0, FAR_M).astype(np.float32)
        return {"rgb": view.rgb, "depth": depth, "holding": np.array([view.holding], np.int8)}

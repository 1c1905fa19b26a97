"""Actions drawn evenly from the space: what luck alone is worth."""

import zlib
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np


class RandomPolicy:
    """Draws from the action space of an environment; seed and goal decide what, so that an episode repeats itself.

    Args:
        control: of the environment.
        seed: of the draws.
    """

    def __init__(self, control: str = "primitive", seed: int = 0) -> None:
        self.space = gymnasium.make("hiermap/Chain-v0", control=control).action_space
        self.seed = seed

    def reset(self, observation: Mapping[str, Any]) -> None:
        """Begin to draw anew."""
        self.space.seed(zlib.crc32(observation["goal_masks"].tobytes(), self.seed))

    def act(self, observation: Mapping[str, Any]) -> np.ndarray:
        """Any action."""
        return self.space.sample()

"""The learned model as an evaluation uses it: loaded on first need, one thread, maps of what is seen."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hiermap.worlds.perception.fusion import SpatialView

if TYPE_CHECKING:
    from hiermap.model.weights import LoadedWeights


@dataclass
class LazyWeights:
    """Weights by shipped name or directory, read when first asked for."""

    name: str

    @cached_property
    def weights(self) -> "LoadedWeights":
        """The loaded weights; DataError if they are unusable."""
        import torch

        from hiermap.model.weights import load_weights

        # One thread: sums in one order, so the same maps on any number of cores, and workers do not fight over them.
        torch.set_num_threads(1)
        return load_weights(self.name)

    def load(self) -> None:
        """Read the weights now, so that no episode's timing contains it."""
        _ = self.weights

    def maps_of(self, view: SpatialView) -> np.ndarray:
        """Maps `[P, R, H, W]` in [0, 1] of a fused view."""
        import torch

        from hiermap.worlds.imagined.looks import looked_at, mean_map

        with torch.inference_mode():
            model = self.weights.model
            return mean_map(model.decode(looked_at(model, torch.from_numpy(view.channels())[None]))).float().numpy()

"""Maps and geometry read from a latent alone, real or imagined."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiermap.blocks import Pointwise
from hiermap.model_config import STRIDE, ModelConfig
from primitives.specs import PRIMITIVES, ROTATION_BINS

USED_BINS = tuple(p * ROTATION_BINS + r for p, spec in enumerate(PRIMITIVES.values()) for r in range(len(spec.rotations)))
"""Flat indices into `[P * R]` of the orientation bins that mean something; only these are computed."""
PRIOR_LOGIT = -4.6
"""About 1 % of cells admit a primitive."""
UNUSED_LOGIT = -20.0


class MapHead(nn.Module):
    """Latent `[B, D, h, w]` -> logits of the used bins `[B, len(USED_BINS), H, W]`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.hidden = Pointwise(config.latent, 128)
        self.out = Pointwise(128, len(USED_BINS) * STRIDE**2)
        nn.init.constant_(self.out.bias, PRIOR_LOGIT)

    def forward(self, latent: Tensor) -> Tensor:
        return F.pixel_shuffle(self.out(torch.relu(self.hidden(latent))), STRIDE)


class GeometryHead(nn.Module):
    """Latent -> the view's depth and height channels `[B, 2, H, W]`, scaled as in `SpatialView.channels`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.out = Pointwise(config.visible, 2 * STRIDE**2)

    def forward(self, latent: Tensor) -> Tensor:
        return F.pixel_shuffle(self.out(latent[:, : self.out.in_features]), STRIDE)


def full_maps(used: Tensor, fill: float = UNUSED_LOGIT) -> Tensor:
    """Spread `[B, len(USED_BINS), H, W]` over `[B, P, R, H, W]`; bins that mean nothing hold `fill`."""
    size, _, rows, columns = used.shape
    full = used.new_full((size, len(PRIMITIVES) * ROTATION_BINS, rows, columns), fill)
    full[:, list(USED_BINS)] = used
    return full.view(size, len(PRIMITIVES), ROTATION_BINS, rows, columns)

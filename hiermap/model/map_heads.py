"""Maps and geometry read from a latent alone, real or imagined: no skip past it, since imagined latents have no image."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiermap.model.config import STRIDE, ModelConfig
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS

USED_BINS = tuple(p * ROTATION_BINS + r for p, spec in enumerate(PRIMITIVES.values()) for r in range(len(spec.rotations)))
"""Flat indices into `[P * R]` of the orientation bins that mean something; only these are computed."""
PRIOR_LOGIT = -4.6
"""About 1 % of cells admit a primitive."""
UNUSED_LOGIT = -20.0


class BlockHead(nn.Module):
    """Reads every latent cell on its own: latent `[B, D, h, w]` -> `[B, channels, H, W]`, or chosen cells `[n, D]` -> blocks.

    A block is a latent cell's `[channels, STRIDE, STRIDE]` values; training reads only some cells, since most of a map is surely nothing.
    """

    def __init__(self, inputs: int, hidden: int, channels: int, bias: float = 0.0) -> None:
        super().__init__()
        self.inputs, self.channels = inputs, channels
        self.hidden = nn.Linear(inputs, hidden)
        self.out = nn.Linear(hidden, channels * STRIDE**2)
        nn.init.constant_(self.out.bias, bias)

    def blocks(self, cells: Tensor) -> Tensor:
        """Latent cells `[..., D]` -> `[..., channels * STRIDE**2]`."""
        return self.out(torch.relu(self.hidden(cells[..., : self.inputs])))

    def forward(self, latent: Tensor) -> Tensor:
        return F.pixel_shuffle(self.blocks(latent.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), STRIDE)


def map_head(config: ModelConfig) -> BlockHead:
    """Logits of the used orientation bins."""
    return BlockHead(config.latent, 128, len(USED_BINS), PRIOR_LOGIT)


def geometry_head(config: ModelConfig) -> BlockHead:
    """The view's depth and height channels, scaled as in `SpatialView.channels`; from what can be seen."""
    return BlockHead(config.visible, 64, 2)


def to_blocks(maps: Tensor) -> Tensor:
    """`[n, channels, H, W]` -> `[n, h * w, channels * STRIDE**2]`, the layout of `BlockHead.blocks`."""
    return F.pixel_unshuffle(maps, STRIDE).flatten(2).transpose(1, 2)


def full_maps(used: Tensor, fill: float = UNUSED_LOGIT) -> Tensor:
    """Spread `[B, len(USED_BINS), H, W]` over `[B, P, R, H, W]`; bins that mean nothing hold `fill`."""
    size, _, rows, columns = used.shape
    full = used.new_full((size, len(PRIMITIVES) * ROTATION_BINS, rows, columns), fill)
    full[:, list(USED_BINS)] = used
    return full.view(size, len(PRIMITIVES), ROTATION_BINS, rows, columns)

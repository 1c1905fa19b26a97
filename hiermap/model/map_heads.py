"""Maps and geometry read from a latent alone, real or imagined: no skip past it, since imagined latents have no image."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiermap.model.config import STRIDE


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

"""Maps and geometry read from a latent alone, real or imagined: no skip past it, since imagined latents have no image."""

import math

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


LEAST_DOUBT = 1e-6
"""No classifier is surer than one minus this, or the logarithm of its doubt would lose its gradient."""


class SingleMapHead(BlockHead):
    """As `BlockHead`, from one map of where anything can be done and a classifier of what: one thing at a time at every cell.

    The probability of a channel is the product of both, here as its logit; `bias` is the logit that every channel starts with, about.
    """

    def __init__(self, inputs: int, hidden: int, channels: int, bias: float = 0.0) -> None:
        super().__init__(inputs, hidden, 1 + channels, bias + math.log(channels))
        self.channels = channels

    def blocks(self, cells: Tensor) -> Tensor:
        """Latent cells `[..., D]` -> `[..., channels * STRIDE**2]`."""
        act, what = super().blocks(cells).unflatten(-1, (1 + self.channels, -1)).split([1, self.channels], dim=-2)
        return joint_logit(act, torch.log_softmax(what, dim=-2)).flatten(-2)


def joint_logit(act: Tensor, log_share: Tensor) -> Tensor:
    """Logit of sigmoid(act) * exp(log_share), without leaving the logarithms: the odds are `e^a q / (1 + e^a (1 - q))`."""
    rest = torch.log(-torch.expm1(log_share.clamp(max=-LEAST_DOUBT)))
    return act + log_share - F.softplus(act + rest)

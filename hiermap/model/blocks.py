"""Building blocks of the networks, chosen by their measured cost on a CPU without matrix units."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8
"""Of the group normalisation: real and imagined latents share the heads, so batch statistics would mix the two."""


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a skip, `[B, C, h, w]` -> same; `dilation` widens the second."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(torch.relu(self.first(torch.relu(self.norm(x)))))


class Pointwise(nn.Linear):
    """A 1 x 1 convolution `[B, C, h, w]` -> `[B, K, h, w]` as a matrix product: on one thread torch's own takes twice as long."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)


class WideBlock(nn.Module):
    """7 x 7 depthwise and two 1 x 1 convolutions around a skip (Liu et al. 2022), optionally under a condition `[B, K]`."""

    def __init__(self, width: int, condition: int = 0) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)
        self.film = nn.Linear(condition, 2 * width) if condition else None
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        if self.film is not None and condition is not None:
            scale, shift = self.film(condition)[:, None, None].chunk(2, dim=-1)
            y = torch.addcmul(shift, y, 1 + scale)
        return x + self.narrow(torch.relu(self.widen(y))).permute(0, 3, 1, 2)


def cells_of(latent: Tensor) -> Tensor:
    """`[B, D, h, w]` -> `[B, h*w, D]`, a view of a channels-last latent."""
    return latent.flatten(2).transpose(1, 2)


def unit_rms(x: Tensor) -> Tensor:
    """Scale `[B, C, h, w]` to unit root mean square over channels at every cell: imagined latents stay where the heads were trained."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-6)


def perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Linear, ReLU, linear over the last axis."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

"""The latent after an action, given that the action has its effect."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiermap.model.blocks import Pointwise, WideBlock, cells_of, perceptron, unit_rms
from hiermap.model.config import STRIDE, ModelConfig
from hiermap.primitives.specs import ROTATION_BINS

_CONDITION = 96
_OFFSET_SCALE = 8.0
"""Latent cells; offsets to the action are squashed beyond this."""


def draw_actions(cell: Tensor, rows: int, columns: int) -> Tensor:
    """Cells `[B, 2]` as maps `[B, rows, columns, STRIDE**2 + 3]`: the cell within its latent cell (one-hot), a blob, and signed offsets."""
    size, device = len(cell), cell.device
    coarse = torch.div(cell, STRIDE, rounding_mode="floor")
    fine = (cell[:, 0] % STRIDE) * STRIDE + cell[:, 1] % STRIDE
    drawn = torch.zeros(size, rows, columns, STRIDE**2 + 3, device=device)
    drawn[torch.arange(size, device=device), coarse[:, 0], coarse[:, 1], fine] = 1.0
    centre = (cell.float() + 0.5) / STRIDE - 0.5
    down = torch.arange(rows, device=device)[None, :, None] - centre[:, 0, None, None]
    right = torch.arange(columns, device=device)[None, None, :] - centre[:, 1, None, None]
    drawn[..., STRIDE**2] = torch.exp(-0.5 * (down.square() + right.square()) / 2.0**2)
    for axis, offset in enumerate((down, right), start=STRIDE**2 + 1):
        drawn[..., axis] = torch.tanh(offset / _OFFSET_SCALE)
    return drawn


class Dynamics(nn.Module):
    """Latent `[B, D, h, w]` after actions that have their effect, by a residual update conditioned on what is at the action's cell.

    Actions are `[B]` int64 indices in the bins of the model's legend and `[B, 2]` int64 cells.
    """

    row_of: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.visible, self.width = config.visible, config.latent
        self.action = nn.Embedding(len(config.legend.primitives) * ROTATION_BINS, _CONDITION)
        self.register_buffer("row_of", torch.tensor(config.legend.flat), persistent=False)
        self.condition = perceptron(2 * config.latent + _CONDITION, _CONDITION, _CONDITION)
        self.enter = nn.Linear(config.latent + STRIDE**2 + 3, config.latent)
        self.tint = nn.Linear(_CONDITION, config.latent)
        self.blocks = nn.ModuleList(WideBlock(config.latent, _CONDITION) for _ in range(config.dynamics_blocks))
        self.leave = Pointwise(config.latent, config.latent)
        nn.init.normal_(self.leave.weight, std=0.01)

    def forward(self, latent: Tensor, bin_index: Tensor, cell: Tensor) -> Tensor:
        drawn = draw_actions(cell, latent.shape[2], latent.shape[3])
        cells, blob = cells_of(latent), drawn[..., STRIDE**2].flatten(1)
        here = (blob[:, None] @ cells)[:, 0] / blob.sum(dim=1, keepdim=True)
        kind = self.action(self.row_of[bin_index])
        condition = torch.relu(self.condition(torch.cat([here, cells.mean(dim=1), kind], dim=1)))
        # The product with what is drawn apart: joining it to the latent would copy the latent.
        split = self.enter.weight.split([self.width, drawn.shape[-1]], dim=1)
        start = F.linear(drawn, split[1], self.enter.bias).flatten(1, 2) + self.tint(condition)[:, None]
        x = (F.linear(cells, split[0]) + start).unflatten(1, latent.shape[2:]).permute(0, 3, 1, 2)
        for block in self.blocks:
            x = block(x, condition)
        after = latent + self.leave(torch.relu(x))
        seen, memory = unit_rms(after[:, : self.visible]), torch.tanh(after[:, self.visible :])
        return torch.cat([seen, memory], dim=1).contiguous(memory_format=torch.channels_last)

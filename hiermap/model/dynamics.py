"""The latent after an action, given that the action has its effect."""

import torch
from torch import Tensor, nn

from hiermap.model.blocks import Pointwise, WideBlock, perceptron, unit_rms
from hiermap.model.config import STRIDE, ModelConfig
from hiermap.primitives.specs import ROTATION_BINS

_CONDITION = 96
_OFFSET_SCALE = 8.0
"""Latent cells; offsets to the action are squashed beyond this."""


def draw_actions(cell: Tensor, rows: int, columns: int) -> Tensor:
    """Cells `[B, 2]` as maps `[B, STRIDE**2 + 3, rows, columns]`: the cell within its latent cell (one-hot), a blob, and signed offsets."""
    size, device = len(cell), cell.device
    coarse = torch.div(cell, STRIDE, rounding_mode="floor")
    fine = (cell[:, 0] % STRIDE) * STRIDE + cell[:, 1] % STRIDE
    hot = torch.zeros(size, STRIDE**2, rows, columns, device=device)
    hot[torch.arange(size, device=device), fine, coarse[:, 0], coarse[:, 1]] = 1.0
    centre = (cell.float() + 0.5) / STRIDE - 0.5
    down = torch.arange(rows, device=device)[None, :, None] - centre[:, 0, None, None]
    right = torch.arange(columns, device=device)[None, None, :] - centre[:, 1, None, None]
    blob = torch.exp(-0.5 * (down.square() + right.square()) / 2.0**2)
    offsets = [torch.tanh(d / _OFFSET_SCALE).expand(-1, rows, columns) for d in (down, right)]
    return torch.cat([hot, blob[:, None], offsets[0][:, None], offsets[1][:, None]], dim=1)


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
        self.enter = Pointwise(config.latent + STRIDE**2 + 3, config.latent)
        self.tint = nn.Linear(_CONDITION, config.latent)
        self.blocks = nn.ModuleList(WideBlock(config.latent, _CONDITION) for _ in range(config.dynamics_blocks))
        self.leave = Pointwise(config.latent, config.latent)
        nn.init.normal_(self.leave.weight, std=0.01)

    def forward(self, latent: Tensor, bin_index: Tensor, cell: Tensor) -> Tensor:
        drawn = draw_actions(cell, latent.shape[2], latent.shape[3])
        blob = drawn[:, STRIDE**2 : STRIDE**2 + 1]
        here = (latent * blob).sum(dim=(2, 3)) / blob.sum(dim=(2, 3))
        everywhere = latent.mean(dim=(2, 3))
        kind = self.action(self.row_of[bin_index])
        condition = torch.relu(self.condition(torch.cat([here, everywhere, kind], dim=1)))
        x = self.enter(torch.cat([latent, drawn], dim=1)) + self.tint(condition)[:, :, None, None]
        for block in self.blocks:
            x = block(x, condition)
        change = self.leave(torch.relu(x))
        seen = unit_rms(latent[:, : self.visible] + change[:, : self.visible])
        memory = torch.tanh(latent[:, self.visible :] + change[:, self.visible :])
        return torch.cat([seen, memory], dim=1).contiguous(memory_format=torch.channels_last)

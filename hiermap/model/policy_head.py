"""An action regressed from the view and the goal, without maps and without imagination: what planning is compared against."""

import torch
from torch import Tensor, nn

from hiermap.model.blocks import cells_of, perceptron
from hiermap.model.config import ModelConfig
from hiermap.model.goal_head import Conjunctions, GoalTokens, summary

KEY_POINTS = 32


class PolicyHead(GoalTokens):
    """Which orientation bin to act in, and at which point of the frame, read from the scene's token.

    A summary of the scene has no places, so it is also told where key points of its own are (spatial softmax, Levine et al. 2016).
    """

    grid: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, 2 * config.latent + 2 * KEY_POINTS)
        self.bins = len(config.legend.bins)
        self.register_buffer("grid", _centres(*config.latent_shape), persistent=False)
        self.keys = nn.Linear(config.latent, KEY_POINTS, bias=False)
        self.leave = perceptron(config.token, 2 * config.token, 3 * self.bins)

    def forward(self, latent: Tensor, token: Tensor, goals: Conjunctions, holds: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores `[B, bins]` of the legend's bins, and for each the point `[B, bins, 2]` (row, column) in [0, 1] of the frame.

        `latent` is `[B, D, h, w]`; the other arguments are as `GoalHead.forward` takes them.
        """
        x, _ = self.tokens(self._look(latent), token, goals, holds, steps)
        scores, points = self.leave(x[:, 0]).split([self.bins, 2 * self.bins], dim=-1)
        return scores, torch.sigmoid(points).unflatten(-1, (self.bins, 2))

    def _look(self, latent: Tensor) -> Tensor:
        """Summary and key points `[B, 2 * D + 2 * KEY_POINTS]`."""
        found = torch.softmax(self.keys(cells_of(latent)), dim=1).transpose(1, 2) @ self.grid
        return torch.cat([summary(latent), found.flatten(1)], dim=-1)


def _centres(rows: int, columns: int) -> Tensor:
    """Row and column of every latent cell's centre in [0, 1] of the frame, `[h*w, 2]`."""
    down, right = torch.meshgrid((torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns, indexing="ij")
    return torch.stack([down.flatten(), right.flatten()], dim=-1)

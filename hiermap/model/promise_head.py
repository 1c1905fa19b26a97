"""What an action promises for every predicate, guessed without imagining its effect: far cheaper, to choose what to imagine."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hiermap.model.blocks import cells_of, perceptron
from hiermap.model.config import STRIDE, ModelConfig
from hiermap.model.predicate_head import CLASSES, HEADS, Answers, Reading, of_pairs
from hiermap.primitives.specs import ROTATION_BINS

_REACH = 2.0
"""Latent cells: how far around an action it is read what is there."""


@dataclass(frozen=True, eq=False)
class Promise:
    """What is guessed of B actions: the answers after each, and a token `[B, N, width]` of every thing as the action would leave it."""

    answers: Answers
    token: Tensor


class PromiseHead(nn.Module):
    """The answers of a latent, changed by what is at an action's cell and how the things that are asked about lie to it.

    Actions are `[B]` int64 indices in the bins of the model's legend and `[B, 2]` int64 cells.
    """

    grid: Tensor
    row_of: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, (rows, columns) = config.token, config.latent_shape
        down, right = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        self.register_buffer("grid", torch.stack([down.flatten(), right.flatten()], dim=-1).float(), persistent=False)
        self.register_buffer("row_of", torch.tensor(config.legend.flat), persistent=False)
        self.kind = nn.Embedding(len(config.legend.primitives) * ROTATION_BINS, width)
        self.action = nn.Linear(config.latent, width)
        self.thing = nn.Linear(width + 3 * HEADS + 4, width)
        self.unary = _deep(width, len(config.legend.unary) * (1 + CLASSES))
        self.of_thing, self.of_place, self.of_action = (nn.Linear(width, width) for _ in range(3))
        self.binary = _deep(width, len(config.legend.binary) * (1 + CLASSES))

    def forward(
        self, latent: Tensor, reading: Reading, now: Answers, bin_index: Tensor, cell: Tensor, pairs: Tensor | None = None
    ) -> Promise:
        """Latents `[B, D, h, w]` and what the predicate head read there and answered -> what holds once the actions have had their effect.

        Latents, readings and answers may also be of one moment `[1, ...]` at which all actions are tried.
        """
        near = self._near(cell)
        action = self.kind(self.row_of[bin_index]) + self.action((near[:, None] @ cells_of(latent))[:, 0])
        relation = self._relation(near, cell, reading)
        thing = self.thing(torch.cat([reading.token.expand(len(relation), -1, -1), relation], dim=-1))
        changed = torch.relu(thing + action[:, None])
        unary = self.unary(changed).unflatten(-1, (-1, 1 + CLASSES))
        place = self.of_place(torch.relu(thing)) + self.of_action(torch.relu(action))[:, None]
        pair = of_pairs(self.of_thing(torch.relu(thing))[:, :, None] + place[:, None], pairs)
        binary = self.binary(torch.relu(pair)).unflatten(-1, (-1, 1 + CLASSES))
        truth = now.unary + unary[..., 0], now.binary + binary[..., 0]
        steps = now.unary_steps + unary[..., 1:], now.binary_steps + binary[..., 1:]
        return Promise(Answers(*truth, *steps), changed)

    def _near(self, cell: Tensor) -> Tensor:
        """Weights `[B, h*w]` over latent cells around the actions; they sum to one."""
        centre = (cell.float() + 0.5) / STRIDE - 0.5
        return torch.softmax(-0.5 * (self.grid[None] - centre[:, None]).square().sum(dim=-1) / _REACH**2, dim=-1)

    def _relation(self, near: Tensor, cell: Tensor, reading: Reading) -> Tensor:
        """How each thing lies to an action `[B, N, 3 * HEADS + 4]`: whether it is there, was there at first, and the offsets."""
        things, size = reading.things, near.shape[-1]
        there = torch.einsum("bhnl,bl->bnh", reading.attention, near) * size**0.5
        at_first = torch.stack([(weights @ near[:, :, None])[..., 0] for weights in (things.at, things.around)], dim=-1) * size**0.5
        scale = float(self.grid.max()) + 1.0
        point = ((cell.float() + 0.5) / STRIDE - 0.5) / scale
        where = (reading.attention @ (self.grid / scale)).transpose(1, 2) - point[:, None, None]
        return torch.cat([there, at_first, where.flatten(2), things.centre - point[:, None]], dim=-1)


def _deep(width: int, outputs: int) -> nn.Sequential:
    """Starts by promising no change."""
    made = perceptron(width, 2 * width, outputs)
    for parameter in made[-1].parameters():
        nn.init.zeros_(parameter)
    return made

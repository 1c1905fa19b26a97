"""Goal predicates and steps-to-go of masked things, read from the latent now and the first latent."""

import math
from copy import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiermap.model.blocks import cells_of, perceptron
from hiermap.model.config import STEPS_CAP, STRIDE, ModelConfig

HEADS = 4
_FREQUENCIES = 4
CLASSES = STEPS_CAP + 1


@dataclass(frozen=True, eq=False)
class Answers:
    """Logits about N things in each of B views, of the U unary and V binary predicates of the model's legend.

    Attributes:
        unary: `[B, N, U]`, whether the predicate holds.
        binary: `[B, N, N, V]`, of (thing, place); `[B, Q, V]` where Q pairs were asked about.
        unary_steps: `[B, N, U, STEPS_CAP + 1]`, class scores of the number of primitives still needed.
        binary_steps: the same with `[STEPS_CAP + 1]`.
    """

    unary: Tensor
    binary: Tensor
    unary_steps: Tensor
    binary_steps: Tensor

    def chances(self) -> "Answers":
        """Probabilities instead of logits and class scores."""
        truth, steps = (self.unary, self.binary), (self.unary_steps, self.binary_steps)
        return Answers(*(torch.sigmoid(x) for x in truth), *(torch.softmax(x, dim=-1) for x in steps))

    def at(self, which: Tensor) -> "Answers":
        """Of some of the views, or of their repetitions, by index `[n]`."""
        return Answers(*(x[which] for x in vars(self).values()))

    def detach(self) -> "Answers":
        """The same, from which nothing learns."""
        return Answers(*(x.detach() for x in vars(self).values()))


def expected_steps(scores: Tensor, least: int = 0) -> Tensor:
    """Mean number of primitives still needed, given that at least `least` are, `[...]` under class scores `[..., classes]`."""
    return torch.softmax(scores[..., least:], dim=-1) @ torch.arange(least, scores.shape[-1], dtype=scores.dtype, device=scores.device)


@dataclass(frozen=True, eq=False)
class Things:
    """What the first views of B episodes say of N things each, read once.

    Attributes:
        look: `[B, N, visible]`, what they looked like.
        at, around: `[B, N, h*w]`, weights over latent cells of their masks and of the surroundings.
        area: `[B, N, 1]`, size of the masks.
        centre: `[B, N, 2]`, of the masks.
    """

    look: Tensor
    at: Tensor
    around: Tensor
    area: Tensor
    centre: Tensor

    def repeated(self, times: int) -> "Things":
        """For `times` moments of every episode, moment by moment."""
        return self if times == 1 else Things(*(x.repeat(times, 1, 1) for x in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Reading:
    """What is read of N things in each of B latents: a token `[B, N, width]` and where it was last found `[B, heads, N, h*w]`."""

    token: Tensor
    attention: Tensor
    things: Things

    def detach(self) -> "Reading":
        """The same, from which nothing learns."""
        return Reading(self.token.detach(), self.attention.detach(), Things(*(x.detach() for x in vars(self.things).values())))


class PredicateHead(nn.Module):
    """One token per thing: what it looked like first, what is at its place now, and where its likeness is now (attention)."""

    position: Tensor
    grid: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, latent, self.visible = config.token, config.latent, config.visible
        self.shape = config.latent_shape
        self.register_buffer("position", _fourier(config.latent_shape), persistent=False)
        self.register_buffer("grid", _grid(config.latent_shape), persistent=False)
        places = self.position.shape[0]
        self.begin = perceptron(config.visible + 2 * latent + places + 1, 2 * width, width)
        self.keys = nn.Linear(latent, 2 * width, bias=False)
        self.key_position = nn.Linear(places, 2 * width, bias=False)
        self.values = nn.Linear(latent, 2 * width)
        self.queries = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.updates = nn.ModuleList(perceptron(2 * width + 4 * HEADS, 2 * width, width) for _ in range(2))
        self.unary = perceptron(width, width, len(config.legend.unary) * (1 + CLASSES))
        self.thing, self.place = nn.Linear(width, width), nn.Linear(width, width)
        self.relation = perceptron(width + 4 * HEADS + 2, width, len(config.legend.binary) * (1 + CLASSES))

    def part(self, rows: int, columns: int) -> "PredicateHead":
        """The same head for so many latent cells from the middle of its frame: positions are what they are there."""
        inside = torch.zeros(self.shape, dtype=torch.bool, device=self.grid.device)
        top, left = ((whole - some) // 2 for whole, some in zip(self.shape, (rows, columns), strict=True))
        inside[top : top + rows, left : left + columns] = True
        part, places = copy(self), inside.flatten()
        part.shape, part._buffers = (rows, columns), {"position": self.position[:, places], "grid": self.grid[places]}
        return part

    def forward(self, now: Tensor, things: Things, pairs: Tensor | None = None) -> Answers:
        """Latents `[S * B, D, h, w]` of S moments of B episodes, moment by moment, and their things -> answers, as `answer` gives them."""
        return self.answer(self.read(now, things), pairs)

    def things(self, first: Tensor, masks: Tensor) -> Things:
        """Latents `[B, D, h, w]` of the first views and masks `[B, N, H, W]` in them (empty = unknown)."""
        at, around, area = _pooling(masks)
        return Things(at @ cells_of(first[:, : self.visible]), at, around, area, at @ self.grid)

    def read(self, now: Tensor, things: Things) -> Reading:
        """What latents `[S * B, D, h, w]` show of the things."""
        cells = cells_of(now)
        things = things.repeated(len(now) // max(len(things.look), 1))
        token = torch.cat([things.look, things.at @ cells, things.around @ cells, things.at @ self.position.T, things.area], dim=-1)
        token = self.begin(token)
        for layer, (query, update) in enumerate(zip(self.queries, self.updates, strict=True)):
            attention, read = self._attend(layer, query(token).unflatten(-1, (HEADS, -1)).transpose(1, 2), cells)
            where = _merge(attention @ self.grid) - things.centre.repeat(1, 1, HEADS)
            stay = torch.einsum("bhnl,bnl->bnh", attention, things.around * 9)
            sure = attention.amax(dim=-1).transpose(1, 2)
            token = token + update(torch.cat([token, read, where, stay, sure], dim=-1))
        return Reading(token, attention, things)

    def _attend(self, layer: int, query: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Attention `[B, heads, N, h*w]` of queries `[B, heads, N, k]` over cells `[B, h*w, D]`, and what they read `[B, N, width]`.

        Keys and values are linear in the cells, so queries go to the cells' own space and back: there are far fewer things than cells.
        A bias of the keys would add the same at every cell and fall out of the softmax.
        """
        key, place, value = (_of_heads(x.weight)[layer] for x in (self.keys, self.key_position, self.values))
        asked = query / math.sqrt(query.shape[-1])
        scores = (asked @ key).flatten(1, 2) @ cells.transpose(1, 2) + (asked @ place).flatten(1, 2) @ self.position
        attention = torch.softmax(scores, dim=-1)
        read = (attention @ cells).unflatten(1, (HEADS, -1)) @ value.transpose(1, 2) + _of_heads(self.values.bias)[layer][:, None]
        return attention.unflatten(1, (HEADS, -1)), _merge(read)

    def answer(self, reading: Reading, pairs: Tensor | None = None) -> Answers:
        """What the tokens say, of all N x N pairs or of `pairs` `[Q, 2]` (thing, place) only."""
        token, attention, things = reading.token, reading.attention, reading.things
        unary = self.unary(token).unflatten(-1, (-1, 1 + CLASSES))
        pair = torch.relu(self.thing(token)[:, :, None] + self.place(token)[:, None])
        over = torch.einsum("bhal,btl->bath", attention, things.around * 9)
        where = _merge(attention @ self.grid)
        apart = where[:, :, None] - things.centre.repeat(1, 1, HEADS)[:, None]
        gap = things.centre[:, :, None] - things.centre[:, None]
        facts = torch.cat([pair, over, apart, over * over.transpose(1, 2), gap], dim=-1)
        binary = self.relation(of_pairs(facts, pairs)).unflatten(-1, (-1, 1 + CLASSES))
        return Answers(unary[..., 0], binary[..., 0], unary[..., 1:], binary[..., 1:])


class SenseHead(nn.Module):
    """What can be said of things at all, from what they looked like first: a box is never on, and bare wall is nothing."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.forms = perceptron(config.visible + 1, config.token // 2, len(config.legend.unary) + 2 * len(config.legend.binary))

    def forward(self, things: Things) -> Tensor:
        """Logits `[B, N, U + 2 V]`: of unary predicates, of binary ones of the thing, and of binary ones of the place."""
        return self.forms(torch.cat([things.look, things.area], dim=-1))


def of_pairs(values: Tensor, pairs: Tensor | None) -> Tensor:
    """`[B, N, N, ...]` as it is, or `[B, Q, ...]` of the given pairs `[Q, 2]`."""
    return values if pairs is None else values[:, pairs[:, 0], pairs[:, 1]]


def _pooling(masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weights over latent cells `[B, N, h*w]` of the mask and of its surroundings, and the mask's size `[B, N, 1]`."""
    coarse = F.avg_pool2d(masks.float(), STRIDE)
    wide = F.max_pool2d(coarse, 3, stride=1, padding=1)
    at, around = coarse.flatten(2), wide.flatten(2)
    area = torch.log1p(at.sum(dim=-1, keepdim=True))
    return at / (at.sum(-1, keepdim=True) + 1e-6), around / (around.sum(-1, keepdim=True) + 1e-6), area


def _of_heads(weight: Tensor) -> Tensor:
    """`[2 * width, ...]` -> `[2, heads, width / heads, ...]`."""
    return weight.unflatten(0, (2, HEADS, -1))


def _merge(x: Tensor) -> Tensor:
    """`[B, heads, N, k]` -> `[B, N, heads * k]`."""
    return x.transpose(1, 2).flatten(2)


def _grid(shape: tuple[int, int]) -> Tensor:
    """Row and column of every latent cell over the larger extent, `[h*w, 2]`."""
    rows, columns = torch.meshgrid(torch.arange(shape[0]), torch.arange(shape[1]), indexing="ij")
    return torch.stack([rows.flatten(), columns.flatten()], dim=-1).float() / max(shape)


def _fourier(shape: tuple[int, int]) -> Tensor:
    """Sines and cosines of every latent cell's position, `[4 * frequencies, h*w]`: products of two are functions of their offset."""
    waves = _grid(shape).T[:, None] * (2 * math.pi * 2.0 ** torch.arange(_FREQUENCIES))[None, :, None]
    return torch.cat([waves.sin(), waves.cos()]).flatten(0, 1)

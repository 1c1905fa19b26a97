"""Goal predicates and steps-to-go of masked things, read from the latent now and the first latent."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiermap.model.blocks import Pointwise, perceptron
from hiermap.model.config import STEPS_CAP, STRIDE, ModelConfig

_HEADS = 4
_FREQUENCIES = 4
_CLASSES = STEPS_CAP + 1


@dataclass(frozen=True, eq=False)
class Answers:
    """Logits about N things in each of B views, of the U unary and V binary predicates of the model's legend.

    Attributes:
        unary: `[B, N, U]`, whether the predicate holds.
        binary: `[B, N, N, V]`, of (thing, place).
        unary_steps: `[B, N, U, STEPS_CAP + 1]`, class scores of the number of primitives still needed.
        binary_steps: `[B, N, N, V, STEPS_CAP + 1]`.
    """

    unary: Tensor
    binary: Tensor
    unary_steps: Tensor
    binary_steps: Tensor


def expected_steps(scores: Tensor, least: int = 0) -> Tensor:
    """Mean number of primitives still needed, given that at least `least` are, `[...]` under class scores `[..., STEPS_CAP + 1]`."""
    return torch.softmax(scores[..., least:], dim=-1) @ torch.arange(least, _CLASSES, dtype=scores.dtype, device=scores.device)


class PredicateHead(nn.Module):
    """One token per thing: what it looked like first, what is at its place now, and where its likeness is now (attention)."""

    position: Tensor
    grid: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, latent, self.visible = config.token, config.latent, config.visible
        self.register_buffer("position", _fourier(config.latent_shape), persistent=False)
        self.register_buffer("grid", _grid(config.latent_shape), persistent=False)
        places = self.position.shape[0]
        self.begin = perceptron(config.visible + 2 * latent + places + 1, 2 * width, width)
        self.keys = Pointwise(latent, 2 * width)
        self.key_position = nn.Linear(places, 2 * width, bias=False)
        self.values = Pointwise(latent, 2 * width)
        self.queries = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.updates = nn.ModuleList(perceptron(2 * width + 4 * _HEADS, 2 * width, width) for _ in range(2))
        self.unary = perceptron(width, width, len(config.legend.unary) * (1 + _CLASSES))
        self.thing, self.place = nn.Linear(width, width), nn.Linear(width, width)
        self.relation = perceptron(width + 4 * _HEADS + 2, width, len(config.legend.binary) * (1 + _CLASSES))

    def forward(self, now: Tensor, first: Tensor, masks: Tensor) -> Answers:
        """Latents `[S * B, D, h, w]` of S moments, `[B, D, h, w]` of the first, masks `[B, N, H, W]` (empty = unknown) -> answers."""
        at, around, area = _pooling(masks)
        flat = now.flatten(2).transpose(1, 2)
        look = at @ first[:, : self.visible].flatten(2).transpose(1, 2)
        times = len(now) // len(first)
        look, at, around, area = (x.repeat(times, 1, 1) for x in (look, at, around, area))
        centre = at @ self.grid
        token = self.begin(torch.cat([look, at @ flat, around @ flat, at @ self.position.T, area], dim=-1))
        # Keys and values are projections of the cells: here the few tokens are projected instead of every cell, which is the same product.
        key, key_bias, place, value, value_bias = (
            weight.unflatten(0, (2, _HEADS, -1))
            for weight in (self.keys.weight, self.keys.bias, self.key_position.weight, self.values.weight, self.values.bias)
        )
        for layer, (query, update) in enumerate(zip(self.queries, self.updates, strict=True)):
            asked = query(token).unflatten(-1, (_HEADS, -1)).transpose(1, 2)
            asked = asked / math.sqrt(asked.shape[-1])
            score = _each_head(asked @ key[layer], flat.transpose(1, 2)) + (asked @ place[layer]) @ self.position
            attention = torch.softmax(score + asked @ key_bias[layer, :, :, None], dim=-1)
            read = _merge(_each_head(attention, flat) @ value[layer].transpose(1, 2) + value_bias[layer, :, None])
            where = _merge(attention @ self.grid) - centre.repeat(1, 1, _HEADS)
            stay = torch.einsum("bhnl,bnl->bnh", attention, around * 9)
            sure = attention.amax(dim=-1).transpose(1, 2)
            token = token + update(torch.cat([token, read, where, stay, sure], dim=-1))
        return self._answers(token, attention, centre, around)

    def _answers(self, token: Tensor, attention: Tensor, centre: Tensor, around: Tensor) -> Answers:
        unary = self.unary(token).unflatten(-1, (-1, 1 + _CLASSES))
        pair = torch.relu(self.thing(token)[:, :, None] + self.place(token)[:, None])
        over = torch.einsum("bhal,btl->bath", attention, around * 9)
        where = _merge(attention @ self.grid)
        apart = where[:, :, None] - centre.repeat(1, 1, _HEADS)[:, None]
        gap = centre[:, :, None] - centre[:, None]
        facts = torch.cat([pair, over, apart, over * over.transpose(1, 2), gap], dim=-1)
        binary = self.relation(facts).unflatten(-1, (-1, 1 + _CLASSES))
        return Answers(unary[..., 0], binary[..., 0], unary[..., 1:], binary[..., 1:])


def _pooling(masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weights over latent cells `[B, N, h*w]` of the mask and of its surroundings, and the mask's size `[B, N, 1]`."""
    coarse = F.avg_pool2d(masks.float(), STRIDE)
    wide = F.max_pool2d(coarse, 3, stride=1, padding=1)
    at, around = coarse.flatten(2), wide.flatten(2)
    area = torch.log1p(at.sum(dim=-1, keepdim=True))
    return at / (at.sum(-1, keepdim=True) + 1e-6), around / (around.sum(-1, keepdim=True) + 1e-6), area


def _each_head(x: Tensor, by: Tensor) -> Tensor:
    """`[B, heads, N, k]` times `[B, k, m]`, the same for all heads -> `[B, heads, N, m]`."""
    return (x.flatten(1, 2) @ by).unflatten(1, (_HEADS, -1))


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

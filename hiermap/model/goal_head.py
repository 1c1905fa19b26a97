"""Primitives still needed until a whole goal holds: its predicates read together, since steps to a conjunction are no sum.

A full hand hinders every other predicate, one opened drawer serves two, what is to be shut again has to be opened first. So predicates
attend to each other (Vaswani et al. 2017) and know which of them speak of the same thing; then each says what it adds, since attention
alone averages where one has to count.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiermap.model.blocks import cells_of, perceptron
from hiermap.model.config import GOAL_STEPS_CAP, ModelConfig
from hiermap.model.predicate_head import CLASSES, HEADS, Answers

LAYERS = 2
FAR_CLASSES = GOAL_STEPS_CAP + 1
LEAST_DOUBT = 0.25
"""Primitives: no estimate claims to be surer."""


@dataclass(frozen=True, eq=False)
class Conjunctions:
    """B goals of up to Q predicates, int64 each.

    Attributes:
        kind: `[B, Q]` index in the legend's unary and then binary predicates, -1 where a goal has no further one.
        thing, place: `[B, Q]` index of a thing, -1 for none.
    """

    kind: Tensor
    thing: Tensor
    place: Tensor

    def at(self, which: Tensor) -> "Conjunctions":
        """Some of the goals, or of their repetitions, by index `[n]`."""
        return Conjunctions(self.kind[which], self.thing[which], self.place[which])

    def of(self, answers: Answers) -> tuple[Tensor, Tensor]:
        """Logits of truth `[B, Q]` and class scores of steps `[B, Q, CLASSES]` of the goals' predicates."""
        return self.chosen(answers.unary, answers.binary), self.chosen(answers.unary_steps, answers.binary_steps)

    def chosen(self, unary: Tensor, binary: Tensor) -> Tensor:
        """`[B, Q, ...]` of the goals' predicates, from values `[B, N, U, ...]` and `[B, N, N, V, ...]` in the legend's order.

        Binary values may also be `[B, M, V, ...]`: of the M pairs that the goals ask about, in their order.
        """
        kinds, row = unary.shape[2], torch.arange(len(unary), device=unary.device)[:, None]
        thing, of_pair = self.thing.clamp(min=0), self.place >= 0
        single = unary[row, thing, self.kind.clamp(0, kinds - 1)]
        if binary.shape[1] == 0:
            return single
        all_pairs = binary.dim() > unary.dim()
        pair = (thing, self.place.clamp(min=0)) if all_pairs else ((of_pair.cumsum(dim=1) - 1).clamp(min=0),)
        double = binary[(row, *pair, (self.kind - kinds).clamp(min=0))]
        return torch.where(of_pair.reshape(*of_pair.shape, *[1] * (single.dim() - 2)), double, single)


class GoalTokens(nn.Module):
    """One token for the scene, of `scene` numbers, and one per predicate, with layers of attention between them."""

    def __init__(self, config: ModelConfig, scene: int) -> None:
        super().__init__()
        width = config.token
        self.kind = nn.Embedding(len(config.legend.unary) + len(config.legend.binary), width)
        self.now = nn.Linear(2 * width + CLASSES + 1, width)
        self.scene = nn.Linear(scene, width)
        self.layers = nn.ModuleList(_Layer(width) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(width)

    def tokens(
        self, scene: Tensor, token: Tensor, goals: Conjunctions, holds: Tensor, steps: Tensor, enter: nn.Module | None = None
    ) -> tuple[Tensor, Tensor]:
        """`[B, 1 + Q, width]`, and `[B, 1 + Q]` which there are; arguments as `GoalHead.forward` takes them, `enter` in place of `now`."""
        row = torch.arange(len(goals.kind), device=token.device)[:, None]
        thing = token[row, goals.thing.clamp(min=0)]
        place = token[row, goals.place.clamp(min=0)] * (goals.place >= 0)[..., None]
        told = torch.cat([thing, place, torch.softmax(steps, dim=-1), holds[..., None]], dim=-1)
        x = self.kind(goals.kind.clamp(min=0)) + (enter or self.now)(told)
        x = torch.cat([self.scene(scene).expand(len(x), -1)[:, None], x], dim=1)
        bias = _relations(goals)
        there = F.pad(goals.kind >= 0, (1, 0), value=True)
        for layer in self.layers:
            x = layer(x, bias, there)
        return self.norm(x), there


class GoalHead(GoalTokens):
    """The sum of what the scene and each predicate add to the primitives still needed."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, 2 * config.latent)
        self.promised = nn.Linear(2 * config.token + CLASSES + 1, config.token)
        self.leave = perceptron(config.token, config.token, 2)

    def forward(self, scene: Tensor, token: Tensor, goals: Conjunctions, holds: Tensor, steps: Tensor, promised: bool = False) -> Tensor:
        """Class scores `[B, FAR_CLASSES]` of the primitives still needed.

        Args:
            scene: `[B, 2 * D]`, or `[1, 2 * D]` for all, as `summary` gives it.
            token: `[B, N, width]` of the things, as the predicate head reads them, or as an action is promised to leave them.
            goals: what is asked.
            holds: `[B, Q]` in [0, 1], how far each predicate is believed.
            steps: `[B, Q, CLASSES]`, its class scores of steps.
            promised: whether tokens and steps are promises; the scene is then that before the action.
        """
        x, there = self.tokens(scene, token, goals, holds, steps, self.promised if promised else None)
        added, doubt = (self.leave(x) * there[..., None]).unbind(-1)
        # The classes of a number with so much doubt about it.
        away = torch.arange(FAR_CLASSES, device=x.device) - added.sum(dim=1, keepdim=True)
        return -0.5 * (away / (LEAST_DOUBT + F.softplus(doubt[:, :1]))).square()


def summary(latent: Tensor) -> Tensor:
    """What latents `[B, D, h, w]` hold anywhere, `[B, 2 * D]`: the mean and the largest value of every channel."""
    cells = cells_of(latent)
    return torch.cat([cells.mean(dim=1), cells.amax(dim=1)], dim=-1)


class _Layer(nn.Module):
    """Attention and a perceptron, each around a skip; who speaks of the same thing attends differently."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries = nn.Linear(width, 3 * width)
        self.relation = nn.Linear(4, HEADS, bias=False)
        self.join = nn.Linear(width, width)
        self.think = perceptron(width, 2 * width, width)
        for parameter in (*self.join.parameters(), *self.think[-1].parameters()):
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, relations: Tensor, there: Tensor) -> Tensor:
        q, k, v = self.queries(self.before(x)).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        bias = F.pad(self.relation(relations).permute(0, 3, 1, 2), (1, 0, 1, 0))
        bias = bias.masked_fill(~there[:, None, None], -torch.inf)
        x = x + self.join(F.scaled_dot_product_attention(q, k, v, bias).transpose(1, 2).flatten(2))
        return x + self.think(self.between(x))


def _relations(goals: Conjunctions) -> Tensor:
    """`[B, Q, Q, 4]`: whether the thing or the place of one predicate is the thing or the place of another."""
    ends = goals.thing, goals.place
    same = [one[:, :, None] == torch.where(other >= 0, other, -2)[:, None] for one in ends for other in ends]
    return torch.stack(same, dim=-1).float()

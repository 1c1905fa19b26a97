"""The learned world model: encode a view, predict the latent after an action, decode maps, geometry and predicates."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from hiermap.model.config import STEPS_CAP, STRIDE, ModelConfig
from hiermap.model.dynamics import Dynamics
from hiermap.model.encoder import Encoder
from hiermap.model.goal_head import Conjunctions, GoalHead, summary
from hiermap.model.map_heads import BlockHead, SingleMapHead
from hiermap.model.policy_head import PolicyHead
from hiermap.model.predicate_head import Answers, PredicateHead, Reading, SenseHead, Things, expected_steps
from hiermap.model.promise_head import Promise, PromiseHead
from hiermap.primitives.specs import ROTATION_BINS
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.legend import places, registered

PRIOR_LOGIT = -4.6
"""About 1 % of cells admit a primitive."""
AWAY_FROM_EDGES = 0.9
"""Share of the cells by which decoded depth is judged: at the edges of things a cell aside is off by a whole step, in any place."""


class HiermapModel(nn.Module):
    """All parts; training calls `encode` and the parts themselves, and `hiermap.worlds.imagined.latent.Model` lists what planning calls.

    Inside, channels are those of the config's legend; `decode`, `imagine` and `beliefs` speak the registries' order, and say that nothing
    works, changes or holds where a name is unknown to the model. `calibration` `[primitives of the legend, 2]` is a slope and a shift of
    each primitive's logits, fitted on held-out data after training. `maps` gives the logits of the legend's bins, `geometry` the view's
    depth and height channels, scaled as in `SpatialView.channels`, from what can be seen. `usual_depth_error_m` is what `depth_error` says
    of one in a hundred of the views it was scored on, the worst [m]; None where that was not measured. `encoder` makes a
    part that is called as `Encoder` is and gives latents of its shape.
    """

    usual_depth_error_m: float | None = None

    calibration: Tensor
    bin_of: Tensor
    unary_of: Tensor
    binary_of: Tensor
    kind_of: Tensor

    def __init__(self, config: ModelConfig | None = None, encoder: Callable[[ModelConfig], nn.Module] = Encoder) -> None:
        super().__init__()
        self.config = config or ModelConfig()
        self.encoder = encoder(self.config)
        maps = SingleMapHead if self.config.heads == "single" else BlockHead
        self.maps = maps(self.config.latent, self.config.readout, len(self.config.legend.bins), PRIOR_LOGIT)
        self.geometry = BlockHead(self.config.visible, 64, 2)
        self.dynamics = Dynamics(self.config)
        self.predicates = PredicateHead(self.config)
        self.promise: PromiseHead | None = PromiseHead(self.config)
        self.goal: GoalHead | None = GoalHead(self.config)
        self.sense: SenseHead | None = SenseHead(self.config)
        self.policy: PolicyHead | None = PolicyHead(self.config) if self.config.policy else None
        legend, asked = self.config.legend, registered()
        self.register_buffer("calibration", torch.tensor([[1.0, 0.0]]).repeat(len(legend.primitives), 1))
        self.register_buffer("bin_of", torch.from_numpy(asked.bins_in(legend)), persistent=False)
        self.register_buffer("unary_of", torch.from_numpy(places(asked.unary, legend.unary)), persistent=False)
        self.register_buffer("binary_of", torch.from_numpy(places(asked.binary, legend.binary)), persistent=False)
        kinds = places(asked.unary + asked.binary, legend.unary + legend.binary)
        self.register_buffer("kind_of", torch.from_numpy(kinds), persistent=False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, view: Tensor, mirrored: Tensor | None = None) -> Tensor:
        """View `[B, channels, H, W]` -> latent `[B, D, h, w]` with an empty memory."""
        flag = view.new_zeros(len(view)) if mirrored is None else mirrored
        seen = self.encoder(view, flag)
        if seen.shape[1:] != (expected := (self.config.visible, *self.config.latent_shape)):
            raise ConfigError(f"the encoder gives latents {list(seen.shape[1:])}, expected {list(expected)} (visible, rows/4, columns/4)")
        return self.with_memory(seen, seen.new_zeros(len(seen), self.config.memory, *seen.shape[2:]))

    def part(self, rows: int, columns: int) -> "HiermapModel":
        """The same model, with the same parameters, for views of so many cells from the middle of its frame.

        It tells what things are and where acting on them has its effect; distances to goals and promises are those of whole frames.
        """
        part, predicates = copy(self), self.predicates.part(rows // STRIDE, columns // STRIDE)
        part._modules, part.config = {**self._modules, "predicates": predicates}, replace(self.config, rows=rows, columns=columns)
        return part

    def with_memory(self, latent: Tensor, memory: Tensor) -> Tensor:
        """The latent with its memory channels replaced by `memory` `[B, memory, h, w]`."""
        return torch.cat([latent[:, : self.config.visible], memory], dim=1).contiguous(memory_format=torch.channels_last)

    def decode(self, latent: Tensor) -> Tensor:
        """Success probabilities `[B, P, R, H, W]` of every primitive, orientation and cell, calibrated."""
        slope, shift = self.calibration[[index // ROTATION_BINS for index in self.config.legend.flat]].T
        own = torch.sigmoid(self.maps(latent) * slope[:, None, None] + shift[:, None, None])
        maps = own.new_zeros(len(own), *self.bin_of.shape, *own.shape[2:])
        known = self.bin_of >= 0
        maps[:, known] = own[:, self.bin_of[known]]
        return maps

    def imagine(self, latent: Tensor, primitive: Tensor, rotation: Tensor, cell: Tensor) -> Tensor:
        """Latent `[B, D, h, w]` after actions that have their effect: `[B]` indices of primitive and orientation, `[B, 2]` cells."""
        bin_index = self.bin_of[primitive, rotation]
        after = self.dynamics(latent, bin_index.clamp(min=0), cell)
        known = bin_index >= 0
        return after if known.all() else torch.where(known[:, None, None, None], after, latent)

    def decode_depth(self, latent: Tensor) -> Tensor:
        """The depth channel `[B, H, W]` of the view a latent stands for, scaled as in `SpatialView.channels`."""
        return self.geometry(latent)[:, 0]

    def depth_error(self, latent: Tensor, view: Tensor) -> Tensor:
        """How far `[B]` the depth channel decoded from latents is from that of the views `[B, channels, H, W]` they encode.

        The mean over the best `AWAY_FROM_EDGES` of the cells that are seen; infinite where none is.
        """
        valid = view[:, 8] > 0
        errors = (self.decode_depth(latent) - view[:, 3]).abs().masked_fill(~valid, torch.inf).flatten(1).sort(dim=1).values
        count = (AWAY_FROM_EDGES * valid.flatten(1).sum(dim=1)).ceil().long()[:, None]
        return (errors.cumsum(dim=1).gather(1, (count - 1).clamp(min=0)) / count)[:, 0]

    def things(self, first: Tensor, masks: Tensor) -> Things:
        """What is asked about: latents `[B, D, h, w]` of first views and masks `[B, N, H, W]` of things in them."""
        return self.predicates.things(first, masks)

    def makes_sense(self, things: Things) -> Tensor:
        """`[B, N, U + 2 V]` probability that unary predicates, binary ones of a thing and binary ones of a place make sense of things."""
        assert self.sense is not None, "these weights were trained without sense"
        unary, binary = len(self.config.legend.unary), len(self.config.legend.binary)
        parts = torch.sigmoid(self.sense(things)).split([unary, binary, binary], dim=-1)
        which = self.unary_of, self.binary_of, self.binary_of
        return torch.cat([_by_name(part, of, 1.0) for part, of in zip(parts, which, strict=True)], dim=-1)

    def read(self, latent: Tensor, things: Things) -> Reading:
        """What latents `[B, D, h, w]` show of things, to be asked for beliefs and promises."""
        return self.predicates.read(latent, things)

    def answers(self, reading: Reading, pairs: Tensor | None = None) -> Answers:
        """What was read says of single predicates, of all N x N pairs or of `pairs` `[Q, 2]` only; `told` puts it by name."""
        return self.predicates.answer(reading, pairs)

    def promises(
        self, latent: Tensor, reading: Reading, primitive: Tensor, rotation: Tensor, cell: Tensor, pairs: Tensor | None = None
    ) -> Promise:
        """Guesses after each of `[B]` actions on one latent `[1, D, h, w]` and its reading."""
        assert self.promise is not None, "these weights were trained without promises"
        bin_index = self.bin_of[primitive, rotation].clamp(min=0)
        return self.promise(latent, reading, self.predicates.answer(reading, pairs), bin_index, cell, pairs)

    def told(self, answers: Answers) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Probabilities that predicates hold, `[B, N, U]` and `[B, N, N, V]` or `[B, Q, V]`, and the expected primitives still needed if
        they do not."""
        truth = _by_name(torch.sigmoid(answers.unary), self.unary_of, 0.0), _by_name(torch.sigmoid(answers.binary), self.binary_of, 0.0)
        unary_steps = _by_name(expected_steps(answers.unary_steps, least=1), self.unary_of, STEPS_CAP)
        return *truth, unary_steps, _by_name(expected_steps(answers.binary_steps, least=1), self.binary_of, STEPS_CAP)

    def distances(self, latent: Tensor, token: Tensor, answers: Answers, goal: Tensor, holds: Tensor, promised: bool = False) -> Tensor:
        """Expected primitives `[B]` until a goal holds that does not yet.

        Args:
            latent: `[B, D, h, w]`, or `[1, ...]` for all.
            token: as `GoalHead.forward` takes it.
            promised: the same.
            answers: about the goal's own pairs, in their order.
            goal: `[Q, 3]` int64 of (kind of the registries' unary and then binary predicates, thing, place or -1).
            holds: `[B, Q]` in [0, 1], how far each predicate is believed.
        """
        assert self.goal is not None, "these weights were trained without whole goals"
        goals = self._asked(goal, len(holds))
        _, steps = goals.of(answers)
        return expected_steps(self.goal(summary(latent), token, goals, holds, steps, promised), least=1)

    def acts(self, latent: Tensor, token: Tensor, answers: Answers, goal: Tensor, holds: Tensor) -> tuple[Tensor, Tensor]:
        """What the policy would do: chances `[B, P, R]` of primitives and orientations, and for each its cell `[B, P, R, 2]` int64.

        Arguments are as `distances` takes them; a bin that is unknown to the model has no chance.
        """
        assert self.policy is not None, "these weights were trained without a policy"
        goals = self._asked(goal, len(holds))
        scores, points = self.policy(latent, token, goals, holds, goals.of(answers)[1])
        size = torch.tensor([self.config.rows, self.config.columns], device=points.device)
        cells = torch.minimum((points * size).long(), size - 1)
        which = self.bin_of.clamp(min=0)
        return torch.softmax(scores, dim=-1)[:, which] * (self.bin_of >= 0), cells[:, which]

    def _asked(self, goal: Tensor, count: int) -> Conjunctions:
        """A goal `[Q, 3]` of the registries' predicates, asked `count` times."""
        kind, thing, place = goal.expand(count, -1, -1).unbind(-1)
        return Conjunctions(torch.where(kind >= 0, self.kind_of[kind], -1), thing, place)

    def memory_of(self, latent: Tensor) -> Tensor:
        """The memory channels `[B, memory, h, w]` of a latent."""
        return latent[:, self.config.visible :]


def _by_name(values: Tensor, places_of: Tensor, absent: float) -> Tensor:
    """The last axis in the registry's order, `absent` where the model knows no such predicate."""
    return torch.where(places_of >= 0, values[..., places_of.clamp(min=0)], absent)

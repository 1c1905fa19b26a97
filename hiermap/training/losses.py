"""What training asks of real and imagined latents."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, distributed

from hiermap.model.config import STEPS_CAP, STRIDE
from hiermap.model.predicate_head import Answers, Reading
from hiermap.model.world_model import HiermapModel
from hiermap.training.sampling.batches import SequenceBatch
from hiermap.training.sampling.shards import UNKNOWN

_CELLS_PER_MAP = 100.0
"""Scales the mean over cells so that about one map's worth of positive cells weighs one."""

ELSEWHERE = 0.25
"""Share of the latent cells far from every positive one that a step looks at."""


@dataclass(frozen=True, eq=False)
class Unrolled:
    """Latents along a batch's paths.

    Attributes:
        real: `[B, T, D, h, w]`, encoded from the real views, with the memory that the imagined path had gathered.
        imagined: `[B, K, D, h, w]`, predicted for views 1..K.
        first: `[B, D, h, w]`, of the episodes' first views.
    """

    real: Tensor
    imagined: Tensor
    first: Tensor


def unroll(model: HiermapModel, batch: SequenceBatch, look_again: float = 0.0) -> Unrolled:
    """Encode every view and imagine along the actions; with probability `look_again` a step starts from the real view (plus memory)."""
    size, length = batch.bin_index.shape
    visible = model.config.visible
    flags = batch.mirrored.float()
    seen = model.encode(batch.views.flatten(0, 1), flags.repeat_interleave(length + 1))
    seen = seen.view(size, length + 1, *seen.shape[1:])
    first = seen[:, 0].clone()
    later = ~batch.starts_first
    if later.any():
        first[later] = model.encode(batch.first[later], flags[later])
    state, real, imagined = seen[:, 0], [seen[:, 0]], []
    for k in range(length):
        state = model.dynamics(state, batch.bin_index[:, k], batch.cell[:, k])
        imagined.append(state)
        real.append(torch.cat([seen[:, k + 1, :visible], state[:, visible:]], dim=1))
        if look_again > 0:
            again = torch.rand(size, device=state.device) < look_again
            state = torch.where(again[:, None, None, None], real[-1], state)
    dreams = torch.stack(imagined, dim=1) if imagined else seen[:, :0]
    return Unrolled(torch.stack(real, dim=1), dreams, first)


@dataclass(frozen=True, eq=False)
class ChosenCells:
    """The latent cells on which maps and geometry are learned.

    Attributes:
        sequence, moment, place: `[n]` int64 each: which latent cell (`place` counts rows first).
        maps: `[n, bins * 16]` bool; known: `[n, bins]` bool; geometry: `[n, 2 * 16]`; valid: `[n, 16]` bool.
        weight: `[n]`, so that a weighted sum is an estimate of the mean over all cells.
    """

    sequence: Tensor
    moment: Tensor
    place: Tensor
    maps: Tensor
    known: Tensor
    geometry: Tensor
    valid: Tensor
    weight: Tensor

    def without_start(self) -> "ChosenCells":
        """The cells of moments after the first, counted from 0."""
        kept = self.moment > 0
        values = {f.name: getattr(self, f.name)[kept] for f in fields(self)}
        return ChosenCells(**{**values, "moment": values["moment"] - 1, "weight": values["weight"] * (len(kept) / kept.sum())})

    def of(self, latents: Tensor) -> Tensor:
        """The chosen cells `[n, D]` of latents `[B, T, D, h, w]`."""
        columns = latents.shape[-1]
        return latents[self.sequence, self.moment, :, self.place // columns, self.place % columns]


def choose_cells(batch: SequenceBatch, share: float = ELSEWHERE) -> ChosenCells:
    """Every latent cell at or beside a positive one of any map, and `share` of all others, which weigh more in turn."""
    moments = batch.views.shape[1]
    flat = batch.maps.flatten(0, 1)
    near = F.max_pool2d(flat.any(dim=1, keepdim=True).float(), 3 * STRIDE, stride=STRIDE, padding=STRIDE).flatten(1) > 0
    chosen = near | (torch.rand(near.shape, device=near.device) < share)
    which, place = chosen.nonzero(as_tuple=True)
    weight = torch.where(near[which, place], 1.0, 1.0 / share) / near.numel()
    views = batch.views.flatten(0, 1)
    labels, geometry, valid = (blocks_at(x, which, place) for x in (flat, views[:, 3:5], views[:, 8:9]))
    sequence = which // moments
    return ChosenCells(sequence, which % moments, place, labels, batch.known[sequence], geometry, valid > 0, weight)


def blocks_at(maps: Tensor, which: Tensor, place: Tensor) -> Tensor:
    """The blocks `[n, channels * STRIDE**2]` of some latent cells (`place` counts rows first) of maps `[m, channels, H, W]`."""
    blocks = maps.unflatten(3, (-1, STRIDE)).unflatten(2, (-1, STRIDE))
    columns = blocks.shape[4]
    return blocks[which, :, place // columns, :, place % columns].flatten(1)


def map_loss(model: HiermapModel, latents: Tensor, cells: ChosenCells, bin_weights: Tensor, positive: float = 1.0) -> Tensor:
    """Cross-entropy of maps decoded from latents `[B, T, D, h, w]`, averaged over cells and scaled to about unit size.

    `positive` weighs the rare positive cells; it only shifts the logits that fit best, which the calibration takes back.
    """
    logits = model.maps.blocks(cells.of(latents)).view(len(cells.weight), len(bin_weights), -1)
    cost = F.softplus(logits)
    cost = torch.where(cells.maps.view_as(logits), positive * (cost - logits), cost).mean(dim=2)
    return cells.weight @ ((cost * cells.known) @ bin_weights) * (_CELLS_PER_MAP / len(bin_weights))


def executed_loss(model: HiermapModel, latents: Tensor, batch: SequenceBatch) -> Tensor:
    """Cross-entropy at the cells where the motor programs really tried, of latents `[B, T, D, h, w]`; 0 when the batch holds none."""
    known = batch.tried_effect != UNKNOWN
    sequence, moment, _ = known.nonzero(as_tuple=True)
    columns = batch.views.shape[-1]
    row, column = batch.tried_cell[known] // columns, batch.tried_cell[known] % columns
    blocks = model.maps.blocks(latents[sequence, moment, :, row // STRIDE, column // STRIDE])
    inside = batch.tried_bin[known] * STRIDE**2 + (row % STRIDE) * STRIDE + column % STRIDE
    logits, effect = blocks.gather(1, inside[:, None])[:, 0], batch.tried_effect[known].float()
    return mean_of_all(F.binary_cross_entropy_with_logits(logits, effect, reduction="none"))


def geometry_loss(model: HiermapModel, paths: Unrolled, cells: ChosenCells, later: ChosenCells | None) -> Tensor:
    """Absolute error of decoded depth and height where the real view is valid, at `later` cells of imagined views too."""
    chosen = [(paths.real, cells), *([] if later is None else [(paths.imagined, later)])]
    return torch.stack([_geometry_error(model, *each) for each in chosen]).mean()


def _geometry_error(model: HiermapModel, latents: Tensor, cells: ChosenCells) -> Tensor:
    error = (model.geometry.blocks(cells.of(latents)) - cells.geometry).abs().view(len(cells.weight), 2, -1)
    return cells.weight @ (error * cells.valid[:, None]).mean(dim=(1, 2))


def consistency_loss(model: HiermapModel, paths: Unrolled) -> Tensor:
    """Squared distance of imagined visible latents to the (fixed) encodings of the real next views."""
    visible = model.config.visible
    return F.mse_loss(paths.imagined[:, :, :visible], paths.real[:, 1:, :visible].detach())


def truth_loss(answers: Answers, batch: SequenceBatch) -> Tensor:
    """Cross-entropy of the truth of predicates; answers are of the T real views, then of the K imagined ones."""
    right = F.binary_cross_entropy_with_logits
    unary, binary = labels_along(batch.unary, batch), labels_along(batch.binary, batch)
    return 0.5 * (_masked(right, answers.unary, unary.float(), UNKNOWN) + _masked(right, answers.binary, binary.float(), UNKNOWN))


def steps_loss(answers: Answers, batch: SequenceBatch) -> Tensor:
    """Cross-entropy of the primitives still needed, of the same answers."""
    unary, binary = steps_along(batch)
    return 0.5 * (_masked(F.cross_entropy, answers.unary_steps, unary, -1) + _masked(F.cross_entropy, answers.binary_steps, binary, -1))


def reading_along(model: HiermapModel, batch: SequenceBatch, paths: Unrolled) -> Reading:
    """What the T real views show, then the K imagined ones, moment by moment."""
    return model.predicates.read(latents_along(paths), model.things(paths.first, batch.masks))


def latents_along(paths: Unrolled) -> Tensor:
    """`[(T + K) * B, D, h, w]`, in the same order."""
    return torch.cat([*paths.real.unbind(1), *paths.imagined.unbind(1)])


def answers_along(model: HiermapModel, batch: SequenceBatch, paths: Unrolled) -> Answers:
    return model.predicates.answer(reading_along(model, batch, paths))


def labels_along(values: Tensor, batch: SequenceBatch) -> Tensor:
    """`[B, T, ...]` -> `[(T + K) * B, ...]` in the order of `answers_along`; things without a mask become unknown."""
    seen = batch.masks.any(dim=3).any(dim=2)
    known = seen[:, None, :, None] if values.dim() == 4 else (seen[:, :, None] & seen[:, None, :])[:, None, :, :, None]
    values = torch.where(known, values, UNKNOWN)
    return torch.cat([values, values[:, 1:]], dim=1).transpose(0, 1).flatten(0, 1)


def steps_along(batch: SequenceBatch) -> tuple[Tensor, Tensor]:
    """Classes of the steps to predicates of single things and of pairs, in the order of `answers_along`; -1 too where no moves are told."""
    unary = step_classes(labels_along(batch.unary_steps, batch), labels_along(batch.unary, batch))
    binary = step_classes(labels_along(batch.binary_steps, batch), labels_along(batch.binary, batch))
    untold = ~batch.known.any(dim=1).repeat(len(unary) // len(batch.known))
    unary[untold], binary[untold] = -1, -1
    return unary, binary


def step_classes(steps: Tensor, truth: Tensor) -> Tensor:
    """Class of the steps still needed; unknown only where the predicate does not apply."""
    beyond = torch.where(steps == UNKNOWN, STEPS_CAP, steps.clamp(max=STEPS_CAP).long())
    return torch.where(truth == UNKNOWN, -1, beyond)


def _masked(loss: Callable[..., Tensor], scores: Tensor, labels: Tensor, unknown: int) -> Tensor:
    """Mean loss where the label is known; 0 if it is nowhere."""
    known = labels != unknown
    return mean_of_all(loss(scores[known], labels[known], reduction="none"))


def mean_of_all(costs: Tensor) -> Tensor:
    """What averages over the training processes to the mean of all their costs, however many each has; 0 if none has any."""
    count = costs.new_tensor(costs.numel())
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(count)
        count /= distributed.get_world_size()
    return costs.sum() / torch.where(count > 0, count, 1)

"""What training asks of real and imagined latents."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hiermap.batches import SequenceBatch
from hiermap.dynamics import ActionBatch
from hiermap.model_config import STEPS_CAP
from hiermap.networks import HiermapModel
from hiermap.predicates import Answers
from hiermap.shards import UNKNOWN

_CELLS_PER_MAP = 100.0
"""Scales the mean over cells so that about one map's worth of positive cells weighs one."""


@dataclass(frozen=True)
class LossWeights:
    """Weight of each part of the training loss, and `positive`, the weight of a positive cell in the maps."""

    maps: float = 1.0
    imagined_maps: float = 1.0
    executed: float = 0.3
    consistency: float = 0.5
    predicates: float = 1.0
    steps: float = 0.3
    geometry: float = 0.3
    positive: float = 5.0


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
    size, length = batch.primitive.shape
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
        state = model.predict(state, ActionBatch(batch.primitive[:, k], batch.rotation[:, k], batch.cell[:, k]))
        imagined.append(state)
        real.append(torch.cat([seen[:, k + 1, :visible], state[:, visible:]], dim=1))
        if look_again > 0:
            again = torch.rand(size, device=state.device) < look_again
            state = torch.where(again[:, None, None, None], real[-1], state)
    dreams = torch.stack(imagined, dim=1) if imagined else seen[:, :0]
    return Unrolled(torch.stack(real, dim=1), dreams, first)


def losses(model: HiermapModel, batch: SequenceBatch, weights: LossWeights, bin_weights: Tensor, look_again: float) -> dict[str, Tensor]:
    """Every part unweighted, and "loss", their weighted sum; `bin_weights` `[len(USED_BINS)]` evens out rare orientation bins."""
    paths = unroll(model, batch, look_again)
    real, dreams = paths.real.flatten(0, 1), paths.imagined.flatten(0, 1)
    logits = model.maps(torch.cat([real, dreams]))
    present, future = logits[: len(real)], logits[len(real) :]
    length = batch.primitive.shape[1]
    parts = {"maps": map_loss(present, batch.maps.flatten(0, 1), bin_weights, weights.positive)}
    parts["executed"] = executed_loss(present, batch)
    parts["geometry"] = geometry_loss(model.geometry(real), batch.views.flatten(0, 1))
    if length:
        parts["imagined_maps"] = map_loss(future, batch.maps[:, 1:].flatten(0, 1), bin_weights, weights.positive)
        parts["consistency"] = consistency_loss(model, paths)
        parts["geometry"] = 0.5 * (parts["geometry"] + geometry_loss(model.geometry(dreams), batch.views[:, 1:].flatten(0, 1)))
    parts["predicates"], parts["steps"] = predicate_losses(answers_along(model, batch, paths), batch)
    total = sum(getattr(weights, name) * value for name, value in parts.items())
    return {**parts, "loss": total}  # type: ignore[dict-item]


def map_loss(logits: Tensor, labels: Tensor, bin_weights: Tensor, positive: float = 1.0) -> Tensor:
    """Cross-entropy of logits `[n, bins, H, W]` against true maps (bool), averaged over cells and scaled to about unit size.

    `positive` weighs the rare positive cells; it only shifts the logits that fit best, which the calibration takes back.
    """
    cost = F.softplus(logits) - logits * labels
    cost = torch.where(labels, positive * cost, cost)
    return (cost.mean(dim=(0, 2, 3)) * bin_weights).mean() * _CELLS_PER_MAP


def executed_loss(logits: Tensor, batch: SequenceBatch) -> Tensor:
    """Cross-entropy at the cells where the motor programs really tried; 0 when the batch holds none. Logits `[B * T, bins, H, W]`."""
    tried = batch.tried_effect.flatten(0, 1)
    known = tried != UNKNOWN
    if not known.any():
        return logits.new_zeros(())
    at = batch.tried_bin.flatten(0, 1) * (logits.shape[2] * logits.shape[3]) + batch.tried_cell.flatten(0, 1)
    return F.binary_cross_entropy_with_logits(logits.flatten(1).gather(1, at)[known], tried[known].float())


def consistency_loss(model: HiermapModel, paths: Unrolled) -> Tensor:
    """Squared distance of imagined visible latents to the (fixed) encodings of the real next views."""
    visible = model.config.visible
    return F.mse_loss(paths.imagined[:, :, :visible], paths.real[:, 1:, :visible].detach())


def geometry_loss(predicted: Tensor, views: Tensor) -> Tensor:
    """Absolute error of depth and height channels `[n, 2, H, W]` where the real view is valid."""
    valid = views[:, 8:9]
    return ((predicted - views[:, 3:5]).abs() * valid).mean()


def predicate_losses(answers: Answers, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
    """Cross-entropies of truth and of steps-to-go; answers are of the T real views, then of the K imagined ones."""
    unary, binary = labels_along(batch.unary, batch), labels_along(batch.binary, batch)
    unary_steps = step_classes(labels_along(batch.unary_steps, batch), unary)
    binary_steps = step_classes(labels_along(batch.binary_steps, batch), binary)
    truth = 0.5 * (_masked_bce(answers.unary, unary) + _masked_bce(answers.binary, binary))
    steps = 0.5 * (_masked_ce(answers.unary_steps, unary_steps) + _masked_ce(answers.binary_steps, binary_steps))
    return truth, steps


def visible_things(batch: SequenceBatch) -> Tensor:
    """`[B, N]` bool: things that have a mask."""
    return batch.masks.any(dim=3).any(dim=2)


def answers_along(model: HiermapModel, batch: SequenceBatch, paths: Unrolled) -> Answers:
    steps = [*paths.real.unbind(1), *paths.imagined.unbind(1)]
    return model.answer(torch.cat(steps), paths.first.repeat(len(steps), 1, 1, 1), batch.masks.repeat(len(steps), 1, 1, 1))


def labels_along(values: Tensor, batch: SequenceBatch) -> Tensor:
    """`[B, T, ...]` -> `[(T + K) * B, ...]` in the order of `answers_along`; things without a mask become unknown."""
    seen = visible_things(batch)
    known = seen[:, None, :, None] if values.dim() == 4 else (seen[:, :, None] & seen[:, None, :])[:, None, :, :, None]
    values = torch.where(known, values, UNKNOWN)
    return torch.cat([values, values[:, 1:]], dim=1).transpose(0, 1).flatten(0, 1)


def step_classes(steps: Tensor, truth: Tensor) -> Tensor:
    """Class of the steps still needed; unknown only where the predicate does not apply."""
    beyond = torch.where(steps == UNKNOWN, STEPS_CAP, steps.clamp(max=STEPS_CAP).long())
    return torch.where(truth == UNKNOWN, -1, beyond)


def _masked_bce(logits: Tensor, labels: Tensor) -> Tensor:
    known = labels != UNKNOWN
    if not known.any():
        return logits.sum() * 0
    return F.binary_cross_entropy_with_logits(logits[known], labels[known].float())


def _masked_ce(scores: Tensor, classes: Tensor) -> Tensor:
    known = classes >= 0
    if not known.any():
        return scores.sum() * 0
    return F.cross_entropy(scores[known], classes[known].long())

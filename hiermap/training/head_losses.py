"""What training asks of the heads that guide a search: steps to whole goals, and promises of what actions lead to."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

from hiermap.model.config import GOAL_STEPS_CAP
from hiermap.model.goal_head import Conjunctions, GoalHead, summary
from hiermap.model.predicate_head import Answers, Reading, Things, expected_steps
from hiermap.model.promise_head import Promise
from hiermap.model.world_model import HiermapModel
from hiermap.training.batches import SequenceBatch
from hiermap.training.losses import Unrolled, labels_along, latents_along, mean_of_all
from hiermap.training.shards import UNKNOWN
from hiermap.worlds.imagined.belief_options import BeliefOptions

_CHANGED = BeliefOptions().changed
REMEMBERED = 0.85
"""Share of the predicates whose truth the goal head is told, as a planner that remembers tells it; of the others it gets what is read."""
TRIED = 12
"""Of the real and imagined views of a step, in how many an action is tried for its promise: imagining is dear."""
TURN = 0.8
"""Primitives that the estimate shall at least fall by on a step that brings the goal one nearer, and rise by on one that leads away."""


def goal_loss(model: HiermapModel, batch: SequenceBatch, paths: Unrolled, reading: Reading, answers: Answers) -> Tensor:
    """Cross-entropy of the primitives still needed for whole goals, and how far the estimate follows the true number up and down.

    Only the goal head learns from it.
    """
    if model.goal is None:
        return reading.token.new_zeros(())
    costs, lags = [], []
    for scores, wanted in goal_scores(model, batch, paths, reading, answers):
        costs.append(F.cross_entropy(scores, wanted, reduction="none", ignore_index=-1)[wanted >= 0])
        changes = (nearer(expected_steps(scores), wanted, len(batch.views), sense) for sense in (1, -1))
        lags += [torch.relu(TURN - change) for change in chain(*changes)]
    return mean_of_all(torch.cat(costs)) + mean_of_all(torch.cat(lags))


def goal_scores(
    model: HiermapModel, batch: SequenceBatch, paths: Unrolled, reading: Reading, answers: Answers
) -> Iterator[tuple[Tensor, Tensor]]:
    """Of every goal the class scores and the true class (-1 for no goal) at every moment of `answers_along`."""
    assert model.goal is not None
    scene, token, fixed = (
        summary(latents_along(paths)).detach(),
        reading.token.detach(),
        Answers(*(x.detach() for x in vars(answers).values())),
    )
    for k in range(batch.goals.shape[1]):
        goals, wanted = goals_along(batch, k)
        yield model.goal(scene, token, goals, _told(goals, fixed, batch), goals.of(fixed)[1]), wanted


def goals_along(batch: SequenceBatch, k: int) -> tuple[Conjunctions, Tensor]:
    """The k-th goal of every row at every moment of `answers_along`, and the class of the steps to it `[(T + K) * B]`, -1 for no goal."""
    moments = 2 * batch.views.shape[1] - 1
    goals = Conjunctions(*batch.goals[:, k].repeat(moments, 1, 1).unbind(-1))
    steps = batch.goal_steps[:, :, k]
    steps = torch.cat([steps, steps[:, 1:]], dim=1).T.flatten().long().clamp(max=GOAL_STEPS_CAP)
    return goals, torch.where((goals.kind >= 0).any(dim=1), steps, -1)


def _told(goals: Conjunctions, answers: Answers, batch: SequenceBatch) -> Tensor:
    """How far each predicate is believed: mostly what is true, as one knows who remembers what was done, else what is read."""
    read = torch.sigmoid(goals.chosen(answers.unary, answers.binary))
    true = goals.chosen(labels_along(batch.unary, batch), labels_along(batch.binary, batch))
    remembered = (true != UNKNOWN) & (torch.rand(read.shape, device=read.device) < REMEMBERED)
    return torch.where(remembered, true.to(read.dtype), read)


def nearer(estimate: Tensor, wanted: Tensor, size: int, sense: int = 1) -> list[Tensor]:
    """By how much the estimate falls on steps that bring a goal one nearer, along the real and along the imagined views of `size` paths.

    With `sense` -1 by how much it rises on those that bring it one farther away.
    """
    estimate, wanted = estimate.unflatten(0, (-1, size)), wanted.unflatten(0, (-1, size))
    real = (len(wanted) + 1) // 2
    found = []
    for part in (slice(0, real), slice(real, None)):
        known = (wanted[part] >= 0) & (wanted[part] < GOAL_STEPS_CAP)
        counts = (sense * wanted[part].diff(dim=0) == -1) & known[1:] & known[:-1]
        found.append(-sense * estimate[part].diff(dim=0)[counts])
    return found


def promise_loss(model: HiermapModel, batch: SequenceBatch, paths: Unrolled) -> Tensor:
    """What actions promise against what the model itself believes once it has imagined them; only the promises learn from it.

    One possible action is tried in `TRIED` of the real and imagined views; what it promises for single predicates and for whole goals is
    summed over what is asked, since an action changes little of it.
    """
    with torch.no_grad():
        latents = latents_along(paths)
        chosen = torch.randperm(len(latents), device=latents.device)[:TRIED]
        maps = torch.cat([batch.maps, batch.maps[:, 1:]], dim=1).transpose(0, 1).flatten(0, 1)
        which, bin_index, cell = possible_actions(maps[chosen])
        which = chosen[which]
        latents = latents[which]
        every = model.things(paths.first, batch.masks)
        things = Things(*(x[which % len(batch.maps)] for x in vars(every).values()))
        reading = model.predicates.read(latents, things)
        then = model.dynamics(latents, bin_index, cell)
        reading_then = model.predicates.read(then, things)
        now, after = model.predicates.answer(reading), model.predicates.answer(reading_then)
        unary, binary = (labels_along(x, batch)[which] != UNKNOWN for x in (batch.unary, batch.binary))
    if model.promise is None:
        return latents.new_zeros(())
    promise = model.promise(latents, reading, now, bin_index, cell)
    guessed = promise.answers
    costs = _gap(guessed.unary, guessed.unary_steps, after.unary, after.unary_steps, unary).flatten(1).sum(dim=1)
    costs = costs + _gap(guessed.binary, guessed.binary_steps, after.binary, after.binary_steps, binary).flatten(1).sum(dim=1)
    if model.goal is None:
        return mean_of_all(costs)
    return mean_of_all(costs) + mean_of_all(
        _goal_gaps(model.goal, batch, which, latents, now, promise, Imagined(then, reading_then, after))
    )


@dataclass(frozen=True, eq=False)
class Imagined:
    """What became of actions: latents, what is read of them, and the answers."""

    latent: Tensor
    reading: Reading
    answers: Answers


def _goal_gaps(
    head: GoalHead, batch: SequenceBatch, which: Tensor, latents: Tensor, now: Answers, promise: Promise, then: Imagined
) -> Tensor:
    """Cross-entropies of the promised steps to whole goals under those that the imagined effects give, summed over an action's goals."""
    costs = []
    for k in range(batch.goals.shape[1]):
        goals, wanted = goals_along(batch, k)
        true = goals.chosen(labels_along(batch.unary, batch), labels_along(batch.binary, batch))[which]
        goals, asked = Conjunctions(*(x[which] for x in vars(goals).values())), wanted[which] >= 0
        before = goals.chosen(now.unary, now.binary)
        believed = torch.where(true == UNKNOWN, torch.sigmoid(before), true)
        with torch.no_grad():
            truth, steps = goals.of(then.answers)
            target = torch.softmax(head(summary(then.latent), then.reading.token, goals, _left(believed, before, truth), steps), dim=-1)
        truth, steps = goals.of(promise.answers)
        guessed = head(summary(latents), promise.token, goals, _left(believed, before, truth), steps, promised=True)
        costs.append((target * -torch.log_softmax(guessed, dim=-1)).sum(dim=-1) * asked)
    return torch.stack(costs).sum(dim=0)


def _left(believed: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """How far each predicate is believed after an action that changes its logit, as `hiermap.worlds.imagined.beliefs` remembers."""
    return torch.maximum(torch.sigmoid(after), torch.where(after - before < -_CHANGED, 0.0, believed))


def possible_actions(maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """An action in each of `[n, bins, H, W]` that allows any: which of them `[m]`, a bin it allows `[m]`, a cell there `[m, 2]`."""
    open_bins = maps.flatten(2).any(dim=2)
    which = open_bins.any(dim=1).nonzero()[:, 0]
    bin_index = torch.multinomial(open_bins[which].float(), 1)[:, 0] if len(which) else which
    allowed = maps[which, bin_index].flatten(1).float()
    place = torch.multinomial(allowed, 1)[:, 0] if len(which) else which
    return which, bin_index, torch.stack([place // maps.shape[3], place % maps.shape[3]], dim=1)


def _gap(truth: Tensor, steps: Tensor, true_truth: Tensor, true_steps: Tensor, known: Tensor) -> Tensor:
    """Cross-entropies of guessed logits under those that imagining gave; 0 where the question makes no sense."""
    truths = F.binary_cross_entropy_with_logits(truth, torch.sigmoid(true_truth), reduction="none")
    classes = (torch.softmax(true_steps, dim=-1) * -torch.log_softmax(steps, dim=-1)).sum(dim=-1)
    return (truths + classes) * known

"""What training asks of the heads that guide a search, steps to whole goals and promises of what actions lead to, and of a policy."""

import math
from dataclasses import dataclass
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

from hiermap.model.config import GOAL_STEPS_CAP, STEPS_CAP
from hiermap.model.goal_head import Conjunctions, GoalHead, summary
from hiermap.model.predicate_head import Answers, Reading, Things, expected_steps
from hiermap.model.promise_head import Promise
from hiermap.model.world_model import HiermapModel
from hiermap.training.losses import Unrolled, labels_along, latents_along, mean_of_all, step_classes
from hiermap.training.sampling.batches import SequenceBatch
from hiermap.training.sampling.shards import UNKNOWN
from hiermap.worlds.imagined.belief_options import BeliefOptions

_CHANGED = BeliefOptions().changed
REMEMBERED = 0.85
"""Share of the predicates whose truth the goal head is told, as a planner that remembers tells it; of the others it gets what is read."""
TRIED = 0.25
"""Share of the real and imagined views in which an action is tried for its promise: imagining is dear."""
TURN = 0.8
"""Primitives that the estimate shall at least fall by on a step that brings the goal one nearer, and rise by on one that leads away."""

PATCHES, PATCH_REACH = 6, 20
"""Bare patches of every episode, and cells that they reach at most to either side."""

POINT = 10.0
"""Weight of a policy's error in the point, as shares of the frame, beside the cross-entropy of what it does there."""
NEAR = 1 / 32
"""Share of the frame below which such an error counts by its square."""


def goal_loss(model: HiermapModel, batch: SequenceBatch, paths: Unrolled, reading: Reading, answers: Answers) -> Tensor:
    """Cross-entropy of the primitives still needed for whole goals, and how far the estimate follows the true number up and down.

    Only the goal head learns from it.
    """
    if model.goal is None:
        return reading.token.new_zeros(())
    scores, wanted = goal_scores(model, batch, paths, reading, answers)
    costs = F.cross_entropy(scores, wanted, reduction="none", ignore_index=-1)[wanted >= 0]
    changes = chain(*(nearer(expected_steps(scores), wanted, batch, sense) for sense in (1, -1)))
    return mean_of_all(costs) + mean_of_all(torch.cat([torch.relu(TURN - change) for change in changes]))


def goal_scores(model: HiermapModel, batch: SequenceBatch, paths: Unrolled, reading: Reading, answers: Answers) -> tuple[Tensor, Tensor]:
    """The class scores and the true class of every goal of `goals_along`."""
    assert model.goal is not None
    goals, wanted = goals_along(batch)
    of = owners(batch, len(wanted))
    known = answers.detach().at(of)
    scene, token = summary(latents_along(paths)).detach()[of], reading.token.detach()[of]
    return model.goal(scene, token, goals, _told(goals, known, _true_of(goals, batch, of)), goals.of(known)[1]), wanted


def goals_along(batch: SequenceBatch) -> tuple[Conjunctions, Tensor]:
    """All G goals of every row of `answers_along`, and the class of the steps to them `[(T + K) * B * G]`, -1 for no goal."""
    moments = 2 * batch.views.shape[1] - 1
    goals = Conjunctions(*batch.goals.flatten(0, 1).repeat(moments, 1, 1).unbind(-1))
    steps = torch.cat([batch.goal_steps, batch.goal_steps[:, 1:]], dim=1).transpose(0, 1).flatten().long().clamp(max=GOAL_STEPS_CAP)
    return goals, torch.where((goals.kind >= 0).any(dim=1), steps, -1)


def owners(batch: SequenceBatch, count: int) -> Tensor:
    """Of `count` goals of `goals_along`, or of fewer moments, to which row of `answers_along` each belongs."""
    return torch.arange(count, device=batch.goals.device) // batch.goals.shape[1]


def _told(goals: Conjunctions, answers: Answers, true: Tensor) -> Tensor:
    """How far each predicate is believed: mostly what is true, as one knows who remembers what was done, else what is read."""
    read = torch.sigmoid(goals.chosen(answers.unary, answers.binary))
    remembered = (true != UNKNOWN) & (torch.rand(read.shape, device=read.device) < REMEMBERED)
    return torch.where(remembered, true.to(read.dtype), read)


def _true_of(goals: Conjunctions, batch: SequenceBatch, of: Tensor) -> Tensor:
    """`[n, Q]` which predicates of goals hold at rows `[n]` of `answers_along`; `UNKNOWN` where that cannot be said."""
    return goals.chosen(labels_along(batch.unary, batch)[of], labels_along(batch.binary, batch)[of])


def nearer(estimate: Tensor, wanted: Tensor, batch: SequenceBatch, sense: int = 1) -> list[Tensor]:
    """By how much the estimates of `goals_along` fall on steps that bring a goal one nearer, along the real and along the imagined views.

    With `sense` -1 by how much they rise on those that bring it one farther away.
    """
    goals = batch.goals.shape[:2].numel()
    estimate, wanted = estimate.unflatten(0, (-1, goals)), wanted.unflatten(0, (-1, goals))
    real = (len(wanted) + 1) // 2
    found = []
    for part in (slice(0, real), slice(real, None)):
        known = (wanted[part] >= 0) & (wanted[part] < GOAL_STEPS_CAP)
        counts = (sense * wanted[part].diff(dim=0) == -1) & known[1:] & known[:-1]
        found.append(-sense * estimate[part].diff(dim=0)[counts])
    return found


def policy_loss(model: HiermapModel, batch: SequenceBatch, paths: Unrolled, reading: Reading, answers: Answers) -> Tensor:
    """Cross-entropy of the bin and smooth error of the point of those of the paths' own actions that bring a whole goal one nearer.

    Unlike the heads that guide a search, a policy teaches all that it looks at, where anything else does.
    """
    if model.policy is None:
        return reading.token.new_zeros(())
    scores, points, bin_index, right = policy_guesses(model, batch, paths, reading, answers)
    error = F.smooth_l1_loss(points, right, reduction="none", beta=NEAR).sum(dim=-1)
    return mean_of_all(F.cross_entropy(scores, bin_index, reduction="none") + POINT * error)


def policy_guesses(
    model: HiermapModel, batch: SequenceBatch, paths: Unrolled, reading: Reading, answers: Answers
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of every goal at the n real views in which the path's own action brings it one nearer: class scores `[n, bins]`, the point
    `[n, 2]` guessed for the right bin, that bin `[n]`, and the right point.
    """
    assert model.policy is not None
    size, count = batch.goals.shape[:2].numel(), batch.bin_index.shape[1] * batch.goals.shape[:2].numel()
    goals, wanted = goals_along(batch)
    now, then = wanted[:count], wanted[size:][:count]
    asked = ((now - then == 1) & (then >= 0) & (now < GOAL_STEPS_CAP)).nonzero()[:, 0]
    goals, of = goals.at(asked), owners(batch, count)[asked]
    known = answers.detach().at(of)
    holds = _told(goals, known, _true_of(goals, batch, of))
    scores, points = model.policy(latents_along(paths)[of], reading.token[of], goals, holds, goals.of(known)[1])
    bin_index, cell = batch.bin_index.T.flatten()[of], batch.cell.transpose(0, 1).flatten(0, 1)[of]
    right = (cell + 0.5) / cell.new_tensor([model.config.rows, model.config.columns])
    return scores, points[torch.arange(len(of), device=of.device), bin_index], bin_index, right


def sense_loss(model: HiermapModel, batch: SequenceBatch, paths: Unrolled) -> Tensor:
    """Cross-entropy of which predicates make sense of which things; none does of bare patches. Only the sense head learns from it.

    Masks are told as well as somebody might tell them: exactly, a cell too small or a cell too large.
    """
    if model.sense is None:
        return paths.first.new_zeros(())
    things = model.things(paths.first.detach(), torch.cat([_as_told(batch.masks), _bare_patches(batch.bare)], dim=1))
    applies, known = _sensible(batch)
    nothing = applies.new_zeros(len(applies), PATCHES, applies.shape[-1])
    labels, known = torch.cat([applies, nothing], dim=1), torch.cat([known, torch.ones_like(nothing)], dim=1)
    costs = F.binary_cross_entropy_with_logits(model.sense(things), labels.float(), reduction="none")
    return mean_of_all(costs[known])


def _sensible(batch: SequenceBatch) -> tuple[Tensor, Tensor]:
    """`[B, N, U + 2 V]` bool, which predicates have a truth of a thing, of a thing with a place and of a place, and where that is known.

    A kind that has a truth of nothing among an episode's things may be foreign to the episode, or its places are not among them.
    """
    unary, binary = batch.unary[:, 0] != UNKNOWN, batch.binary[:, 0] != UNKNOWN
    applies = torch.cat([unary, binary.any(dim=2), binary.any(dim=1)], dim=-1)
    seen = batch.masks.flatten(2).any(dim=2, keepdim=True)
    return applies, seen & applies.any(dim=1, keepdim=True)


def _as_told(masks: Tensor) -> Tensor:
    """Masks `[B, N, H, W]` bool of which a third have lost their outermost cells, unless nothing were left, and a third have some more."""
    full = masks.float()
    larger = F.max_pool2d(full, 3, stride=1, padding=1) > 0
    smaller = F.max_pool2d(1 - full, 3, stride=1, padding=1) == 0
    how = torch.rand(masks.shape[:2], device=masks.device)[..., None, None]
    shrunk = (how < 1 / 3) & smaller.flatten(2).any(dim=2)[..., None, None]
    return torch.where(shrunk, smaller, torch.where(how > 2 / 3, larger, masks))


def _bare_patches(bare: Tensor) -> Tensor:
    """`[B, PATCHES, H, W]` bool, rectangles around random cells of `bare` `[B, H, W]` without what is not bare."""
    rows, columns = bare.shape[1:]
    centre = torch.multinomial(bare.flatten(1).float() + 1e-9, PATCHES, replacement=True)[..., None, None]
    reach = torch.randint(1, PATCH_REACH, (2, *centre.shape), device=bare.device)
    down, across = torch.arange(rows, device=bare.device)[:, None], torch.arange(columns, device=bare.device)
    inside = ((down - centre // columns).abs() <= reach[0]) & ((across - centre % columns).abs() <= reach[1])
    return inside & bare[:, None]


def promise_loss(model: HiermapModel, batch: SequenceBatch, paths: Unrolled, reading: Reading, answers: Answers) -> Tensor:
    """What actions promise for single predicates and whole goals; only the promises learn from it.

    The path's own actions are judged by what is true after them. Of the others one possible action is tried in a share of the views, and
    judged by what the model itself believes once it has imagined it. Costs are summed over what is asked, since an action changes little
    of it.
    """
    if model.promise is None:
        return reading.token.new_zeros(())
    latents = latents_along(paths).detach()
    before = Imagined(latents, reading.detach(), answers.detach())
    return mean_of_all(_taken(model, batch, before)) + mean_of_all(_tried(model, batch, before))


def _taken(model: HiermapModel, batch: SequenceBatch, along: "Imagined") -> Tensor:
    """Costs of what each of the path's actions promises, where it is taken in the real and in the imagined view before it."""
    size, length = batch.bin_index.shape
    which = torch.arange(len(along.latent) - size, device=along.latent.device)
    which = which[which // size != length]  # the last real view: nothing is done there
    bin_index, cell = (torch.cat([x, x[:, 1:]], dim=1).transpose(0, 1).flatten(0, 1) for x in (batch.bin_index, batch.cell))
    before = along.at(which)
    promise = model.promise(before.latent, before.reading, before.answers, bin_index, cell)  # type: ignore[misc]
    costs = _answer_costs(promise.answers, *_true_answers(batch, which + size))
    if model.goal is None:
        return costs
    guessed, wanted, which_goal = _promised_steps(model.goal, batch, which, before, promise)
    now, then = wanted[which_goal], wanted[which_goal + size * batch.goals.shape[1]]
    wrong = F.cross_entropy(guessed, then, reduction="none", ignore_index=-1)
    nearer = (now - then == 1) & (then >= 0) & (now < GOAL_STEPS_CAP)
    return costs + _per_action(wrong + torch.relu(TURN - (now - expected_steps(guessed))) * nearer, batch)


def _tried(model: HiermapModel, batch: SequenceBatch, along: "Imagined") -> Tensor:
    """Costs of what one possible action promises in some of the views, under what is believed once it is imagined."""
    with torch.no_grad():
        count = math.ceil(TRIED * len(along.latent))
        chosen = torch.randperm(len(along.latent), device=along.latent.device)[:count]
        maps = torch.cat([batch.maps, batch.maps[:, 1:]], dim=1).transpose(0, 1).flatten(0, 1)
        which, bin_index, cell = possible_actions(maps[chosen])
        which = chosen[which]
        before = along.at(which)
        latent = model.dynamics(before.latent, bin_index, cell)
        reading = model.predicates.read(latent, before.reading.things)
        then = Imagined(latent, reading, model.predicates.answer(reading))
        _, known = _true_answers(batch, which)
    promise = model.promise(before.latent, before.reading, before.answers, bin_index, cell)  # type: ignore[misc]
    costs = _answer_costs(promise.answers, then.answers.chances(), known)
    return costs if model.goal is None else costs + _goal_gaps(model.goal, batch, which, before, promise, then)


@dataclass(frozen=True, eq=False)
class Imagined:
    """Latents, what is read of them, and the answers."""

    latent: Tensor
    reading: Reading
    answers: Answers

    def at(self, which: Tensor) -> "Imagined":
        """Of some of them."""
        things = Things(*(x[which] for x in vars(self.reading.things).values()))
        reading = Reading(self.reading.token[which], self.reading.attention[which], things)
        return Imagined(self.latent[which], reading, self.answers.at(which))


def _goal_gaps(head: GoalHead, batch: SequenceBatch, which: Tensor, now: Imagined, promise: Promise, then: Imagined) -> Tensor:
    """Cross-entropies of the promised steps to whole goals under those that the imagined effects give, summed over an action's goals."""
    guessed, wanted, which_goal = _promised_steps(head, batch, which, now, promise)
    with torch.no_grad():
        goals, own = goals_along(batch)[0].at(which_goal), owners(batch, len(which_goal))
        before, after = now.answers.at(own), then.answers.at(own)
        holds = _left(_believed(goals, before, _true_of(goals, batch, which[own])), goals.of(before)[0], goals.of(after)[0])
        scores = head(summary(then.latent)[own], then.reading.token[own], goals, holds, goals.of(after)[1])
    gaps = (torch.softmax(scores, dim=-1) * -torch.log_softmax(guessed, dim=-1)).sum(dim=-1)
    return _per_action(gaps * (wanted[which_goal] >= 0), batch)


def _promised_steps(head: GoalHead, batch: SequenceBatch, which: Tensor, now: Imagined, promise: Promise) -> tuple[Tensor, Tensor, Tensor]:
    """What actions at moments `which` `[n]` promise of all goals.

    Returns:
        class scores of the steps `[n * G, classes]`; the true class of every goal of `goals_along`; which of those goals they speak of.
    """
    count = batch.goals.shape[1]
    goals, wanted = goals_along(batch)
    which_goal = (which[:, None] * count + torch.arange(count, device=which.device)).flatten()
    goals, own = goals.at(which_goal), owners(batch, len(which_goal))
    before = now.answers.at(own)
    truth, steps = goals.of(promise.answers.at(own))
    holds = _left(_believed(goals, before, _true_of(goals, batch, which[own])), goals.of(before)[0], truth)
    return head(summary(now.latent)[own], promise.token[own], goals, holds, steps, promised=True), wanted, which_goal


def _per_action(costs: Tensor, batch: SequenceBatch) -> Tensor:
    """Costs `[n * G]` of an action's goals, summed."""
    return costs.unflatten(0, (-1, batch.goals.shape[1])).sum(dim=1)


def _believed(goals: Conjunctions, answers: Answers, true: Tensor) -> Tensor:
    """How far the predicates of goals are believed before actions: what is true, and what is read where that is not known."""
    return torch.where(true == UNKNOWN, torch.sigmoid(goals.of(answers)[0]), true)


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


def _true_answers(batch: SequenceBatch, which: Tensor) -> tuple[Answers, tuple[Tensor, Tensor]]:
    """Labels at moments `[n]` of `answers_along` as probabilities, and which of them are known, of single things and of pairs."""
    unary, binary, *steps = (labels_along(x, batch)[which] for x in (batch.unary, batch.binary, batch.unary_steps, batch.binary_steps))
    classes = (step_classes(x, truth).clamp(min=0) for x, truth in zip(steps, (unary, binary), strict=True))
    told = Answers(unary.float(), binary.float(), *(F.one_hot(x, STEPS_CAP + 1).float() for x in classes))
    return told, (unary != UNKNOWN, binary != UNKNOWN)


def _answer_costs(guess: Answers, truth: Answers, known: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropies of guessed logits under probabilities, summed over what is known, `[B]`."""
    costs = []
    for name, told in zip(("unary", "binary"), known, strict=True):
        holds = F.binary_cross_entropy_with_logits(getattr(guess, name), getattr(truth, name), reduction="none")
        classes = (getattr(truth, f"{name}_steps") * -torch.log_softmax(getattr(guess, f"{name}_steps"), dim=-1)).sum(dim=-1)
        costs.append(((holds + classes) * told).flatten(1).sum(dim=1))
    return costs[0] + costs[1]

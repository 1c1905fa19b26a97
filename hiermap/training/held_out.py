"""What a model is worth on held-out paths: maps seen, maps imagined, predicates, steps."""

from collections.abc import Callable
from itertools import chain

import numpy as np
import torch

from hiermap.model.predicate_head import Answers, Reading, expected_steps
from hiermap.model.world_model import HiermapModel
from hiermap.training.head_losses import goal_scores, nearer, policy_guesses
from hiermap.training.losses import Unrolled, labels_along, reading_along, steps_along, unroll
from hiermap.training.metrics import ErrorHistogram, ScoreHistogram, mean_known
from hiermap.training.sampling.batches import SequenceBatch
from hiermap.training.sampling.shards import UNKNOWN
from hiermap.worlds.legend import Legend
from hiermap.worlds.perception.fusion import DEPTH_SCALE_M

HORIZONS = 5
FALL = 0.5
"""Primitives by which an estimate has to fall for a step to count as nearer."""
USUAL = 0.99
"""Share of the views at home whose depth is decoded no worse than what is called usual."""
NEAR_CELLS = 4.0
"""Cells within which a policy's point counts as right."""
SCORED = ("ap", "imagined_ap_1", "imagined_ap_3", "predicates", "imagined_predicates", "promised_changes", "goal_falls", "policy_right")
"""Figures whose mean chooses the best checkpoint."""


class HeldOutScores:
    """Gathers histograms over batches, every `ranks`-th from the `rank`-th on, then sums them up.

    Keys of `summary`: `ap_NAME`, `ece_NAME` per primitive and their means `ap`, `ece` (of calibrated probabilities: the calibration is
    fitted on every other batch and judged on the rest, both ways round); per horizon h = 1..5 `imagined_ap_h`, `present_ap_h`
    (maps decoded from the real view at that step) and `unchanged_ap_h` (maps of the start, as if nothing changed), all against the true
    maps at that step; `predicate_ap_KIND`, `predicates` and `imagined_predicates` (mean average precision), `promised_changes` (of which
    predicates an action changes, guessed without imagining it), `steps_error` (mean absolute), `goal_steps_error` (the same of whole
    goals) and `goal_falls`: on how many of the steps that bring a whole goal nearer the estimate falls by at least half a step; with a
    policy `policy_right`, on how many of them it would do the same at about the same point. `usual_depth_error_m` [m] is what familiarity
    is measured by.
    """

    def __init__(self, legend: Legend, rank: int = 0, ranks: int = 1) -> None:
        self.legend, self.number, self.ranks = legend, rank, ranks
        self.halves = [[ScoreHistogram() for _ in legend.primitives] for _ in range(2)]
        self.horizons = {
            name: [[ScoreHistogram() for _ in legend.primitives] for _ in range(HORIZONS)] for name in ("imagined", "present", "unchanged")
        }
        self.predicates = {name: {kind: ScoreHistogram() for kind in legend.unary + legend.binary} for name in ("present", "imagined")}
        self.changes, self.depth = ScoreHistogram(), ErrorHistogram()
        self.steps, self.goals, self.falls, self.acts = (torch.zeros(2, dtype=torch.float64) for _ in range(4))

    @torch.inference_mode()
    def add(self, model: HiermapModel, batch: SequenceBatch) -> None:
        """Score one batch of held-out paths."""
        paths = unroll(model, batch)
        length = batch.bin_index.shape[1]
        present = model.maps(paths.real.flatten(0, 1)).view_as(batch.maps)
        self.depth.add(DEPTH_SCALE_M * model.depth_error(paths.real.flatten(0, 1), batch.views.flatten(0, 1)))
        self._add_maps(self.halves[self.number % 2], present, batch.maps, batch.known)
        self.number += self.ranks
        if length:
            imagined = model.maps(paths.imagined.flatten(0, 1)).view_as(present[:, 1:])
        for k in range(length):
            truth = batch.maps[:, k + 1]
            for name, logits in (("imagined", imagined[:, k]), ("present", present[:, k + 1]), ("unchanged", present[:, 0])):
                self._add_maps(self.horizons[name][k], logits, truth, batch.known)
        self._add_predicates(model, batch, paths)
        if model.promise is not None and length:
            self._add_promises(model, batch, paths)

    def add_up(self, total: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Take the sum over all processes of what each has counted; `total` sums a tensor."""
        histograms = [
            self.changes,
            *chain(*self.halves, *chain(*self.horizons.values())),
            *chain(*(kinds.values() for kinds in self.predicates.values())),
        ]
        counts = total(torch.from_numpy(np.stack([histogram.counts for histogram in histograms]))).numpy()
        for histogram, summed in zip(histograms, counts, strict=True):
            histogram.counts = summed
        self.depth.counts = total(torch.from_numpy(self.depth.counts)).numpy()
        self.steps, self.goals, self.falls, self.acts = map(total, (self.steps, self.goals, self.falls, self.acts))

    @property
    def primitives(self) -> list[ScoreHistogram]:
        """Logits of all real views per primitive."""
        return [one + other for one, other in zip(*self.halves, strict=True)]

    def summary(self) -> dict[str, float]:
        """All figures by name; NaN where the held-out data cannot tell."""
        out: dict[str, float] = {}
        names = self.legend.primitives
        for name, one, other in zip(names, *self.halves, strict=True):
            out[f"ap_{name}"] = (one + other).average_precision()
            crossed = [a.expected_calibration_error(*b.fit_calibration()) for a, b in ((one, other), (other, one))]
            out[f"ece_{name}"] = mean_known(crossed)
        out["ap"] = mean_known([out[f"ap_{name}"] for name in names])
        out["ece"] = mean_known([out[f"ece_{name}"] for name in names])
        out["guess_ap"] = mean_known([histogram.prevalence for histogram in self.primitives])
        for name, horizons in self.horizons.items():
            for k, histograms in enumerate(horizons):
                out[f"{name}_ap_{k + 1}"] = mean_known([h.average_precision() for h in histograms])
        for prefix, name in (("", "present"), ("imagined_", "imagined")):
            precisions = {kind: histogram.average_precision() for kind, histogram in self.predicates[name].items()}
            out |= {f"{prefix}predicate_ap_{kind}": precision for kind, precision in precisions.items()}
            out[f"{prefix}predicates"] = mean_known([*precisions.values()])
        shares = {"steps_error": self.steps, "goal_steps_error": self.goals, "goal_falls": self.falls, "policy_right": self.acts}
        for name, (amount, count) in shares.items():
            out[name] = float(amount / count) if count else float("nan")
        out["usual_depth_error_m"] = self.depth.quantile(USUAL)
        out["promised_changes"] = self.changes.average_precision()
        out["score"] = mean_known([out[name] for name in SCORED])
        return out

    def calibration(self) -> list[tuple[float, float]]:
        """Slope and shift of every primitive's logits that fit the held-out data best."""
        return [histogram.fit_calibration() for histogram in self.primitives]

    def _add_maps(self, histograms: list[ScoreHistogram], logits: torch.Tensor, labels: torch.Tensor, known: torch.Tensor) -> None:
        """Count logits `[B, ..., bins, H, W]` of known bins `[B, bins]` under their primitives."""
        for k, (primitive, _) in enumerate(self.legend.bins):
            told = known[:, k]
            histograms[self.legend.primitives.index(primitive)].add(logits[told][..., k, :, :], labels[told][..., k, :, :])

    def _add_predicates(self, model: HiermapModel, batch: SequenceBatch, paths: Unrolled) -> None:
        reading = reading_along(model, batch, paths)
        answers = model.predicates.answer(reading)
        if model.goal is not None:
            self._add_goals(model, batch, paths, reading, answers)
        if model.policy is not None and batch.bin_index.shape[1]:
            self._add_policy(model, batch, paths, reading, answers)
        size, length = batch.bin_index.shape
        real = (length + 1) * size
        unary_classes, binary_classes = steps_along(batch)
        for kinds, logits, scores, truth, classes in (
            (self.legend.unary, answers.unary, answers.unary_steps, batch.unary, unary_classes),
            (self.legend.binary, answers.binary, answers.binary_steps, batch.binary, binary_classes),
        ):
            labels = labels_along(truth, batch)
            known = classes >= 0
            errors = (expected_steps(scores)[known] - classes[known].float()).abs()
            self.steps += torch.tensor([float(errors.sum()), len(errors)], dtype=torch.float64)
            for index, kind in enumerate(kinds):
                for name, part in (("present", slice(0, real)), ("imagined", slice(real, None))):
                    one, label = logits[part][..., index], labels[part][..., index]
                    self.predicates[name][kind].add(one[label != UNKNOWN], label[label != UNKNOWN] == 1)

    def _add_goals(self, model: HiermapModel, batch: SequenceBatch, paths: Unrolled, reading: Reading, answers: Answers) -> None:
        scores, wanted = goal_scores(model, batch, paths, reading, answers)
        estimate, known = expected_steps(scores), wanted >= 0
        errors, falls = (estimate - wanted)[known].abs(), torch.cat(nearer(estimate, wanted, batch))
        self.goals += torch.tensor([float(errors.sum()), len(errors)], dtype=torch.float64)
        self.falls += torch.tensor([float((falls >= FALL).sum()), len(falls)], dtype=torch.float64)

    def _add_policy(self, model: HiermapModel, batch: SequenceBatch, paths: Unrolled, reading: Reading, answers: Answers) -> None:
        extent = torch.tensor([model.config.rows, model.config.columns], device=batch.cell.device)
        scores, points, bin_index, right = policy_guesses(model, batch, paths, reading, answers)
        hits = (scores.argmax(dim=-1) == bin_index) & (((points - right) * extent).norm(dim=-1) <= NEAR_CELLS)
        self.acts += torch.tensor([float(hits.sum()), len(hits)], dtype=torch.float64)

    def _add_promises(self, model: HiermapModel, batch: SequenceBatch, paths: Unrolled) -> None:
        """Count, of every step, the logits that a predicate changes against whether it does."""
        assert model.promise is not None
        length = batch.bin_index.shape[1]
        before = torch.cat([*paths.real[:, :-1].unbind(1)])
        reading = model.predicates.read(before, model.things(paths.first, batch.masks))
        actions = batch.bin_index.T.flatten(), batch.cell.transpose(0, 1).flatten(0, 1)
        guessed = model.promise(before, reading, model.predicates.answer(reading), *actions).answers
        for logits, truth in ((guessed.unary, batch.unary), (guessed.binary, batch.binary)):
            labels = labels_along(truth, batch).unflatten(0, (-1, len(batch.views)))
            now, after = labels[:length].flatten(0, 1), labels[1 : length + 1].flatten(0, 1)
            known = (now != UNKNOWN) & (after != UNKNOWN)
            self.changes.add(torch.where(now == 1, -logits, logits)[known], (now != after)[known])

"""What is believed of a goal: what a model reads, and what was believed before.

A model reads one latent at a time and forgets what went out of sight long ago. So a belief stays until an action is promised to change it
or what is read speaks clearly against it: it is the larger of two log-odds, and what is read bounds the remembered one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import expit, logit
from torch import Tensor

from hiermap.worlds.imagined.belief_options import BeliefOptions
from hiermap.worlds.imagined.model import Model
from hiermap.worlds.imagined.question import Question
from hiermap.worlds.imagined.tracks import Tracks

LEAST_CHANCE = 1e-6
"""Nothing is read as surer than this."""
TAKEN = 4.0
"""Log-odds that a hand holds the thing it was closed on: of 65 grasps in executed ten-step tasks 64 took the one that the tracks named."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What a state is believed to be.

    Attributes:
        odds: `[Q]` log-odds of the goal's predicates.
        believed: which of them count as true.
        progress: 1 / (1 + n), n the primitives still needed.
        predicates: name -> probability.
    """

    odds: np.ndarray
    believed: tuple[bool, ...]
    progress: float
    predicates: dict[str, float]


class Beliefs:
    """Judges states of a model's making under `options`."""

    def __init__(self, model: Model, options: BeliefOptions) -> None:
        self.model, self.options = model, options

    def after(self, question: Question, odds: np.ndarray, now: Any, promised: Any, tracks: Sequence[Tracks]) -> np.ndarray:
        """Log-odds `[B, Q]` left of those before, `[Q]`, by B actions that change a model's answers `now` into those `promised`.

        `tracks` are those after each action.
        """
        change = self._read(question, promised) - self._read(question, now)
        left = odds + np.where(np.abs(change) > self.options.changed, change, 0.0)
        return self.unbrought(question, left, odds, tracks)

    def unbrought(self, question: Question, odds: np.ndarray, before: np.ndarray, tracks: Sequence[Tracks]) -> np.ndarray:
        """Log-odds `[B, Q]`, of what the last action cannot have brought anywhere no higher than before it."""
        return np.where(self._elsewhere(question, tracks), np.minimum(odds, before), odds)

    def judged(
        self,
        question: Question,
        latent: Tensor,
        token: Tensor,
        answers: Any,
        prior: np.ndarray | None,
        tracks: Sequence[Tracks],
        promised: bool = False,
        seen: bool = False,
        alone: Any = None,
    ) -> list[Judged]:
        """What B states or promises are, from a model's latents, tokens of the question's things and answers.

        `prior`: log-odds `[B, Q]` left of what was believed before; `tracks` are those of each; `seen`: they are real views;
        `alone`: a model's answers from those views without any memory, where one was lent.
        """
        odds = self._read(question, answers)
        if prior is not None:
            kept = np.where(question.hides | (not seen), self.options.kept, min(self.options.in_sight, self.options.kept))
            if seen:
                kept = np.where(self._in_sight(question, tracks), 0.0, kept)
            odds = np.maximum(odds, np.minimum(prior, odds + kept))
            odds = self.unbrought(question, odds, prior, tracks)
        if alone is not None:
            odds = np.where(question.of_fixture, np.minimum(odds, self._read(question, alone) + self.options.fixtures), odds)
        odds = self._in_hand(question, odds, tracks)
        likely = expit(odds)
        believed = likely > self._least(question)
        if self.options.cost_to_go == "unmet":
            needed = np.count_nonzero(~believed, axis=1)
        else:
            needed = self._needed(question, latent, token, answers, likely, promised)
        progress = 1.0 / (1.0 + np.where(believed.all(axis=1), 0.0, np.maximum(needed, 1.0)))
        rows = zip(odds, believed.tolist(), progress.tolist(), likely.tolist(), strict=True)
        return [Judged(row, tuple(held), value, dict(zip(question.predicates, chances, strict=True))) for row, held, value, chances in rows]

    def _least(self, question: Question) -> np.ndarray:
        """The least probability `[Q]` with which each of the goal's predicates counts as true."""
        return np.where(question.of_fixture, self.options.sure, self.options.believed)

    def _elsewhere(self, question: Question, tracks: Sequence[Tracks]) -> np.ndarray:
        """`[B, Q]` bool, which predicates cannot have come true: those of things that the last action cannot have brought anywhere."""
        return np.array([[self.options.tracked and thing in one.elsewhere for thing in question.carried] for one in tracks], bool)

    def _in_sight(self, question: Question, tracks: Sequence[Tracks]) -> np.ndarray:
        """`[B, Q]` bool, which predicates speak of what the hand put down where it can still be seen: nothing need be remembered."""
        carried = question.carried
        return np.array([[self.options.tracked and thing >= 0 and one.in_sight(thing) for thing in carried] for one in tracks], bool)

    def _in_hand(self, question: Question, odds: np.ndarray, tracks: Sequence[Tracks]) -> np.ndarray:
        """Log-odds `[B, Q]` that also follow which thing the hand took, or which it did not, where that is known."""
        if not self.options.tracked:
            return odds
        taken = question.taken
        held = np.array([-1 if one.held is None else one.held for one in tracks])[:, None]
        other = np.array([[thing in one.not_held for thing in taken] for one in tracks], bool)
        odds = np.where((taken >= 0) & (taken == held), np.maximum(odds, TAKEN), odds)
        return np.where((taken >= 0) & (taken != held) & ((held >= 0) | other), np.minimum(odds, -TAKEN), odds)

    def _read(self, question: Question, answers: Any) -> np.ndarray:
        truth, of_pairs, *_ = self.model.told(answers)
        return logit(np.clip(question.asked(truth, of_pairs), LEAST_CHANCE, 1.0 - LEAST_CHANCE))

    def _needed(self, question: Question, latent: Tensor, token: Tensor, answers: Any, likely: np.ndarray, promised: bool) -> np.ndarray:
        """Primitives `[B]` still needed for the whole goal, no fewer than for any predicate alone.

        By a model that knows single predicates only, the sum of what they need.
        """
        _, _, steps, of_pairs = self.model.told(answers)
        alone = (likely <= self._least(question)) * np.maximum(question.asked(steps, of_pairs), 1.0)
        if self.model.goal is not None and self.options.cost_to_go == "goal":
            holds = torch.from_numpy(likely).to(latent)
            together = self.model.distances(latent, token, answers, question.goal, holds, promised).cpu().numpy().astype(float)
            return np.maximum(together, alone.max(axis=1, initial=0.0))
        return alone.sum(axis=1)

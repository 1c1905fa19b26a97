"""What is believed stays until an action is promised to end it or the evidence is clear."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import logit

from hiermap.worlds.goals import UNARY, Goal, Predicate, Target
from hiermap.worlds.imagined.belief_options import BeliefOptions
from hiermap.worlds.imagined.beliefs import TAKEN, Beliefs
from hiermap.worlds.imagined.question import Question
from hiermap.worlds.imagined.tracks import Tracks

MASK = np.ones((2, 2), bool)
GOAL = Goal(
    (Predicate("open", ("drawer",)), Predicate("inside", ("mug", "drawer"))), {"drawer": Target("drawer", MASK), "mug": Target("mug", MASK)}
)
QUESTION = Question.of(GOAL, None, torch.device("cpu"))


def said(opened: float, inside: float) -> tuple[torch.Tensor, ...]:
    """Answers: how likely the two predicates are; each needs two steps."""
    unary, binary = torch.zeros(1, 2, 5, dtype=torch.float64), torch.zeros(1, 1, 2, dtype=torch.float64)
    unary[0, 0, 0], binary[0, 0, 0] = opened, inside
    return unary, binary, torch.full_like(unary, 2.0), torch.full_like(binary, 2.0)


@pytest.fixture
def beliefs() -> Beliefs:
    return Beliefs(SimpleNamespace(goal=None, told=lambda answers: answers), BeliefOptions(believed=0.5, sure=0.8, kept=6.0, changed=4.0))


TRACKS = Tracks.of([MASK, MASK], np.zeros((2, 2, 3), np.uint8))


def judged(beliefs: Beliefs, answers: tuple, prior: list[float] | None = None, tracks: Tracks = TRACKS):
    return beliefs.judged(QUESTION, None, None, answers, None if prior is None else np.array([prior]), [tracks])[0]


def test_without_a_past_it_is_what_is_read(beliefs):
    it = judged(beliefs, said(0.9, 0.2))
    assert it.believed == (True, False) and it.odds == pytest.approx(logit([0.9, 0.2]))
    assert it.progress == pytest.approx(1 / 3) and list(it.predicates) == [str(p) for p in GOAL.predicates]


@pytest.mark.parametrize(("inside", "still"), [(0.3, True), (0.01, True), (0.0005, False)])
def test_only_clear_evidence_ends_a_belief(beliefs, inside, still):
    assert judged(beliefs, said(0.9, inside), [0.0, 5.0]).believed[1] is still


@pytest.mark.parametrize(("seen", "still"), [(False, (True, True)), (True, (False, True))])
def test_what_is_looked_at_and_cannot_be_shut_away_can_be_remembered_less(beliefs, seen, still):
    brief = Beliefs(beliefs.model, BeliefOptions(believed=0.5, sure=0.8, kept=6.0, in_sight=0.5))
    it = brief.judged(QUESTION, None, None, said(0.2, 0.2), np.array([[5.0, 5.0]]), [TRACKS], seen=seen)[0]
    assert it.believed == still


@pytest.mark.parametrize(("alone", "believed"), [(0.05, (False, True)), (0.73, (True, True))])
def test_memory_does_not_outvote_what_is_in_sight_of_a_fixture(beliefs, alone, believed):
    it = beliefs.judged(QUESTION, None, None, said(0.99, 0.99), np.array([[5.0, 5.0]]), [TRACKS], seen=True, alone=said(alone, alone))[0]
    assert it.believed == believed and it.odds[0] == pytest.approx(logit(alone) + beliefs.options.fixtures)


def test_a_past_doubt_does_not_lower_what_is_read(beliefs):
    assert judged(beliefs, said(0.9, 0.8), [-9.0, -9.0]).odds == pytest.approx(logit([0.9, 0.8]))


def test_a_weak_memory_is_no_more_than_it_was(beliefs):
    assert judged(beliefs, said(0.9, 0.4), [0.0, 0.5]).odds[1] == pytest.approx(0.5)


def test_one_thing_alone_has_to_be_surer_than_a_pair(beliefs):
    assert judged(beliefs, said(0.7, 0.7)).believed == (False, True)


def test_what_cannot_have_been_brought_anywhere_is_not_believed_to_be_there(beliefs):
    still = replace(TRACKS, elsewhere=frozenset({1}))
    assert judged(beliefs, said(0.99, 0.99), [0.0, -3.0], still).odds[1] == -3.0
    assert beliefs.after(QUESTION, np.array([-5.0, -5.0]), said(0.01, 0.01), said(0.01, 0.99), [still])[0, 1] == -5.0


@pytest.mark.parametrize(("seen", "still"), [(True, False), (False, True)])
def test_of_what_the_hand_put_down_in_sight_nothing_is_remembered(beliefs, seen, still):
    put = replace(TRACKS, moved=frozenset({1}))
    it = beliefs.judged(QUESTION, None, None, said(0.9, 0.3), np.array([[5.0, 5.0]]), [put], seen=seen)[0]
    assert it.believed[1] is still


def test_untracked_what_is_read_is_believed_wherever_things_were_put():
    options = BeliefOptions(tracked=False)
    free = Beliefs(SimpleNamespace(goal=None, told=lambda answers: answers), options)
    still = replace(TRACKS, elsewhere=frozenset({1}))
    assert judged(free, said(0.99, 0.99), [0.0, -3.0], still).believed == (True, True)


def test_without_a_kept_belief_what_is_read_is_all(beliefs):
    forgetful = Beliefs(beliefs.model, BeliefOptions(kept=0.0))
    assert judged(forgetful, said(0.9, 0.3), [9.0, 9.0]).odds == pytest.approx(logit([0.9, 0.3]))


class Whole:
    """A model that says a whole goal is seven primitives away."""

    goal = True

    def told(self, answers):
        return answers

    def distances(self, latent, *_):
        return torch.tensor([7.0])


@pytest.mark.parametrize(("source", "needed"), [("goal", 7), ("predicates", 4), ("unmet", 2)])
def test_the_cost_to_go_comes_from_where_it_is_asked_for(source, needed):
    it = Beliefs(Whole(), BeliefOptions(cost_to_go=source))
    judged = it.judged(QUESTION, torch.zeros(1), None, said(0.1, 0.2), None, [TRACKS])[0]
    assert judged.progress == pytest.approx(1 / (1 + needed))


def test_an_action_takes_off_what_it_is_promised_to_end_and_nothing_else(beliefs):
    left = beliefs.after(QUESTION, np.array([5.0, 5.0]), said(0.99, 0.99), said(0.001, 0.9), [TRACKS])
    assert left[0, 0] == pytest.approx(5.0 + logit(0.001) - logit(0.99)) and left[0, 1] == 5.0


def test_an_action_adds_what_it_is_promised_to_bring(beliefs):
    left = beliefs.after(QUESTION, np.array([-5.0, -5.0]), said(0.01, 0.01), said(0.999, 0.02), [TRACKS])
    assert left[0, 0] > 5.0 and left[0, 1] == -5.0


@pytest.mark.parametrize(("held", "believed"), [(1, True), (0, False), (None, False)])
def test_what_the_hand_was_closed_on_is_what_it_holds(beliefs, held, believed):
    goal = Goal((Predicate("held", ("mug",)),), {"can": Target("can", MASK), "mug": Target("mug", MASK)})
    question = Question.of(goal, None, torch.device("cpu"))
    unsure = said(0.0, 0.0)
    unsure[0][0, 1, UNARY.index("held")] = 0.4
    (it,) = beliefs.judged(question, None, None, unsure, None, [replace(TRACKS, held=held)])
    assert it.believed == (believed,) and it.odds[0] == pytest.approx({1: TAKEN, 0: -TAKEN, None: logit(0.4)}[held])


@pytest.mark.parametrize(("together", "needed"), [(0.5, 2.0), (3.5, 3.5)])
def test_a_goal_is_no_nearer_than_its_hardest_predicate(beliefs, together, needed):
    model = SimpleNamespace(goal=object(), told=beliefs.model.told, distances=lambda *_: torch.tensor([together]))
    latent = torch.zeros(1)
    it = Beliefs(model, beliefs.options).judged(QUESTION, latent, None, said(0.9, 0.2), None, [TRACKS])[0]
    assert it.progress == pytest.approx(1 / (1 + needed))

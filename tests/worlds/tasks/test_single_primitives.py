"""Trials of single primitives: possible with room to spare, balanced, deterministic."""

import pytest

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.rules import transitions
from hiermap.worlds.rules.judge import effect
from hiermap.worlds.rules.slabs import STRICT
from hiermap.worlds.tasks.single_primitives import BALANCED, primitive_trial


@pytest.mark.parametrize("primitive", BALANCED)
def test_every_kind_comes_up_and_the_rules_allow_the_move(primitive):
    targets = set()
    for seed in range(200_000, 200_000 + min(8, len(BALANCED[primitive]))):
        trial = primitive_trial(f"primitive-{primitive}", seed, check_view=False)
        assert trial.move.primitive == primitive
        assert transitions.rotations(trial.spec, trial.scene, trial.move, STRICT)
        assert effect(trial.spec, trial.scene, transitions.apply(trial.spec, trial.scene, trial.move), trial.move)
        kinds = {f.name: f.kind for f in trial.spec.fixtures}
        targets.add((kinds.get(trial.move.target, trial.move.target), trial.move.to or trial.move.side))
    assert len(targets) >= 4


def test_a_trial_is_a_function_of_its_seed():
    assert primitive_trial("primitive-pull", 7, check_view=False) == primitive_trial("primitive-pull", 7, check_view=False)


def test_what_is_acted_on_is_seen():
    assert primitive_trial("primitive-rotate", 200_001).move.primitive == "rotate"


@pytest.mark.parametrize("suite", ["primitive-throw", "grasp", "chain-1"])
def test_an_unknown_suite_is_refused(suite):
    with pytest.raises(ConfigError, match="primitive-grasp"):
        primitive_trial(suite, 0)

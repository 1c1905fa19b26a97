"""Which episodes a suite has, and what an evaluation refuses."""

import numpy as np
import pytest

from hiermap.evaluation.suites import SINGLES, EvaluateOptions, RunOptions, chain_length, trials
from hiermap.planners import SearchOptions, candidates
from hiermap.primitives.specs import PRIMITIVES
from hiermap.system.config import load_config, typed
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.tasks.kitchen_options import KITCHENS
from hiermap.worlds.tasks.kitchens import KITCHENS as REGISTERED


def config(*overrides: str) -> dict:
    return load_config("evaluate", ["suite=chain-3", "out=results", *overrides])


def test_seed_s_gives_the_episodes_s_and_following() -> None:
    assert [(t.episode, t.seed, t.suite) for t in trials("chain-3", 200000, 3)] == [
        (0, 200000, "chain-3"),
        (1, 200001, "chain-3"),
        (2, 200002, "chain-3"),
    ]


def test_the_suite_of_all_primitives_takes_the_five_in_turn() -> None:
    drawn = trials("primitives", 0, 500)
    assert [t.suite for t in drawn[:5]] == list(SINGLES)
    assert all(sum(t.suite == suite for t in drawn) == 100 for suite in SINGLES)


def test_a_longer_run_begins_with_the_shorter_one() -> None:
    assert trials("primitives", 7, 20)[:10] == trials("primitives", 7, 10)


@pytest.mark.parametrize(("suite", "k"), [("chain-1", 1), ("chain-10", 10), ("primitive-pull", 1), ("sequel-3", 9)])
def test_chain_length_is_in_the_name(suite: str, k: int) -> None:
    assert chain_length(suite) == k


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("planner=best_frist", "nearest: best_first"),
        ("world=real", "latent, simulator"),
        ("maps=learnt", "nearest: learned"),
        ("kitchen=franka", "hiermap"),
        ("kitchen=toy suite=sequel-2", "kitchen=toy has no sequel-2"),
        ("max_replans=-1", "at least 0"),
        ("beliefs.cost_to_go=far", "goal, predicates, unmet"),
        ("budget.seconds=-1", "budget"),
        ("budget.expansions=-3", "budget"),
    ],
)
def test_an_unusable_value_is_refused_with_what_is_known(override: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        typed(EvaluateOptions, config(*override.split()))


def test_only_a_learned_world_has_a_policy_to_ask() -> None:
    assert typed(EvaluateOptions, config("planner=vector", "max_replans=30")).max_replans == 30
    with pytest.raises(ConfigError, match="take world=latent"):
        typed(EvaluateOptions, config("planner=vector", "world=simulator"))


@pytest.mark.parametrize(
    ("suite", "seed", "episodes", "words"),
    [
        ("chain-11", 0, 1, "chain-1"),
        ("chain-3", -1, 1, "seed is -1"),
        ("chain-3", 0, 0, "episodes is 0"),
        ("primitive-pul", 0, 1, "primitive-pull"),
    ],
)
def test_an_impossible_suite_is_refused(suite: str, seed: int, episodes: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        EvaluateOptions(suite=suite, out="d", seed=seed, episodes=episodes)


def test_the_defaults_are_usable_and_need_weights_while_the_oracle_primitives_do_not() -> None:
    assert typed(EvaluateOptions, config()).needs_weights("chain-3")
    assert not typed(EvaluateOptions, config("maps=oracle", "suite=primitives")).needs_weights("primitives")
    assert not typed(EvaluateOptions, config("maps=oracle", "world=simulator")).needs_weights("chain-3")


def test_the_simulator_promises_nothing_to_react_to() -> None:
    with pytest.raises(ConfigError, match="world=latent"):
        typed(EvaluateOptions, config("planner=reactive", "world=simulator"))


def test_the_names_of_kitchens_are_those_that_are_registered() -> None:
    assert set(KITCHENS) == set(REGISTERED)


def test_thresholds_of_execution_and_belief_are_keys() -> None:
    options = typed(EvaluateOptions, config("execution.kept_affordance=0.9", "beliefs.believed=0.7"))
    assert (options.execution.kept_affordance, options.beliefs.believed) == (0.9, 0.7)


def test_estimates_are_followed_by_default_and_words_change_it() -> None:
    assert RunOptions().searching == RunOptions(world="simulator").searching == SearchOptions.learned()
    changed = typed(EvaluateOptions, config("search.seconds_per_step=3", "search.width=5", "search.risk_seconds=7")).searching
    assert (changed.step_seconds, changed.width, changed.risk_seconds) == (3.0, 5, 7.0)


def test_the_threshold_of_peaks_from_the_command_line_changes_the_candidates() -> None:
    maps = np.zeros((len(PRIMITIVES), max(len(spec.rotations) for spec in PRIMITIVES.values()), 30, 40))
    maps[0, 0, 10, 10], maps[0, 0, 10, 30] = 0.9, 0.4
    found = [candidates(maps, typed(EvaluateOptions, config(*words)).searching.peaks) for words in ([], ["peaks.threshold=0.6"])]
    assert [[c.action.cell for c in some] for some in found] == [[(10, 10), (10, 30)], [(10, 10)]]


def test_an_impossible_search_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"search\.batch is 0, expected an integer from 1"):
        typed(EvaluateOptions, config("search.batch=0"))

"""Chain tasks: exact lengths, detours, determinism and replays."""

import pytest

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.kitchen.layouts import TEST_FAMILIES, TRAIN_FAMILIES
from hiermap.worlds.rules import transitions
from hiermap.worlds.rules.judge import holds
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import Place
from hiermap.worlds.rules.shortest_paths import shortest
from hiermap.worlds.rules.slabs import LOOSE, NOMINAL, STRICT
from hiermap.worlds.tasks import chains
from hiermap.worlds.tasks.chains import count_detours, sample_task


@pytest.fixture
def everything_seen(monkeypatch):
    def names(spec, scene):
        return {thing.name for thing in (*spec.fixtures, *spec.objects, *spec.surfaces)}

    monkeypatch.setattr(chains, "seen_in_first_view", names)


@pytest.mark.parametrize(("length", "seed"), [(1, 2), (2, 200_002), (3, 3), (4, 200_004), (5, 200_005), (7, 7), (10, 200_010)])
def test_a_chain_has_exactly_its_length_under_tight_nominal_and_generous_clearances_and_replays(length, seed, everything_seen):
    task = sample_task(f"chain-{length}", seed)
    assert task.shortest == len(task.solution) == length
    scene = task.scene
    for move in task.solution:
        assert not all(holds(task.spec, scene, p) for p in task.goal_predicates)
        scene = transitions.apply(task.spec, scene, move)
    assert all(holds(task.spec, scene, p) for p in task.goal_predicates)
    for clearance in (STRICT, NOMINAL, LOOSE):
        found = shortest(transitions.table_for(task.spec, task.scene, clearance), task.goal_predicates, length)
        assert found is not None and len(found) == length
    assert task.detours == count_detours(task.solution, task.goal_predicates)


def test_at_least_half_of_the_chains_from_four_on_contain_a_detour(everything_seen):
    tasks = [sample_task("chain-4", seed) for seed in range(200_000, 200_010)]
    assert sum(task.detours > 0 for task in tasks) >= 5


def test_the_same_seed_gives_the_same_task_and_another_seed_another(everything_seen):
    first, again, other = (sample_task("chain-3", seed) for seed in (200_005, 200_005, 200_006))
    assert first == again and (first.spec, first.goal_predicates) != (other.spec, other.goal_predicates)


@pytest.mark.parametrize(("seed", "families"), [(9, TRAIN_FAMILIES), (200_009, TEST_FAMILIES)])
def test_train_and_test_seeds_draw_from_their_own_families(seed, families, everything_seen):
    assert sample_task("chain-2", seed).spec.family.removesuffix("_mirrored") in {family.name for family in families}


def test_goals_name_only_what_the_first_view_shows(monkeypatch):
    def no_objects(spec, scene):
        return {fixture.name for fixture in spec.fixtures}

    monkeypatch.setattr(chains, "seen_in_first_view", no_objects)
    for seed in range(4):
        task = sample_task("chain-2", seed)
        assert {name for p in task.goal_predicates for name in p.arguments} <= no_objects(task.spec, task.scene)


def test_the_simulators_own_segmentation_is_the_default_of_what_is_seen():
    task = sample_task("chain-1", 4)
    assert any(not holds(task.spec, task.scene, predicate) for predicate in task.goal_predicates)


def test_a_detour_is_a_step_that_no_predicate_asks_for():
    drawer = Place((0.5, 0.0, 0.1), "d", drawer="d")
    solution = (Move("pull", "d", to="open"), Move("grasp", "mug"), Move("place", "mug", place=drawer), Move("push", "d", to="closed"))
    goal = (Predicate("inside", ("mug", "d")), Predicate("closed", ("d",)))
    assert count_detours(solution, goal) == 1
    assert count_detours(solution[:3], goal[:1]) == 1
    assert count_detours((Move("rotate", "knob", to="on"),), (Predicate("on", ("knob",)),)) == 0


@pytest.mark.parametrize("suite", ["chain-0", "chain-11", "chain-x", "chains", "primitive-grasp"])
def test_an_unknown_suite_is_refused(suite):
    with pytest.raises(ConfigError, match="chain-1"):
        sample_task(suite, 0)


def test_a_negative_seed_is_refused():
    with pytest.raises(ConfigError, match="non-negative"):
        sample_task("chain-1", -1)

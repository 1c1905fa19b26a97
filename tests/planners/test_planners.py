"""Every planner on every toy instance: right status, plans that replay, optimal costs where promised."""

import pickle
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiermap.planners import PLANNERS, Avoid, Budget, PeakOptions, SearchOptions, Status, Tree, candidates
from hiermap.planners.options import SECONDS_PER_STEP, SLIPS, TRUST
from hiermap.worlds.base import Node, Outcome
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.imagined.toy import TOY_FRAME, TOY_INSTANCES, ToyScene, ToyWorld
from hiermap.worlds.imagined.toy_kitchen import holds, steps_to_go

PLENTY = Budget(seconds=float("inf"), expansions=3000)
OPTIMAL = ("best_first", "exhaustive")
SEARCHES = [name for name in PLANNERS if name != "vector"]
"""What plans in any world, without a trained policy."""
COMPLETE = ("best_first", "weighted", "greedy", "beam", "exhaustive")


class Foreseeing(ToyWorld):
    """Guesses progress, by default rightly, and counts what is imagined."""

    foresees = True

    def __init__(self, kitchen, estimate="count", guess=lambda progress: progress):
        super().__init__(kitchen, estimate)
        self.guess, self.imagined = guess, 0

    def expand(self, nodes, actions, goal):
        self.imagined += sum(map(len, actions))
        return super().expand(nodes, actions, goal)

    def promises(self, nodes, actions, goal):
        outcomes = super().expand(nodes, actions, goal)
        return [[replace(o, node=replace(o.node, state=None, progress=self.guess(o.node.progress))) for o in some] for some in outcomes]

    def foretold(self, node, action, goal):
        return replace(self.promises([node], [[action]], goal)[0][0].node, state=node.state)

    def twins(self, parent, children):
        keys = [self.key(child) for child in children]
        return [None if keys.index(key) == k else keys.index(key) for k, key in enumerate(keys)]

    def undoes(self, before, between, after):
        return self.key(before) == self.key(after)


def solve(planner, instance, budget=PLENTY, seed=0, estimate="count", options=None):
    world = (Foreseeing if planner == "reactive" else ToyWorld)(instance.kitchen, estimate)
    options = options or SearchOptions(width=64)
    return search(planner, world, instance, budget, options, seed)


def search(planner, world, instance, budget=PLENTY, options=None, seed=0, **arguments):
    root = world.root(instance.view, instance.goal)
    tree = Tree(world, root, instance.goal, budget, options or SearchOptions(), **arguments)
    return PLANNERS[planner](tree, np.random.default_rng(seed))


def replay(instance, plan):
    robot = ToyScene(instance.kitchen)
    reports = [robot.act(action, robot.observe()) for action in plan.actions]
    return all(r.succeeded for r in reports) and all(holds(instance.kitchen, robot.state, p) for p in instance.predicates)


@pytest.mark.parametrize("planner", SEARCHES)
def test_results_can_be_pickled_and_planned_on_from(planner):
    instance = next(i for i in TOY_INSTANCES.values() if i.shortest)
    result = solve(planner, instance)
    again = pickle.loads(pickle.dumps(result))
    assert again.to_json() == result.to_json() and nx.utils.graphs_equal(again.graph, result.graph)
    assert (again.status, again.plan.actions, bool(again)) == (result.status, result.plan.actions, bool(result))
    tree = Tree(ToyWorld(instance.kitchen), again.root, again.goal, PLENTY, SearchOptions(width=64))
    assert PLANNERS["best_first"](tree, np.random.default_rng(0)).status is Status.SOLVED


@pytest.mark.parametrize("name", TOY_INSTANCES)
@pytest.mark.parametrize("planner", SEARCHES)
def test_solved_plans_replay_and_unsolvable_instances_get_a_status(planner, name):
    instance = TOY_INSTANCES[name]
    result = solve(planner, instance)
    if instance.shortest is None:
        assert not result and result.status in (Status.UNSOLVABLE, Status.UNSOLVABLE_WITHIN_BUDGET) and result.message
    elif planner in COMPLETE:
        assert result.status is Status.SOLVED
    if result:
        assert replay(instance, result.plan)
        assert all(replay(instance, plan) for plan in result.alternatives)
        assert len(result.plan) >= instance.shortest


@pytest.mark.parametrize("estimate", ["count", "blind", "exact"])
@pytest.mark.parametrize("name", [n for n, i in TOY_INSTANCES.items() if i.shortest is not None])
def test_a_star_is_as_cheap_as_exhaustive_search(name, estimate):
    instance = TOY_INSTANCES[name]
    truth, result = solve("exhaustive", instance), solve("best_first", instance, estimate=estimate)
    assert result.plan.cost == pytest.approx(truth.plan.cost)
    assert len(result.plan) == len(truth.plan) == (instance.cheapest or instance.shortest)


@pytest.mark.parametrize("name", TOY_INSTANCES)
def test_a_complete_search_knows_when_there_is_no_plan(name):
    if TOY_INSTANCES[name].shortest is None:
        assert solve("exhaustive", TOY_INSTANCES[name]).status is Status.UNSOLVABLE


@pytest.mark.parametrize("name", [n for n, i in TOY_INSTANCES.items() if i.shortest])
def test_weighted_search_stays_within_its_bound(name):
    instance = TOY_INSTANCES[name]
    truth = solve("exhaustive", instance).plan.cost
    assert solve("weighted", instance, options=SearchOptions(weight=2.0)).plan.cost <= 2.0 * truth + 1e-9


@pytest.mark.parametrize("name", [n for n, i in TOY_INSTANCES.items() if i.shortest])
def test_an_exact_estimate_leads_a_greedy_rollout_straight_to_the_goal(name):
    result = solve("greedy_rollout", TOY_INSTANCES[name], estimate="exact")
    assert result and result.metrics["expansions"] == len(result.plan)


@pytest.mark.parametrize("name", [n for n, i in TOY_INSTANCES.items() if i.shortest and not i.cheapest])
def test_reactive_takes_the_first_step_of_a_shortest_plan_and_imagines_nothing(name):
    instance = TOY_INSTANCES[name]
    world = Foreseeing(instance.kitchen, "exact")
    result = search("reactive", world, instance)
    (step,) = result.plan.steps
    assert result.status is Status.UNSOLVABLE_WITHIN_BUDGET and result.metrics["expansions"] == 1 and world.imagined == 0
    assert np.array_equal(step.maps, step.maps_before)
    steps = steps_to_go(instance.kitchen, instance.kitchen.start, instance.predicates)
    assert step.after.progress == pytest.approx(1 / steps)


def test_reactive_without_foresight_says_so():
    with pytest.raises(ConfigError, match="promises nothing"):
        instance = TOY_INSTANCES["open_drawer"]
        search("reactive", ToyWorld(instance.kitchen), instance)


def test_without_future_maps_only_what_is_possible_now_is_imagined():
    instance = TOY_INSTANCES["put_in_drawer"]  # whose mug cannot be placed before it is grasped
    result = solve("best_first", instance, options=SearchOptions(future_maps=False))
    assert not result and all(np.array_equal(step.maps, step.maps_before) for step in result.plan.steps)
    assert "place" not in {data["primitive"] for *_, data in result.graph.edges(data=True)}
    assert solve("best_first", TOY_INSTANCES["open_drawer"], options=SearchOptions(future_maps=False))


@pytest.mark.parametrize("planner", SEARCHES)
def test_the_same_seed_gives_the_same_plan(planner):
    instance = TOY_INSTANCES["put_in_drawer"]
    one, two = solve(planner, instance, seed=5), solve(planner, instance, seed=5)
    assert one.plan.actions == two.plan.actions and nx.utils.graphs_equal(one.graph, two.graph)


@pytest.mark.parametrize("planner", SEARCHES)
def test_no_budget_gives_a_status(planner):
    instance = TOY_INSTANCES["put_in_drawer"]
    assert solve(planner, instance, Budget(expansions=0)).status is Status.UNSOLVABLE_WITHIN_BUDGET
    assert solve(planner, instance, Budget(seconds=0)).status is Status.TIMEOUT
    assert solve(planner, TOY_INSTANCES["already_solved"], Budget(0, 0)).status is Status.SOLVED


@pytest.mark.parametrize("planner", SEARCHES)
def test_expansions_stay_within_the_budget(planner):
    for expansions in (1, 2, 3, 5):
        assert solve(planner, TOY_INSTANCES["long_detour"], Budget(expansions=expansions)).metrics["expansions"] <= expansions


@pytest.mark.parametrize("planner", SEARCHES)
def test_the_graph_can_be_written_as_graphml(planner, tmp_path):
    result = solve(planner, TOY_INSTANCES["put_in_and_shut"])
    nx.write_graphml(result.graph, tmp_path / "graph.graphml")
    read = nx.read_graphml(tmp_path / "graph.graphml")
    assert read.number_of_nodes() == result.graph.number_of_nodes() == result.metrics["generated"] + 1
    assert nx.is_arborescence(result.graph)


def test_steps_carry_what_was_imagined():
    instance = TOY_INSTANCES["put_in_drawer"]
    plan = solve("best_first", instance).plan
    assert {step.action.primitive for step in plan.steps} == {"pull", "grasp", "place"}
    assert [step.after.predicates["inside(mug, drawer)"] for step in plan.steps] == [0.0, 0.0, 1.0]
    assert all(step.maps.shape == (5, 4, *ToyWorld(instance.kitchen).frame.shape) for step in plan.steps)
    assert plan.success_probability == pytest.approx(0.95**3)
    assert plan.cost == pytest.approx(20.0 - 3 * 20.0 * np.log(0.95))
    assert all(np.isfinite(step.point_world).all() for step in plan.steps)


class Unsure(ToyWorld):
    """Believes in a goal reached by force only just."""

    def _node(self, state, goal):
        node, sure = super()._node(state, goal), 0.55 if "latch" not in state.opened else 0.99
        return replace(node, predicates={name: value * sure for name, value in node.predicates.items()})


def test_a_goal_the_world_is_sure_of_is_worth_a_longer_plan():
    instance, bold = TOY_INSTANCES["forcing_is_dear"], SearchOptions(risk_seconds=3.0, peaks=PeakOptions(threshold=0.01))
    sure = solve("best_first", instance, options=bold)
    unsure = search("best_first", Unsure(instance.kitchen), instance, options=bold)
    assert [len(sure.plan), len(unsure.plan)] == [1, 2]
    assert unsure.plan.success_probability == pytest.approx(0.95**2 * 0.99)


def test_what_a_plan_promises_can_be_calibrated_and_a_partial_one_promises_the_goal():
    instance = TOY_INSTANCES["put_in_drawer"]
    told = solve("best_first", instance, options=SearchOptions(trust=2.0, slips=0.1)).plan
    assert told.success_probability == pytest.approx(0.95**6 * np.exp(-0.3))
    partial = solve("best_first", instance, Budget(expansions=1))
    assert not partial and partial.plan.success_probability == 0.0
    assert SearchOptions().promised(0.5, 4) == 0.5
    assert SearchOptions.learned().promised(0.5, 4) == pytest.approx(0.5**TRUST * np.exp(-4 * SLIPS))
    assert SearchOptions(trust=1.0, slips=0.0).completed().promised(0.5, 4) == 0.5


def test_a_failure_remembered_changes_the_plan():
    instance = TOY_INSTANCES["forcing_is_dear"]
    bold = SearchOptions(risk_seconds=2.0, peaks=PeakOptions(threshold=0.01))
    assert len(solve("best_first", instance, options=bold).plan) == 1
    failed = Avoid("pull", (4, 19), penalty=0.01)
    assert len(solve("best_first", instance, options=replace(bold, avoid=(failed,))).plan) == 2


def test_the_heuristic_is_admissible_on_every_reachable_state():
    instance = TOY_INSTANCES["long_detour"]
    world = ToyWorld(instance.kitchen)
    root = world.root(instance.view, instance.goal)
    steps = steps_to_go(instance.kitchen, instance.kitchen.start, instance.predicates)
    assert SECONDS_PER_STEP * (1 / root.progress - 1) <= SECONDS_PER_STEP * steps


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(sorted(TOY_INSTANCES)), batch=st.integers(1, 9), radius=st.integers(1, 4))
def test_batching_never_changes_the_cost_of_a_star(name, batch, radius):
    instance = TOY_INSTANCES[name]
    options = SearchOptions(batch=batch, peaks=PeakOptions(radius=radius, reach=4))
    one, many = solve("best_first", instance), solve("best_first", instance, options=options)
    assert one.status is many.status and one.plan.cost == pytest.approx(many.plan.cost)


def test_a_negative_budget_is_an_error():
    with pytest.raises(ValueError, match="seconds"):
        Budget(seconds=-1)
    with pytest.raises(ValueError, match="expansions"):
        Budget(expansions=-1)


class Merging(ToyWorld):
    """Tells of siblings that are one state."""

    def expand(self, nodes, actions, goal):
        return [self._merged(outcomes) for outcomes in super().expand(nodes, actions, goal)]

    def _merged(self, outcomes):
        keys = [self.key(outcome.node) for outcome in outcomes]
        firsts = [keys.index(key) for key in keys]
        return [replace(o, same_as=None if first == k else first) for k, (o, first) in enumerate(zip(outcomes, firsts, strict=True))]


@pytest.mark.parametrize("name", [n for n, i in TOY_INSTANCES.items() if i.shortest is not None])
def test_of_siblings_that_are_one_state_only_the_cheapest_is_kept(name):
    instance = TOY_INSTANCES[name]
    plain = solve("best_first", instance)
    merged = search("best_first", Merging(instance.kitchen), instance)
    assert merged.plan.cost == pytest.approx(plain.plan.cost) and replay(instance, merged.plan)
    assert merged.metrics["generated"] <= plain.metrics["generated"]
    if name in ("put_in_drawer", "put_in_and_shut", "long_detour"):
        assert merged.metrics["generated"] < plain.metrics["generated"] and merged.metrics["duplicates"] > 0


def test_a_heuristic_of_ones_own_leads_the_search():
    instance = TOY_INSTANCES["long_detour"]
    world = ToyWorld(instance.kitchen, "blind")

    def exact(node):
        return steps_to_go(instance.kitchen, node.state, instance.predicates)

    blind, led = search("greedy", world, instance), search("greedy", world, instance, heuristic=exact)
    assert led and replay(instance, led.plan) and led.metrics["expansions"] < blind.metrics["expansions"]


def test_a_candidate_generator_of_ones_own_bounds_what_is_imagined():
    instance = TOY_INSTANCES["open_drawer"]

    def only_pulls(maps, peaks, targets):
        return [candidate for candidate in candidates(maps, peaks, targets) if candidate.action.primitive == "pull"]

    result = search("best_first", ToyWorld(instance.kitchen), instance, propose=only_pulls)
    assert result and {data["primitive"] for *_, data in result.graph.edges(data=True)} == {"pull"}


class Swamp:
    """Eight keys, of which five open a lock in one order; until the first of them is pressed it looks as if one more would do."""

    frame, order = TOY_FRAME, (3, 1, 4, 1, 5)

    def root(self, view, goal, first=None, remembered=None):
        return self._node(())

    def maps(self, nodes):
        maps = np.zeros((len(nodes), 5, 4, *self.frame.shape), np.float32)
        maps[:, 0, 0, 10, 1:25:3] = 0.9
        return maps

    def expand(self, nodes, actions, goal):
        return [[Outcome(self._node((*n.state, a.cell[1] // 3)), 0.9, 10.0) for a in some] for n, some in zip(nodes, actions, strict=True)]

    def key(self, node):
        return node.state

    def point(self, node, cell):
        return None

    def _node(self, pressed):
        done = 0
        for key in pressed:
            done += done < len(self.order) and key == self.order[done]
        missing = len(self.order) - done if done else 1
        return Node(pressed, 1 / (1 + missing), {"open": float(missing == 0)})


@pytest.mark.parametrize("planner", ["best_first", "weighted", "greedy"])
def test_a_search_that_comes_no_nearer_looks_down_every_branch(planner):
    goal = TOY_INSTANCES["open_drawer"].goal

    def searched(patience):
        options = SearchOptions(patience=patience, seconds_per_step=10.0, peaks=PeakOptions(reach=3, radius=0, per_effect=8))
        return PLANNERS[planner](Tree(Swamp(), Swamp().root(None, goal), goal, Budget(100.0, 60), options), np.random.default_rng(0))

    assert searched(None).status is Status.UNSOLVABLE_WITHIN_BUDGET
    found = searched(5)
    assert found and tuple(action.cell[1] // 3 for action in found.plan.actions) == Swamp.order


class FlatKeys(Swamp):
    """Four of the eight keys light a lamp each; one more lamp, which no key lights, keeps the estimate flat whatever is lit."""

    lamps = (2, 3, 5, 7)

    def _node(self, pressed):
        lit = {f"lit({key})": float(key in pressed) for key in self.lamps}
        return Node(pressed, 1 / 6, {**lit, "lit(none)": 0.0})


@pytest.mark.parametrize("planner", ["best_first", "weighted", "greedy"])
@pytest.mark.parametrize(("unmet", "lit"), [(None, 0), (1.0, 4)])
def test_what_can_be_done_of_a_goal_is_done_where_the_estimate_is_flat(planner, unmet, lit):
    goal = TOY_INSTANCES["open_drawer"].goal
    options = SearchOptions(patience=3, unmet=unmet, seconds_per_step=20.0, peaks=PeakOptions(reach=3, radius=0, per_effect=8))
    tree = Tree(FlatKeys(), FlatKeys().root(None, goal), goal, Budget(100.0, 30), options)
    result = PLANNERS[planner](tree, np.random.default_rng(0))
    last = result.plan.steps[-1].after.predicates
    assert result.status is Status.UNSOLVABLE_WITHIN_BUDGET and len(result.plan.steps) >= lit
    assert sum(last.values()) == 4 if lit else sum(last.values()) < 4


def test_a_way_that_failed_before_is_no_partial_plan():
    instance = TOY_INSTANCES["put_in_and_shut"]
    world = ToyWorld(instance.kitchen, "exact")
    first = search("best_first", world, instance, Budget(expansions=1)).plan.actions[0]
    failed = Avoid(first.primitive, first.cell, penalty=1e-2)
    again = search("best_first", world, instance, Budget(expansions=1), SearchOptions(avoid=(failed,))).plan.actions[0]
    assert again.primitive != first.primitive

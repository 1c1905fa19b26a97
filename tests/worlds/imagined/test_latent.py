import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from hiermap.model.config import ModelConfig
from hiermap.model.weights import load_weights
from hiermap.model.world_model import HiermapModel
from hiermap.worlds.base import Action, Node
from hiermap.worlds.check import check_world
from hiermap.worlds.errors import ConfigError, InvalidGoalError, InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import BINARY, UNARY, Goal, Predicate, Target
from hiermap.worlds.imagined.latent import LatentWorld
from hiermap.worlds.perception.fusion import DEPTH_SCALE_M, SpatialView
from hiermap.worlds.simulator.kitchen import Kitchen

SMALL = ModelConfig(visible=16, memory=8, stem=16, context=16, dynamics_blocks=1, token=16)


@pytest.fixture(scope="module")
def world() -> LatentWorld:
    torch.manual_seed(0)
    model = HiermapModel(SMALL).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return LatentWorld(model)


@pytest.fixture(scope="module")
def seen() -> tuple[SpatialView, Goal]:
    kitchen = Kitchen(3)
    masks = {name: mask for name, mask in kitchen.masks().items() if mask.sum() > 20}
    thing, place = list(masks)[:2]
    goal = Goal((Predicate("open", (place,)), Predicate("inside", (thing, place))), {n: Target(n, masks[n]) for n in (thing, place)})
    return kitchen.view(), goal


def test_an_untrained_model_already_keeps_the_contract(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    check_world(world, *seen)


def test_two_looks_keep_the_contract_and_act_at_the_same_place(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    model = HiermapModel(replace(SMALL, looks=2)).eval()
    model.load_state_dict(world.model.state_dict())
    both = LatentWorld(model)
    check_world(both, *seen)
    actions = [Action("grasp", (40, 64), 1), Action("push", (60, 20), 1)]
    after = [outcome.node.state for outcome in both.expand([both.root(*seen)], [actions], seen[1])[0]]
    alone = [outcome.node.state for outcome in world.expand([world.root(*seen)], [actions], seen[1])[0]]
    for state, other in zip(after, alone, strict=True):
        torch.testing.assert_close(state.latent, other.latent)
        assert state.looks.shape == (2, *other.latent.shape) and not torch.equal(state.looks[0], state.looks[1])


def test_an_empty_goal_holds_at_once(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    assert world.root(seen[0], Goal((), {})).progress == 1.0


def test_beliefs_name_every_predicate_and_agree_with_progress(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    node = world.root(*seen)
    assert list(node.predicates) == [str(p) for p in seen[1].predicates]
    least = [world.options.believed if len(p.arguments) > 1 else world.options.sure for p in seen[1].predicates]
    assert (node.progress == 1.0) == all(p > it for p, it in zip(node.predicates.values(), least, strict=True))


def test_reordered_actions_meet_in_one_node(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    view, goal = seen
    one, other = Action("pull", (60, 20), 0), Action("rotate", (50, 90), 1)
    root = world.root(view, goal)

    def after(*actions: Action):
        node = root
        for action in actions:
            node = world.expand([node], [[action]], goal)[0][0].node
        return node

    assert after(one, other).state.past == after(other, one).state.past
    assert world.key(after(one)) != world.key(after(other)) != world.key(root)


def test_an_imagined_node_lends_its_memory_and_its_first_view(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    view, goal = seen
    root = world.root(view, goal)
    imagined = world.expand([root], [[Action("grasp", (40, 64), 0)]], goal)[0][0].node
    again = world.root(replace(view), goal, first=view, remembered=imagined)
    assert torch.equal(world.model.memory_of(again.state.latent[None]), world.model.memory_of(imagined.state.latent[None]))
    assert torch.equal(again.state.latent[:16], root.state.latent[:16]) and torch.equal(
        again.state.question.things.look, root.state.question.things.look
    )


def test_what_is_foretold_remembers_what_an_action_promises_without_its_latent(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    view, goal = seen
    root, action = world.root(view, goal), Action("grasp", (40, 64), 0)
    foretold, promised = world.foretold(root, action, goal), world.promises([root], [[action]], goal)[0][0].node
    imagined = world.expand([root], [[action]], goal)[0][0].node
    assert (foretold.progress, foretold.predicates) == (promised.progress, promised.predicates)
    assert torch.equal(foretold.state.latent, root.state.latent)
    assert foretold.state.tracks.elsewhere == imagined.state.tracks.elsewhere
    assert list(world.root(replace(view), goal, first=view, remembered=foretold).predicates) == list(root.predicates)


def test_what_was_really_taken_is_remembered_and_not_what_was_planned(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    view, goal = seen
    root = world.root(view, goal)
    thing = goal.targets[goal.predicates[1].arguments[0]].mask
    middle = tuple(int(index) for index in np.argwhere(thing)[thing.sum() // 2])
    imagined = world.expand([root], [[Action("grasp", middle, 0)]], goal)[0][0].node
    elsewhere = Action("grasp", (int(90 - middle[0]), int(120 - middle[1])), 0)
    done = world.tracked(imagined, root, elsewhere)
    assert imagined.state.tracks.held is not None and done.state.tracks.held is None
    assert done.state.looks is imagined.state.looks
    assert world.tracked(imagined, root, Action("grasp", middle, 0)).state.tracks.held == imagined.state.tracks.held


def test_points_lie_on_what_is_seen(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    root = world.root(*seen)
    point = world.point(root, (60, 64))
    assert point is not None and np.allclose(world.frame.point_to_cell(np.array(point))[0], (60, 64))
    imagined = world.expand([root], [[Action("pull", (60, 20), 0)]], seen[1])[0][0].node
    assert world.point(imagined, (60, 64)) is not None


def test_a_model_of_another_frame_is_refused(world: LatentWorld) -> None:
    with pytest.raises(InvalidObservationError, match="96 x 128"):
        LatentWorld(world.model, SpatialFrame(rows=48))


def test_siblings_are_one_state_only_if_they_change_the_same(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    root = world.root(*seen)
    change = torch.zeros_like(root.state.latent)
    change[0, 4:8, 4:8] = 1.0
    elsewhere = change.roll(10, dims=2)

    class Scripted:
        """The model, but what is imagined is given."""

        def __getattr__(self, name: str):
            return getattr(world.model, name)

        def imagine(self, latent, *_):
            return latent + torch.stack([change, elsewhere, 1.1 * change, -change, change + 0.2 * elsewhere])

    actions = [Action("pull", (60, 20 + column), 0) for column in range(5)]
    outcomes = LatentWorld(Scripted()).expand([root], [actions], seen[1])[0]
    assert [outcome.same_as for outcome in outcomes] == [None, None, 0, None, 0]


@pytest.mark.parametrize(("back", "elsewhere", "undone"), [(-1.0, 0.0, True), (-0.3, 1.0, True), (0.0, 1.0, False), (1.0, 0.0, False)])
def test_what_goes_against_the_change_before_it_undoes_it(
    world: LatentWorld, seen: tuple[SpatialView, Goal], back: float, elsewhere: float, undone: bool
) -> None:
    before = world.root(*seen)
    change = torch.zeros_like(before.state.latent)
    change[0, 4:8, 4:8] = 1.0

    def changed(node: Node, by: torch.Tensor) -> Node:
        return replace(node, state=replace(node.state, looks=node.state.looks + by))

    between = changed(before, change)
    assert world.undoes(before, between, changed(between, back * change + elsewhere * change.roll(10, dims=2))) == undone


def test_a_view_is_encoded_once_and_a_node_decoded_once(world: LatentWorld, seen: tuple[SpatialView, Goal]) -> None:
    calls = Counter()

    class Counting:
        """The model; encodings and decodings are counted."""

        def __getattr__(self, name: str):
            calls[name] += 1
            return getattr(world.model, name)

    view, goal = seen
    mine = LatentWorld(Counting())
    calls.clear()
    root = mine.root(view, goal)
    mine.root(view, goal, first=view, remembered=root)
    mine.root(replace(view), goal, first=view)
    assert calls["encode"] == 2
    actions = [[Action("pull", (60, 20), 0), Action("grasp", (40, 64), 0)]]
    mine.maps([root, root]), mine.expand([root], actions, goal), mine.maps([root])
    assert calls["decode"] == 1


def test_a_policy_names_actions_with_their_chances(seen: tuple[SpatialView, Goal], world: LatentWorld) -> None:
    torch.manual_seed(0)
    acting = LatentWorld(HiermapModel(replace(SMALL, policy=True)).eval())
    chances = acting.policy(acting.root(*seen), seen[1])
    assert sum(chances.values()) == pytest.approx(1, abs=1e-5) and len(chances) == len(SMALL.legend.bins)
    assert all(0 <= row < acting.frame.rows and 0 <= column < acting.frame.columns for row, column in (a.cell for a in chances))
    with pytest.raises(ConfigError, match="policy=true"):
        world.policy(world.root(*seen), seen[1])


def test_only_what_a_hand_can_carry_is_tracked_and_only_while_it_holds_something(world, seen):
    view, goal = seen
    names, held = list(goal.targets), replace(view, holding=True)
    root = world.root(view, goal)
    assert {name for name, cells in zip(names, root.state.tracks.cells, strict=True) if cells is not None} == goal.carried
    taking = replace(root, state=replace(root.state, tracks=replace(root.state.tracks, held=0)))
    kept, lost = (world.root(now, goal, view, taking).state.tracks.held for now in (held, replace(view, holding=False)))
    assert (kept, lost) == (0, None)


def test_a_kitchen_is_familiar_and_noise_is_not(seen: tuple[SpatialView, Goal]) -> None:
    trained, (view, _), goal = LatentWorld(load_weights("default").model), seen, Goal((), {})
    rng = np.random.default_rng(0)
    depth = rng.uniform(0.6, 1.3, view.depth.shape).astype(np.float32)
    tilted = view.depth + np.linspace(0, 0.4, view.depth.shape[1], dtype=np.float32)
    noise = SpatialView(rng.integers(0, 256, view.rgb.shape, np.uint8), depth, np.ones_like(view.valid), False, view.frame)
    wall = replace(view, depth=np.full_like(depth, 0.95), valid=np.ones_like(view.valid))
    blind = replace(view, depth=np.zeros_like(depth), valid=np.zeros_like(view.valid))
    black = replace(view, rgb=np.zeros_like(view.rgb))
    seen = view, black, wall, replace(view, depth=tilted), noise, blind
    home, dark, *strange = [trained.familiarity(trained.root(v, goal)) for v in seen]
    assert home > 0.99 and dark > 0.98  # without colours it finds its way all the same
    assert strange[0] < 0.5 and max(strange[1:]) < 0.1 and strange[-1] == pytest.approx(0, abs=1e-30)


@pytest.mark.parametrize(("error", "expected"), [(0.0, 1.0), (1.0, 256 / 257), (2.0, 0.5), (4.0, 1 / 257), (np.inf, 0.0)])
def test_a_place_is_half_familiar_at_twice_the_usual_error(seen: tuple[SpatialView, Goal], error: float, expected: float) -> None:
    class Told(HiermapModel):
        def depth_error(self, latent, view):
            return torch.tensor([error * 0.01 / DEPTH_SCALE_M])

    model = Told(SMALL).eval()
    assert (told := LatentWorld(model)).familiarity(told.root(*seen)) is None
    model.usual_depth_error_m = 0.01
    assert told.familiarity(told.root(*seen)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("doubted", ["unary", "thing", "place"])
def test_a_goal_that_its_things_do_not_look_like_is_refused_in_words(doubted: str, seen: tuple[SpatialView, Goal]) -> None:
    world = LatentWorld(HiermapModel(SMALL).eval())
    thing, place = seen[1].targets
    (row, form), words = {
        "unary": ((1, UNARY.index("open")), f"open({place}) makes no sense"),
        "thing": ((0, len(UNARY) + BINARY.index("inside")), f"inside({thing}, ...) makes no sense"),
        "place": ((1, len(UNARY + BINARY) + BINARY.index("inside")), f"inside(..., {place}) makes no sense"),
    }[doubted]
    likely = torch.ones(1, 2, len(UNARY) + 2 * len(BINARY))
    likely[0, row, form] = world.options.sense / 2
    world.model.makes_sense = lambda things: likely
    with pytest.raises(InvalidGoalError, match=re.escape(words)):
        world.root(*seen)
    world.options = replace(world.options, sense=0.0)
    world.root(*seen)


def test_weights_that_learned_no_sense_refuse_nothing(seen: tuple[SpatialView, Goal]) -> None:
    model = HiermapModel(SMALL).eval()
    model.sense = None
    assert set(LatentWorld(model).root(*seen).predicates) == set(map(str, seen[1].predicates))

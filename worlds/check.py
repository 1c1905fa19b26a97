"""An executable contract: what every World must do, with messages that name the likely cause."""

import pickle
from collections.abc import Hashable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.base import Action, Foresight, Node, Outcome, World
from hiermap.worlds.errors import HiermapError
from hiermap.worlds.goals import Goal

if TYPE_CHECKING:
    from hiermap.worlds.perception.fusion import SpatialView

TOLERANCE = 1e-4
"""Batched network passes may differ from single ones in the last digits."""
ACTIONS = 4
"""Actions tried per primitive, besides the one the maps think least of."""


class ContractError(HiermapError, AssertionError):
    """A world breaks the contract; the message says where and why it most likely does."""


def check_world(world: World, view: "SpatialView", goal: Goal, depth: int = 2, actions: int = ACTIONS) -> None:
    """Raise ContractError unless `world` keeps the contract from `view` on, `depth` imagined actions deep, `actions` per primitive.

    Checks shapes, ranges, determinism, purity (nothing passed in is changed), order of outcomes and of nodes, keys, predicates, points
    and what is remembered of an imagined node.
    """
    for name in ("frame", "root", "maps", "expand", "key", "point"):
        _demand(hasattr(world, name), f"the world has no `{name}`; see hiermap.worlds.base.World")
    before = pickle.dumps((asdict(view), asdict(goal)))
    node, again = world.root(view, goal), world.root(view, goal)
    _demand(pickle.dumps((asdict(view), asdict(goal))) == before, "root changed the view or goal; copy arrays before editing them")
    _check_node(world, node, goal, "root")
    _same_node(world, node, again, "two calls of root on one view differ; seed every generator and keep no state between calls")
    _same_node(world, node, world.root(view, goal, first=view), "root(view, first=view) differs from root(view), whose first view it is")
    root = node
    for level in range(depth):
        outcomes = _check_expand(world, node, goal, actions, f"level {level}")
        node = max(outcomes, key=lambda outcome: outcome.success).node
    one, other = (world.root(view, goal, first=view, remembered=node) for _ in range(2))
    _check_node(world, one, goal, "root(remembered=...)")
    _same_node(world, one, other, "two calls of root with one remembered node differ; keep no state between calls")
    _same_node(world, root, world.root(view, goal), "root changed after expand; keep no state between calls")


def _check_expand(world: World, node: Node, goal: Goal, count: int, where: str) -> list[Outcome]:
    actions = _actions(world.maps([node])[0], count)
    before, key = pickle.dumps((world.maps([node]), node.progress, asdict(goal))), world.key(node)
    outcomes = _expand(world, node, actions, goal)
    _demand(len(outcomes) == len(actions), f"{where}: {len(actions)} actions, {len(outcomes)} outcomes; return one per action, in order")
    unchanged = pickle.dumps((world.maps([node]), node.progress, asdict(goal))) == before and world.key(node) == key
    _demand(unchanged, f"{where}: expand changed its node or goal; imagine on a copy")
    again = _expand(world, node, actions, goal)
    for index, (action, outcome, other) in enumerate(zip(actions, outcomes, again, strict=True)):
        _check_outcome(world, outcome, goal, index, f"{where}, after {action}")
        _same(world, outcome, other, f"{where}: two calls of expand differ; seed every generator and keep no state between calls")
        alone = _expand(world, node, [action], goal)[0]
        _same(world, outcome, alone, f"{where}: {action} alone and among others differ; out of order, or actions leak into each other")
    _demand(_expand(world, node, [], goal) == [], f"{where}: no actions must give no outcomes")
    _check_together(world, node, outcomes, actions, goal, where)
    if isinstance(world, Foresight) and world.foresees:
        _check_foresight(world, node, outcomes, actions, goal, where)
    return outcomes


def _expand(world: World, node: Node, actions: Sequence[Action], goal: Goal) -> list[Outcome]:
    found = world.expand([node], [actions], goal)
    _demand(len(found) == 1, f"expand of one node gave {len(found)} lists of outcomes; return one list per node")
    return found[0]


def _check_together(world: World, node: Node, outcomes: Sequence[Outcome], actions: Sequence[Action], goal: Goal, where: str) -> None:
    """Several nodes in one pass give what each gives alone."""
    child = outcomes[0].node
    both = world.expand([node, child, node], [actions, [], actions[:1]], goal)
    _demand([len(some) for some in both] == [len(actions), 0, 1], f"{where}: expand must give one list of outcomes per node, in order")
    for outcome, other in zip([*outcomes, outcomes[0]], [*both[0], *both[2]], strict=True):
        _same(world, outcome, other, f"{where}: a node alone and among others differ in expand")
    alone = np.concatenate([world.maps([child]), world.maps([node])])
    _close("maps", world.maps([child, node]), alone, f"{where}: a node alone and among others differ in maps; one map per node")


def _check_foresight(world: Foresight, node: Node, outcomes: Sequence[Outcome], actions: Sequence[Action], goal: Goal, where: str) -> None:
    """Guesses are of the same actions, with the same success and cost, and have no state; twins are earlier children."""
    promised, none = world.promises([node, node], [actions, []], goal)
    _demand((len(promised), len(none)) == (len(actions), 0), f"{where}: promises must give one outcome per action, in order")
    for outcome, promise in zip(outcomes, promised, strict=True):
        _demand(promise.node.state is None, f"{where}: a promised node has a state; what is imagined belongs into expand")
        _demand(0.0 <= promise.node.progress <= 1.0, f"{where}: a promised progress is {promise.node.progress}, expected [0, 1]")
        known = [promise.success, promise.cost], [outcome.success, outcome.cost]
        _close("success and cost", *known, f"{where}: promises and expand differ in what needs no imagining")
    foretold = world.foretold(node, actions[0], goal)
    _demand(foretold.state is not None, f"{where}: foretold gave a node without a state; root has to remember something of it")
    _close("progress", [foretold.progress], [promised[0].node.progress], f"{where}: promises and foretold differ")
    twins = world.twins(node, [outcome.node for outcome in [*outcomes, outcomes[-1]]])
    _demand(len(twins) == len(outcomes) + 1 and twins[-1] is not None, f"{where}: a child and itself are not twins")
    earlier = all(k is None or 0 <= k < index for index, k in enumerate(twins))
    _demand(earlier, f"{where}: twins are {twins}, expected indices of earlier children or None")


def _check_node(world: World, node: Node, goal: Goal, where: str) -> None:
    _check_maps(world.maps([node]), (1, len(PRIMITIVES), ROTATION_BINS, *world.frame.shape), where)
    _demand(0.0 <= node.progress <= 1.0, f"{where}: progress is {node.progress}, expected 1 / (1 + missing primitives) in [0, 1]")
    named, expected = set(node.predicates), {str(predicate) for predicate in goal.predicates}
    _demand(named in (set(), expected), f"{where}: predicates name {sorted(named)}, expected none or the goal's {sorted(expected)}")
    _demand(all(0.0 <= p <= 1.0 for p in node.predicates.values()), f"{where}: predicates {node.predicates} are no probabilities")
    point = world.point(node, (world.frame.rows // 2, world.frame.columns // 2))
    _demand(point is None or (len(point) == 3 and bool(np.isfinite(point).all())), f"{where}: point is {point}, expected (x, y, z) or None")
    _demand(isinstance(world.key(node), Hashable), f"{where}: key is not hashable; return bytes or a tuple, not an array")
    hash(world.key(node))
    _demand(world.key(node) == world.key(node), f"{where}: key differs between two calls on one node; does it hold NaN or an id?")


def _check_maps(maps: Any, expected: tuple[int, ...], where: str) -> None:
    is_float = isinstance(maps, np.ndarray) and np.issubdtype(maps.dtype, np.floating)
    _demand(is_float, f"{where}: maps must be a float numpy array, not {type(maps)}")
    _demand(maps.shape == expected, f"{where}: maps have shape {maps.shape}, expected [N, P, R, H, W] = {expected}")
    _demand(bool(np.isfinite(maps).all()), f"{where}: maps hold NaN or infinity; a diverged network or a division by zero")
    _demand(bool((maps >= 0).all() and (maps <= 1).all()), f"{where}: maps leave [0, 1]; were logits returned instead of probabilities?")
    for channel, spec in enumerate(PRIMITIVES.values()):
        unused = maps[:, channel, len(spec.rotations) :]
        _demand(not unused.any(), f"{where}: {spec.name} has only {len(spec.rotations)} orientation bins; set the rest of its maps to 0")


def _check_outcome(world: World, outcome: Outcome, goal: Goal, index: int, where: str) -> None:
    _demand(0.0 <= outcome.success <= 1.0, f"{where}: success is {outcome.success}, expected a probability")
    _demand(bool(np.isfinite(outcome.cost)) and outcome.cost > 0, f"{where}: cost is {outcome.cost}, expected seconds above 0")
    earlier = outcome.same_as is None or 0 <= outcome.same_as < index
    _demand(earlier, f"{where}: same_as is {outcome.same_as}, expected the index of an earlier action or None")
    _check_node(world, outcome.node, goal, where)


def _actions(maps: np.ndarray, count: int) -> list[Action]:
    """The best few actions per primitive of maps `[P, R, H, W]` and one that they think least of."""
    actions = []
    for channel, (name, spec) in enumerate(PRIMITIVES.items()):
        flat = maps[channel, : len(spec.rotations)]
        order = np.argsort(-flat, axis=None, kind="stable")
        for index in [*order[:count], order[-1]]:
            rotation, row, column = np.unravel_index(index, flat.shape)
            actions.append(Action(name, (int(row), int(column)), int(rotation)))
    return actions


def _same(world: World, one: Outcome, other: Outcome, message: str) -> None:
    _close("success and cost", [one.success, one.cost], [other.success, other.cost], message)
    _same_node(world, one.node, other.node, message)


def _same_node(world: World, one: Node, other: Node, message: str) -> None:
    _close("maps", world.maps([one]), world.maps([other]), message)
    _close("progress", one.progress, other.progress, message)
    _close("predicates", list(one.predicates.values()), list(other.predicates.values()), message)
    _demand(world.key(one) == world.key(other), f"{message} (keys; round network outputs coarsely)")


def _close(what: str, one: Any, other: Any, message: str) -> None:
    values = "" if what == "maps" else f" {one} and {other}"
    _demand(bool(np.allclose(one, other, atol=TOLERANCE)), f"{message} ({what}{values})")


def _demand(true: bool, message: str) -> None:
    if not true:
        raise ContractError(message)

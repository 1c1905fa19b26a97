"""check_world finds each way of breaking the contract and names its cause."""

from dataclasses import replace

import numpy as np
import pytest

from hiermap.worlds.base import Node
from hiermap.worlds.check import ContractError, check_world
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyWorld

INSTANCE = TOY_INSTANCES["put_in_drawer"]


class Broken(ToyWorld):
    """A toy world with one flaw."""

    def __init__(self, flaw):
        super().__init__(INSTANCE.kitchen)
        self.flaw, self.calls = flaw, 0

    def _node(self, state, goal):
        node = super()._node(state, goal)
        progress = 1.5 if self.flaw == "progress" else node.progress
        predicates = {"open(sesame)": 1.0} if self.flaw == "predicates" else node.predicates
        return Node(node.state, progress, predicates)

    def maps(self, nodes):
        maps = super().maps(nodes)
        self.calls += 1
        edit = {
            "shape": lambda m: m[..., 1:],
            "range": lambda m: m * 3 - 1,
            "nan": lambda m: m * np.nan,
            "bins": lambda m: np.where(np.arange(4)[None, None, :, None, None] == 3, np.float32(0.5), m),
            "drift": lambda m: np.clip(m + np.float32(0.01) * self.calls, 0, 1) * (m > 0),
            "int": lambda m: m.astype(int),
            "shared": lambda m: np.broadcast_to(m[:1], m.shape),
        }.get(self.flaw)
        return maps if edit is None else edit(maps)

    def root(self, view, goal, first=None, remembered=None):
        self.calls += 1
        node = super().root(view, goal, first, remembered)
        if self.flaw == "remembered" and remembered is not None and self.calls % 2:
            return replace(node, progress=0.1)
        return replace(node, progress=0.1) if self.flaw == "first" and first is not None else node

    def point(self, node, cell):
        return (0.0, np.nan, 0.0) if self.flaw == "point" else super().point(node, cell)

    def expand(self, nodes, actions, goal):
        found = super().expand(nodes, actions, goal)
        if self.flaw == "order":
            return [outcomes[::-1] for outcomes in found]
        if self.flaw == "missing":
            return [outcomes[:-1] for outcomes in found]
        if self.flaw == "nodes":
            return found[::-1]
        if self.flaw == "impure":
            goal.targets["mug"].mask[0, 0] ^= True
        change = {"success": {"success": 1.5}, "cost": {"cost": 0.0}, "same_as": {"same_as": 99}}.get(self.flaw, {})
        return [[replace(outcome, **change) for outcome in outcomes] for outcomes in found]

    def key(self, node):
        return {"keys": object(), "unhashable": np.zeros(3)}.get(self.flaw, node.state)


FLAWS = {
    "shape": "expected \\[N, P, R, H, W\\]",
    "range": "logits",
    "nan": "NaN",
    "bins": "orientation bins",
    "int": "float numpy array",
    "drift": "seed every generator",
    "progress": "missing primitives",
    "order": "out of order|seed",
    "missing": "one per action",
    "impure": "imagine on a copy",
    "success": "probability",
    "cost": "seconds above 0",
    "nodes": "one list of outcomes per node",
    "shared": "one map per node",
    "same_as": "earlier action",
    "predicates": "predicates name",
    "remembered": "remembered node",
    "first": "whose first view it is",
    "point": "point is",
    "keys": "key differs",
    "unhashable": "not hashable",
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_every_flaw_is_found_and_its_cause_named(flaw):
    with pytest.raises(ContractError, match=FLAWS[flaw]):
        check_world(Broken(flaw), INSTANCE.view, INSTANCE.goal)


def test_a_world_without_flaw_passes():
    check_world(Broken(None), INSTANCE.view, INSTANCE.goal)


def test_a_missing_method_is_named():
    with pytest.raises(ContractError, match="no `frame`"):
        check_world(object(), INSTANCE.view, INSTANCE.goal)

"""check_world finds each way of breaking the contract and names its cause."""

from dataclasses import replace

import numpy as np
import pytest

from hiermap.worlds.base import Node, Outcome
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
        self.calls += 1
        edit = {
            "shape": lambda m: m[:, :, 1:],
            "range": lambda m: m * 3 - 1,
            "nan": lambda m: m * np.nan,
            "bins": lambda m: np.where(np.arange(4)[None, :, None, None] == 3, np.float32(0.5), m),
            "drift": lambda m: np.clip(m + np.float32(0.01) * self.calls, 0, 1) * (m > 0),
            "int": lambda m: m.astype(int),
        }.get(self.flaw)
        progress = 1.5 if self.flaw == "progress" else node.progress
        return Node(node.state, node.maps if edit is None else edit(node.maps), progress)

    def expand(self, node, actions, goal):
        outcomes = super().expand(node, actions, goal)
        if self.flaw == "order":
            return outcomes[::-1]
        if self.flaw == "missing":
            return outcomes[:-1]
        if self.flaw == "impure":
            goal.targets["mug"].mask[0, 0] ^= True
        if self.flaw == "success":
            return [replace(o, success=o.success + 1) for o in outcomes]
        if self.flaw == "cost":
            return [replace(o, cost=0.0) for o in outcomes]
        return outcomes

    def expand_batch(self, nodes, actions, goal):
        if self.flaw == "batch":
            return [[Outcome(n, 0.5, 1.0) for _ in some] for n, some in zip(nodes, actions, strict=True)]
        return super().expand_batch(nodes, actions, goal)

    def key(self, node):
        return {"keys": object(), "unhashable": np.zeros(3)}.get(self.flaw, node.state)


FLAWS = {
    "shape": "expected \\[P, R, H, W\\]",
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
    "batch": "expand_batch and expand differ",
    "keys": "key differs",
    "unhashable": "not hashable",
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_every_flaw_is_found_and_its_cause_named(flaw):
    with pytest.raises(ContractError, match=FLAWS[flaw]):
        check_world(Broken(flaw), INSTANCE.observation, INSTANCE.goal)


def test_a_world_without_flaw_passes():
    check_world(Broken(None), INSTANCE.observation, INSTANCE.goal)


def test_a_missing_method_is_named():
    with pytest.raises(ContractError, match="no `frame`"):
        check_world(object(), INSTANCE.observation, INSTANCE.goal)

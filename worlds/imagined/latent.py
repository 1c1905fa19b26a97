"""The learned world: imagines latents, and reads maps, predicates and steps-to-go from them."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action, Node, Outcome
from hiermap.worlds.errors import ConfigError, InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import Goal
from hiermap.worlds.imagined.belief_options import BeliefOptions
from hiermap.worlds.imagined.beliefs import Beliefs, Judged
from hiermap.worlds.imagined.looks import actions_in, looked_at, mean_map
from hiermap.worlds.imagined.model import Model
from hiermap.worlds.imagined.question import Question, check_sense, together
from hiermap.worlds.imagined.tracks import Tracks
from hiermap.worlds.perception.fusion import DEPTH_SCALE_M, FRAME, MEAN_DEPTH_M, SpatialView
from hiermap.worlds.sense import check_seen

CHUNK = 8
"""Latents imagined per pass: more no longer fit the processor's cache."""
STRANGE, STEEP = 2.0, 8
"""A place whose depth is decoded so many times as badly as the worst usual ones is half familiar; one like those 1 - 1 / 257."""
_NAMES = tuple(PRIMITIVES)

Past = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, eq=False)
class LatentState:
    """What a node of the learned world knows.

    Attributes:
        looks: `[L, D, h, w]`, latents of what several looks see or imagine; the first is that of the view as it is.
        question: what is asked of it.
        odds: `[Q]` log-odds of the goal's predicates.
        believed: which of them are taken to hold.
        tracks: where the question's things were last put.
        past: the actions imagined since the root, sorted and coarse: reordered plans meet in one node.
        view: what is seen, for the root; None for imagined nodes.
        reading: what the latent shows of the question's things; None where many were imagined at once, to save memory.
    """

    looks: Tensor
    question: Question
    odds: np.ndarray
    believed: tuple[bool, ...]
    tracks: Tracks
    past: Past = ()
    view: SpatialView | None = None
    reading: Any = None

    @property
    def latent(self) -> Tensor:
        """`[D, h, w]` of the first look."""
        return self.looks[0]


class LatentWorld:
    """The World a trained model imagines; sees calibrated RGB-D and the hand's own state, nothing privileged.

    A view is encoded once and a node's maps are decoded once, when first asked for, for as long as the view or the node is kept.

    Args:
        model: trained, in evaluation mode.
        frame: the spatial frame it was trained in.
        options: what counts as believed and as the same.
    """

    def __init__(self, model: Model, frame: SpatialFrame = FRAME, options: BeliefOptions | None = None) -> None:
        if (model.config.rows, model.config.columns) != frame.shape:
            got, expected = f"{model.config.rows} x {model.config.columns}", f"{frame.rows} x {frame.columns}"
            raise InvalidObservationError(f"the model was trained on {got} cells, the frame has {expected}; use its own frame")
        self.model, self.frame, self.options = model, frame, options or BeliefOptions()
        self.beliefs = Beliefs(model, self.options)
        self.device = next(iter(model.parameters())).device
        self._encoded: WeakKeyDictionary[SpatialView, Tensor] = WeakKeyDictionary()
        self._decoded: WeakKeyDictionary[Node, np.ndarray] = WeakKeyDictionary()
        self._odds: WeakKeyDictionary[Node, dict[Action, np.ndarray]] = WeakKeyDictionary()

    def root(self, view: SpatialView, goal: Goal, first: SpatialView | None = None, remembered: Node | None = None) -> Node:
        """The node of what is seen now; a remembered node lends its memory of what cannot be seen.

        Raises:
            InvalidGoalError: a target shows nothing, or does not look like what the goal says of it.
        """
        check_seen(goal, view if first is None else first)
        with torch.inference_mode():
            seen = self._encode(view)
            looks = seen if remembered is None else self.model.with_memory(seen, self.model.memory_of(remembered.state.looks))
            latent = looks[:1]
            masks = [np.asarray(target.mask, bool) for target in goal.targets.values()]
            asked = torch.from_numpy(np.stack(masks or [np.zeros(self.frame.shape, bool)])).to(self.device)
            things = self.model.things(self._encode(view if first is None else first)[:1], asked[None])
            question = Question.of(goal, things, self.device)
            if self.model.sense is not None:
                check_sense(question, list(goal.targets), self.model.makes_sense(things)[0], self.options.sense)
            tracks = self._tracks(goal, view if first is None else first) if remembered is None else remembered.state.tracks
            tracks = tracks if view.holding else tracks.empty_handed()
            reading = self.model.read(latent, things)
            prior = None if remembered is None else remembered.state.odds[None]
            alone = None if remembered is None else self.model.answers(self.model.read(seen[:1], things), question.pairs)
            answers = self.model.answers(reading, question.pairs)
            judged = self.beliefs.judged(question, latent, reading.token, answers, prior, [tracks], seen=True, alone=alone)
        return _node(looks, question, judged[0], tracks, view=view, reading=reading)

    def maps(self, nodes: Sequence[Node]) -> np.ndarray:
        """`[N, P, R, H, W]` success probability in [0, 1]."""
        found = [self._map(node) for node in nodes]
        return np.stack(found) if len(found) > 1 else found[0][None]

    def _map(self, node: Node) -> np.ndarray:
        if node not in self._decoded:
            with torch.inference_mode():
                self._decoded[node] = mean_map(self.model.decode(node.state.looks)).float().cpu().numpy()
        return self._decoded[node]

    def expand(self, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
        """Per action its success, the node's map at the action's cell, and the imagined effect; all nodes in few passes."""
        pairs = [(node, action) for node, some in zip(nodes, actions, strict=True) for action in some]
        found: list[Outcome] = []
        chunk = max(1, CHUNK // self.model.config.looks)
        with torch.inference_mode():
            for start in range(0, len(pairs), chunk):
                found += self._imagine(pairs[start : start + chunk])
        outcomes = iter(found)
        together = [[next(outcomes) for _ in some] for some in actions]
        same = [self.twins(node, [outcome.node for outcome in some]) for node, some in zip(nodes, together, strict=True)]
        return [[replace(o, same_as=k) for o, k in zip(*each, strict=True)] for each in zip(together, same, strict=True)]

    @property
    def foresees(self) -> bool:
        return self.model.promise is not None

    def promises(self, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
        """As `expand`, with nodes of which only progress and predicates are guessed."""
        return [self._promised(node, some) if some else [] for node, some in zip(nodes, actions, strict=True)]

    def policy(self, node: Node, goal: Goal) -> dict[Action, float]:
        """Of every primitive and orientation the action that a trained policy would take, with its chance; ConfigError without one."""
        if self.model.policy is None:
            raise ConfigError("these weights were trained without a policy; train some with model.policy=true losses.policy=1")
        state: LatentState = node.state
        with torch.inference_mode():
            latent, question = state.latent[None], state.question
            reading = self._reading(state)
            holds = torch.from_numpy(expit(state.odds)).to(latent)[None]
            chances, cells = self.model.acts(latent, reading.token, self.model.answers(reading, question.pairs), question.goal, holds)
        chosen, places = chances[0].cpu(), cells[0].tolist()
        return {Action(_NAMES[p], tuple(places[p][r]), r): float(chosen[p, r]) for p, r in chosen.nonzero().tolist()}

    def foretold(self, node: Node, action: Action, goal: Goal) -> Node:
        """A promised node with the latent of the present: only beliefs and tracks are those after the action."""
        promised = self.promises([node], [[action]], goal)[0][0].node
        tracks = self._tracks_after(node.state, action)
        return replace(promised, state=replace(node.state, odds=self._odds[node][action], tracks=tracks))

    def tracked(self, imagined: Node, before: Node, action: Action) -> Node:
        """Colours tell what was really taken, and the hand went to the cell that was seen, not to the imagined one."""
        tracks = self._tracks_after(before.state, action)
        odds = self.beliefs.unbrought(imagined.state.question, imagined.state.odds, before.state.odds, [tracks])[0]
        return replace(imagined, state=replace(imagined.state, tracks=tracks, odds=odds))

    def twins(self, parent: Node, children: Sequence[Node]) -> list[int | None]:
        """Siblings that change the same thing are one state: a drawer is pushed shut left or right of its bar."""
        if len(children) < 2:
            return [None] * len(children)
        same = _same([child.state.latent - parent.state.latent for child in children], self.options.same_change)
        return [next((i for i in range(k) if same[k, i]), None) for k in range(len(children))]

    def undoes(self, before: Node, between: Node, after: Node) -> bool:
        """Changes of different things are at right angles, one that undoes another goes against it."""
        first, second = ((b.state.latent - a.state.latent).flatten() for a, b in ((before, between), (between, after)))
        return bool(torch.cosine_similarity(first, second, dim=0) < -self.options.undone)

    def key(self, node: Node) -> Hashable:
        """The coarse multiset of actions since the root and which goal predicates are believed."""
        return node.state.past, node.state.believed

    def point(self, node: Node, cell: tuple[int, int]) -> tuple[float, float, float] | None:
        """World point of the surface at `cell` [m], imagined where the node is; None where nothing is seen."""
        state: LatentState = node.state
        if state.view is not None:
            try:
                point = state.view.point(cell)
            except InvalidObservationError:
                return None
        else:
            point = self.frame.cell_to_point(np.array(cell), self.depth(node)[cell])
        return float(point[0]), float(point[1]), float(point[2])

    def depth(self, node: Node) -> np.ndarray:
        """`[H, W]` [m], decoded from the latent, of what is seen too."""
        with torch.inference_mode():
            return self.model.decode_depth(node.state.latent[None])[0].cpu().numpy() * DEPTH_SCALE_M + MEAN_DEPTH_M

    def familiarity(self, node: Node) -> float | None:
        """By how well the depth that a root sees is decoded from its own latent; None for a model of which nobody knows what is usual."""
        view, usual = node.state.view, self.model.usual_depth_error_m
        if view is None or usual is None:
            return None
        with torch.inference_mode():
            error = self.model.depth_error(node.state.latent[None], self._channels(view))
        return 1.0 / (1.0 + min(DEPTH_SCALE_M * float(error) / (STRANGE * usual), 1e6) ** STEEP)

    def _tracks(self, goal: Goal, first: SpatialView) -> Tracks:
        """Of what a hand can carry, as the first view shows it; a front is moved, but never taken away."""
        nowhere = np.zeros(self.frame.shape, bool)
        masks = [np.asarray(target.mask, bool) if name in goal.carried else nowhere for name, target in goal.targets.items()]
        return Tracks.of(masks, first.rgb)

    def _tracks_after(self, state: LatentState, action: Action) -> Tracks:
        """What is known of the goal's things once an action had its effect."""
        return state.tracks.after(action, self.frame.cell_size, None if state.view is None else state.view.rgb)

    def _encode(self, view: SpatialView) -> Tensor:
        """`[L, D, h, w]` of all looks at a view, without memory."""
        if view not in self._encoded:
            self._encoded[view] = looked_at(self.model, self._channels(view))
        return self._encoded[view]

    def _channels(self, view: SpatialView) -> Tensor:
        """`[1, channels, H, W]` of a view."""
        return torch.from_numpy(view.channels())[None].to(self.device)

    def _imagine(self, pairs: Sequence[tuple[Node, Action]]) -> list[Outcome]:
        states: list[LatentState] = [node.state for node, _ in pairs]
        chosen = [action for _, action in pairs]
        now = torch.cat([state.looks.permute(0, 2, 3, 1) for state in states]).permute(0, 3, 1, 2)  # channels last
        count = len(states[0].looks)
        looks = self.model.imagine(now, *actions_in(count, *self._indices(chosen), self.frame.shape)).unflatten(0, (-1, count))
        latent = looks[:, 0]
        question = together([state.question for state in states])
        reading = self.model.read(latent, question.things)
        prior = np.stack([self._prior(node, action) for node, action in pairs])
        tracks = [self._tracks_after(state, action) for state, action in zip(states, chosen, strict=True)]
        judged = self.beliefs.judged(question, latent, reading.token, self.model.answers(reading, question.pairs), prior, tracks)
        kept = reading if len(pairs) == 1 else None
        outcomes = []
        for k, (node, action) in enumerate(pairs):
            row, column = (index // self.options.same_place for index in action.cell)
            past = tuple(sorted([*states[k].past, (action.primitive, action.rotation_index, row, column)]))
            # A clone, so that a kept child does not keep its whole chunk alive.
            child = _node(looks[k].clone(), states[k].question, judged[k], tracks[k], past, reading=kept)
            outcomes.append(self._outcome(node, action, child))
        return outcomes

    def _indices(self, actions: Sequence[Action]) -> tuple[Tensor, Tensor, Tensor]:
        """Primitive `[n]`, orientation `[n]` and cell `[n, 2]`."""
        index = torch.tensor([(_NAMES.index(a.primitive), a.rotation_index, *a.cell) for a in actions], device=self.device)
        return index[:, 0], index[:, 1], index[:, 2:]

    def _outcome(self, parent: Node, action: Action, child: Node) -> Outcome:
        success = float(self._map(parent)[(_NAMES.index(action.primitive), action.rotation_index, *action.cell)])
        return Outcome(child, success, PRIMITIVES[action.primitive].typical_seconds)

    def _promised(self, node: Node, actions: Sequence[Action]) -> list[Outcome]:
        """What actions promise; how they change the beliefs is kept for when they are imagined."""
        state: LatentState = node.state
        question = state.question
        with torch.inference_mode():
            latent = state.latent[None]
            reading = self._reading(state)
            promise = self.model.promises(latent, reading, *self._indices(actions), question.pairs)
            tracks = [self._tracks_after(state, action) for action in actions]
            prior = self.beliefs.after(question, state.odds, self.model.answers(reading, question.pairs), promise.answers, tracks)
            judged = self.beliefs.judged(question, latent, promise.token, promise.answers, prior, tracks, promised=True)
        self._odds.setdefault(node, {}).update(zip(actions, prior, strict=True))
        return [self._outcome(node, action, Node(None, it.progress, it.predicates)) for action, it in zip(actions, judged, strict=True)]

    def _reading(self, state: LatentState) -> Any:
        return self.model.read(state.latent[None], state.question.things) if state.reading is None else state.reading

    def _prior(self, node: Node, action: Action) -> np.ndarray:
        """The log-odds `[Q]` that an action leaves of what is believed in a node: none by a model that cannot tell."""
        if self.model.promise is None:
            return np.full_like(node.state.odds, -np.inf)
        if action not in self._odds.get(node, {}):
            self._promised(node, [action])
        return self._odds[node][action]


def _node(looks: Tensor, question: Question, judged: Judged, tracks: Tracks, past: Past = (), **more: Any) -> Node:
    return Node(LatentState(looks, question, judged.odds, judged.believed, tracks, past, **more), judged.progress, judged.predicates)


def _same(changes: Sequence[Tensor], limit: float) -> np.ndarray:
    """`[n, n]` bool: whether the squared distance of two changes, over the product of their sizes, is below `limit`."""
    flat = torch.stack(list(changes)).flatten(1)
    products = (flat @ flat.T).double()
    squares = products.diagonal()
    distance = squares[:, None] + squares[None] - 2 * products
    return (distance < limit * (squares[:, None] * squares[None]).sqrt()).cpu().numpy()

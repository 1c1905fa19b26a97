"""The learned world: imagines latents, and reads maps, predicates and steps-to-go from them."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import FIRST_VIEW, IMAGINED, Action, Node, Observation, Outcome
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import BINARY, UNARY, Goal
from hiermap.worlds.perception.fusion import DEPTH_SCALE_M, MEAN_DEPTH_M, SpatialView, fuse

CHUNK = 8
"""Children imagined per pass: more no longer fit the processor's cache."""
BELIEVED = 0.5
"""A predicate more likely than this counts as true."""
SAME_PLACE_CELLS = 6
"""Two uses of a primitive closer than about this are taken for the same when nodes are compared."""
SAME_CHANGE = 0.15
"""Two imagined changes this near to each other are one: squared distance over their sizes. Over 240 pairs of candidates in 10 kitchens it
was below 0.2 for every pair on one thing, and above 0.26 for every pair on two things or in two directions."""
_NAMES = tuple(PRIMITIVES)


class Model(Protocol):
    """What the world needs of a trained model (see `hiermap.model.world_model.HiermapModel`)."""

    config: Any

    def encode(self, view: Tensor, mirrored: Tensor | None = None, memory: Tensor | None = None) -> Tensor: ...
    def imagine(self, latent: Tensor, primitive: Tensor, rotation: Tensor, cell: Tensor) -> Tensor: ...
    def decode(self, latent: Tensor) -> Tensor: ...
    def decode_depth(self, latent: Tensor) -> Tensor: ...
    def beliefs(self, latent: Tensor, first: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]: ...
    def memory_of(self, latent: Tensor) -> Tensor: ...
    def parameters(self) -> Iterator[Tensor]: ...


@dataclass(frozen=True, eq=False)
class LatentState:
    """What a node of the learned world knows.

    Attributes:
        latent, first: `[D, h, w]`, of now and of the episode's first view, in which the goal's masks are given.
        truth: `[predicates]` probability that each goal predicate holds.
        steps: `[predicates]` expected primitives until it does, if it does not hold.
        view: what is seen, for the root; None for imagined nodes.
        past: the actions imagined since the root, sorted and coarse: reordered plans meet in one node.
        origin: tells nodes of one root from those of another.
    """

    latent: Tensor
    first: Tensor
    truth: np.ndarray
    steps: np.ndarray
    view: SpatialView | None
    past: tuple[tuple[str, int, int, int], ...]
    origin: int


class LatentNode(Node):
    """A node whose maps are decoded when first looked at: most imagined nodes are never expanded."""

    def __init__(self, state: LatentState, maps: Any, progress: float) -> None:
        object.__setattr__(self, "state", state)
        object.__setattr__(self, "progress", progress)
        object.__setattr__(self, "_maps", maps)

    @property
    def maps(self) -> np.ndarray:  # type: ignore[override]
        """`[P, R, H, W]` success probability in [0, 1]."""
        if callable(self._maps):  # type: ignore[attr-defined]
            object.__setattr__(self, "_maps", self._maps())  # type: ignore[attr-defined]
        return self._maps  # type: ignore[attr-defined]


class LatentWorld:
    """The World a trained model imagines; sees calibrated RGB-D and the hand's own state, nothing privileged.

    Args:
        model: trained, in evaluation mode; what it must offer is in `Model`.
        frame: the spatial frame it was trained in.
    """

    def __init__(self, model: Model, frame: SpatialFrame = SpatialFrame()) -> None:  # noqa: B008
        if (model.config.rows, model.config.columns) != frame.shape:
            got, expected = f"{model.config.rows} x {model.config.columns}", f"{frame.rows} x {frame.columns}"
            raise InvalidObservationError(f"the model was trained on {got} cells, the frame has {expected}; use its own frame")
        self.model, self.frame = model, frame
        self.device = next(iter(model.parameters())).device

    def root(self, observation: Observation, goal: Goal) -> Node:
        """The node of what is seen now; an imagined node in the extras lends its memory of what cannot be seen.

        Raises:
            InvalidObservationError: an image, calibration or target mask that cannot be used.
        """
        view = fuse(observation, self.frame)
        imagined = observation.extras.get(IMAGINED)
        held = imagined.state if isinstance(imagined, Node) and isinstance(imagined.state, LatentState) else None
        with torch.inference_mode():
            memory = self.model.memory_of(held.latent[None]) if held is not None else None
            latent = self.model.encode(self._channels(view), None, memory)
            first = held.first[None] if held is not None else self._first(observation, latent)
            truth, steps = self._beliefs(latent, first, goal)
        origin = hash(view.depth.tobytes() + view.rgb.tobytes())
        return self._node(LatentState(latent[0], first[0], truth[0], steps[0], view, (), origin))

    def expand(self, node: Node, actions: Sequence[Action], goal: Goal) -> list[Outcome]:
        """One outcome per action: its success is the node's map at the action's cell, its node the imagined effect."""
        return self.expand_batch([node], [actions], goal)[0]

    def expand_batch(self, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
        """`expand` for several nodes in few passes."""
        pairs = [(node, action) for node, some in zip(nodes, actions, strict=True) for action in some]
        found: list[Outcome] = []
        with torch.inference_mode():
            for start in range(0, len(pairs), CHUNK):
                found += self._imagine(pairs[start : start + CHUNK], goal)
        outcomes = iter(found)
        return [[next(outcomes) for _ in some] for some in actions]

    def twins(self, parent: Node, children: Sequence[Node]) -> list[int]:
        """Per child the first one that changes the same thing, be it itself: a drawer is pushed shut left or right of its bar."""
        changes = [child.state.latent - parent.state.latent for child in children]
        return [next(i for i in range(k + 1) if i == k or _same(changes[k], changes[i])) for k in range(len(changes))]

    def key(self, node: Node) -> Hashable:
        """The coarse multiset of actions since the root and which goal predicates are believed."""
        state: LatentState = node.state
        return state.origin, state.past, tuple((state.truth > BELIEVED).tolist())

    def predicates(self, node: Node, goal: Goal) -> dict[str, float]:
        """`str(predicate)` -> believed probability in [0, 1]."""
        return {str(predicate): float(p) for predicate, p in zip(goal.predicates, node.state.truth, strict=True)}

    def point(self, node: Node, cell: tuple[int, int]) -> tuple[float, float, float] | None:
        """World point of the surface at `cell` [m], imagined where the node is; None where nothing is seen."""
        state: LatentState = node.state
        if state.view is not None:
            try:
                point = state.view.point(cell)
            except InvalidObservationError:
                return None
        else:
            with torch.inference_mode():
                depth = self.model.decode_depth(state.latent[None])[0, cell[0], cell[1]]
            point = self.frame.cell_to_point(np.array(cell), np.array(float(depth) * DEPTH_SCALE_M + MEAN_DEPTH_M))
        return float(point[0]), float(point[1]), float(point[2])

    def _channels(self, view: SpatialView) -> Tensor:
        return torch.from_numpy(view.channels())[None].to(self.device)

    def _first(self, observation: Observation, latent: Tensor) -> Tensor:
        first = observation.extras.get(FIRST_VIEW)
        return self.model.encode(self._channels(fuse(first, self.frame))) if isinstance(first, Observation) else latent

    def _imagine(self, pairs: Sequence[tuple[Node, Action]], goal: Goal) -> list[Outcome]:
        states: list[LatentState] = [node.state for node, _ in pairs]
        chosen = [action for _, action in pairs]
        now = torch.stack([state.latent for state in states])
        index = torch.tensor([(_NAMES.index(a.primitive), a.rotation_index, *a.cell) for a in chosen], device=self.device)
        latent = self.model.imagine(now, index[:, 0], index[:, 1], index[:, 2:])
        truth, steps = self._beliefs(latent, torch.stack([state.first for state in states]), goal)
        outcomes = []
        for k, (node, action) in enumerate(pairs):
            # A clone, so that a kept child does not keep its whole chunk alive.
            past = tuple(sorted([*states[k].past, _coarse(action)]))
            state = LatentState(latent[k].clone(), states[k].first, truth[k], steps[k], None, past, states[k].origin)
            success = float(node.maps[(_NAMES.index(action.primitive), action.rotation_index, *action.cell)])
            outcomes.append(Outcome(self._node(state), success, PRIMITIVES[action.primitive].typical_seconds))
        return outcomes

    def _beliefs(self, latent: Tensor, first: Tensor, goal: Goal) -> tuple[np.ndarray, np.ndarray]:
        """Truth and steps-to-go `[B, predicates]` of the goal's predicates."""
        if not goal.predicates:
            return np.ones((len(latent), 0)), np.zeros((len(latent), 0))
        names = list(goal.targets)
        masks = torch.from_numpy(np.stack([self._checked(name, goal.targets) for name in names])).to(self.device)
        unary, binary, unary_steps, binary_steps = self.model.beliefs(latent, first, masks.expand(len(latent), -1, -1, -1))
        truth, steps = [], []
        for predicate in goal.predicates:
            things = [names.index(argument) for argument in predicate.arguments]
            kind, answers = (UNARY, (unary, unary_steps)) if len(things) == 1 else (BINARY, (binary, binary_steps))
            at: tuple[Any, ...] = (slice(None), *things, kind.index(predicate.kind))
            truth.append(answers[0][at])
            steps.append(answers[1][at])
        return torch.stack(truth, dim=1).double().cpu().numpy(), torch.stack(steps, dim=1).double().cpu().numpy()

    def _checked(self, name: str, targets: Mapping[str, Any]) -> np.ndarray:
        mask = np.asarray(targets[name].mask)
        if mask.shape != self.frame.shape or not mask.any():
            expected = f"{self.frame.rows} x {self.frame.columns} cells"
            raise InvalidObservationError(
                f"the mask of {name!r} has shape {mask.shape} and {mask.sum()} cells; expected some of {expected}"
            )
        return mask.astype(bool)

    def _node(self, state: LatentState) -> LatentNode:
        missing = np.where(state.truth > BELIEVED, 0.0, np.maximum(state.steps, 1.0)).sum()

        def maps() -> np.ndarray:
            with torch.inference_mode():
                return self.model.decode(state.latent[None])[0].float().cpu().numpy()

        return LatentNode(state, maps, float(1.0 / (1.0 + missing)))


def _same(one: Tensor, other: Tensor) -> bool:
    return float((one - other).square().sum()) < SAME_CHANGE * float(one.norm() * other.norm())


def _coarse(action: Action) -> tuple[str, int, int, int]:
    row, column = action.cell
    return action.primitive, action.rotation_index, row // SAME_PLACE_CELLS, column // SAME_PLACE_CELLS

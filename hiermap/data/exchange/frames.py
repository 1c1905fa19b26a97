"""A walk as frames one after another, as imitation learners read them, and back.

A walk may begin again from an earlier view, so it is cut into runs in which every action starts where the one before it led; an action
that changed nothing leads to the same view. `F` counts the frames of a walk.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hiermap.data.episodes import SHAPES, Episode
from hiermap.data.exchange.layout import (
    ACTION,
    DEPTH,
    DISPLACEMENT,
    DURATION,
    EFFECT,
    HOLDING,
    IMAGE,
    NOTHING,
    REASON,
    SUBTASK,
    SUCCEEDED,
    TRANSITION,
    VIEW,
)

Columns = Mapping[str, np.ndarray]
Run = list[tuple[int, int]]
"""View and transition of every frame."""
_SAME = {EFFECT: "effect", SUCCEEDED: "succeeded", REASON: "reason", DURATION: "duration", DISPLACEMENT: "displacement"}
"""Column -> the array of an episode that it is."""
_PARTS: Mapping[str, Any] = {"rotation": 1, "cell": slice(2, 4), "point_world": slice(4, 7), "normal_world": slice(7, 10)}
"""Array of an episode -> where in an action it is told."""
IN_FRAMES = frozenset(("rgb", "depth_mm", "holding", "before", "after", "primitive", *_SAME.values(), *_PARTS))
"""Arrays of an episode that its frames tell."""


def runs(episode: Episode) -> list[Run]:
    """The unbroken runs of a walk: every transition once, in order; each run ends with a frame in which nothing is done."""
    found: list[Run] = []
    for transition, (before, after) in enumerate(zip(episode.before.tolist(), episode.after.tolist(), strict=True)):
        if found and found[-1][-1][0] == before:
            found[-1].pop()
        else:
            found.append([])
        found[-1] += [(before, transition), (after, NOTHING)]
    seen = {view for run in found for view, _ in run}
    return [*found, *([(view, NOTHING)] for view in range(len(episode.rgb)) if view not in seen)]


def columns(episode: Episode, run: Run, subtasks: Sequence[str]) -> dict[str, np.ndarray]:
    """What the frames of a run hold of their episode, `[F, ...]`; `subtasks` names the primitives, and what is done where nothing is."""
    view, transition = np.array(run).T
    number = np.array([subtasks.index(name) for name in episode.legend.primitives], np.int64)[_done(episode.primitive, transition)]
    number[transition == NOTHING] = len(subtasks) - 1
    action = np.zeros((len(run), 10), np.float32)
    action[:, 0] = number
    for name, place in _PARTS.items():
        action[:, place] = _done(getattr(episode, name), transition)
    return {
        VIEW: view,
        TRANSITION: transition,
        IMAGE: episode.rgb[view],
        DEPTH: episode.depth_mm[view],
        HOLDING: episode.holding[view].astype(np.float32),
        ACTION: action,
        SUBTASK: number,
        **{name: _done(getattr(episode, array), transition) for name, array in _SAME.items()},
    }


def arrays(frames: Columns, views: int, primitives: Sequence[str], subtasks: Sequence[str]) -> dict[str, Any]:
    """Inverse of `columns` over all runs of a walk of so many views; ValueError if they are not the frames of one."""
    acting = np.flatnonzero(frames[TRANSITION] != NOTHING)
    order = acting[np.argsort(frames[TRANSITION][acting])]
    _, first = np.unique(frames[VIEW], return_index=True)
    for column, found_at, count in ((TRANSITION, order, len(order)), (VIEW, first, views)):
        if not np.array_equal(frames[column][found_at], np.arange(count)):
            raise ValueError(f"its frames do not tell every {column} once")
    found = {name: frames[column][order] for column, name in _SAME.items()}
    found |= {name: frames[ACTION][order, place] for name, place in _PARTS.items()}
    found |= {"rgb": frames[IMAGE][first], "depth_mm": frames[DEPTH][first], "holding": frames[HOLDING][first]}
    found |= {"before": frames[VIEW][order], "after": frames[VIEW][order + 1]}
    found["primitive"] = [primitives.index(subtasks[number]) for number in frames[SUBTASK][order]]
    return {name: np.array(value, SHAPES[name][0]) for name, value in found.items()}


def _done(values: np.ndarray, transition: np.ndarray) -> np.ndarray:
    """What is told of the transition of every frame, zero or nothing where there is none."""
    return np.concatenate([values, np.zeros_like(values, shape=(1, *values.shape[1:]))])[transition]

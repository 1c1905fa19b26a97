"""A goal as arrays of fixed shape, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import PREDICATES, Goal, Predicate, Target, in_words

MOST_PREDICATES, MOST_TARGETS, MOST_CHARACTERS = 12, 16, 1024
"""Room in an observation: chains of ten primitives ask for at most ten predicates of fourteen things."""
CHARACTERS = "".join(map(chr, range(32, 127)))
KINDS = tuple(PREDICATES)


def goal_space(frame: SpatialFrame) -> dict[str, Space[Any]]:
    """Of what `encoded` gives."""
    most = max(len(KINDS), MOST_TARGETS)
    return {
        "goal_predicates": spaces.Box(0, most, (MOST_PREDICATES, 3), np.int8),
        "goal_masks": spaces.Box(0, 1, (MOST_TARGETS, *frame.shape), np.int8),
        "goal_words": spaces.Text(MOST_CHARACTERS, charset=CHARACTERS),
    }


def encoded(predicates: Sequence[Predicate], masks: Mapping[str, np.ndarray], frame: SpatialFrame) -> dict[str, Any]:
    """A goal as it is observed, the masks `[H, W]` bool being those of its targets in the first view, and in its frame.

    "goal_predicates" `[MOST_PREDICATES, 3]` int8, a row (kind, subject, place) each: `PREDICATES` and targets count from 1, 0 is none;
    "goal_masks" `[MOST_TARGETS, H, W]` int8, the mask of target i in row i - 1; both are followed by rows of zeros. "goal_words" is text.

    Raises:
        ConfigError: the goal is larger than that.
    """
    names, words = list(masks), in_words(predicates)
    fits = len(predicates) <= MOST_PREDICATES and len(names) <= MOST_TARGETS
    if not (fits and len(words) <= MOST_CHARACTERS and set(words) <= set(CHARACTERS)):
        raise ConfigError(
            f"a goal of {len(predicates)} predicates and {len(names)} things does not fit into an observation, expected at most "
            f"{MOST_PREDICATES} and {MOST_TARGETS}, in {MOST_CHARACTERS} ASCII characters: {words[:60]}...; ask for less"
        )
    rows = np.zeros((MOST_PREDICATES, 3), np.int8)
    for row, predicate in zip(rows, predicates, strict=False):
        row[: 1 + len(predicate.arguments)] = KINDS.index(predicate.kind) + 1, *(names.index(a) + 1 for a in predicate.arguments)
    layers = np.zeros((MOST_TARGETS, *frame.shape), np.int8)
    for layer, mask in zip(layers, masks.values(), strict=False):
        layer[...] = mask
    return {"goal_predicates": rows, "goal_masks": layers, "goal_words": words}


def goal_of(observation: Mapping[str, Any]) -> Goal:
    """The goal of an observation, its targets called thing_1, thing_2, ..."""
    masks = np.asarray(observation["goal_masks"], bool)
    rows = [row[row > 0] for row in np.asarray(observation["goal_predicates"]) if row[0] > 0]
    predicates = tuple(Predicate(KINDS[kind - 1], tuple(f"thing_{number}" for number in things)) for kind, *things in rows)
    names = dict.fromkeys(name for predicate in predicates for name in predicate.arguments)
    return Goal(predicates, {name: Target(name, masks[int(name.removeprefix("thing_")) - 1]) for name in names})

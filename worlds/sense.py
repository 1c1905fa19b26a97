"""Whether a goal makes sense, before anybody looks for a plan: what it says of its things, and what its masks show."""

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from hiermap.worlds.errors import InvalidGoalError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import PREDICATES, Goal, Predicate

if TYPE_CHECKING:
    from hiermap.worlds.perception.fusion import SpatialView

ONE_THING = 0.8
"""Share of the smaller of two masks that, within the larger one, tells one thing twice; masks of two things that are each a cell too large
share 0.74 of it at most (1,281 pairs in 420 kitchens)."""


def check_masks(goal: Goal, frame: SpatialFrame) -> None:
    """Raise InvalidGoalError unless every target has at least one cell and all masks fit the frame."""
    for name, target in goal.targets.items():
        mask = np.asarray(target.mask)
        if mask.shape != frame.shape:
            expected = f"{frame.rows} x {frame.columns}"
            raise InvalidGoalError(
                f"the mask of target {name!r} has shape {mask.shape}, expected the {expected} cells of the spatial frame; "
                "project it with SpatialFrame.point_to_cell"
            )
        if mask.dtype != bool:
            raise InvalidGoalError(f"the mask of target {name!r} is {mask.dtype}, expected bool; threshold it first")
        if not mask.any():
            raise InvalidGoalError(f"the mask of target {name!r} is empty, expected at least one cell; was it hidden at first?")


def check_goal(goal: Goal) -> None:
    """Raise InvalidGoalError if the predicates contradict each other whatever the things are, or two names tell one thing."""
    _check_self(goal.predicates)
    for one, other in combinations(dict.fromkeys(goal.predicates), 2):
        why = _clash(one, other)
        if why:
            raise InvalidGoalError(f"{one} and {other} cannot hold together: {why}; ask for one of them")
    for first, second in combinations(goal.targets.values(), 2):
        shared, smaller = np.count_nonzero(first.mask & second.mask), min(map(np.count_nonzero, (first.mask, second.mask)))
        if shared > ONE_THING * smaller:
            raise InvalidGoalError(
                f"the masks of {first.name!r} and {second.name!r} cover the same cells, expected two things; give it one name"
            )


def check_seen(goal: Goal, first: "SpatialView") -> None:
    """Raise InvalidGoalError for a target of whose cells none is seen in the first view."""
    for name, target in goal.targets.items():
        if not (target.mask & first.valid).any():
            raise InvalidGoalError(f"the mask of target {name!r} covers nothing that is seen, expected cells with depth in the first view")


def check_known(predicates: Sequence[Predicate], vocabulary: Collection[tuple[str, ...]]) -> None:
    """Raise InvalidGoalError for a predicate that is none of a world's own, each `(kind, *arguments)`."""
    for predicate in predicates:
        if (predicate.kind, *predicate.arguments) in vocabulary:
            continue
        things = {name for _, *names in vocabulary for name in names}
        unknown = [name for name in predicate.arguments if name not in things]
        if unknown:
            raise InvalidGoalError(f"{predicate} speaks of {unknown[0]!r}; known things: {', '.join(sorted(things))}")
        thing = predicate.arguments[0]
        other = sorted({str(Predicate(kind, tuple(names))) for kind, *names in vocabulary if thing == names[0]})
        raise InvalidGoalError(f"{predicate} makes no sense here; what can be asked of {thing!r}: {', '.join(other) or 'nothing'}")


def _check_self(predicates: Sequence[Predicate]) -> None:
    """Raise InvalidGoalError where something would be in or on itself, at once or through other things."""
    places = {p.arguments[0]: p.arguments[1] for p in predicates if PREDICATES[p.kind].whereabouts and len(p.arguments) > 1}
    for thing in places:
        here, passed = places[thing], {thing}
        while here not in passed and here in places:
            passed.add(here)
            here = places[here]
        if here in passed:
            raise InvalidGoalError(f"the goal puts {here!r} into or onto itself, which nothing can be; name another place")


def _clash(one: Predicate, other: Predicate) -> str:
    """Why two different predicates cannot both hold; "" if they can."""
    a, b = PREDICATES[one.kind], PREDICATES[other.kind]
    same = one.arguments[0] == other.arguments[0]
    if same and (a.least > b.most or b.least > a.most):
        return "nothing is both at once"
    if a.whereabouts and b.whereabouts:
        if same:
            return "everything is in one place at a time"
        if a.arity == b.arity == 1:
            return "there is one hand"
    return ""

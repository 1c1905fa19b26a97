"""When imagined things count as true or as the same; apart from the learned world, so that nothing heavy is loaded for it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BeliefOptions:
    """When imagined things count as true or as the same.

    Attributes:
        believed: a predicate more likely than this counts as true.
        kept: by how much, in log-odds, what is read may be raised by what was believed before: weak evidence against a belief (a thing
            is out of sight) does not end it, strong evidence (it stands elsewhere) does; 0 forgets at once.
        changed: an action that is promised to change the log-odds of a predicate by more than this changes what was believed as much.
        same_place: two uses of a primitive within about this many cells are taken for one when nodes are compared.
        same_change: two imagined changes this near to each other are one: squared distance over their sizes. Over 240 pairs of candidates
            in 10 kitchens it was below 0.2 for every pair on one thing, and above 0.26 for every pair on two things or in two directions.
    """

    believed: float = 0.5
    kept: float = 6.0
    changed: float = 4.0
    same_place: int = 6
    same_change: float = 0.15

"""When imagined things count as true or as the same; apart from the learned world, so that nothing heavy is loaded for it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BeliefOptions:
    """When imagined things count as true or as the same.

    Attributes:
        believed: a predicate of a thing and a place more likely than this counts as true.
        sure: and one of a thing alone, which is seen at its place and either clear or doubtful: of 381 that were false in 60 first views
            none was above 0.14, of 37 that were true none below 0.99, but knobs near another state lie between.
        kept: by how much, in log-odds, what is read may be raised by what was believed before: weak evidence against a belief (a thing
            is out of sight) does not end it, strong evidence (it stands elsewhere) does; 0 forgets at once.
        changed: an action that is promised to change the log-odds of a predicate by more than this changes what was believed as much.
        same_place: two uses of a primitive within about this many cells are taken for one when nodes are compared.
        same_change: two imagined changes this near to each other are one: squared distance over their sizes. Over 240 pairs of candidates
            in 10 kitchens it was below 0.2 for every pair on one thing, and above 0.26 for every pair on two things or in two directions.
    """

    believed: float = 0.5
    sure: float = 0.9
    kept: float = 8.0
    changed: float = 4.0
    same_place: int = 6
    same_change: float = 0.15

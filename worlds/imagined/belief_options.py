"""When imagined things count as true or as the same; apart from the learned world, so that nothing heavy is loaded for it."""

from dataclasses import dataclass
from typing import Annotated

from hiermap.worlds.records import Amount, Share, check_fields, one_of

COSTS_TO_GO = ("goal", "predicates", "unmet")
"""What may say how far a goal is, the most that is learned first."""


@dataclass(frozen=True)
class BeliefOptions:
    """When imagined things count as true or as the same.

    Attributes:
        believed: a predicate of something that a hand can carry counts as true if it is more likely than this.
        sure: and one of a fixture, which is seen at its place and either clear or doubtful: of 381 that were false in 60 first views
            none was above 0.14, of 37 that were true none below 0.99, but knobs near another state lie between.
        kept: by how much, in log-odds, what is read may be raised by what was believed before: weak evidence against a belief (a thing
            is out of sight) does not end it, strong evidence (it stands elsewhere) does; 0 forgets at once.
        in_sight: the same where something is really looked at that cannot be shut away, at most `kept`.
        fixtures: by how much, in log-odds, memory may raise what the view alone says of a fixture: one pushed nearly shut is imagined shut,
            and memory outvotes the gap in sight. On 260 transitions of 30 unseen kitchens 0.992 of what came true is believed with this
            bound, 0.996 without any, 0.969 by the view alone.
        changed: an action that is promised to change the log-odds of a predicate by more than this changes what was believed as much.
        sense: a goal is refused if what it says of a thing is less likely than this to make any sense of it, by its looks; 0 refuses none.
        tracked: whether what the robot's own actions did with the goal's things says which of them cannot have come to be somewhere.
        cost_to_go: what says how many primitives are still needed: goal (the learned distance to the whole goal, where the weights have
            one), predicates (the sum of the learned distances to single predicates) or unmet (nothing learned: one for each predicate
            that is not believed).
        same_place: two uses of a primitive within about this many cells are taken for one when nodes are compared.
        same_change: two imagined changes this near to each other are one: squared distance over their sizes. Over 240 pairs of candidates
            in 10 kitchens it was below 0.2 for every pair on one thing, and above 0.26 for every pair on two things or in two directions.
        undone: of two imagined changes in a row the second takes back the first if minus the cosine of the angle between them is above
            this. Of 566 pairs of moves in 16 kitchens it was 0.16 to 0.79 for drawers, doors and most levers to and fro, 0.07 to 0.2 for
            knobs and a lever at the frame's edge, and at most 0.03 for two fixtures.
    """

    believed: Share = 0.5
    sure: Share = 0.9
    kept: Amount = 8.0
    in_sight: Amount = 2.0
    fixtures: Amount = 1.0
    changed: Amount = 4.0
    sense: Share = 0.03
    tracked: bool = True
    cost_to_go: str = "goal"
    same_place: Annotated[int, 1, 10_000] = 6
    same_change: Amount = 0.15
    undone: Share = 0.12

    def __post_init__(self) -> None:
        check_fields(self, "beliefs")
        one_of("beliefs.cost_to_go", self.cost_to_go, COSTS_TO_GO)

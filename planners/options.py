"""What a search may spend and how it weighs time against risk."""

import math
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from hiermap.planners.candidates import PeakOptions
from hiermap.planners.failure_memory import Avoid, MemoryOptions
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.records import MUCH, Amount, Count, Positive, check_fields

SECONDS_PER_STEP = min(spec.typical_seconds for spec in PRIMITIVES.values())
"""What the heuristic charges per missing primitive [s]: the cheapest primitive, done surely. `h` never overestimates (it is admissible)
when a world's `progress` never overestimates the number of missing primitives and no outcome costs less than this."""


@dataclass(frozen=True)
class Budget:
    """What a search may spend; only `expansions` is repeatable from run to run.

    Attributes:
        seconds: wall clock, >= 0 [s], infinity for no limit; 0 only looks whether the goal already holds.
        expansions: nodes whose candidate actions are imagined, >= 0.

    Raises:
        ConfigError: either is negative or not a number.
    """

    seconds: Annotated[float, 0, math.inf] = 30.0
    expansions: Count = 400

    def __post_init__(self) -> None:
        check_fields(self, "budget")


PATIENCE = 10
"""Expansions that a search in a learned world waits for."""
TRUST, SLIPS = 0.35, 0.01
"""What plans of the shipped weights were worth, carried out blind (`benchmarks/honesty.py fit=true`): what a model doubts is doubted for
the same reason at every step, so their product is too low, and what it does not doubt can slip."""
LEARNED_SECONDS_PER_STEP = 20.0
"""What the heuristic charges per missing primitive in a learned world [s]: twice what one costs on average, risk included, or A*
weighted by 2. `progress` is an estimate there: A* looks at all that seems as good, this follows it; no plan need be the cheapest."""
UNMET = 1.0
"""Primitives added for each predicate that is not believed, in a learned world: the distance learned to a whole goal is flat far from it,
and, where one predicate seems out of reach, whatever is done for the others."""


@dataclass(frozen=True)
class SearchOptions:
    """How a search looks for a plan; the defaults suit the kitchens.

    Attributes:
        peaks: which actions are candidates.
        memory: how failures are remembered.
        risk_seconds: LAMBDA, >= 0 [s]: an edge costs its time plus this times -log(success). At 20 s a drop from 1.0 to 0.6 costs as
            much as one more primitive.
        seconds_per_step: what the heuristic charges per missing primitive, >= 0 [s]; null for the most that is admissible, and in an
            evaluation for what suits a learned world.
        unmet: primitives added to what the heuristic says for each of the goal's predicates, as far as it is not believed, >= 0, once a
            best-first search has come no nearer for as long as its `patience`, and where a partial plan is chosen; null for none, and in
            an evaluation for what suits a learned world.
        weight: of the heuristic in weighted best-first search, >= 1.
        batch: frontier nodes imagined in one pass.
        width: nodes a beam keeps per depth.
        lazy: whether a best-first search imagines only what comes to the front of its frontier, in worlds that can guess the rest.
        patience: expansions in a row that may come no nearer to the goal before a best-first search looks down every branch, >= 1; null
            for as many as there are, and in an evaluation for what suits a learned world.
        doubt: missing primitives by which a guess is taken to be too high, >= 0.
        trust, slips: what a plan of n steps says of its success: the product of what its steps and the goal's belief say, to the power
            `trust`, times exp(-`slips` n), both >= 0; null for that product alone, and in an evaluation for what suits a learned world.
        future_maps: whether imagined states have maps of their own; without, candidates and their success come from the present maps.
        max_depth: longest plan considered.
        alternatives: at most this many further plans are returned.
        avoid: actions that failed before.
    """

    peaks: PeakOptions = field(default_factory=PeakOptions, metadata={"omegaconf_ignore": True})
    memory: MemoryOptions = field(default_factory=MemoryOptions, metadata={"omegaconf_ignore": True})
    risk_seconds: Amount = 20.0
    seconds_per_step: Amount | None = None
    unmet: Amount | None = None
    weight: Annotated[float, 1, MUCH] = 2.0
    batch: Annotated[int, 1, 4096] = 2
    width: Positive = 8
    lazy: bool = True
    patience: Positive | None = None
    doubt: Amount = 0.0
    trust: Amount | None = None
    slips: Amount | None = None
    future_maps: bool = True
    max_depth: Annotated[int, 1, 1000] = 12
    alternatives: Count = 3
    avoid: tuple[Avoid, ...] = field(default=(), metadata={"omegaconf_ignore": True})

    @classmethod
    def learned(cls) -> "SearchOptions":
        """What suits a learned world: its estimates are followed rather than bounded, and not for ever."""
        return cls().completed()

    def completed(self) -> "SearchOptions":
        """The same with what suits a learned world wherever nothing is said."""
        fitting: dict[str, Any] = {
            "seconds_per_step": LEARNED_SECONDS_PER_STEP,
            "unmet": UNMET,
            "patience": PATIENCE,
            "trust": TRUST,
            "slips": SLIPS,
        }
        return replace(self, **{name: value for name, value in fitting.items() if getattr(self, name) is None})

    @property
    def step_seconds(self) -> float:
        """What is charged per missing primitive [s]."""
        return SECONDS_PER_STEP if self.seconds_per_step is None else self.seconds_per_step

    def promised(self, said: float, steps: int) -> float:
        """Chance of success, in [0, 1], of a plan of so many steps, given the product of what these and the goal's belief say."""
        return said ** (1.0 if self.trust is None else self.trust) * math.exp(-(self.slips or 0.0) * steps)

    def __post_init__(self) -> None:
        check_fields(self, "search")

"""Which episodes a suite consists of, and the options of an evaluation, checked once."""

from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Annotated, Any, ClassVar

from hiermap.agent.options import ExecutionOptions
from hiermap.model.locate import MODEL_FILE, weights_directory
from hiermap.planners import PLANNERS, Budget, PeakOptions, SearchOptions
from hiermap.planners.failure_memory import MemoryOptions
from hiermap.primitives.specs import PRIMITIVES
from hiermap.system.pool import PoolOptions
from hiermap.system.run_folder import OutOptions
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.gym.options import PolicyOptions
from hiermap.worlds.imagined.belief_options import BeliefOptions
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.records import Count, check_fields, one_of, shown
from hiermap.worlds.tasks.chain_names import CHAINS, GOAL, SEQUEL_OF, SEQUELS
from hiermap.worlds.tasks.kitchen_options import KitchenOptions

SINGLES = tuple(f"primitive-{name}" for name in PRIMITIVES)
ALL_SINGLES = "primitives"
TRIAL_KITCHENS = ("hiermap", "wide")
"""Where single primitives are tried."""
LONG = (*CHAINS, *SEQUELS, GOAL)
SUITES = (*LONG, *SINGLES, ALL_SINGLES)
WORLDS, MAPS = ("latent", "simulator"), ("learned", "oracle")
MAX_EPISODES = 10**6
Seed = Annotated[int, 0, inf]
MASKS = ("exact", "eroded", "dilated", "click")


@dataclass(frozen=True)
class Trial:
    """One episode to run: its index in the run, its seed and the suite it is drawn from."""

    episode: int
    seed: int
    suite: str


@dataclass(frozen=True)
class GoalOptions:
    """What is asked for, and how it is told.

    Attributes:
        ask: what shall hold, instead of a task that is drawn: "inside(mug, drawer) and closed(drawer)", JSON, or plain words;
            goal="..." says the same.
        masks: exact, eroded or dilated by a cell, or click (grown from a click on each thing).
    """

    SHORT: ClassVar[str] = "ask"
    masks: str = "exact"
    ask: str = ""

    def __post_init__(self) -> None:
        check_fields(self, "goal")
        one_of("goal.masks", self.masks, MASKS)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What an episode's row depends on, besides its seed.

    Attributes:
        planner: best_first, weighted, greedy, beam, greedy_rollout, reactive (one promised step, nothing imagined; as every plan is one
            primitive, give it max_replans=30, the most primitives an execution runs), random,
            exhaustive, or vector (a trained policy, one step a look, likewise).
        world: latent (learned dynamics) or simulator (the true one, on its own copy).
        maps: learned, or oracle (from privileged geometry).
        kitchen: in which kitchens.
        weights: a shipped name or a directory with model.safetensors; not read when nothing is learned.
        max_replans: plans after the first, per episode.
        budget: of every plan.
        search, peaks, memory: how a plan is searched, which actions are candidates, and how failures are remembered.
        execution: when a step is still worth doing, and when its effect is believed.
        beliefs: when what a learned world imagines counts as true or as the same.
        goal: how it is told.
        sensing: how well the cameras see.
    """

    planner: str = "best_first"
    world: str = "latent"
    maps: str = "learned"
    kitchen: KitchenOptions = field(default_factory=KitchenOptions)
    weights: str = "default"
    max_replans: Count = 8
    budget: Budget = field(default_factory=Budget)
    search: SearchOptions = field(default_factory=SearchOptions)
    peaks: PeakOptions = field(default_factory=PeakOptions)
    memory: MemoryOptions = field(default_factory=MemoryOptions)
    execution: ExecutionOptions = field(default_factory=ExecutionOptions)
    beliefs: BeliefOptions = field(default_factory=BeliefOptions)
    goal: GoalOptions = field(default_factory=GoalOptions)
    sensing: SensingOptions = field(default_factory=SensingOptions)

    def __post_init__(self) -> None:
        check_fields(self)
        one_of("planner", self.planner, PLANNERS)
        one_of("world", self.world, WORLDS)
        one_of("maps", self.maps, MAPS)
        if (self.planner, self.world) == ("reactive", "simulator"):
            raise ConfigError(
                "planner=reactive needs world=latent, whose model promises what actions change; the simulator can only run them"
            )
        if (self.planner, self.world) == ("vector", "simulator"):
            raise ConfigError("planner=vector asks a trained policy, which a simulator has none of; take world=latent")

    def check_suite(self, suite: str) -> None:
        """ConfigError for goals in a row or single primitives where there are none, for a goal without its suite or the suite without a
        goal, and for oracle maps over latent dynamics: an imagined latent has no true geometry to take them from.
        """
        if suite in SEQUELS and self.kitchen.name == "toy":
            raise ConfigError(f"kitchen=toy has no {suite}; take one of {', '.join(CHAINS)}")
        if suite not in LONG and self.kitchen.name not in TRIAL_KITCHENS:
            raise ConfigError(f"kitchen={self.kitchen.name} has no {suite}; single primitives are tried in {' and '.join(TRIAL_KITCHENS)}")
        if (suite == GOAL) != bool(self.goal.ask):
            raise ConfigError(
                f"suite or task {suite} with goal={self.goal.ask!r}; a goal of yours goes with suite=goal, and that needs one"
            )
        if suite in LONG and (self.world, self.maps) == ("latent", "oracle"):
            raise ConfigError("maps=oracle with world=latent is impossible: an imagined latent has no true state; take world=simulator")

    @property
    def searching(self) -> SearchOptions:
        """How to search; a world's estimates are followed rather than bounded, unless `search` says otherwise."""
        return replace(self.search, peaks=self.peaks, memory=self.memory).completed()

    def needs_weights(self, suite: str) -> bool:
        """Whether anything learned is read."""
        return self.maps == "learned" or (self.world == "latent" and suite in LONG)

    def weights_file(self, suite: str) -> Path | None:
        """The file behind what is learned in a run, or None if nothing is; DataError when there is no such file."""
        if not self.needs_weights(suite):
            return None
        return weights_directory(self.weights) / MODEL_FILE


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(RunOptions, PoolOptions, OutOptions):
    """The keys of `hiermap evaluate`.

    Attributes:
        suite: chain-1 .. chain-10, goal (what goal=... asks for), sequel-2 or sequel-3 (as many goals of chain-3 in a row in one kitchen),
            primitive-grasp|place|push|pull|rotate, or primitives (all five in turn).
        out: directory of the results; the same command again resumes an unfinished run.
        policy: module:name of a policy of yours instead of a planner, and how it acts and sees in `hiermap.worlds.gym`.
        policy_options: policy_options.NAME=VALUE is passed on to the policy's factory.
        episodes: how many.
        seed: episode i uses seed + i; any non-negative integer.
        pictures: leave a before and after picture of every failure, under out/failures/, and its storyboard of photographs, under
            out/storyboards/.
        storyboards: so many first episodes get a storyboard too, if they succeed.
        video: so many first episodes are filmed, under out/videos/ (needs the extra `video`; photographing takes minutes an episode where
            no graphics library draws).
        progress: show a progress bar on stderr.
    """

    suite: str
    policy: PolicyOptions = field(default_factory=PolicyOptions)
    policy_options: dict[str, Any] = field(default_factory=dict)
    episodes: Annotated[int, 1, MAX_EPISODES] = 100
    seed: Seed = 0
    pictures: bool = True
    storyboards: Count = 3
    video: Count = 0
    progress: bool = True

    def needs_weights(self, suite: str) -> bool:
        """Whether anything learned is read; by a policy, only it knows."""
        return not self.policy.factory and super().needs_weights(suite)

    def __post_init__(self) -> None:
        RunOptions.__post_init__(self)
        PoolOptions.__post_init__(self)
        one_of("suite", self.suite, SUITES)
        self.check_suite(self.suite)
        self._check_policy()

    def _check_policy(self) -> None:
        """ConfigError for options of a policy without one, a suite that no policy is evaluated on, and a planner beside a policy."""
        policy = self.policy.factory and shown(self.policy.factory)
        if not policy and (self.policy_options or self.policy != PolicyOptions()):
            raise ConfigError("options of a policy without a policy; expected policy=module:name")
        if policy and self.suite not in (*CHAINS, GOAL):
            raise ConfigError(f"suite={self.suite} with policy={policy}; policies are evaluated on {CHAINS[0]} .. {CHAINS[-1]} and goal")
        for key in ("planner", "world", "maps") if policy else ():
            if (told := getattr(self, key)) != getattr(EvaluateOptions, key):
                raise ConfigError(f"{key}={told} with policy={policy}, which decides itself; leave one of them out")

    def is_told(self, episode: int, success: bool) -> bool:
        """Whether an episode gets a storyboard."""
        return self.pictures and (not success or episode < self.storyboards)


@dataclass(frozen=True, kw_only=True)
class PlanOptions(RunOptions, OutOptions):
    """The keys of `hiermap plan`.

    Attributes:
        task: chain-1 .. chain-10, or goal (what goal=... asks for).
        out: directory of plan.json, graph.graphml, pictures and what the report needs.
        seed: any non-negative integer.
        execute: also act, look again, replan, and judge the outcome.
        video: 1 films it too with execute=true, out/film.mp4 (needs the extra `video`).
    """

    task: str
    seed: Seed = 0
    execute: bool = False
    video: Annotated[int, 0, 1] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("task", self.task, (*CHAINS, GOAL))
        self.check_suite(self.task)


def trials(suite: str, seed: int, episodes: int) -> list[Trial]:
    """Episodes with seeds `seed`, `seed + 1`, ...; the suite of all primitives takes the five in turn."""
    parts = SINGLES if suite == ALL_SINGLES else (suite,)
    return [Trial(index, seed + index, parts[index % len(parts)]) for index in range(episodes)]


def chain_length(suite: str) -> int:
    """k of `chain-k`, the sum over the goals of a `sequel-n`, 1 for a single primitive, 0 for a goal of which nobody knows it."""
    if suite == GOAL:
        return 0
    if suite in SEQUELS:
        return SEQUELS[suite] * chain_length(SEQUEL_OF)
    return CHAINS.index(suite) + 1 if suite in CHAINS else 1

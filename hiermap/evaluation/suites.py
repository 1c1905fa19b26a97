"""Which episodes a suite consists of, and the options of an evaluation, checked once."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hiermap.planners import PLANNERS, Budget
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.tasks.chains import CHAINS

SINGLES = tuple(f"primitive-{name}" for name in PRIMITIVES)
ALL_SINGLES = "primitives"
SUITES = (*CHAINS, *SINGLES, ALL_SINGLES)
WORLDS, MAPS, KITCHENS = ("latent", "simulator"), ("learned", "oracle"), ("hiermap",)


@dataclass(frozen=True)
class Trial:
    """One episode to run: its index in the run, its seed and the suite it is drawn from."""

    episode: int
    seed: int
    suite: str


@dataclass(frozen=True)
class RunOptions:
    """What an episode's row depends on, besides its seed.

    Attributes:
        planner: key in `planners.PLANNERS`.
        world: "latent" or "simulator".
        maps: "learned" or "oracle".
        weights: a shipped name or a directory.
        max_replans: plans after the first.
        budget: of every plan.
        pictures: whether a failure leaves a picture.
    """

    planner: str = "best_first"
    world: str = "latent"
    maps: str = "learned"
    kitchen: str = "hiermap"
    weights: str = "default"
    max_replans: int = 8
    budget: Budget = field(default_factory=Budget)
    pictures: bool = False

    def __post_init__(self) -> None:
        one_of("planner", self.planner, PLANNERS)
        one_of("world", self.world, WORLDS)
        one_of("maps", self.maps, MAPS)
        one_of("kitchen", self.kitchen, KITCHENS)
        at_least("max_replans", self.max_replans, 0)

    @classmethod
    def from_config(cls, config: Mapping) -> "RunOptions":
        """The options in a resolved config; ConfigError for a value out of its range."""
        try:
            budget = Budget(**config["budget"])
        except (TypeError, ValueError) as error:
            raise ConfigError(f"budget={config['budget']!r}: {error}") from error
        names = ("planner", "world", "maps", "kitchen", "weights", "max_replans")
        return cls(**{name: config[name] for name in names}, budget=budget, pictures=bool(config.get("pictures", False)))

    def check_suite(self, suite: str) -> None:
        """ConfigError for oracle maps over latent dynamics: an imagined latent has no true geometry to take them from."""
        if suite in CHAINS and (self.world, self.maps) == ("latent", "oracle"):
            raise ConfigError("maps=oracle with world=latent is impossible: an imagined latent has no true state; take world=simulator")

    def needs_weights(self, suite: str) -> bool:
        """Whether anything learned is read."""
        return self.maps == "learned" or (self.world == "latent" and suite in CHAINS)

    def weights_file(self, suite: str) -> Path | None:
        """The file behind what is learned in a run, or None if nothing is; DataError when there is no such file."""
        if not self.needs_weights(suite):
            return None
        from hiermap.model.weights import MODEL_FILE, weights_directory

        return weights_directory(self.weights) / MODEL_FILE


def trials(suite: str, seed: int, episodes: int) -> list[Trial]:
    """Episodes with seeds `seed`, `seed + 1`, ...; the suite of all primitives takes the five in turn.

    Raises:
        ConfigError: unknown suite, negative seed, no episodes.
    """
    one_of("suite", suite, SUITES)
    at_least("seed", seed, 0)
    at_least("episodes", episodes, 1)
    parts = SINGLES if suite == ALL_SINGLES else (suite,)
    return [Trial(index, seed + index, parts[index % len(parts)]) for index in range(episodes)]


def chain_length(suite: str) -> int:
    """k of `chain-k`; 1 for a single primitive."""
    return CHAINS.index(suite) + 1 if suite in CHAINS else 1


def out_directory(value: str) -> Path:
    """The `out` of a command as a path that is, or can become, a directory."""
    path = Path(value).expanduser()
    if path.exists() and not path.is_dir():
        raise ConfigError(f"out={value} is a file; expected a directory")
    return path


def one_of(key: str, value: str, known: Iterable[str]) -> None:
    """ConfigError naming the nearest known values unless `value` is among them."""
    names = list(known)
    if value not in names:
        near = difflib.get_close_matches(str(value), names, n=3, cutoff=0.4) or names
        raise ConfigError(f"{key}={value!r} is unknown; nearest: {', '.join(near)}; known: {', '.join(names)}")


def at_least(key: str, value: int, least: int) -> None:
    """ConfigError unless `value` is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{key}={value!r}; expected an integer of at least {least}")

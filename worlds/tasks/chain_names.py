"""The suites of tasks by name: what a config is checked against, without loading what samples the tasks."""

from hiermap.worlds.errors import ConfigError

CHAINS = tuple(f"chain-{k}" for k in range(1, 11))
"""Suites, by the length of their shortest solutions."""

SEQUELS = {f"sequel-{k}": k for k in (2, 3)}
"""Suites of several goals in a row in one kitchen -> how many; each goal is as far away as those of `SEQUEL_OF`."""
SEQUEL_OF = "chain-3"

FREE, GOAL = "free", "goal"
"""The suites that ask for nothing, a kitchen in a random state, and for what the user says."""


def chain_length(suite: str) -> int:
    """The k of "chain-k"; ConfigError for anything else."""
    if suite not in CHAINS:
        raise ConfigError(f"unknown suite {suite!r}; expected {CHAINS[0]} .. {CHAINS[-1]}")
    return CHAINS.index(suite) + 1

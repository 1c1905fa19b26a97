"""`hiermap compare`: what run B changed over run A, on the tasks that both ran."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hiermap.evaluation.results import HEADS, MEANS, EpisodeRow, Run, aggregate, aligned, cells, read_run
from hiermap.system.config import flatten
from hiermap.system.proportions import PairedCounts, mcnemar, newcombe
from hiermap.worlds.errors import ConfigError

DONE, REGRESSION = 0, 1
"""Exit codes of the command; two runs that cannot be compared are a usage error (2), never a regression."""
SAME = ("suite", "kitchen.name", "kitchen.path", "goal.ask", "seed")
"""Keys of the config without which equal seeds are not equal tasks."""
ABSENT = "-"
"""Shown for a setting that only the other run has."""
METHOD = (
    "B - A is over the pairs, failures included, success in points; its interval is Newcombe's for paired proportions (1998, method 10)"
)


@dataclass(frozen=True)
class Comparison:
    """Two runs on the tasks that both ran.

    Attributes:
        a, b: the paired rows, in the same order.
        left_out_a, left_out_b: how many rows of the longer run have no partner.
    """

    a: Sequence[EpisodeRow]
    b: Sequence[EpisodeRow]
    left_out_a: int
    left_out_b: int

    @property
    def counts(self) -> PairedCounts:
        """The pairs by who succeeded."""
        return PairedCounts.of((one.success, other.success) for one, other in zip(self.a, self.b, strict=True))

    @property
    def regressed(self) -> bool:
        """Whether the 95 % interval of B - A lies wholly below 0."""
        return newcombe(self.counts)[1] < 0


def compare(a: str, b: str) -> int:
    """The command: print what B changed over A, both directories of finished evaluations.

    Returns:
        1 if the 95 % interval of the paired difference of success B - A lies wholly below 0, else 0.

    Raises:
        ConfigError: a directory holds no finished evaluation, or the two did not run the same tasks.
    """
    first, second = read_run(Path(a)), read_run(Path(b))
    paired = pair(first, second)
    print(in_text(paired, (a, b), differing(first, second)))
    return REGRESSION if paired.regressed else DONE


def pair(a: Run, b: Run) -> Comparison:
    """The rows of two runs by seed and task; of a longer run from the same start, only what the shorter one has too.

    Raises:
        ConfigError: other suites, kitchens or seeds, or an equal seed that gave another task.
    """
    told = [flatten(run.config) for run in (a, b)]
    for key in SAME:
        first, second = (config.get(key) or None for config in told)
        if first != second:
            got = f"{key}={first} in A, {key}={second} in B"
            raise ConfigError(f"{got}; expected runs on equal tasks: evaluate one of them again with the other's {key}")
    n = min(len(a.rows), len(b.rows))
    pairs = list(zip(a.rows[:n], b.rows[:n], strict=True))
    for one, other in pairs:
        _check_same_task(one, other)
    return Comparison(a.rows[:n], b.rows[:n], len(a.rows) - n, len(b.rows) - n)


def differing(a: Run, b: Run) -> dict[str, tuple[Any, Any]]:
    """Dotted name -> (value in A, value in B) of every setting in which the runs differ, where they were written to aside."""
    one, other = (flatten(run.settings) for run in (a, b))
    pairs = {key: (one.get(key, ABSENT), other.get(key, ABSENT)) for key in sorted(one.keys() | other.keys()) if key != "config.out"}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def in_text(paired: Comparison, names: tuple[str, str], settings: Mapping[str, tuple[Any, Any]]) -> str:
    """The report: pairs, success and means with their differences, the pairs that differ, the settings that differ, the verdict."""
    seeds = "\n".join((_seeds("A", paired.a, paired.b), _seeds("B", paired.b, paired.a)))
    lines = [("settings that differ", "A", "B"), *((key, str(one), str(other)) for key, (one, other) in settings.items())]
    verdict = "regression: " if paired.regressed else "no regression: not "
    return "\n\n".join(
        [
            f"A is {names[0]}, B is {names[1]}\n{_pairs(paired)}",
            _table(paired),
            f"{METHOD}\n{_discordance(paired.counts)}",
            seeds,
            aligned(lines) if settings else "no settings differ",
            f"{verdict}all of the 95 % interval of B - A lies below 0",
        ]
    )


def _check_same_task(a: EpisodeRow, b: EpisodeRow) -> None:
    """ConfigError unless two rows are of one task; one without primitives may be of a void episode, which tells no detours."""
    if (a.seed, a.task) != (b.seed, b.task):
        got = f"A has {a.task} of seed {a.seed} where B has {b.task} of seed {b.seed}"
        raise ConfigError(f"{got}; expected the same episodes from the start: merge shards first (`hiermap results merge`)")
    if a.primitives and b.primitives and a.detours != b.detours:
        got = f"{a.task} of seed {a.seed} has {a.detours} detours in A and {b.detours} in B"
        raise ConfigError(f"{got}, so seeds gave other tasks then; expected one way of drawing tasks: evaluate both with one version")


def _pairs(paired: Comparison) -> str:
    text = f"{paired.counts.trials} pairs by seed and task; left out without a partner: {paired.left_out_a} of A, {paired.left_out_b} of B"
    strangers = sum(one.kind != other.kind for one, other in zip(paired.a, paired.b, strict=True))
    return f"{text}\nin {strangers} pairs the runs chose things of different kinds to act on" if strangers else text


def _discordance(counts: PairedCounts) -> str:
    solved = f"both {counts.both}, only A {counts.only_a}, only B {counts.only_b}, neither {counts.neither}"
    return f"solved by {solved}; exact McNemar p = {mcnemar(counts):.3g}"


def _table(paired: Comparison) -> str:
    a, b = aggregate(paired.a), aggregate(paired.b)
    counts = paired.counts
    low, high = (100 * end for end in newcombe(counts))
    means = (f"{b[f'mean_{name}'] - a[f'mean_{name}']:+.2f}" for name in MEANS)
    change = ("B - A", f"{100 * counts.difference:+.1f}", f"{low:+.1f} .. {high:+.1f}", str(counts.trials), *means)
    return aligned([("run", *HEADS), cells("A", a), cells("B", b), change])


def _seeds(name: str, ours: Sequence[EpisodeRow], theirs: Sequence[EpisodeRow]) -> str:
    """The seeds that only the first of two runs solved."""
    seeds = [str(one.seed) for one, other in zip(ours, theirs, strict=True) if one.success and not other.success]
    return f"seeds solved by {name} only: {' '.join(seeds) or 'none'}"

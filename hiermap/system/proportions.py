"""Shares of successes, and what one run changed over another on the same trials, with their intervals."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95
"""Of every interval hiermap reports."""


@dataclass(frozen=True)
class PairedCounts:
    """The trials that two runs, A and B, both made, counted by who succeeded; at least one trial.

    Attributes:
        both, only_a, only_b, neither: numbers of trials.
    """

    both: int
    only_a: int
    only_b: int
    neither: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> "PairedCounts":
        """Count pairs (A succeeded, B succeeded)."""
        found = list(pairs)
        return cls(*(found.count(kind) for kind in ((True, True), (True, False), (False, True), (False, False))))

    @property
    def trials(self) -> int:
        """How many pairs there are."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def difference(self) -> float:
        """Share of successes of B less that of A, in [-1, 1]."""
        return (self.only_b - self.only_a) / self.trials


def wilson(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson score interval of a proportion, both ends in [0, 1].

    Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, shrink = successes / trials, 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrink
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / shrink
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == trials else centre + half)


def newcombe(counts: PairedCounts, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of `counts.difference` for paired proportions, both ends in [-1, 1]: Newcombe's method 10.

    The distances to the Wilson limits of either share are squared and added, less what their correlation explains. Newcombe (1998),
    "Improved confidence intervals for the difference between binomial proportions based on paired data", Statistics in Medicine 17,
    2635-2650.
    """
    n, correlation = counts.trials, _correlation(counts)
    below_a, above_a = _distances(counts.both + counts.only_a, n, confidence)
    below_b, above_b = _distances(counts.both + counts.only_b, n, confidence)
    low = counts.difference - _joined(below_b, above_a, correlation)
    high = counts.difference + _joined(above_b, below_a, correlation)
    return max(-1.0, low), min(1.0, high)


def mcnemar(counts: PairedCounts) -> float:
    """Two-sided p value, in (0, 1], of the exact McNemar test: of the trials only one run solved, each is as likely to be either's.

    McNemar (1947), "Note on the sampling error of the difference between correlated proportions or percentages", Psychometrika 12,
    153-157, with the binomial in place of its chi-squared approximation.
    """
    from scipy.stats import binomtest  # takes longer to load than the drivers that report intervals may wait

    discordant = counts.only_a + counts.only_b
    return float(binomtest(counts.only_a, discordant).pvalue) if discordant else 1.0


def _distances(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """From a share down to the lower end of its Wilson interval, and up to the upper one."""
    low, high = wilson(successes, trials, confidence)
    return successes / trials - low, high - successes / trials


def _joined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))


def _correlation(counts: PairedCounts) -> float:
    """Newcombe's phi: continuity-corrected where positive, 0 where a run solved all or none."""
    a, b = counts.both + counts.only_a, counts.both + counts.only_b
    n = counts.trials
    spread = a * (n - a) * b * (n - b)
    excess = counts.both * counts.neither - counts.only_a * counts.only_b
    corrected = max(excess - n / 2, 0.0) if excess > 0 else excess
    return corrected / math.sqrt(spread) if spread else 0.0

"""Intervals of shares and of their paired differences."""

import math
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiermap.system.proportions import PairedCounts, mcnemar, newcombe, wilson

Z = NormalDist().inv_cdf(0.975)
NUMBERS = st.integers(0, 120)
COUNTS = st.builds(PairedCounts, NUMBERS, NUMBERS, NUMBERS, NUMBERS).filter(lambda counts: counts.trials > 0)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0), (81, 263, 0.255277, 0.366236)],
)
def test_wilson_interval_has_the_published_values(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=2e-4)


def test_pairs_are_counted_by_who_succeeded() -> None:
    pairs = [(True, True)] * 4 + [(True, False)] * 3 + [(False, True)] * 2 + [(False, False)]
    counts = PairedCounts.of(pairs)
    assert counts == PairedCounts(both=4, only_a=3, only_b=2, neither=1)
    assert counts.trials == 10 and counts.difference == pytest.approx(-0.1)


def roots(share: float, n: int) -> list[float]:
    """The Wilson limits as the roots of (share - p)^2 = z^2 p (1 - p) / n, the equation they are defined by."""
    a, b, c = 1 + Z * Z / n, -(2 * share + Z * Z / n), share * share
    root = math.sqrt(b * b - 4 * a * c)
    return [(-b - root) / (2 * a), (-b + root) / (2 * a)]


def as_in_the_paper(e: int, f: int, g: int, h: int) -> tuple[float, float]:
    """Limits of p1 - p2 in the paper's own letters: e both, f only the first, g only the second, h neither."""
    n = e + f + g + h
    p1, p2 = (e + f) / n, (e + g) / n
    (l1, u1), (l2, u2) = roots(p1, n), roots(p2, n)
    dl1, du1, dl2, du2 = p1 - l1, u1 - p1, p2 - l2, u2 - p2
    product = (e + f) * (g + h) * (e + g) * (f + h)
    above = e * h - f * g
    phi = 0.0 if product == 0 else (max(above - n / 2, 0) if above > 0 else above) / product**0.5
    theta = (f - g) / n
    return theta - (dl1**2 - 2 * phi * dl1 * du2 + du2**2) ** 0.5, theta + (du1**2 - 2 * phi * du1 * dl2 + dl2**2) ** 0.5


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),  # negative association
        ((20, 12, 2, 16), 0.0562, 0.3292),  # positive: phi is corrected for continuity
        (
            (14, 5, 0, 22),
            0.0115,
            0.2265,
        ),  # table 6.2 of Altman and others, "Statistics with confidence" (2000): nobody passed the second only
        ((1, 1, 7, 12), -0.5069, -0.0256),  # the airways of Fagerland and others (2014): the correction exceeds the association
        ((212, 144, 256, 707), -0.1142, -0.0554),
        ((50, 0, 0, 0), -0.0714, 0.0714),  # phi is not defined
        ((30, 0, 0, 20), -0.0404, 0.0404),  # no pair differs
    ],
)
def test_newcombe_interval_follows_the_formulas_of_the_paper(cells: tuple[int, int, int, int], low: float, high: float) -> None:
    e, f, g, h = cells
    ours = newcombe(PairedCounts(both=e, only_a=g, only_b=f, neither=h))
    assert ours == pytest.approx(as_in_the_paper(e, f, g, h), abs=1e-9)
    assert ours == pytest.approx((low, high), abs=6e-5)


@given(COUNTS)
def test_the_interval_holds_the_difference_within_the_possible(counts: PairedCounts) -> None:
    low, high = newcombe(counts)
    assert -1 <= low <= counts.difference <= high <= 1
    assert low < high


@settings(deadline=None)  # the first call loads scipy
@given(COUNTS)
def test_swapping_the_runs_mirrors_everything(counts: PairedCounts) -> None:
    swapped = PairedCounts(counts.both, counts.only_b, counts.only_a, counts.neither)
    low, high = newcombe(counts)
    assert newcombe(swapped) == pytest.approx((-high, -low), abs=1e-12)
    assert mcnemar(swapped) == pytest.approx(mcnemar(counts))


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_runs_that_never_differ_differ_by_nothing_known_to_a_width(both: int, neither: int) -> None:
    counts = PairedCounts(both + 1, 0, 0, neither)
    low, high = newcombe(counts)
    assert counts.difference == 0 and low == pytest.approx(-high) and low < 0 < high
    assert mcnemar(counts) == 1.0


@given(COUNTS)
def test_a_wider_confidence_gives_a_wider_interval(counts: PairedCounts) -> None:
    (low, high), (lower, higher) = newcombe(counts, 0.9), newcombe(counts, 0.99)
    assert lower <= low and high <= higher


@pytest.mark.parametrize("one", range(8))
@pytest.mark.parametrize("other", range(8))
def test_mcnemar_is_twice_the_binomial_tail(one: int, other: int) -> None:
    n, few = one + other, min(one, other)
    tail = sum(math.comb(n, k) for k in range(few + 1)) / 2**n
    assert mcnemar(PairedCounts(9, one, other, 3)) == pytest.approx(min(1.0, 2 * tail))

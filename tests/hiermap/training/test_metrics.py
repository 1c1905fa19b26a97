import math

import numpy as np
import pytest
import torch

from hiermap.training.metrics import ErrorHistogram, ScoreHistogram


def _histogram(logits: list[float], labels: list[bool]) -> ScoreHistogram:
    histogram = ScoreHistogram()
    histogram.add(torch.tensor(logits), torch.tensor(labels))
    return histogram


def test_average_precision_of_a_known_ranking() -> None:
    ranking = _histogram([4.0, 3.0, 2.0, 1.0], [True, False, True, False])
    assert ranking.average_precision() == pytest.approx((1 + 2 / 3) / 2)


def test_a_perfect_ranking_scores_one_and_a_constant_one_its_prevalence() -> None:
    assert _histogram([5.0, 1.0, -5.0], [True, False, False]).average_precision() == 1
    constant = _histogram([0.0] * 8, [True] * 2 + [False] * 6)
    assert constant.average_precision() == constant.prevalence == 0.25


def test_without_positives_there_is_no_average_precision() -> None:
    assert math.isnan(_histogram([1.0], [False]).average_precision())


def test_scores_beyond_the_limit_are_kept_at_the_ends() -> None:
    histogram = _histogram([1000.0, -1000.0], [True, False])
    assert histogram.counts[1, -1] == 1 and histogram.counts[0, 0] == 1


def test_calibrated_scores_have_no_calibration_error_and_inflated_ones_do() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(-1, 2, 200_000)
    labels = rng.random(200_000) < 1 / (1 + np.exp(-logits))
    honest, inflated = ScoreHistogram(), ScoreHistogram()
    honest.add(torch.tensor(logits), torch.tensor(labels))
    inflated.add(torch.tensor(2 * logits + 1.5), torch.tensor(labels))
    assert honest.expected_calibration_error() < 0.01 < 0.1 < inflated.expected_calibration_error()
    slope, shift = inflated.fit_calibration()
    assert slope == pytest.approx(0.5, abs=0.02) and shift == pytest.approx(-0.75, abs=0.03)
    assert inflated.expected_calibration_error(slope, shift) < 0.01


def test_calibration_needs_both_labels() -> None:
    assert _histogram([1.0, 2.0], [True, True]).fit_calibration() == (1.0, 0.0)


def test_one_error_in_a_hundred_may_exceed_the_quantile() -> None:
    errors = ErrorHistogram()
    assert math.isnan(errors.quantile(0.99))
    errors.add(torch.tensor([0.0102] * 98 + [0.0203] + [torch.inf]))
    assert errors.quantile(0.98) == pytest.approx(0.0103) and errors.quantile(0.99) == pytest.approx(0.0204)
    assert errors.quantile(1.0) == pytest.approx(1.0)

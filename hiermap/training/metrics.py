"""Average precision, calibration and their fit, from histograms: exact enough and constant in memory."""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit
from torch import Tensor

LOGIT_LIMIT, LOGIT_BINS = 14.0, 1400
"""Scores are binned by logit in steps of 0.02; what lies beyond the limit goes to the outermost bins."""
_CENTRES = (np.arange(LOGIT_BINS) + 0.5) * (2 * LOGIT_LIMIT / LOGIT_BINS) - LOGIT_LIMIT
"""Logit at the middle of each bin."""
ECE_BINS = 15


@dataclass(eq=False)
class ScoreHistogram:
    """Counts of negative and positive cells by logit, `[2, LOGIT_BINS]`."""

    counts: np.ndarray = field(default_factory=lambda: np.zeros((2, LOGIT_BINS), np.int64))

    def __add__(self, other: "ScoreHistogram") -> "ScoreHistogram":
        return ScoreHistogram(self.counts + other.counts)

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Count logits and their boolean labels of any equal shape."""
        scaled = ((logits.float() + LOGIT_LIMIT) * (LOGIT_BINS / (2 * LOGIT_LIMIT))).clamp(0, LOGIT_BINS - 1).long()
        flat = (scaled + labels.long() * LOGIT_BINS).flatten()
        self.counts += np.bincount(flat.cpu().numpy(), minlength=2 * LOGIT_BINS).reshape(2, LOGIT_BINS)

    @property
    def prevalence(self) -> float:
        """Share of positives: what guessing scores as average precision; NaN without cells."""
        total = self.counts.sum()
        return float(self.counts[1].sum() / total) if total else float("nan")

    def average_precision(self) -> float:
        """Area under precision over recall, stepwise; NaN without positives."""
        positive, every = self.counts[1][::-1].astype(float), self.counts.sum(axis=0)[::-1].astype(float)
        if positive.sum() == 0:
            return float("nan")
        precision = np.cumsum(positive) / np.maximum(np.cumsum(every), 1)
        return float((precision * positive).sum() / positive.sum())

    def expected_calibration_error(self, slope: float = 1.0, shift: float = 0.0) -> float:
        """Mean gap between believed and true frequency over equally wide bins of probability, weighted by cells believed above 1 %.

        Cells that are surely nothing (99 % of a map) would hide any gap. NaN when no cell is believed above 1 %.
        """
        probability = expit(slope * _CENTRES + shift)
        every = self.counts.sum(axis=0).astype(float) * (probability > 0.01)
        if every.sum() == 0:
            return float("nan")
        bins = np.minimum((probability * ECE_BINS).astype(int), ECE_BINS - 1)
        believed, true = (np.bincount(bins, w, ECE_BINS) for w in (every * probability, self.counts[1] * (every > 0)))
        return float(np.abs(believed - true).sum() / every.sum())

    def fit_calibration(self, rounds: int = 50) -> tuple[float, float]:
        """Slope and shift of the logits that maximise the likelihood (Platt 1999), by damped Newton steps; (1, 0) without both labels."""
        if (self.counts.sum(axis=1) == 0).any():
            return 1.0, 0.0
        negative, positive = self.counts.astype(float)
        every, parameters = negative + positive, np.array([1.0, 0.0])
        features = np.stack([_CENTRES, np.ones_like(_CENTRES)])
        for _ in range(rounds):
            p = expit(parameters @ features)
            gradient = features @ (every * p - positive)
            curvature = (features * (every * p * (1 - p))) @ features.T + np.eye(2)
            step = np.linalg.solve(curvature, gradient)
            parameters = parameters - step * min(1.0, 1.0 / max(np.abs(step).max(), 1e-12))
        slope, shift = parameters
        return (float(slope), float(shift)) if slope > 0 and np.isfinite(parameters).all() else (1.0, 0.0)


ERROR_STEP_M, ERROR_BINS = 1e-4, 10_000


@dataclass(eq=False)
class ErrorHistogram:
    """Counts of errors in steps of `ERROR_STEP_M`, `[ERROR_BINS]`; the last bin holds all larger ones."""

    counts: np.ndarray = field(default_factory=lambda: np.zeros(ERROR_BINS, np.int64))

    def add(self, errors_m: Tensor) -> None:
        """Count errors `[n]` [m]."""
        bins = (errors_m.double() / ERROR_STEP_M).clamp(0, ERROR_BINS - 1).long()
        self.counts += np.bincount(bins.cpu().numpy(), minlength=ERROR_BINS)

    def quantile(self, share: float) -> float:
        """What at most a share `1 - share` of the errors exceeds [m], rounded up to whole steps; NaN without any."""
        if not self.counts.any():
            return float("nan")
        return float((np.searchsorted(np.cumsum(self.counts), share * self.counts.sum()) + 1) * ERROR_STEP_M)


def mean_known(values: list[float]) -> float:
    """Mean of the values that are not NaN; NaN if none."""
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")

"""Promises of plans against what came of them."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hiermap.evaluation.results import EpisodeRow


@pytest.fixture
def honesty(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("honesty")


def row(success: bool, promised: float, planned: int = 3) -> EpisodeRow:
    return EpisodeRow(0, 0, "chain-3", 3, 0, success, 3, 3, 0, 0.1, planned=planned, promised=promised)


def test_the_error_is_the_gap_in_every_bin_weighed_by_its_plans(honesty) -> None:
    rows = [row(True, 0.95), row(False, 0.95), row(True, 1.0), *[row(False, 0.35)] * 2]
    bins = honesty.bins_of(rows)
    assert bins == [(pytest.approx(0.35), 0, 2), (pytest.approx(2.9 / 3), 2, 3)]
    assert honesty.calibration_error(bins) == pytest.approx((0.7 + 0.9) / 5)


def test_the_fit_finds_how_far_steps_slip(honesty) -> None:
    rng = np.random.default_rng(0)
    said, steps = rng.uniform(0.5, 1.0, 4000), rng.integers(1, 11, 4000)
    done = rng.random(4000) < said**1.5 * np.exp(-0.05 * steps)
    trust, slips = honesty.fitted([row(bool(d), float(s), int(n)) for d, s, n in zip(done, said, steps, strict=True)])
    assert trust == pytest.approx(1.5, abs=0.2) and slips == pytest.approx(0.05, abs=0.01)


def test_promises_can_be_judged_with_another_trust(honesty, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    rows = [row(True, 0.25, 2), row(False, 0.25, 2), row(False, 0.9, 0)]
    monkeypatch.setattr(honesty, "read_run", lambda _: SimpleNamespace(rows=rows))
    honesty.main(["runs/blind", "trust=0.5"])
    assert "3 episodes, 2 with a complete plan; expected calibration error 0.000" in capsys.readouterr().out

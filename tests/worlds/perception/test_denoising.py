"""Noise is averaged away on each surface; exact depth, edges, slopes and holes stay."""

import numpy as np
import pytest

from hiermap.worlds.perception.denoising import denoised, noise_m


def slope(rise: float) -> np.ndarray:
    rows, columns = np.indices((60, 80))
    return (1.0 + rise * columns + 0.5 * rise * rows).astype(np.float32)


@pytest.mark.parametrize("rise", [0.0, 0.002, 0.006])
def test_exact_depth_stays_bit_for_bit(rise):
    depth = slope(rise)
    depth[20:30, 20:30] -= np.float32(0.05)
    depth[5, 7] = np.nan
    assert np.array_equal(denoised(depth), depth, equal_nan=True)


@pytest.mark.parametrize("sigma", [0.002, 0.005])
def test_the_noise_of_a_slope_is_measured_and_falls_to_a_third(sigma):
    rng = np.random.default_rng(0)
    depth = slope(0.001)
    noisy = (depth + rng.normal(0, sigma, depth.shape)).astype(np.float32)
    assert noise_m(noisy) == pytest.approx(sigma, rel=0.1)
    left = (denoised(noisy) - depth)[3:-3, 3:-3]
    assert left.std() < sigma / 3 and abs(left.mean()) < sigma / 20


def test_a_bar_before_its_face_keeps_its_distance():
    rng = np.random.default_rng(1)
    depth = np.full((60, 80), 1.0)
    depth[:, 40:43] -= 0.04
    smooth = denoised((depth + rng.normal(0, 0.004, depth.shape)).astype(np.float32))
    assert np.abs(smooth - depth).max() < 0.02 and np.abs((smooth - depth).mean(axis=0)).max() < 0.003


def test_holes_stay_holes():
    rng = np.random.default_rng(2)
    depth = (1.0 + rng.normal(0, 0.004, (60, 80))).astype(np.float32)
    depth[rng.random(depth.shape) < 0.1] = np.nan
    assert np.array_equal(np.isnan(denoised(depth)), np.isnan(depth))

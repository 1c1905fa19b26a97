"""Put bumped cameras back: by calibration marks where they see enough of them, else by what the other cameras see."""

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

import numpy as np

from hiermap.worlds.base import CameraView
from hiermap.worlds.frame import point_to_pixel
from hiermap.worlds.perception.cameras import MAX_FIDUCIAL_ERROR_PX, check_marks, fiducial_error_px, marks_seen
from hiermap.worlds.perception.registration import motion, registered, turned

LEAST_MARKS = 4
"""Three marks leave a pose ambiguous."""
EXACT_PX, MUCH_BETTER = 0.1, 2.0
"""Marks within the bound also ask for another pose if that fits them this much better (noise alone: one look in a hundred): a camera that
came nearer by 7 mm shifts its marks by less than half a pixel."""


def calibrated(views: Sequence[CameraView]) -> tuple[tuple[CameraView, ...], tuple[str, ...]]:
    """The views with the poses of moved cameras estimated anew, and a note on each of these; cameras that agree stay bit for bit.

    Raises:
        InvalidObservationError: a camera's marks fit neither its calibration nor any other pose.
    """
    unmarked = [index for index, view in enumerate(views) if marks_seen(view).sum() < LEAST_MARKS]
    fitted = [view if index in unmarked else _from_marks(view) for index, view in enumerate(views)]
    for index, T in registered(fitted, unmarked).items():
        fitted[index] = replace(fitted[index], T_camera_to_world=T)
    for index, view in enumerate(fitted):
        check_marks(view, f"camera {index}")
    pairs = enumerate(zip(views, fitted, strict=True))
    return tuple(fitted), tuple(f"camera {index} {_what_was_done(*pair)}" for index, pair in pairs if pair[0] is not pair[1])


def _what_was_done(before: CameraView, after: CameraView) -> str:
    marks = int(marks_seen(after).sum())
    how = f"recalibrated from {marks} marks" if marks >= LEAST_MARKS else "registered to the others"
    shift_m, turn_rad = motion(before.T_camera_to_world, after.T_camera_to_world)
    return f"{how}: moved {1000 * shift_m:.1f} mm, turned {np.rad2deg(turn_rad):.2f} degrees"


def _from_marks(view: CameraView) -> CameraView:
    """The view with the pose that its marks give, one wrong mark left out; the same object if they fit as they are or fit no pose."""
    before_px, pixels = fiducial_error_px(view) or 0.0, view.fiducials_pixel
    if pixels is None or before_px <= EXACT_PX:
        return view
    fitted, error_px = _fit(view)
    seen = np.flatnonzero(marks_seen(view))
    if error_px > MAX_FIDUCIAL_ERROR_PX and len(seen) > LEAST_MARKS:
        others = (np.where(np.eye(len(pixels))[mark, :, None], np.nan, pixels) for mark in seen)
        fitted, error_px = min((_fit(replace(view, fiducials_pixel=other)) for other in others), key=itemgetter(1))
    bound_px = MAX_FIDUCIAL_ERROR_PX if before_px > MAX_FIDUCIAL_ERROR_PX else before_px / MUCH_BETTER
    return fitted if error_px <= bound_px else view


def _fit(view: CameraView) -> tuple[CameraView, float]:
    """The view with the pose that puts its marks nearest to where it sees them, and how far from there they still are [px]."""
    T, seen = np.asarray(view.T_camera_to_world), marks_seen(view)
    world, pixels = np.asarray(view.fiducials_world)[seen], np.asarray(view.fiducials_pixel)[seen]

    def residuals(twist: np.ndarray) -> np.ndarray:
        found, _ = point_to_pixel(world, view.K, turned(T, twist, T[:3, 3]))
        # A mark behind the camera has no pixel and is as wrong as can be.
        return np.nan_to_num(found - pixels, nan=1e6).ravel()

    from scipy.optimize import least_squares  # slow to load, and exact cameras need none

    best = least_squares(residuals, np.zeros(6), method="lm", xtol=1e-12, ftol=1e-12)
    return replace(view, T_camera_to_world=turned(T, best.x, T[:3, 3])), float(np.sqrt(2 * best.cost / len(world)))

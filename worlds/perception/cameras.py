"""Calibrated perspective cameras, and the checks that decide whether an image and its calibration can be used."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from hiermap.worlds.base import CameraView
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import UP_WORLD, point_to_pixel

MAX_FIDUCIAL_ERROR_PX = 0.5
"""A camera whose marks lie further from where its calibration puts them is rejected; 0.5 px is about 5 mm at 1 m."""
MAX_DEPTH_M = 20.0
"""No kitchen is larger; a larger median means another unit."""
MAX_CENTRE_OFFSET = 0.15
"""How far the principal point may lie from the image centre, in image sizes; K of another resolution is off by 0.25 or more."""
ORTHONORMAL_TOLERANCE = 1e-4
LEAST_KNOWN = 0.1
"""Share of pixels with depth below which a camera is covered, too near or badly read."""
MAX_DEPTH_STEP_M = 0.005
"""Images whose different depths lie further apart have too few bits, or show nothing."""


@dataclass(frozen=True)
class CameraSpec:
    """Where a camera stands and what it sees.

    Attributes:
        position_world: optical centre [m].
        target_world: the point on its optical axis it looks at [m].
        fovy_rad: vertical field of view, outer pixel edge to outer pixel edge.
        width, height: of the image [px].
    """

    position_world: tuple[float, float, float]
    target_world: tuple[float, float, float]
    fovy_rad: float
    width: int = 160
    height: int = 120

    @property
    def K(self) -> np.ndarray:
        """Intrinsics, [3, 3] [px]; a pixel's centre is at whole numbers."""
        focal = 0.5 * self.height / np.tan(0.5 * self.fovy_rad)
        return np.array([[focal, 0.0, 0.5 * (self.width - 1)], [0.0, focal, 0.5 * (self.height - 1)], [0.0, 0.0, 1.0]])

    @property
    def T_camera_to_world(self) -> np.ndarray:
        """Pose, [4, 4] [m]: OpenCV axes (x right, y down, z forward), the image's up as near to world z as possible."""
        forward = np.subtract(self.target_world, self.position_world)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, UP_WORLD)
        if np.linalg.norm(right) < 1e-9:
            raise ValueError("a camera that looks straight up or down has no level pose; move its target sideways")
        right /= np.linalg.norm(right)
        T = np.eye(4)
        T[:3] = np.stack([right, np.cross(forward, right), forward, self.position_world], axis=1)
        return T


def default_cameras(width: int = 160, height: int = 120) -> tuple[CameraSpec, ...]:
    """Three cameras around the robot's shoulders: left, right and above, so that each sees round the arm.

    Each just holds everything a kitchen front can move within its image: 7.5 to 8.5 mm per pixel at 160 x 120.
    """
    fovy_rad = float(np.deg2rad(47.0))
    left = CameraSpec((-0.15, 0.65, 1.0), (0.70, 0.15, 0.20), fovy_rad, width, height)
    right = CameraSpec((-0.15, -0.65, 1.0), (0.70, -0.15, 0.20), fovy_rad, width, height)
    above = CameraSpec((0.05, 0.0, 1.25), (0.72, 0.0, 0.30), fovy_rad, width, height)
    return left, right, above


def check_view(view: CameraView, name: str = "camera") -> None:
    """Check an image, its depth and its calibration; NaN, infinite and zero depth are allowed and mean "unknown".

    Raises:
        InvalidObservationError: with the value, what was expected and what to try.
    """
    faults = chain(_image_faults(view), _intrinsics_faults(view), _pose_faults(view.T_camera_to_world), _depth_faults(view.depth))
    if fault := next(faults, None):
        raise InvalidObservationError(f"{name}: {fault}")


def _image_faults(view: CameraView) -> Iterator[str]:
    """What is wrong; a later fault may be looked for only where the ones before are not found. So for all that follow."""
    rgb, shape = np.asarray(view.rgb), np.shape(view.depth)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        yield f"rgb is {rgb.dtype} {rgb.shape}; expected uint8 [h, w, 3] in 0..255"
    if shape != rgb.shape[:2]:
        yield f"depth has shape {shape} but rgb {rgb.shape[:2]}; register them to the same camera"
    if view.is_robot is not None and np.shape(view.is_robot) != shape:
        yield f"is_robot has shape {np.shape(view.is_robot)}, expected {shape}"


def _intrinsics_faults(view: CameraView) -> Iterator[str]:
    K = np.asarray(view.K)
    if K.shape != (3, 3) or not np.isfinite(K).all():
        yield f"K has shape {K.shape} or is not finite; expected finite [3, 3] intrinsics in pixels"
    if K[0, 0] <= 0 or K[1, 1] <= 0 or not np.allclose(K[2], [0, 0, 1]) or abs(K[1, 0]) > 1e-6:
        yield f"K = {K.tolist()} is no pinhole matrix; expected [[fx, s, cx], [0, fy, cy], [0, 0, 1]] with fx, fy > 0"
    centre, size = K[:2, 2], np.array(np.shape(view.depth)[::-1])
    if (np.abs(centre - 0.5 * (size - 1)) / size).max() > MAX_CENTRE_OFFSET:
        yield (
            f"the image is {size[0]} x {size[1]} but K's principal point ({centre[0]:.1f}, {centre[1]:.1f}) belongs to about "
            f"{2 * centre[0] + 1:.0f} x {2 * centre[1] + 1:.0f}; scale K by the same factor as the image"
        )


def _pose_faults(T_camera_to_world: np.ndarray) -> Iterator[str]:
    T = np.asarray(T_camera_to_world)
    if T.shape != (4, 4) or not np.isfinite(T).all():
        yield f"T_camera_to_world has shape {T.shape} or is not finite; expected a finite [4, 4] pose"
    if not np.allclose(T[3], [0, 0, 0, 1], atol=1e-9):
        yield f"the last row of T_camera_to_world is {T[3].tolist()}, expected [0, 0, 0, 1]; try its transpose"
    error = np.abs(T[:3, :3].T @ T[:3, :3] - np.eye(3)).max()
    if error > ORTHONORMAL_TOLERANCE:
        yield (
            f"the rotation of T_camera_to_world is not orthonormal (R^T R is off by {error:.2g}, allowed {ORTHONORMAL_TOLERANCE:g}); "
            "remove scale or project it onto the nearest rotation"
        )
    if np.linalg.det(T[:3, :3]) < 0:
        yield (
            "the rotation of T_camera_to_world is mirrored (determinant -1, expected +1); "
            "one axis is flipped: expected OpenCV axes x right, y down, z forward"
        )


def _depth_faults(image: np.ndarray) -> Iterator[str]:
    depth = np.asarray(image)
    if not np.issubdtype(depth.dtype, np.floating):
        yield f"depth is {depth.dtype}, which is usually millimetres; expected floating-point metres: divide by 1000.0"
    known = depth[np.isfinite(depth) & (depth != 0)]
    if known.size == 0:
        yield f"all {depth.size} depths are NaN, infinite or zero; expected distances in metres: is the sensor covered or off?"
    nearest, median = known.min(), np.median(known)
    if nearest < 0:
        yield f"depth goes down to {nearest:.4g} m; expected positive distances along the optical axis (OpenCV z forward): flip the sign"
    if median > MAX_DEPTH_M:
        yield f"the median depth is {median:.4g}, expected metres below {MAX_DEPTH_M:g}; millimetres? divide by 1000"
    if known.size < LEAST_KNOWN * depth.size:
        yield f"{known.size / depth.size:.1%} of the pixels have depth, expected at least {LEAST_KNOWN:.0%}: is the sensor covered?"
    step = np.diff(np.unique(known[::8])).min(initial=np.inf)
    if step > MAX_DEPTH_STEP_M:
        yield f"depth comes in steps of {step:.3g} m, expected at most {MAX_DEPTH_STEP_M:g} m: keep 16 bits, and NaN for unknown"


def marks_seen(view: CameraView) -> np.ndarray:
    """Which of its calibration marks a camera sees, [n] bool."""
    if view.fiducials_world is None or view.fiducials_pixel is None:
        return np.zeros(0, bool)
    if len(view.fiducials_world) != len(view.fiducials_pixel):
        raise InvalidObservationError(
            f"{len(view.fiducials_world)} fiducial places but {len(view.fiducials_pixel)} pixels; expected one each"
        )
    return np.isfinite(view.fiducials_pixel).all(axis=-1)


def fiducial_error_px(view: CameraView) -> float | None:
    """Root mean square distance [px] between the marks a camera sees and where its calibration puts them; None without marks."""
    if view.fiducials_world is None or view.fiducials_pixel is None or not marks_seen(view).any():
        return None
    expected, _ = point_to_pixel(view.fiducials_world, view.K, view.T_camera_to_world)
    # A mark that is seen but lies behind the camera has no pixel and is as wrong as can be.
    squared = np.nan_to_num(((expected - view.fiducials_pixel) ** 2).sum(axis=-1), nan=np.inf)
    return float(np.sqrt(squared[marks_seen(view)].mean()))


def check_marks(view: CameraView, name: str = "camera") -> None:
    """Check that a camera sees its calibration marks where its pose puts them.

    Raises:
        InvalidObservationError: with the distance, what is allowed and what to try.
    """
    error_px = fiducial_error_px(view)
    if error_px is not None and error_px > MAX_FIDUCIAL_ERROR_PX:
        raise InvalidObservationError(
            f"{name}: the fiducial marks are {error_px:.2f} px from where the calibration puts them, "
            f"allowed {MAX_FIDUCIAL_ERROR_PX} px; the camera was moved: calibrate it again"
        )

"""Whether a look follows on those before it: images taken since the robot moved, of the scene that was seen first."""

from collections.abc import Sequence

import numpy as np

from hiermap.primitives.specs import PrimitiveResult
from hiermap.worlds.base import Action, CameraView, Observation
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.scene import RealWorld

MOVED_M, MOVED_SHARE = 0.05, 0.01
"""Where so large a share of an image has become so much deeper or nearer, its colours cannot all be the same."""
SAME_PLACE_M, OTHER_COLOUR = 0.015, 25.0
"""Cells whose depth differs by less show the same place; in 0..255, more than light and noise do to its colour."""
NOISELESS_SHARE = 0.5
"""Two looks of which so many depths agree bit for bit come from a camera without noise, as in simulation."""
MOST_RECOLOURED = 0.15
"""Share of such cells that may have another colour: with every drawer and door moved 0.06, all things besides 0.12, elsewhere 0.19."""


class Watch:
    """A robot that refuses to take an old image for a new one.

    Args:
        world: the robot.
    """

    def __init__(self, world: RealWorld) -> None:
        self.world = world
        self._before: list[Sequence[CameraView]] = []

    def observe(self) -> Observation | SpatialView:
        """What is seen now.

        Raises:
            InvalidObservationError: a camera hands over what it saw before the robot moved.
        """
        seen = self.world.observe()
        source = seen.source if isinstance(seen, SpatialView) else seen
        now = () if source is None else source.views
        for views in self._before:
            for index, (view, before) in enumerate(zip(now, views, strict=False)):
                if views is self._before[-1] or not _came_back(view, before, self._before[-1][index]):
                    _check_fresh(view, before, index)
        return seen

    def act(self, action: Action, view: SpatialView) -> PrimitiveResult:
        """As the robot's own."""
        report = self.world.act(action, view)
        if report.duration > 0 and view.source is not None:
            self._before.append(view.source.views)
        return report


def _came_back(view: CameraView, before: CameraView, last: CameraView) -> bool:
    """Whether what a camera without noise sees may be what it saw once, since it has seen something else in between."""
    if not np.shape(view.depth) == np.shape(before.depth) == np.shape(last.depth):
        return False
    same = view.depth == last.depth
    return bool(NOISELESS_SHARE < same.mean() < 1.0)


def _check_fresh(view: CameraView, before: CameraView, index: int) -> None:
    if np.shape(view.depth) != np.shape(before.depth):
        return
    stale = "depth" if np.array_equal(view.depth, before.depth, equal_nan=True) else ""
    if not stale and np.array_equal(view.rgb, before.rgb) and (np.abs(view.depth - before.depth) > MOVED_M).mean() > MOVED_SHARE:
        stale = "colour"
    if stale:
        raise InvalidObservationError(
            f"camera {index}: its {stale} image is bit for bit one from before the robot moved, expected a new one; "
            "check that images are not buffered and that their time stamps lie after the end of the primitive"
        )


def check_scene(view: SpatialView, first: SpatialView) -> None:
    """Check that a view shows the scene that was seen first, whatever has been moved in it: places that kept their depth kept their colour.

    Raises:
        InvalidObservationError: with what was found, what was expected and what to try.
    """
    if view is first or view.source is None or first.source is None:  # only what cameras saw has colours of its own
        return
    same = view.valid & first.valid & (np.abs(view.depth - first.depth) < SAME_PLACE_M)
    now, then = view.rgb[same].astype(np.float32), first.rgb[same].astype(np.float32)
    recoloured = 1.0
    if len(now):
        brighter = np.median(now / np.maximum(then, 1), axis=0)
        recoloured = float((np.abs(now - brighter * then).max(axis=1) > OTHER_COLOUR).mean())
    if recoloured > MOST_RECOLOURED:
        raise InvalidObservationError(
            f"{recoloured:.0%} of the places at their old depth have another colour than in the first view, expected at most "
            f"{MOST_RECOLOURED:.0%} in the same scene; check that all cameras are those of this robot, or begin a new session here"
        )

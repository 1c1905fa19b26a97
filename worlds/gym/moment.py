"""What is seen between two steps of an environment, looked at once and only if somebody asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hiermap.primitives.specs import PrimitiveResult
from hiermap.worlds.base import Observation
from hiermap.worlds.perception.fusion import SpatialView, see
from hiermap.worlds.scene import Scene


@dataclass(frozen=True, eq=False)
class Moment:
    """One moment of an episode.

    Attributes:
        scene: as it is now; it moves on, so ask before the next step.
        goal: `goal_encoding.encoded`.
        targets: names of the goal's things, in the order of its masks.
        report: what the last primitive said, None if none was run.
    """

    scene: Scene
    goal: Mapping[str, Any]
    targets: tuple[str, ...]
    report: PrimitiveResult | None = None

    @cached_property
    def seen(self) -> Observation | SpatialView:
        """What the robot hands over."""
        return self.scene.observe()

    @cached_property
    def view(self) -> SpatialView:
        """The fused view."""
        return see(self.seen, self.scene.frame)

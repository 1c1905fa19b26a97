"""Films of a robot in a simulated scene: its joints at every primitive's start and, if wanted, some times a second while it moves."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from hiermap.primitives.specs import PrimitiveResult
from hiermap.worlds.base import Action, Observation
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.scene import RealWorld
from hiermap.worlds.simulator.robot_scene import RobotScene

_STEP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
"""Of `plant.step`, see `hiermap.primitives.motion.arm.new_plant`."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One primitive as it was filmed.

    Attributes:
        thing: what lies at the action's cell, for words beside the picture; "" for nothing that has a name.
        states: qpos [nq] at its start, `fps` times a second of simulated time, and at its end.
    """

    action: Action
    thing: str
    states: list[np.ndarray] = field(default_factory=list)


class Film:
    """A `RealWorld` that does what another does, and films the scene that it acts in; physics goes on as without, bit for bit.

    Args:
        real: where actions happen.
        scene: what is filmed.
        fps: states a second of simulated time; 0 for those between primitives only.
    """

    def __init__(self, real: RealWorld, scene: RobotScene, fps: float = 0.0) -> None:
        self.real, self.scene, self.fps = real, scene, fps
        self.shots: list[Shot] = []

    def observe(self) -> Observation | SpatialView:
        """What is seen now."""
        return self.real.observe()

    def act(self, action: Action, view: SpatialView) -> PrimitiveResult:
        """As the other's own."""
        masks = self.scene.masks()
        thing = next((name for name, mask in masks.items() if mask[action.cell]), "")
        self.shots.append(Shot(action, thing, [self.state()]))
        try:
            with self._rolling():
                return self.real.act(action, view)
        finally:
            self._take()

    def state(self) -> np.ndarray:
        """The joints now, [nq]."""
        return self.scene.data.qpos.copy()

    def _take(self) -> None:
        """Keep the joints, unless the simulation has diverged."""
        if np.isfinite(state := self.state()).all():
            self.shots[-1].states.append(state)

    @contextmanager
    def _rolling(self) -> Iterator[None]:
        """Within, the arm's step is followed by a look at the joints whenever it is time for one."""
        plant, due = self.scene.arm.plant, [float(self.scene.data.time)]
        address = int(plant.step)
        step = _STEP(address)

        def watched(context: int) -> int:
            code = step(context)
            if self.scene.data.time >= due[0]:
                due[0] += 1.0 / self.fps
                self._take()
            return code

        callback = _STEP(watched)  # held here for as long as its address is used
        try:
            if self.fps > 0:
                plant.step = ctypes.cast(callback, ctypes.c_void_p).value or 0
            yield
        finally:
            plant.step = address

"""`PartsScene`: what is known by its model alone as a `Scene`; `MjcfScene`: a stranger's kitchen."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.worlds.errors import ConfigError, PhysicsError
from hiermap.worlds.goals import PREDICATES, Predicate
from hiermap.worlds.mjcf.assembly import Base, assembled, best_base
from hiermap.worlds.mjcf.parts import base_of, inside, on_top, parts_of
from hiermap.worlds.mjcf.scene_file import read_scene
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.dressing import stage
from hiermap.worlds.simulator.robot_scene import RobotScene

SETTLE_S = 0.5
"""A scene that is written well is at rest after this time."""
FALLEN_M = 0.10
"""A thing that moves further while it settles was not standing."""
CHANGED_SHARE = 0.3
"""Share of the fixtures that a perturbed start has at their other end."""
MOVED_M = 0.02
"""A perturbed start has things up to this far from where they are written, along x and y."""
DROP_M = 0.001
"""Things are set down from this much above where they shall stand."""
TRIES = 20
DEEP_M = -0.002
"""Things that meet deeper than this overlap."""


class PartsScene(RobotScene):
    """A scene of which nothing is known but its model, with our robot in it.

    Attributes:
        parts: its fixtures, things and surfaces.
        base: where the arm stands in the scene's own coordinates.

    Args:
        model: of the scene with the robot at `base`.
        written: the scene without it.
        name: what errors call it.
        seed: of the noise of its looks.

    Raises:
        ConfigError: nothing moves in it, or it does not come to rest; the message names the element and the remedy.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        written: Callable[[], mujoco.MjSpec],
        base: Base,
        name: str,
        sensing: SensingOptions | None = None,
        seed: int = 0,
        arm: ArmSpec = PANDA,
    ) -> None:
        self.base, self._written, self._name = base, written, name
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        self.parts = parts_of(model, data)
        super().__init__(model, self.parts.owners, f"kitchen {name}", sensing, (seed, 0), arm=arm)
        try:
            self._set(np.random.default_rng(0), 0.0, 0.0)
        except PhysicsError as error:
            raise ConfigError(f"{name}: unstable scene: {error}") from error
        for thing, body in self.parts.things.items():
            if np.linalg.norm(self.data.xpos[body] - data.xpos[body]) > FALLEN_M:
                raise ConfigError(f"{name}: {thing!r} falls or jumps as soon as time runs; put it 1 mm above what it stands on")

    # The truth, for labels, oracle and judge only.

    def dressed(self) -> mujoco.MjModel:
        """With the robot's meshes; what the scene looks like, and its light, are its own."""
        model = assembled(self._written(), self.base, self._name, self.arm.spec, dressed=True)
        stage(model)
        return model

    def vocabulary(self) -> list[Predicate]:
        """Every predicate that makes sense here."""
        return self.parts.vocabulary()

    def truth(self, predicates: Sequence[Predicate]) -> dict[str, bool]:
        """`str(predicate)` -> whether it holds now, by joint ranges, contacts and boxes."""
        mujoco.mj_kinematics(self.model, self.data)
        return {str(predicate): self._holds(predicate) for predicate in predicates}

    def _holds(self, predicate: Predicate) -> bool:
        subject, *place = predicate.arguments
        if subject in self.parts.fixtures:
            return PREDICATES[predicate.kind].holds_at(self.fractions()[subject])
        held = subject in self.between_fingers()
        if predicate.kind == "held":
            return held
        base = base_of(self.model, self.data, self.parts.things[subject])
        if predicate.kind == "inside":
            return not held and inside(self.model, self.data, self.parts.fixtures[place[0]], base)
        return not held and on_top(self.model, self.data, self.parts.surfaces[place[0]], base)

    def fractions(self) -> dict[str, float]:
        where = self.model.jnt_qposadr
        return {name: fixture.fraction(self.data.qpos[where[fixture.joint]]) for name, fixture in self.parts.fixtures.items()}

    def perturb(self, rng: np.random.Generator) -> None:
        """Begin anew with some fixtures at their other end and things a little elsewhere, nothing overlapping."""
        for attempt in range(TRIES):
            try:
                self._set(rng, CHANGED_SHARE, MOVED_M * (1 - attempt / TRIES))
                return
            except (PhysicsError, _Overlap):
                continue
        self._set(rng, 0.0, 0.0)

    def pose(self, fractions: Mapping[str, float], bases_world: Mapping[str, ArrayLike]) -> None:
        """Begin anew with fixtures at fractions of their ranges and things, turned as written, with their bases at points [3] [m].

        Raises:
            PhysicsError: it does not come to rest like that.
        """
        model, data = self.model, self.data
        mujoco.mj_resetData(model, data)
        self._put_arm_at_ready()
        mujoco.mj_kinematics(model, data)
        for name, base in bases_world.items():
            body = self.parts.things[name]
            at = model.jnt_qposadr[model.body_jntadr[body]]
            data.qpos[at : at + 3] += np.asarray(base) - base_of(model, data, body) + (0.0, 0.0, DROP_M)
        for name, fraction in fractions.items():
            fixture = self.parts.fixtures[name]
            data.qpos[model.jnt_qposadr[fixture.joint]] = fixture.rest + fraction * (fixture.far - fixture.rest)
        mujoco.mj_forward(model, data)
        self._come_to_rest(SETTLE_S, self.arm.finger_limit)

    def _set(self, rng: np.random.Generator, changed: float, moved_m: float) -> None:
        """As written but for a share of the fixtures and where things stand; the arm at ready, at rest."""
        model, data = self.model, self.data
        mujoco.mj_resetData(model, data)
        self._put_arm_at_ready()
        for fixture in self.parts.fixtures.values():
            if rng.uniform() < changed:
                data.qpos[model.jnt_qposadr[fixture.joint]] = fixture.far
        for body in self.parts.things.values():
            pose = data.qpos[model.jnt_qposadr[model.body_jntadr[body]] :][:7]
            pose[:2] += rng.uniform(-moved_m, moved_m, 2)
            yaw = Rotation.from_euler("z", rng.uniform(-np.pi, np.pi) * (moved_m > 0))
            pose[3:] = (yaw * Rotation.from_quat(pose[3:], scalar_first=True)).as_quat(scalar_first=True)
        mujoco.mj_forward(model, data)
        if moved_m > 0 and any(contact.dist < DEEP_M for contact in data.contact):
            raise _Overlap
        self._come_to_rest(SETTLE_S, self.arm.finger_limit)


class MjcfScene(PartsScene):
    """A scene written in MJCF, without a robot, with ours put before it.

    Args:
        path: of the file.
        base: where the arm shall stand; None for where it reaches and sees most parts.

    Raises:
        ConfigError: besides, the scene cannot be read, built or reached; the message names the file too.
    """

    def __init__(
        self, path: Path, base: Base | None = None, sensing: SensingOptions | None = None, seed: int = 0, arm: ArmSpec = PANDA
    ) -> None:
        path = Path(os.path.realpath(path.expanduser()))
        found, model = _built(path, base, arm)
        super().__init__(model, partial(read_scene, path), found, path.name, sensing, seed, arm)


class _Overlap(Exception):
    """A start in which things overlap."""


@lru_cache(maxsize=4)
def _built(path: Path, base: Base | None, arm: ArmSpec) -> tuple[Base, mujoco.MjModel]:
    """Where the arm stands, and the model; looking for a good base takes seconds."""
    scene = read_scene(path)
    found = base or best_base(scene, path.name, arm)
    return found, assembled(scene, found, path.name, arm)

"""`HiermapKitchen`: the procedural kitchen as a robosuite environment, `robosuite.make("HiermapKitchen", robots="Panda", ...)`.

robosuite knows an environment once its class is defined: import this module first.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import mujoco
import numpy as np
from robosuite.environments.manipulation.manipulation_env import ManipulationEnv
from robosuite.models.arenas import EmptyArena
from robosuite.models.robots import RobotModel
from robosuite.models.tasks import ManipulationTask

from hiermap.primitives.arms import ARMS
from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.robosuite_arm import HAND, prepare
from hiermap.primitives.arms.spec import ArmSpec, HandSpec
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.kitchen import mjcf
from hiermap.worlds.kitchen.builder import kitchen_elements
from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.kitchen.spec import KitchenSpec
from hiermap.worlds.records import shown
from hiermap.worlds.simulator.dressing import dress, paint, room, stage

TIMESTEP_S = 0.004
"""Step of the physics [s]: half the cost of robosuite's 2 ms at the same success of every motor program."""
INTEGRATOR = "implicitfast"
"""Stable with the damped joints at that step."""
STIFF = "0.008 1"
"""`solref` of links that follow each other: as fast as the time step allows."""
FLOOR_RGBA = (0.55, 0.53, 0.50, 1.0)


class KitchenTask(ManipulationTask):
    """A `ManipulationTask` that does not look for visual meshes, which are gone when it is asked."""

    def generate_id_mappings(self, sim: Any) -> None:
        """Instance segmentation by robosuite's camera is not offered; `hiermap.worlds.simulator.robot_scene.RobotScene.masks` is."""
        for kind in ("instances", "classes"):
            setattr(self, f"_{kind}_to_ids", {})
            setattr(self, f"_geom_ids_to_{kind}", {})
            setattr(self, f"_site_ids_to_{kind}", {})


class HiermapKitchen(ManipulationEnv):
    """A kitchen front around one arm; reward 1 while `success`, a function of the environment, returns True.

    Args:
        robots: robosuite's name of an arm in `ARMS`; ConfigError for any other.
        kitchen: the `KitchenSpec` or the seed of `hiermap.worlds.kitchen.layouts.sample_kitchen`; None for the robot alone.
        dressed: with the robot's meshes, materials, light and a wall, which cameras show and physics does not feel; so too with a renderer.
        options: everything else `ManipulationEnv` takes; renderers are off unless asked for.
    """

    reward_scale, use_object_obs = 1.0, False
    """What robosuite's `GymWrapper` asks: the highest reward, and whether an observation tells the state of things."""

    def __init__(
        self, robots: str = "Panda", kitchen: KitchenSpec | int | None = 0, success: Any = None, dressed: bool = False, **options: Any
    ) -> None:
        known = {spec.robot: spec for spec in ARMS.values()}
        name = robots[0] if isinstance(robots, list | tuple) and len(robots) == 1 else robots
        if not isinstance(name, str) or name not in known:
            raise ConfigError(f"robots={shown(robots)}; HiermapKitchen is built around one arm, expected one of {', '.join(known)}")
        self.spec_arm = known[name]
        self.spec_kitchen = sample_kitchen(kitchen) if isinstance(kitchen, int | np.integer) else kitchen
        self._success = success
        self._dressed = dressed or any(options.get(key) for key in ("has_renderer", "has_offscreen_renderer"))
        defaults: Mapping[str, Any] = {
            "base_types": "NullMount",
            "gripper_types": self.spec_arm.hand.gripper,
            "initialization_noise": None,
            "use_camera_obs": False,
            "has_renderer": False,
            "has_offscreen_renderer": False,
            "ignore_done": True,
        }
        super().__init__(robots=robots, **{**defaults, **options})

    def reward(self, action: np.ndarray | None = None) -> float:
        """1 while the kitchen is as `success` wants it, else 0."""
        return float(self._check_success())

    def _check_success(self) -> bool:
        return bool(self._success(self)) if self._success is not None else False

    def initialize_time(self, control_freq: float) -> None:
        """robosuite assumes its own global time step; ours is the model's."""
        super().initialize_time(control_freq)
        self.model_timestep = TIMESTEP_S

    def _load_model(self) -> None:
        super()._load_model()
        robot = self.robots[0].robot_model
        robot.set_base_xpos(np.array(self.spec_arm.base))
        self.robots[0].init_qpos = np.array(self.spec_arm.ready)
        self.model = KitchenTask(mujoco_arena=EmptyArena(), mujoco_robots=[robot])
        option = self.model.root.find("option")
        assert option is not None
        option.attrib.update(timestep=str(TIMESTEP_S), integrator=INTEGRATOR)
        # Few geoms a body: bounding volumes cost more than the tests that they save.
        SubElement(option, "flag", midphase="disable")
        _fit_hand(self.model.root, self.spec_arm.hand)
        _collision_classes(self.model.worldbody)
        if self._dressed:
            dress(self.model.root)
        else:
            _drop_visuals(self.model.worldbody, self.model.asset)
        if self.spec_kitchen is not None:
            _furnish(self.model.worldbody, self.spec_kitchen, self._dressed)

    def _initialize_sim(self, xml_string: str | None = None) -> None:
        super()._initialize_sim(xml_string)
        prepare(self.sim.model._model, self.spec_arm)
        if self._dressed:
            stage(self.sim.model._model)


def kitchen_model(spec: KitchenSpec, arm: ArmSpec = PANDA, dressed: bool = False) -> mujoco.MjModel:
    """The model of `HiermapKitchen(kitchen=spec)`, at a tenth of its time: robosuite assembles a robot once per process.

    What is at rest sleeps in it, which halves the time of a step. A dressed one is to be photographed, with the same joints.
    """
    root = deepcopy(robot_alone(arm.robot, dressed))
    worldbody = root.find("worldbody")
    assert worldbody is not None
    _furnish(worldbody, spec, dressed)
    return prepared(mujoco.MjModel.from_xml_string(tostring(root, encoding="unicode")), arm)


def prepared(model: mujoco.MjModel, arm: ArmSpec) -> mujoco.MjModel:
    """A compiled model with an arm in it, ready to be driven; what is at rest sleeps in it."""
    model.opt.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    prepare(model, arm)
    return model


@lru_cache(maxsize=4)
def robot_alone(robot: str, dressed: bool = False) -> Element:
    """MJCF of robosuite's arm of that name on a bare floor, assembled once per process; copy it before changing anything."""
    with _uncompiled_robots():
        return HiermapKitchen(robot, kitchen=None, dressed=dressed).model.root


@contextmanager
def _uncompiled_robots() -> Iterator[None]:
    """In here robosuite does not compile each robot by itself too, with all its visual meshes: that takes a second and nothing reads it."""
    compile_alone = RobotModel.set_mujoco_model
    RobotModel.set_mujoco_model = lambda robot: None
    try:
        yield
    finally:
        RobotModel.set_mujoco_model = compile_alone


def _furnish(worldbody: Element, spec: KitchenSpec, dressed: bool) -> None:
    """Put a kitchen before the robot, which comes first, so that the arm's joints do in qpos."""
    floor = worldbody.find("geom[@name='floor']")
    assert floor is not None
    floor.set("pos", f"0 0 {spec.floor_z}")
    worldbody.extend(kitchen_elements(spec))
    if dressed:
        paint(worldbody)
        worldbody.extend(room(spec))


def _fit_hand(root: Element, hand: HandSpec) -> None:
    """Put the grip point where the hand's facts say and let its links follow their motors."""
    site = root.find(f".//site[@name='{HAND}grip_site']")
    assert site is not None
    if hand.ahead:
        site.set("pos", mjcf.numbers((0.0, 0.0, hand.ahead)))
    if hand.coupled:
        for tendons in root.findall("tendon"):
            root.remove(tendons)
        couplings = SubElement(root, "equality")
        for joint, motor, ratio in hand.coupled:
            SubElement(
                couplings,
                "joint",
                joint1=HAND + joint,
                joint2=HAND + motor,
                polycoef=mjcf.numbers((0.0, ratio, 0.0, 0.0, 0.0)),
                solref=STIFF,
            )


def _collision_classes(worldbody: Element) -> None:
    """Put robot and floor, the only things there yet, into their collision classes."""
    for geom in worldbody.iter("geom"):
        floor = geom.get("name") == "floor"
        if floor:
            geom.attrib.update(group="0", rgba=mjcf.numbers(FLOOR_RGBA))
        if geom.get("group", "0") == "0" and not geom.get("contype") == geom.get("conaffinity") == "0":
            contype, conaffinity = mjcf.COLLISION[mjcf.STATIC if floor else mjcf.ROBOT]
            geom.attrib.update(contype=str(contype), conaffinity=str(conaffinity))


def _drop_visuals(worldbody: Element, asset: Element) -> None:
    """Rays and physics use collision geoms only."""
    for parent in list(worldbody.iter()):
        for geom in parent.findall("geom"):
            if geom.get("group") == "1":
                parent.remove(geom)
            else:
                geom.attrib.pop("material", None)
    used = {geom.get("mesh") for geom in worldbody.iter("geom")}
    for item in list(asset):
        if item.tag in ("texture", "material") or (item.tag == "mesh" and item.get("name") not in used):
            asset.remove(item)

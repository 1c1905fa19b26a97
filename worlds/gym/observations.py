"""What is observed, in parts: the fused view, camera images, the robot's own body, the privileged state, a primitive's report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from hiermap.primitives.skills.run import is_holding
from hiermap.primitives.specs import PrimitiveResult, Reason
from hiermap.worlds.base import Observation
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.gym.moment import Moment
from hiermap.worlds.perception.fusion import FRAME, SpatialView
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.robot_scene import RobotScene

FAR_M = 4.0
"""Upper bound of depths [m]."""
FAST = 10.0
"""Bound of joint speeds [rad/s]."""
LONG_S, LONG = 60.0, 10.0
"""Bounds of what a primitive's report says."""
MOST_THINGS = 40
"""Rows of the privileged state; kitchens of ours have at most 25."""
REASONS = tuple(Reason)
Arrays = dict[str, Any]
Spaces = dict[str, Space[Any]]


@dataclass(frozen=True)
class Part:
    """Some entries of an observation.

    Attributes:
        space: of these entries, for a frame of views and a way of sensing.
        read: them, as new arrays, from a moment.
    """

    space: Callable[[SpatialFrame, SensingOptions], Spaces]
    read: Callable[[Moment], Arrays]


def _box(low: float, high: float, *shape: int) -> spaces.Box:
    return spaces.Box(low, high, shape, np.float32)


def _holding_space() -> spaces.Box:
    return spaces.Box(0, 1, (1,), np.int8)


def _floats(value: Any, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """A new array within bounds; 0 for NaN, which means unknown."""
    return np.clip(np.nan_to_num(np.array(value, np.float32), posinf=high, neginf=low), low, high)


def _fused_space(frame: SpatialFrame, sensing: SensingOptions) -> Spaces:
    rgb = spaces.Box(0, 255, (*frame.shape, 3), np.uint8)
    return {"rgb": rgb, "depth": _box(0.0, FAR_M, *frame.shape), "holding": _holding_space()}


def _fused(moment: Moment) -> Arrays:
    """The spatial frame: "rgb" `[H, W, 3]` uint8, "depth" `[H, W]` float32 view depth [m] (0 unknown), "holding" `[1]` int8."""
    view = moment.view
    return {"rgb": view.rgb.copy(), "depth": _floats(view.depth, 0.0, FAR_M), "holding": np.array([view.holding], np.int8)}


def view_of(observation: Mapping[str, Any], frame: SpatialFrame = FRAME) -> SpatialView:
    """The fused view of an observation that has one."""
    depth = np.asarray(observation["depth"])
    return SpatialView(np.asarray(observation["rgb"]), depth, depth > 0, bool(observation["holding"][0]), frame)


def _camera_space(frame: SpatialFrame, sensing: SensingOptions) -> Spaces:
    found: Spaces = {}
    for index, camera in enumerate(sensing.cameras):
        size = camera.height, camera.width
        found |= {
            f"camera_{index}_rgb": spaces.Box(0, 255, (*size, 3), np.uint8),
            f"camera_{index}_depth": _box(0.0, FAR_M, *size),
            f"camera_{index}_K": _box(0.0, 1e5, 3, 3),
            f"camera_{index}_T_camera_to_world": _box(-FAR_M, FAR_M, 4, 4),
        }
    return found


def _cameras(moment: Moment) -> Arrays:
    """Of each camera i: "camera_i_rgb" `[h, w, 3]` uint8, "camera_i_depth" `[h, w]` float32 along the optical axis [m] (0 unknown),
    "camera_i_K" `[3, 3]` [px], "camera_i_T_camera_to_world" `[4, 4]` [m], OpenCV axes.
    """
    found: Arrays = {}
    assert isinstance(moment.seen, Observation)  # a robot's look
    for index, view in enumerate(moment.seen.views):
        found |= {
            f"camera_{index}_rgb": view.rgb.copy(),
            f"camera_{index}_depth": _floats(view.depth, 0.0, FAR_M),
            f"camera_{index}_K": _floats(view.K),
            f"camera_{index}_T_camera_to_world": _floats(view.T_camera_to_world),
        }
    return found


def _body_space(frame: SpatialFrame, sensing: SensingOptions) -> Spaces:
    return {
        "joint_positions": _box(-2 * np.pi, 2 * np.pi, 7),
        "joint_speeds": _box(-FAST, FAST, 7),
        "T_hand_to_world": _box(-FAR_M, FAR_M, 4, 4),
        "gripper_width": _box(0.0, 0.1, 1),
        "holding": _holding_space(),
    }


def _body(moment: Moment) -> Arrays:
    """The robot's own: "joint_positions" `[7]` [rad], "joint_speeds" `[7]` [rad/s], "T_hand_to_world" `[4, 4]` [m] (the grip point;
    approach z, fingers open along x), "gripper_width" `[1]` [m] between the pads, "holding" `[1]` int8 (something keeps the fingers apart).
    """
    arm = robot(moment).arm
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3], _ = arm.chain.forward(arm.plant.q)
    return {
        "joint_positions": _floats(arm.plant.q),
        "joint_speeds": _floats(arm.plant.qd, -FAST, FAST),
        "T_hand_to_world": _floats(pose, -FAR_M, FAR_M),
        "gripper_width": _floats([arm.width()], 0.0, 0.1),
        "holding": np.array([is_holding(arm)], np.int8),
    }


def _state_space(frame: SpatialFrame, sensing: SensingOptions) -> Spaces:
    return {"privileged_things": _box(-FAR_M, FAR_M, MOST_THINGS, 10)}


def _state(moment: Moment) -> Arrays:
    """What only a simulator knows, "privileged_things" `[MOST_THINGS, 10]` float32, a row a thing: 1, the middle of its shapes x, y, z [m],
    its body's quaternion w, x, y, z, how far it is open or on in [0, 1] (-1: it is on no joint), 1 if it is held.

    First the goal's things in the order of its masks, then the others by name, then rows of zeros.
    """
    scene = robot(moment)
    states = scene.things()
    names = [*moment.targets, *sorted(states.keys() - set(moment.targets))]
    if len(names) > MOST_THINGS:
        raise ConfigError(f"{scene.about} has {len(names)} things, expected at most {MOST_THINGS}; take obs=cameras or fused")
    rows = np.zeros((MOST_THINGS, 10), np.float32)
    for row, name in zip(rows, names, strict=False):
        thing = states[name]
        row[:] = 1.0, *thing.middle_world, *thing.quaternion, thing.fraction, thing.held
    return {"privileged_things": _floats(rows, -FAR_M, FAR_M)}


def _report_space(frame: SpatialFrame, sensing: SensingOptions) -> Spaces:
    high = np.array([1, len(REASONS) - 1, LONG_S, LONG], np.float32)
    return {"report": spaces.Box(np.zeros(4, np.float32), high, dtype=np.float32)}


def _report(moment: Moment) -> Arrays:
    """What the last primitive felt: "report" `[4]` float32, 1 if it thinks that it succeeded, the number of its `Reason` in order, its
    duration [s], its displacement [m, or rad for rotate]; zeros before the first.
    """
    told = moment.report
    values = [0.0] * 4 if told is None else [told.succeeded, REASONS.index(told.reason), told.duration, told.displacement]
    return {"report": np.clip(np.array(values, np.float32), 0.0, [1, len(REASONS) - 1, LONG_S, LONG]).astype(np.float32)}


def report_of(observation: Mapping[str, Any]) -> PrimitiveResult:
    """The report in an observation under control=primitive."""
    succeeded, reason, duration, displacement = map(float, observation["report"])
    return PrimitiveResult(bool(succeeded), REASONS[int(reason)], duration, displacement)


def robot(moment: Moment) -> RobotScene:
    """The scene, which has to be a robot's; ConfigError if it is not."""
    if not isinstance(moment.scene, RobotScene):
        raise ConfigError(f"a {type(moment.scene).__name__} has no robot to look with; take obs=fused and control=primitive")
    return moment.scene


FUSED, CAMERAS, BODY = Part(_fused_space, _fused), Part(_camera_space, _cameras), Part(_body_space, _body)
STATE, REPORT = Part(_state_space, _state), Part(_report_space, _report)
OBSERVATIONS: Mapping[str, tuple[Part, ...]] = {"fused": (FUSED,), "cameras": (CAMERAS, BODY), "state": (STATE, BODY)}
"""Name -> its parts."""
FELT: Mapping[str, Part] = {"primitive": REPORT, "joint": BODY, "osc": BODY}
"""Name of a control -> what is observed besides."""

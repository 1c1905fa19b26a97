"""Shared phases of every program: to the standoff, fingers shut and open, out of contact and home again."""

from collections.abc import Iterable, Sequence

import numpy as np

from hiermap.primitives.hand import EMPTY_WIDTH_M
from hiermap.primitives.motion.control import Driver, GivenUp
from hiermap.primitives.motion.detours import way_out
from hiermap.primitives.motion.guarded import advance, back_off
from hiermap.primitives.motion.ik_branches import Option, Reach, best_reach
from hiermap.primitives.motion.kinematics import UP, cross, hand_rotation, length_of, turned_about, unit
from hiermap.primitives.motion.laws import impedance
from hiermap.primitives.specs import Reason

SOFT_APPROACH_M = 0.03
"""The last part of an approach is done in impedance, so that a point a little off does no harm."""

CLOSE_S, RELEASE_S = 0.5, 0.35
"""Long enough for the fingers to close on something, and to let go of it."""


def twins(approach: np.ndarray, opening: np.ndarray) -> list[np.ndarray]:
    """Both rotations [3, 3] of a hand that comes along `approach` and whose fingers open along `opening`."""
    return [hand_rotation(approach, sign * opening) for sign in (1.0, -1.0)]


def pitched(direction: np.ndarray, pitch_rad: float) -> np.ndarray:
    """A horizontal `direction` [3] tilted downward by `pitch_rad`."""
    return turned_about(unit(cross(direction, UP)), -pitch_rad) @ direction


def level(normal_world: Sequence[float] | np.ndarray) -> np.ndarray:
    """The horizontal part of an outward normal, unit [3]; toward the robot when there is hardly any."""
    flat = np.array([normal_world[0], normal_world[1], 0.0])
    return unit(flat) if length_of(flat) > 0.3 and flat[0] < 0.3 else np.array([-1.0, 0.0, 0.0])


def enter(driver: Driver, reach: Reach, rise: float = 0.0, soft: float = SOFT_APPROACH_M) -> np.ndarray:
    """From ready around what may stand open to the last `soft` metres of the approach; the joints there [n].

    The hand reaches the standoff from `rise` [m] above it. Raises GivenUp after returning to where it came from.
    """
    chain = driver.arm.chain
    option = reach.option
    entry = way_out(driver.arm, reach.approach[0], driver.arm.ready, rise)[::-1]
    way = option.contact - option.standoff
    stop = option.standoff + max(0.0, 1.0 - soft / length_of(way)) * way
    path, *_ = chain.follow(reach.approach[:1], option.rotation, np.linspace(option.standoff, stop, 4)[1:])
    if not driver.follow(np.vstack([*entry[1:], reach.approach[:1]])) or not driver.follow(path[0], speed=0.6):
        raise GivenUp(Reason.BLOCKED)
    driver.take_tare()
    return path[0, -1]


def reach_for(
    driver: Driver, options: Iterable[Option], touch: float, rise: float = 0.0, soft: float = SOFT_APPROACH_M
) -> tuple[np.ndarray, Option]:
    """`enter` by the best of `options` and go on to its contact, or until `touch` [N] is felt: the joints at its start [n], and it."""
    reach = best_reach(driver.arm, options)
    posture = enter(driver, reach, rise, soft)
    advance(driver, posture, reach.option.rotation, reach.option.contact, touch)
    return posture, reach.option


def close_fingers(driver: Driver, posture: np.ndarray, rotation: np.ndarray) -> bool:
    """Squeeze softly in place; whether something is between the pads then."""
    driver.squeeze()
    _wait(driver, posture, rotation, CLOSE_S)
    return driver.arm.width() >= EMPTY_WIDTH_M


def release(driver: Driver, posture: np.ndarray, extra: float | None = None) -> None:
    """Open the fingers softly in place: fully, or by `extra` [m] per finger."""
    driver.open_to(None if extra is None else driver.arm.width() / 2 + extra)
    _wait(driver, posture, driver.hand().rotation, RELEASE_S)


def _wait(driver: Driver, posture: np.ndarray, rotation: np.ndarray, seconds: float) -> None:
    # A soft hand gives way to an off-centre grip instead of pulling on it.
    driver.stay(impedance(rotation, driver.hand().position, 150.0, 60.0, 20.0, 5.0), posture, seconds)


def go_home(driver: Driver, rise: float = 0.0) -> None:
    """Around what may stand open to the ready pose, first up by `rise` [m] where possible, and rest there."""
    driver.leaving()
    ready = driver.arm.ready
    if not driver.follow(way_out(driver.arm, driver.joints(), ready, rise)):
        back_off(driver, unit(np.array([-0.5, 0.0, 1.0])), 0.12)
        driver.follow(ready[None], guarded=False)
    driver.hold(0.6, ready)

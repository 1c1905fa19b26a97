"""What a hand and what it moves come near to on their way, whatever else is where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from hiermap.primitives.motion.control import GivenUp
from hiermap.primitives.motion.detours import way_out
from hiermap.primitives.motion.ik_branches import Reach, best_reach
from hiermap.primitives.motion.kinematics import UP
from hiermap.primitives.skills.approaches import approach_of
from hiermap.primitives.specs import Command
from hiermap.worlds.geometry.kinematic_copy import FINGERS, ROBOT, STATIC, KinematicCopy, rotation_about
from hiermap.worlds.rules.places import Place

STEPS = (0.0, 0.25, 0.5, 0.75, 0.95)
"""Shares of a part's way at which it is asked."""
HAND_GAIN = 0.7
"""A hand that moves a hinged part turns by this share of what the part turns."""
SINKS_M = 0.008
"""What the fingers touch gives way by this much, or they do."""
PRESSED_M = 0.015
"""The same of a drawer that is pushed, for the palm may meet its handle; a door is pushed by whatever meets it."""
SLIDES_AFTER = 2
"""Of `STEPS`: a door that is pushed may slide along the hand from then on; what is gripped stays in it."""
STRAYS_M = 0.004
"""A hand strays by so much: it keeps that far from what stands still, while a part on its joint may pass others so much nearer."""
A_CELL_M = 0.008
"""What holds at a point is to hold at the next cell: palm and arm keep that far from what stands still; a grasp is in reach there."""
ARM = (ROBOT, FINGERS)
TURNS_RAD = 0.4
"""On its way between ready and standoff the arm is asked whenever a joint has turned by this much."""
BACK_M, RISE_M = 0.10, 0.12
"""A hand that lets go of a part draws back and rises by this much before it turns home."""
LIFT_M = 0.10
"""What is lifted or let down passes so much free height [m]."""

Standing = Mapping[str, Sequence[Place]]
"""Thing -> everywhere it may be."""


@dataclass(frozen=True, eq=False)
class Passage:
    """How near others are to a hand and its load on the way [m], infinite where they are not within reach of a question.

    Attributes:
        at_rest, far: fixture -> while it is at rest, and at the far end of its range.
        placed: thing -> `[places]`, while it is there.
    """

    at_rest: Mapping[str, float]
    far: Mapping[str, float]
    placed: Mapping[str, np.ndarray]


def reach(copy: KinematicCopy, command: Command) -> Reach | None:
    """How the arm would come to what a command names, or None if it does not."""
    try:
        return best_reach(copy.scene.arm, approach_of(command).options)
    except GivenUp:
        return None


def fixture_passage(copy: KinematicCopy, command: Command, name: str, start: float, end: float, places: Standing) -> Passage | None:
    """Bringing a fixture from fraction `start` to `end`; None if the arm does not reach or follow, or furniture is in its way."""
    found = reach(copy, command)
    way = None if found is None else _with_part(copy, command, found, name, start, end)
    if found is None or way is None:
        return None
    coming = [(0.0, found.approach[k]) for k in (0, len(found.approach) // 2)]
    asked = _Passing(copy, name, places)
    for share, joints in (*coming, *zip(STEPS, way, strict=False)):
        copy.turn(name, start + share * (end - start))
        copy.pose_arm(joints, approach_of(command).finger)
        asked.look((*ARM, copy.groups[name]), ARM)
        if asked.fixed_m < -SINKS_M or asked.palm_m < A_CELL_M:
            return None
    ends = [(start, found.approach[0])]
    if len(way) == len(STEPS):
        ends.append((end, _let_go(copy, way[-1])))
    for fraction, joints in ends:
        copy.turn(name, fraction)
        if not _comes_free(copy, asked, joints, approach_of(command).finger, copy.groups[name]):
            return None
    # Where a part slides along the hand, nobody knows the arm's posture.
    copy.pose_arm(copy.scene.arm.ready, copy.scene.arm.finger_limit)
    for share in STEPS[len(way) :]:
        copy.turn(name, start + share * (end - start))
        asked.look((copy.groups[name],), ())
    return asked.passage()


def _comes_free(copy: KinematicCopy, asked: "_Passing", joints: np.ndarray, finger: float, subject: int) -> bool:
    """Whether the arm comes from ready to `joints` [n] without meeting what stands still or what it is on its way to."""
    ready = copy.scene.arm.ready
    whole = np.vstack([joints, way_out(copy.scene.arm, joints, ready)])
    turned = np.append(0.0, np.cumsum(np.abs(np.diff(whole, axis=0)).max(axis=1)))
    for at in np.arange(0.0, turned[-1], TURNS_RAD):
        copy.pose_arm(np.array([np.interp(at, turned, joint) for joint in whole.T]), finger)
        asked.look(ARM, ())
        if copy.distances()[np.ix_(ARM, (STATIC, subject))].min() < STRAYS_M:
            return False
    return True


def _let_go(copy: KinematicCopy, joints: np.ndarray) -> np.ndarray:
    """The arm [n] after a hand at `joints` has drawn back and risen; where it was if it cannot."""
    chain = copy.scene.arm.chain
    rotation, position, _ = chain.forward(joints)
    back = position - BACK_M * rotation[:, 2]
    path, reached, *_ = chain.follow(joints[None], np.array([rotation, rotation]), np.array([back, back + RISE_M * UP]))
    followed = int(np.cumprod(reached[0]).sum())
    return path[0, followed - 1] if followed else joints


def _with_part(copy: KinematicCopy, command: Command, found: Reach, name: str, start: float, end: float) -> np.ndarray | None:
    """The arm `[k, n]` at the first k of `STEPS` of a part that it moves; None if it cannot touch it right or leaves it too early."""
    option, approach, chain = found.option, approach_of(command), copy.scene.arm.chain
    touch, part = option.contact + approach.sought, copy.parts.fixtures[name]
    first, *_ = chain.follow(found.approach[-1:], option.rotation[None], touch[None])
    copy.turn(name, start)
    copy.pose_arm(first[0, 0], approach.finger)
    may_sink = SINKS_M if approach.grips else PRESSED_M if copy.slides(part) else np.inf
    if -copy.distances()[ARM, copy.groups[name]].min() > may_sink:
        return None
    fractions = [start + share * (end - start) for share in STEPS]
    rotations = np.array([_hand_turn(copy, name, start, fraction) @ option.rotation for fraction in fractions])
    positions = np.array([copy.carried(name, touch, start, fraction) for fraction in fractions])
    path, reached, *_ = chain.follow(first[:, 0], rotations, positions)
    followed = int(np.cumprod(reached[0]).sum())
    least = len(STEPS) if approach.grips or copy.slides(part) else SLIDES_AFTER
    return path[0, :followed] if followed >= least else None


def _hand_turn(copy: KinematicCopy, name: str, start: float, fraction: float) -> np.ndarray:
    part = copy.parts.fixtures[name]
    if copy.slides(part):
        return np.eye(3)
    share = 1.0 if part.ends[0] == "off" else HAND_GAIN
    return rotation_about(copy.opening_axis(name), share * (fraction - start) * abs(part.far - part.rest))


def thing_passage(copy: KinematicCopy, command: Command, name: str, place: Place, places: Standing) -> Passage | None:
    """Taking a thing at a place or setting it down there; None if the arm does not reach or what stands still is in the way."""
    found = reach(copy, command)
    if found is None:
        return None
    asked, base = _Passing(copy, name, places, place.drawer), np.array(place.point_world)
    if place.drawer is not None:
        copy.turn(place.drawer, 1.0)
    for share, joints in ((1.0, found.approach[0]), (0.5, found.approach[len(found.approach) // 2]), (0.0, found.approach[-1])):
        height = share * (found.option.standoff[2] - found.option.contact[2])
        copy.stand(name, base + height * UP)
        copy.pose_arm(joints, approach_of(command).finger)
        moving = (*ARM, copy.groups[name]) if command.primitive == "place" or share == 0.0 else ARM
        asked.look(moving, moving)
        if asked.fixed_m < -SINKS_M / 2 or asked.hand_m < STRAYS_M:
            return None
    if command.primitive == "place":
        copy.take_away(name)
    elif reach(copy, _a_cell_further(command)) is None:
        return None
    free = _comes_free(copy, asked, found.approach[0], approach_of(command).finger, copy.groups[name])
    return asked.passage() if free else None


def _a_cell_further(command: Command) -> Command:
    """The same where it is next hardest to reach: a cell further from the arm's base, which is the origin."""
    x, y, z = command.point_world
    share = 1 + A_CELL_M / np.hypot(x, y)
    return replace(command, point_world=(share * x, share * y, z))


class _Passing:
    """The nearest that others came while parts and the arm were posed."""

    def __init__(self, copy: KinematicCopy, subject: str, places: Standing, opened: str | None = None) -> None:
        """`opened` stays open."""
        self.copy, self.opened = copy, opened
        self.fixed_m = self.hand_m = self.palm_m = np.inf
        self.steady = copy.groups[subject] if subject in copy.parts.fixtures else None
        self.bases = {thing: np.array([place.point_world for place in own]) for thing, own in places.items() if thing != subject}
        self.others = [name for name in copy.parts.fixtures if name not in (subject, opened)]
        self.at_rest, self.far = ({name: np.inf for name in self.others} for _ in range(2))
        self.placed = {thing: np.full(len(own), np.inf) for thing, own in self.bases.items()}

    def look(self, moving: Sequence[int], freely: Sequence[int]) -> None:
        """Ask what is near the `moving` groups as everything stands, with the others everywhere they may be; and how near those that must
        move `freely` come to what never leaves."""
        copy, groups = self.copy, self.copy.groups
        mujoco.mj_kinematics(copy.model, copy.data)
        close = {thing: np.flatnonzero(copy.may_touch(thing, bases, moving)) for thing, bases in self.bases.items()}
        for turn in range(max(2, *map(len, close.values()), 0)):
            standing = {thing: int(numbers[turn]) for thing, numbers in close.items() if turn < len(numbers)}
            self._put(turn, standing)
            distances = copy.distances()
            near = np.min([distances[group] + STRAYS_M * (group == self.steady) for group in moving], axis=0)
            if turn == 0 and freely:
                fixed = [STATIC] if self.opened is None else [STATIC, groups[self.opened]]
                self.fixed_m = min(self.fixed_m, float(distances[np.ix_(freely, fixed)].min()))
                self.hand_m = min(self.hand_m, float(distances[np.ix_(ARM, fixed)].min()))
                self.palm_m = min(self.palm_m, float(distances[ROBOT, fixed].min()))
            if turn < 2:
                kept = (self.at_rest, self.far)[turn]
                kept |= {name: min(kept[name], float(near[groups[name]])) for name in self.others}
            for thing, number in standing.items():
                self.placed[thing][number] = min(self.placed[thing][number], near[groups[thing]])
        for thing in self.bases:
            copy.take_away(thing)

    def _put(self, turn: int, standing: Mapping[str, int]) -> None:
        """Some other things at places of theirs; other fixtures at rest at first and far then."""
        for name in self.others if turn < 2 else ():
            self.copy.turn(name, float(turn))
        for thing, bases in self.bases.items():
            if thing in standing:
                self.copy.stand(thing, bases[standing[thing]])
            else:
                self.copy.take_away(thing)

    def passage(self) -> Passage:
        """What was found; everything is put back."""
        self.copy.reset()
        return Passage(self.at_rest, self.far, self.placed)

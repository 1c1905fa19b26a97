"""An old image is not taken for a new one, nor another kitchen for this one."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest

from hiermap.agent.execute import execute
from hiermap.agent.planner import Planner
from hiermap.agent.session import Session
from hiermap.agent.watch import Watch, check_scene
from hiermap.planners import Status
from hiermap.primitives.specs import PrimitiveResult, Reason
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.goals import Goal
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyScene, ToyWorld
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.simulator.kitchen import Kitchen
from tests.worlds.simulator.box_scene import observe


@dataclass
class Robot:
    """Hands over the looks it is given, and reports primitives of a given length."""

    looks: list
    seconds: float = 4.0
    acted: list = field(default_factory=list)

    def observe(self):
        return self.looks.pop(0)

    def act(self, action, view):
        self.acted.append(action)
        return PrimitiveResult(self.seconds > 0, Reason.DONE if self.seconds else Reason.UNREACHABLE, self.seconds, 0.0)


def with_view(seen, index, **changes):
    return replace(seen, views=tuple(replace(v, **changes) if i == index else v for i, v in enumerate(seen.views)))


def another_look(seen):
    """As of a sensor with noise."""
    return replace(seen, views=tuple(replace(v, depth=v.depth + np.float32(1e-5)) for v in seen.views))


def acted(seconds=4.0, *looks):
    """A watch after one primitive in the view of the first look."""
    watch = Watch(Robot([*looks], seconds))
    watch.act(None, fuse(watch.observe()))
    return watch


def test_what_was_seen_before_the_robot_moved_is_refused():
    seen = observe()
    for camera in range(3):
        late = with_view(another_look(seen), camera, depth=seen.views[camera].depth)
        with pytest.raises(InvalidObservationError, match=f"camera {camera}: its depth image is bit for bit one from before"):
            acted(4.0, seen, late).observe()
    fresh = another_look(seen)
    assert acted(4.0, seen, fresh).observe() is fresh


def test_nothing_is_old_while_the_robot_does_not_move():
    seen = observe()
    assert acted(0.0, seen, seen).observe() is seen
    watch = Watch(Robot([seen, seen]))
    assert watch.observe() is watch.observe()


def test_an_image_of_any_earlier_look_is_old():
    seen = [observe()]
    for _ in range(2):
        seen.append(another_look(seen[-1]))
    watch = acted(4.0, *seen, seen[0])
    for _ in range(2):
        watch.act(None, fuse(watch.observe()))
    with pytest.raises(InvalidObservationError, match="camera 0"):
        watch.observe()


def test_a_camera_without_noise_may_see_again_what_it_saw_before_something_moved_to_and_fro():
    shut = observe()
    depth = shut.views[0].depth.copy()
    depth[40:80, 60:100] -= 0.004
    opened = with_view(another_look(shut), 0, depth=depth)
    again = with_view(another_look(another_look(shut)), 0, depth=shut.views[0].depth)
    watch = acted(4.0, shut, opened, again)
    watch.act(None, fuse(watch.observe()))
    assert watch.observe() is again


def test_colours_that_stay_while_the_depth_has_changed_are_old():
    seen = observe()
    depth = seen.views[1].depth.copy()
    depth[40:80, 60:100] -= 0.1
    moved = with_view(another_look(seen), 1, depth=depth)
    with pytest.raises(InvalidObservationError, match="camera 1: its colour image"):
        acted(4.0, seen, moved).observe()
    rgb = seen.views[1].rgb.copy()
    rgb[40:80, 60:100] += 1
    assert acted(4.0, seen, with_view(moved, 1, rgb=rgb)).observe()


def test_a_session_answers_with_a_status_for_an_old_image():
    seen = observe()
    session = Session(Robot([seen, seen]), Planner(ToyWorld(TOY_INSTANCES["put_in_and_shut"].kitchen)))
    session.first = fuse(session.world.observe())
    session.world.act(None, session.first)
    session._acted = True
    result = session.plan(Goal((), {}))
    assert result.status is Status.INVALID_OBSERVATION and "before the robot moved" in result.message and not result


class Camera(ToyScene):
    """Views as if fused from images, which `change` makes out of the first ones after every primitive."""

    acted, source, change = 0, observe(), staticmethod(lambda seen: seen)

    def act(self, action, view):
        self.acted += 1
        return super().act(action, view)

    def observe(self):
        seen = replace(super().observe(), source=self.change(self.source) if self.acted else self.source)
        return replace(seen, rgb=255 - seen.rgb) if self.acted else seen


@pytest.mark.parametrize(("change", "why"), [(lambda seen: seen, "before the robot moved"), (another_look, "another colour")])
def test_an_execution_stops_at_an_old_look_and_at_another_scene(change, why):
    instance = TOY_INSTANCES["put_in_and_shut"]
    robot, planner = Camera(instance.kitchen), Planner(ToyWorld(instance.kitchen))
    robot.change = change
    done = execute(robot, planner.plan(robot.observe(), instance.goal), planner)
    assert not done and robot.acted == 1 and done.failure_reason.startswith("invalid_observation: ") and why in done.failure_reason


def test_a_plan_from_another_scene_than_the_first_is_a_status(kitchen):
    instance = TOY_INSTANCES["put_in_and_shut"]
    result = Planner(ToyWorld(instance.kitchen)).plan(Kitchen(160811).view(), instance.goal, first=kitchen.view())
    assert result.status is Status.INVALID_OBSERVATION and "another colour" in result.message


@pytest.fixture(scope="module")
def kitchen():
    return Kitchen(160810)


def test_the_same_kitchen_with_everything_moved_or_darker_is_the_same(kitchen):
    first = kitchen.view()
    for seed in range(3):
        kitchen.set_scene(random_scene(kitchen.spec, np.random.default_rng(seed)))
        view = kitchen.view()
        check_scene(view, first)
        check_scene(replace(view, rgb=(0.8 * view.rgb).astype(np.uint8)), first)


@pytest.mark.parametrize("seed", range(160811, 160814))
def test_another_kitchen_is_told(kitchen, seed):
    with pytest.raises(InvalidObservationError, match=r"\d+% of the places at their old depth have another colour"):
        check_scene(Kitchen(seed).view(), kitchen.view())


def test_a_view_in_which_nothing_is_where_it_was_is_another_scene(kitchen):
    view = kitchen.view()
    with pytest.raises(InvalidObservationError, match="100%"):
        check_scene(replace(view, depth=view.depth + np.float32(0.5)), view)


def test_views_that_no_camera_gave_are_taken_as_they_are(kitchen):
    drawn = replace(kitchen.view(), source=None)
    check_scene(replace(drawn, rgb=255 - drawn.rgb), drawn)
    assert Watch(SimpleNamespace(observe=lambda: drawn)).observe() is drawn

"""Branch search: which of the arm's ways to a pose is taken."""

import numpy as np
import pytest

from hiermap.primitives.hand import STANDOFFS_M, YAWS_RAD
from hiermap.primitives.motion.control import GivenUp
from hiermap.primitives.motion.ik_branches import Option, best_reach, straight
from hiermap.primitives.motion.kinematics import hand_rotation
from hiermap.primitives.skills import grasp
from hiermap.primitives.skills.pull import options as pull_options
from hiermap.worlds.rules.reachability import GRASP_LIFT, MARGIN, PLACE_LIFT, reached_from_above

FORWARD, UP = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])


def front_option(y, cost=0.0, x=0.6):
    rotation = hand_rotation(FORWARD, np.array([0.0, 1.0, 0.0]))
    contact = np.array([x, y, 0.25])
    return Option(rotation, contact, contact - 0.1 * FORWARD, cost)


def test_the_approach_runs_from_the_standoff_to_the_contact(arm):
    option = front_option(0.25)
    reach = best_reach(arm, [option])
    np.testing.assert_allclose(arm.chain.forward(reach.approach[0])[1], option.standoff, atol=1e-3)
    np.testing.assert_allclose(arm.chain.forward(reach.approach[-1])[1], option.contact, atol=1e-3)


def test_both_sides_of_the_kitchen_are_reached(arm):
    for y in (0.35, -0.35):
        assert best_reach(arm, [front_option(y)]).option.contact[1] == y


def test_out_of_reach_there_is_no_branch(arm):
    with pytest.raises(GivenUp, match="unreachable"):
        best_reach(arm, [front_option(0.2, x=1.3)])


def test_of_two_equal_options_the_one_less_disliked_is_taken(arm):
    reach = best_reach(arm, [front_option(0.25, cost=3.0), front_option(0.25, cost=0.0)])
    assert reach.option.cost == 0.0


def test_the_search_is_deterministic(arm):
    options = list(pull_options(np.array([0.55, 0.25, 0.2]), -FORWARD, 1))
    first, second = (best_reach(arm, options) for _ in range(2))
    np.testing.assert_array_equal(first.approach, second.approach)


def test_a_look_ahead_that_cannot_be_followed_makes_a_branch_dearer(arm):
    plain = front_option(0.25)
    far = straight(plain.rotation, plain.contact, plain.contact + 0.8 * FORWARD)
    dearer = Option(plain.rotation, plain.contact, plain.standoff, 0.0, [far])
    one, two = best_reach(arm, [plain]), best_reach(arm, [dearer])
    assert two.cost > one.cost + 1.0


def test_pull_prefers_a_hand_pitched_a_little_down(arm):
    for roll, opening in ((0, np.array([0.0, 1.0, 0.0])), (1, UP)):
        first = min(pull_options(np.array([0.55, 0.25, 0.2]), -FORWARD, roll), key=lambda option: option.cost)
        assert 0.1 < -first.rotation[2, 2] < 0.5
        assert abs(first.rotation[:, 0] @ opening) > 0.9


@pytest.mark.parametrize(("lift", "standoffs"), [(GRASP_LIFT, STANDOFFS_M["grasp"]), (PLACE_LIFT, STANDOFFS_M["place"])])
@pytest.mark.parametrize("height", [0.19, 0.28, 0.34])
def test_from_above_the_arm_reaches_as_far_as_the_worlds_rules_say_and_hardly_farther(arm, height, lift, standoffs):
    for angle in np.linspace(-0.65, 0.65, 7):
        ray = np.arange(0.6, 0.9, 0.002)
        points = np.stack([ray * np.cos(angle), ray * np.sin(angle), np.full(len(ray), height)], axis=-1)
        edge = np.flatnonzero(reached_from_above(points, lift))[-1]

        def reached(index, yaw, points=points):
            try:
                return best_reach(arm, grasp.down_options(points[index], yaw, standoffs, 0.0))
            except GivenUp:
                return None

        assert all(reached(edge, yaw) for yaw in YAWS_RAD["grasp"])
        assert not reached(edge + round((MARGIN + 0.01) / 0.002), YAWS_RAD["grasp"][0])

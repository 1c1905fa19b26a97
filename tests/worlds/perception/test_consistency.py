from dataclasses import replace

import mujoco
import numpy as np
import pytest

from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.perception.calibration import calibrated
from hiermap.worlds.perception.cameras import check_view
from hiermap.worlds.perception.consistency import check_consistency
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.kitchen import Kitchen
from tests.worlds.simulator.box_scene import observe

NOISY = SensingOptions(depth_noise_m=0.003, depth_dropout=0.02, camera_shift_m=0.005, camera_turn_rad=0.0087266, fiducial_noise_px=0.05)


@pytest.mark.parametrize("sensing", [SensingOptions(), NOISY], ids=["exact", "noisy"])
@pytest.mark.parametrize("seed", [160801, 160802])
def test_true_views_pass_with_drawers_open_and_the_arm_anywhere(seed, sensing):
    kitchen, rng = Kitchen(seed, sensing), np.random.default_rng(seed)
    for turned in (False, True):
        kitchen.set_scene(random_scene(kitchen.spec, rng))
        kitchen.data.qpos[kitchen.arm.qpos] += turned * rng.uniform(-0.4, 0.4, 7)
        mujoco.mj_forward(kitchen.model, kitchen.data)
        seen = kitchen.observe()
        check_consistency(calibrated(seen.views)[0], seen.body)


@pytest.fixture(scope="module")
def kitchen_look():
    return Kitchen(160803).observe()


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("metres", [-0.1, 0.1])
def test_an_arm_that_is_seen_elsewhere_than_its_joint_angles_say_is_told(kitchen_look, axis, metres):
    body = replace(kitchen_look.body, centres_world=kitchen_look.body.centres_world + metres * np.eye(3)[axis])
    with pytest.raises(InvalidObservationError, match=r"camera \d: of \d+ pixels that look at the robot's arm.*joint angles are of this"):
        check_consistency(kitchen_look.views, body)
    check_consistency(kitchen_look.views, None)


@pytest.mark.parametrize(("factor", "expected"), [(1000.0, "expected metres"), (0.001, "expected metres"), (np.nan, "not finite")])
def test_a_body_in_other_units_or_unknown_is_refused(kitchen_look, factor, expected):
    body = kitchen_look.body
    body = replace(body, centres_world=factor * body.centres_world, half_sizes=factor * body.half_sizes)
    with pytest.raises(InvalidObservationError, match=expected):
        check_consistency(kitchen_look.views, body)


def test_an_arm_that_things_stand_before_in_one_pixel_in_twenty_is_still_seen(kitchen_look):
    rng = np.random.default_rng(0)
    before = [replace(v, depth=np.where(rng.random(v.depth.shape) < 0.05, np.float32(0.3), v.depth)) for v in kitchen_look.views]
    check_consistency(before[:1], kitchen_look.body)
    covered = replace(before[0], depth=np.full_like(before[0].depth, 0.3))
    with pytest.raises(InvalidObservationError, match="0% show it and 0% something behind"):
        check_consistency([covered], kitchen_look.body)


def test_the_camera_that_contradicts_the_others_is_named(kitchen_look):
    for wrong in range(3):
        views = [replace(v, depth=v.depth + np.float32(0.05 * (i == wrong))) for i, v in enumerate(kitchen_look.views)]
        with pytest.raises(InvalidObservationError, match=f"camera {wrong}: its depth and calibration contradict camera"):
            check_consistency(views, None)


def test_a_camera_that_nothing_confirms_is_refused():
    seen = observe()
    T = seen.views[0].T_camera_to_world.copy()
    T[:3, 3] += 100.0
    away = replace(seen.views[0], T_camera_to_world=T)
    with pytest.raises(InvalidObservationError, match="camera 0: other cameras see 0% of its points"):
        check_consistency([away, *seen.views[1:]], seen.body)
    check_consistency([away], seen.body)


def test_finer_images_of_the_same_scene_pass(kitchen_look):
    finer = []
    for view in kitchen_look.views:
        K = view.K * np.array([[2.0], [2.0], [1.0]])
        K[:2, 2] += 0.5
        finer.append(replace(view, K=K, depth=view.depth.repeat(2, 0).repeat(2, 1), rgb=view.rgb.repeat(2, 0).repeat(2, 1)))
    check_consistency(finer, kitchen_look.body)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: np.where(np.arange(d.size).reshape(d.shape) % 20, np.float32(np.nan), d), "5.0% of the pixels have depth"),
        (lambda d: (np.rint(d / 0.04) * 0.04).astype(np.float32), r"steps of 0.04 m"),
        (np.ones_like, "steps of inf m"),
    ],
)
def test_an_image_with_little_in_it_is_refused(change, expected):
    view = observe().views[0]
    with pytest.raises(InvalidObservationError, match=expected):
        check_view(replace(view, depth=change(view.depth)))
    check_view(replace(view, depth=(np.rint(view.depth * 1000) / 1000).astype(np.float32)))


def test_marks_that_would_lie_behind_the_camera_are_no_confirmation():
    view = observe().views[0]
    backwards = replace(view, T_camera_to_world=view.T_camera_to_world @ np.diag([1.0, -1.0, -1.0, 1.0]))
    with pytest.raises(InvalidObservationError, match="fiducial marks are inf px"):
        calibrated([backwards])

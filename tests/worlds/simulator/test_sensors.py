import numpy as np
import pytest

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.frame import depth_to_points, pixel_to_point
from hiermap.worlds.perception.cameras import default_cameras
from hiermap.worlds.simulator.sensors import HeldRegion, SensingOptions, geom_colours, sense
from tests.worlds.simulator.box_scene import LOWER_X, build, observe


def test_rays_measure_the_exact_distance_along_the_optical_axis():
    model, data = build()
    camera = default_cameras()[2]
    view = sense(model, data, SensingOptions(), np.random.default_rng(0), [])[2]
    front = np.array([LOWER_X, 0.2, 0.1])
    optical = (front - camera.position_world) @ camera.T_camera_to_world[:3, 2]
    pixel = (camera.K @ (camera.T_camera_to_world[:3, :3].T @ (front - camera.position_world)))[:2] / optical
    u, v = np.rint(pixel).astype(int)
    point = pixel_to_point(np.array([u, v]), view.depth[v, u], view.K, view.T_camera_to_world)
    assert point[0] == pytest.approx(LOWER_X, abs=1e-6)


def test_every_measured_point_lies_on_a_surface_of_the_scene():
    view = observe().views[0]
    points = depth_to_points(view.depth, view.K, view.T_camera_to_world)[~view.is_robot & np.isfinite(view.depth)]
    on_floor = np.abs(points[:, 2] + 0.3) < 1e-5
    on_wall = np.abs(points[:, 0] - 1.18) < 1e-5
    in_front = (points[:, 0] > 0.55) & (points[:, 0] < 1.19) & (np.abs(points[:, 1]) < 0.5 + 1e-5)
    assert (on_floor | on_wall | in_front).all()


def test_the_self_filter_marks_exactly_the_robots_pixels():
    model, data = build()
    arm = model.geom("arm").id
    marked = sense(model, data, SensingOptions(), np.random.default_rng(0), [arm])[2]
    points = depth_to_points(marked.depth, marked.K, marked.T_camera_to_world)
    in_arm = (np.abs(points - [0.3, 0, 0.6]) < np.array([0.03, 0.03, 0.1]) + 1e-4).all(axis=-1)
    assert in_arm.sum() > 20
    np.testing.assert_array_equal(marked.is_robot, in_arm)


def test_what_is_in_the_gripper_counts_as_the_robots_own_body():
    model, data = build()
    held = HeldRegion(np.array([0.3, 0.0, 0.6]), 0.2)
    view = sense(model, data, SensingOptions(), np.random.default_rng(0), [], held)[2]
    points = depth_to_points(view.depth, view.K, view.T_camera_to_world)
    near = np.linalg.norm(np.nan_to_num(points, nan=9.0) - held.centre_world, axis=-1) < 0.2
    assert near.sum() > 20
    np.testing.assert_array_equal(view.is_robot, near)


def test_faces_are_shaded_by_their_normal_and_keep_their_hue():
    view = observe().views[2]
    reds = view.rgb.reshape(-1, 3)[(view.rgb[..., 1] == 0).reshape(-1)]
    assert len(reds) > 10
    assert (reds[:, 2] == 0).all()
    assert len(np.unique(reds[:, 0])) > 1


def test_materials_win_over_plain_colours():
    import mujoco

    model = mujoco.MjModel.from_xml_string(
        '<mujoco><asset><material name="m" rgba="0 1 0 1"/></asset><worldbody>'
        '<geom size="1" rgba="1 0 0 1"/><geom size="1" material="m"/></worldbody></mujoco>'
    )
    np.testing.assert_array_equal(geom_colours(model), [[1, 0, 0], [0, 1, 0]])


def test_depth_noise_grows_with_the_square_of_distance_and_dropout_leaves_nan():
    clean = observe().views[1].depth
    noisy = observe(SensingOptions(depth_noise_m=0.002)).views[1].depth
    scaled = (noisy - clean) / clean**2
    assert np.nanstd(scaled) == pytest.approx(0.002, rel=0.05)
    dropped = observe(SensingOptions(depth_dropout=0.3)).views[1].depth
    assert np.isnan(dropped[np.isfinite(clean)]).mean() == pytest.approx(0.3, abs=0.02)


def test_the_same_generator_state_gives_the_same_noise():
    options = SensingOptions(depth_noise_m=0.002, depth_dropout=0.1, rgb_noise=5.0, camera_shift_m=0.001)
    for first, second in zip(observe(options, seed=3).views, observe(options, seed=3).views, strict=True):
        np.testing.assert_array_equal(first.depth, second.depth)
        np.testing.assert_array_equal(first.rgb, second.rgb)


def test_sensing_leaves_the_simulation_untouched():
    model, data = build()
    before = data.qpos.copy(), model.geom_group.copy(), data.time
    sense(model, data, SensingOptions(), np.random.default_rng(0), [])
    np.testing.assert_array_equal(data.qpos, before[0])
    np.testing.assert_array_equal(model.geom_group, before[1])
    assert data.time == before[2]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"backend": "opengl"}, "rays, mujoco"),
        ({"cameras": ()}, "camera"),
        ({"depth_noise_m": -1.0}, "depth_noise_m"),
        ({"depth_noise_m": float("nan")}, "depth_noise_m"),
        ({"depth_dropout": 1.0}, "fraction"),
    ],
)
def test_impossible_options_are_refused(wrong, words):
    with pytest.raises(ConfigError, match=words):
        SensingOptions(**wrong)


def test_the_renderer_backend_agrees_with_the_rays_or_says_what_is_missing():
    rays = observe()
    try:
        rendered = observe(SensingOptions(backend="mujoco"))
    except ConfigError as error:
        assert "MUJOCO_GL" in str(error)
        return
    for ours, theirs in zip(rays.views, rendered.views, strict=True):
        both = np.isfinite(ours.depth) & np.isfinite(theirs.depth)
        assert np.median(np.abs(ours.depth - theirs.depth)[both]) < 1e-4
        assert (ours.is_robot == theirs.is_robot).mean() > 0.99

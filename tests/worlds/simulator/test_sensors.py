import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hiermap.primitives.specs import Command
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.frame import depth_to_points
from hiermap.worlds.perception.cameras import default_cameras
from hiermap.worlds.perception.self_filter import own_pixels
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.sensors import LIGHT_WORLD, draw_drift, geom_colours, sense
from tests.worlds.simulator.box_scene import LOWER_X, build, observe


def test_rays_measure_the_exact_distance_along_the_optical_axis():
    camera = default_cameras()[2]
    view = observe().views[2]
    front = np.array([LOWER_X, 0.2, 0.1])
    optical = (front - camera.position_world) @ camera.T_camera_to_world[:3, 2]
    pixel = (camera.K @ (camera.T_camera_to_world[:3, :3].T @ (front - camera.position_world)))[:2] / optical
    u, v = np.rint(pixel).astype(int)
    point = depth_to_points(view.depth, view.K, view.T_camera_to_world)[v, u]
    assert point[0] == pytest.approx(LOWER_X, abs=1e-6)


def test_every_measured_point_lies_on_a_surface_of_the_scene():
    observation = observe()
    view = observation.views[0]
    seen = ~own_pixels(view, observation.body) & np.isfinite(view.depth)
    points = depth_to_points(view.depth, view.K, view.T_camera_to_world)[seen]
    on_floor = np.abs(points[:, 2] + 0.3) < 1e-5
    on_wall = np.abs(points[:, 0] - 1.18) < 1e-5
    in_front = (points[:, 0] > 0.55) & (points[:, 0] < 1.19) & (np.abs(points[:, 1]) < 0.5 + 1e-5)
    assert (on_floor | on_wall | in_front).all()


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
    options = SensingOptions(depth_noise_m=0.002, depth_dropout=0.1, rgb_noise=5.0, light=0.2, camera_shift_m=0.001, camera_turn_rad=0.01)
    for first, second in zip(observe(options, seed=3).views, observe(options, seed=3).views, strict=True):
        np.testing.assert_array_equal(first.depth, second.depth)
        np.testing.assert_array_equal(first.rgb, second.rgb)
        np.testing.assert_array_equal(first.fiducials_pixel, second.fiducials_pixel)


@pytest.mark.parametrize("seed", range(5))
def test_every_camera_is_moved_by_exactly_so_far_in_a_direction_of_its_own(seed):
    options = SensingOptions(camera_shift_m=0.005, camera_turn_rad=0.02)
    shifts = []
    for camera, T in zip(options.cameras, draw_drift(options, np.random.default_rng(seed)).T_camera_to_world, strict=True):
        calibrated = camera.T_camera_to_world
        shifts.append(T[:3, 3] - calibrated[:3, 3])
        turn = Rotation.from_matrix(T[:3, :3] @ calibrated[:3, :3].T).magnitude()
        assert np.linalg.norm(shifts[-1]) == pytest.approx(0.005)
        assert turn == pytest.approx(0.02)
    assert np.linalg.norm(shifts[0] - shifts[1]) > 1e-4


def test_perfect_sensing_has_no_drift_at_all():
    options = SensingOptions()
    drift = draw_drift(options, np.random.default_rng(0))
    for camera, T in zip(options.cameras, drift.T_camera_to_world, strict=True):
        np.testing.assert_array_equal(T, camera.T_camera_to_world)
    np.testing.assert_array_equal(drift.light_world, LIGHT_WORLD)
    assert drift.brightness == 1.0


def test_a_bumped_camera_stays_bumped_and_its_noise_does_not():
    options = SensingOptions(depth_noise_m=0.002, camera_shift_m=0.01)
    kitchen = Kitchen(100000, options, sensing_seed=4)
    drift = kitchen.drift
    first = kitchen.observe()
    kitchen.set_scene(kitchen.scene())
    assert kitchen.drift is drift
    kitchen.run(Command("push", (0.6, 0.0, 0.1), (-1.0, 0.0, 0.0), 0))
    second = kitchen.observe()
    for before, after in zip(first.views, second.views, strict=True):
        np.testing.assert_array_equal(before.fiducials_pixel, after.fiducials_pixel)
        assert (before.depth != after.depth).mean() > 0.9
    other = Kitchen(100000, options, sensing_seed=5).drift
    assert (other.T_camera_to_world[0] != drift.T_camera_to_world[0]).any()


def test_light_changes_colours_a_little_and_depth_not_at_all():
    plain, lit = observe().views[0], observe(SensingOptions(light=0.1), seed=1).views[0]
    np.testing.assert_array_equal(plain.depth, lit.depth)
    change = np.abs(plain.rgb.astype(int) - lit.rgb).max(axis=-1)
    assert 0 < change.max() <= 0.2 * 255 + 1


def test_sensing_leaves_the_simulation_untouched():
    model, data = build()
    before = data.qpos.copy(), model.geom_group.copy(), model.geom_type.copy(), data.time
    options = SensingOptions()
    sense(model, data, options, draw_drift(options, np.random.default_rng(0)), np.random.default_rng(0))
    np.testing.assert_array_equal(data.qpos, before[0])
    np.testing.assert_array_equal(model.geom_group, before[1])
    np.testing.assert_array_equal(model.geom_type, before[2])
    assert data.time == before[3]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"backend": "opengl"}, "rays, mujoco"),
        ({"cameras": ()}, "camera"),
        ({"depth_noise_m": -1.0}, "depth_noise_m"),
        ({"depth_noise_m": float("nan")}, "depth_noise_m"),
        ({"depth_dropout": 1.0}, "depth_dropout"),
        ({"light": 1.0}, "light"),
        ({"camera_turn_rad": float("inf")}, "camera_turn_rad"),
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
        assert (own_pixels(ours, rays.body) == own_pixels(theirs, rendered.body)).mean() > 0.99

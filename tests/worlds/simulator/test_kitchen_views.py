"""The fused view of procedural kitchens, against their exact geometry."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.kitchen.scene_sampling import initial_scene
from hiermap.worlds.kitchen.spec import OPENABLE
from hiermap.worlds.perception.cameras import fiducial_error_px
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.perception.self_filter import own_pixels
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.rays import cast
from hiermap.worlds.simulator.segmentation import parallel_hits
from hiermap.worlds.simulator.sensors import pixel_rays

FRAME = SpatialFrame()
SEEDS = (0, 5, 8, 200003)


def kitchen_with(seed, is_open):
    """A kitchen with the fixtures open for which `is_open(index)`."""
    kitchen = Kitchen(seed)
    fractions = {f.name: float(is_open(i)) for i, f in enumerate(kitchen.spec.fixtures)}
    kitchen.set_scene(replace(initial_scene(kitchen.spec), fractions=fractions))
    return kitchen


@pytest.fixture(scope="module", params=[(seed, mode) for seed in SEEDS for mode in ("shut", "mixed")], ids=str)
def seen(request):
    seed, mode = request.param
    kitchen = kitchen_with(seed, lambda i: mode == "mixed" and i % 3 == seed % 3)
    geom, depth = parallel_hits(kitchen.model, kitchen.data, FRAME, kitchen.robot_geom_ids)
    return kitchen, kitchen.view(), geom, depth


def visible_handles(kitchen, geom, depth):
    """Fixtures whose handle the frame's own parallel rays meet, with the handle's cell."""
    scene = kitchen.scene()
    for fixture in kitchen.spec.fixtures:
        cell, expected = FRAME.point_to_cell(fixture.handle_at(scene.fractions[fixture.name]))
        cell = tuple(cell)
        if (
            FRAME.contains(np.array(cell))
            and kitchen.geom_owner.get(int(geom[cell])) == fixture.name
            and abs(depth[cell] - expected) < 0.02
        ):
            yield fixture, scene.fractions[fixture.name], cell


def test_nearly_every_cell_is_seen_and_seen_right(seen):
    _, view, _, depth = seen
    both = view.valid & np.isfinite(depth)
    assert view.valid.mean() > 0.98
    # What is wrong is mostly half a cell of silhouette: the nearest surface wins a cell that an edge crosses.
    assert (np.abs(view.depth - depth)[both] < 0.015).mean() > 0.9


def test_every_visible_handle_is_in_the_view_with_its_own_depth(seen):
    kitchen, view, geom, depth = seen
    handles = list(visible_handles(kitchen, geom, depth))
    assert len(handles) >= len(kitchen.spec.fixtures) // 2
    for fixture, fraction, (row, column) in handles:
        # A bar thinner than two cells may miss the very cell of its middle, so the cells beside it count as well.
        around = [(r, c) for r in range(row - 1, row + 2) for c in range(column - 1, column + 2)]
        cell = min(around, key=lambda near: abs(view.depth[near] - depth[row, column]))
        assert abs(view.depth[cell] - depth[row, column]) < 0.012, fixture.name
        assert np.linalg.norm(view.point(cell) - fixture.handle_at(fraction)) < 0.018, fixture.name


def test_the_normal_at_a_handle_is_the_normal_of_its_face(seen):
    kitchen, view, geom, depth = seen
    for fixture, fraction, cell in visible_handles(kitchen, geom, depth):
        face = np.array(fixture.face_world)
        outward = fixture.moved(face + np.array([-1.0, 0.0, 0.0]), fraction) - fixture.moved(face, fraction)
        # The outer face of an open oven door looks down, where no camera above can see it.
        if fixture.kind in OPENABLE and outward @ -FRAME.view_direction > 0.1:
            assert view.normal(cell) @ outward > np.cos(np.deg2rad(5)), fixture.name


def test_an_object_in_the_gripper_is_not_in_the_view():
    kitchen = Kitchen(0)
    scene = initial_scene(kitchen.spec)
    name = kitchen.spec.objects[0].name
    kitchen.set_scene(replace(scene, held=name))
    view = kitchen.view()
    assert view.holding
    assert kitchen.scene().held == name
    points = view.points[view.valid]
    assert not ((points[:, 0] < 0.5) & (points[:, 2] > 0.3)).any()


def test_default_sensing_is_calibrated_well_enough_for_data_sets():
    for view in Kitchen(1).observe().views:
        assert fiducial_error_px(view) < 1e-9


def test_two_millimetres_of_noise_leave_handles_in_place():
    kitchen = Kitchen(5, SensingOptions(depth_noise_m=0.002, depth_dropout=0.02, rgb_noise=4.0))
    geom, depth = parallel_hits(kitchen.model, kitchen.data, FRAME, kitchen.robot_geom_ids)
    view = fuse(kitchen.observe())
    for fixture, fraction, cell in visible_handles(kitchen, geom, depth):
        assert np.linalg.norm(view.point(cell) - fixture.handle_at(fraction)) < 0.02, fixture.name


def mesh_hits(kitchen, rays):
    """Geoms that MuJoCo's own rays meet, meshes as they are."""
    rows, columns = rays.shape
    directions = np.moveaxis(np.stack([*np.indices(rays.shape)[::-1], np.ones(rays.shape)]), 0, -1).reshape(-1, 3) @ rays.directions.T
    geom, length = np.full(len(directions), -1, np.int32), np.empty(len(directions))
    groups = np.array([1, 0, 0, 0, 0, 0], np.uint8)
    mujoco.mj_multiRay(
        kitchen.model, kitchen.data, rays.origin_world, directions.ravel(), groups, 1, -1, geom, length, None, len(directions), 5.0
    )
    return geom.reshape(rows, columns)


def test_the_self_filter_covers_every_pixel_of_the_robots_meshes():
    kitchen = Kitchen(2)
    observation = kitchen.observe()
    for camera, view in zip(kitchen.sensing.cameras, observation.views, strict=True):
        exact = np.isin(mesh_hits(kitchen, pixel_rays(camera, camera.T_camera_to_world)), list(kitchen.robot_geom_ids))
        assert exact.any()
        own = own_pixels(view, observation.body)
        assert not (exact & ~own).any()
        assert own.mean() < 0.3


NOISY = SensingOptions(depth_noise_m=0.003, depth_dropout=0.02)


@pytest.mark.parametrize("sensing", [SensingOptions(), NOISY], ids=["clean", "noisy"])
@pytest.mark.parametrize("holds", [False, True])
@pytest.mark.parametrize("seed", [100000, 100001])
def test_nothing_of_the_robot_or_of_what_it_holds_is_left_in_the_view(seed, holds, sensing):
    kitchen = Kitchen(seed, sensing)
    thing = kitchen.spec.objects[0].name
    kitchen.set_scene(replace(initial_scene(kitchen.spec), held=thing if holds else None))
    view = kitchen.view()
    assert view.holding == holds
    robot = [i for i in kitchen.robot_geom_ids] + [i for i, owner in kitchen.geom_owner.items() if holds and owner == thing]
    points = view.points[view.valid]
    slack_m = 1e-3 + 6 * sensing.depth_noise_m
    for i in robot:
        half = np.abs(kitchen.model.geom_aabb[i, :3]) + kitchen.model.geom_aabb[i, 3:]
        local = (points - kitchen.data.geom_xpos[i]) @ kitchen.data.geom_xmat[i].reshape(3, 3)
        assert not (np.abs(local) < half + slack_m).all(axis=1).any(), kitchen.model.geom(i).name


def test_the_self_filter_takes_nothing_of_the_kitchen_away():
    kitchen = Kitchen(100002)
    observation = kitchen.observe()
    robot = list(kitchen.robot_geom_ids)
    for view in observation.views:
        geom, _ = cast(kitchen.model, kitchen.data, pixel_rays(kitchen.sensing.cameras[0], view.T_camera_to_world))
        floor = geom == kitchen.model.geom("floor").id
        taken = own_pixels(view, observation.body) & ~np.isin(geom, robot) & ~floor
        assert not taken.any()


@pytest.mark.parametrize(
    "frame",
    [replace(FRAME, top=FRAME.top + 0.1, left=FRAME.left - 0.2, eye=-0.3), replace(FRAME, cell_size=0.012), replace(FRAME, yaw_rad=0.3)],
    ids=["moved", "coarse", "turned"],
)
def test_views_and_masks_of_another_frame_show_the_same_things_at_the_same_places(frame):
    kitchen, other = Kitchen(100002), Kitchen(100002, frame=frame)
    view, masks, straight, usual = other.view(), other.masks(), kitchen.view(), kitchen.masks()
    assert view.frame == frame
    _, depth = parallel_hits(other.model, other.data, frame, other.robot_geom_ids)
    both = view.valid & np.isfinite(depth)
    assert (np.abs(view.depth - depth)[both] < 0.015).mean() > 0.9
    compared = 0
    for name, mask in masks.items():
        points = straight.points[usual[name] & straight.valid]
        cells, _ = frame.point_to_cell(points)
        inside = frame.contains(cells)
        # Cells along a border of thing or frame differ, and so does what a turned frame sees past an edge.
        if inside.sum() > 200:
            compared += 1
            assert mask[tuple(cells[inside].T)].mean() > 0.8, name
    assert compared >= 5

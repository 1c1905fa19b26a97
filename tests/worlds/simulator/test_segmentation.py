import mujoco
import numpy as np
import pytest

from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.simulator.segmentation import parallel_hits, segment
from tests.worlds.simulator.box_scene import BARS, build

GROUPS = np.array([1, 0, 0, 0, 0, 0], np.uint8)


def test_one_far_origin_gives_the_same_hits_as_truly_parallel_rays():
    model, data = build()
    frame = SpatialFrame()
    geom, depth = parallel_hits(model, data, frame, [], subcells=1)
    same = []
    for cell in frame.grid()[::6, 3::6].reshape(-1, 2):
        hit = np.zeros(1, np.int32)
        start = frame.cell_to_point(cell, np.array(0.0))
        length = mujoco.mj_ray(model, data, start, frame.view_direction, GROUPS, 1, -1, hit)
        same.append(hit[0] == geom[tuple(cell)])
        if same[-1] and length > 0:
            assert depth[tuple(cell)] == pytest.approx(length, abs=1.5e-3)
    assert np.mean(same) > 0.99


def test_masks_are_disjoint_lie_where_the_things_are_and_skip_the_robot():
    model, data = build()
    frame = SpatialFrame()
    owner = {model.geom(name).id: name for name in BARS}
    owner[model.geom("arm").id] = "arm"
    masks = segment(model, data, frame, owner, [model.geom("arm").id])
    assert set(masks) == {*BARS, "arm"}
    assert not masks["arm"].any()
    assert (sum(mask.astype(int) for mask in masks.values()) <= 1).all()
    for name in BARS:
        cell, _ = frame.point_to_cell(data.geom(name).xpos - [0.005, 0, 0])
        rows, columns = np.nonzero(masks[name])
        assert masks[name].sum() >= 10
        np.testing.assert_allclose([rows.mean(), columns.mean()], cell, atol=1.0)


def test_two_geoms_of_one_thing_share_a_mask():
    model, data = build()
    owner = {model.geom("horizontal").id: "bars", model.geom("vertical").id: "bars"}
    mask = segment(model, data, SpatialFrame(), owner, [])["bars"]
    _, columns = np.nonzero(mask)
    assert columns.min() < 50 < 80 < columns.max()


def test_a_mask_overlays_its_thing_in_the_fused_view():
    from tests.worlds.simulator.box_scene import observe

    model, data = build()
    masks = segment(model, data, SpatialFrame(), {model.geom(name).id: name for name in BARS}, [model.geom("arm").id])
    view = fuse(observe())
    for name in BARS:
        red = (view.rgb[..., 0] > 60) & (view.rgb[..., 1] == 0)
        assert red[masks[name]].mean() > 0.6

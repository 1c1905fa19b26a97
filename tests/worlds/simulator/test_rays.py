import mujoco
import numpy as np
import pytest

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.rays import PixelRays, cast, normals
from hiermap.worlds.simulator.sensors import pixel_rays

GROUPS = np.array([1, 0, 0, 0, 0, 0], np.uint8)
SHAPES = """
<mujoco><worldbody>
  <geom type="plane" size="0 0 1" pos="0 0 -.6"/>
  <geom type="plane" size=".4 .2 1" pos=".9 0 -.5"/>
  <geom type="box" size=".1 .2 .05" pos="1 .3 .1" euler="20 30 40"/>
  <geom type="sphere" size=".15" pos="1 -.3 .1"/>
  <geom type="capsule" size=".06 .2" pos="1.1 0 .3" euler="70 10 0"/>
  <geom type="cylinder" size=".1 .15" pos=".9 0 -.2" euler="-40 25 0"/>
  <geom type="cylinder" size=".02 .4" pos="1.2 -.1 -.1" euler="5 80 0"/>
  <geom type="box" size="3 3 3" pos="0 0 0"/>
</worldbody></mujoco>
"""


def built(xml):
    model = mujoco.MjModel.from_xml_string(xml)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def one_by_one(model, data, rays):
    """What MuJoCo says of every ray for itself: geom, length and normal."""
    geom, length, normal = np.full(rays.shape, -1, np.int32), np.empty(rays.shape), np.zeros((*rays.shape, 3))
    for v, u in np.ndindex(rays.shape):
        hit = np.zeros(1, np.int32)
        direction = rays.directions @ [u, v, 1.0]
        length[v, u] = mujoco.mj_ray(model, data, rays.origin_world, direction, GROUPS, 1, -1, hit, normal[v, u])
        geom[v, u] = hit[0]
    return geom, np.where(geom < 0, np.inf, length), normal


def agree(model, data, rays):
    geom, length = cast(model, data, rays)
    expected, exact, outward = one_by_one(model, data, rays)
    # Where two surfaces meet, rounding decides.
    np.testing.assert_allclose(length, exact, atol=1e-9)
    same = geom == expected
    assert same.mean() > 0.999
    ours = normals(model, data, rays, geom, length)
    assert (np.abs(ours - outward).max(axis=-1) < 1e-6)[same].mean() > 0.999
    return geom


@pytest.mark.parametrize("origin", [(0.0, 0.0, 0.0), (0.2, 0.6, 0.7), (1.0, 0.3, 0.1), (1.0, -0.3, 0.1), (0.9, 0.0, -0.2)], ids=str)
def test_rays_meet_every_shape_where_mujoco_says_from_outside_and_from_inside(origin):
    model, data = built(SHAPES)
    look_at = np.array([1.0, 0.0, 0.0]) - np.array(origin) if origin[0] < 0.5 else np.array([1.0, 0.2, 0.1])
    right = np.cross(look_at, [0, 0, 1.0])
    down = np.cross(look_at, right)
    size = 48
    directions = np.stack([right / size, down / size, look_at - (right + down) / 2], axis=1) * 1.5
    met = agree(model, data, PixelRays(np.array(origin), directions, (size, size)))
    assert len(np.unique(met)) >= 6 or origin[0] > 0.5


def test_a_kitchen_with_its_robot_looks_as_to_mujoco_with_boxes_for_meshes():
    kitchen = Kitchen(100003)
    camera = kitchen.sensing.cameras[1]
    rays = pixel_rays(camera, camera.T_camera_to_world)
    coarse = PixelRays(rays.origin_world, rays.directions * [4.0, 4.0, 1.0], (30, 40))
    kitchen.model.geom_type[kitchen.model.geom_type == mujoco.mjtGeom.mjGEOM_MESH] = mujoco.mjtGeom.mjGEOM_BOX
    met = agree(kitchen.model, kitchen.data, coarse)
    assert np.isin(met, list(kitchen.robot_geom_ids)).any()


def test_hidden_geoms_and_other_groups_are_looked_through():
    model, data = built('<mujoco><worldbody><geom size=".1" pos="1 0 0"/><geom size=".2" pos="1 0 0" group="2"/></worldbody></mujoco>')
    rays = PixelRays(np.zeros(3), np.array([[0, 0, 1.0], [1.0, 0, 0], [0, 1.0, 0]]), (1, 1))
    geom, length = cast(model, data, rays)
    assert geom.item() == 0
    assert length.item() == pytest.approx(0.9)
    geom, length = cast(model, data, rays, hidden=[0])
    assert (geom.item(), length.item()) == (-1, np.inf)


def test_a_shape_that_rays_do_not_know_is_named():
    model, data = built('<mujoco><worldbody><geom type="ellipsoid" size=".1 .2 .1"/></worldbody></mujoco>')
    with pytest.raises(ConfigError, match="planes, spheres"):
        cast(model, data, PixelRays(np.zeros(3), np.eye(3), (1, 1)))

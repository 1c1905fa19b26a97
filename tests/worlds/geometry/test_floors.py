"""Where things may be set down: far from each other over all of a floor that the hand comes down on and the frame shows."""

from itertools import combinations

import numpy as np
import pytest

from hiermap.primitives.motion.kinematics import UP
from hiermap.primitives.specs import Command
from hiermap.worlds.geometry.floors import EDGE_M, FREE_M, HELD_M, MOST_POINTS, SPACING_M
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.geometry.ways import reach
from hiermap.worlds.tasks.geometry_chains import wide_scene
from tests.worlds.geometry.test_scene_geometry import example

FAR_MIDDLES_SEED = 186300
"""A kitchen whose surfaces have their middles out of reach."""


def shared(geometry: SceneGeometry) -> dict[str, list[np.ndarray]]:
    """Surface or container -> the points of it that all things share."""
    own: dict[str, list[np.ndarray]] = {}
    for place in (place for place in next(iter(geometry.places.values())) if place.owner is None):
        own.setdefault(place.name, []).append(np.array(place.point_world))
    return own


@pytest.mark.parametrize("seed", [None, FAR_MIDDLES_SEED, 186301])
def test_points_are_apart_in_sight_and_in_reach(seed: int | None) -> None:
    geometry = example() if seed is None else SceneGeometry.of(wide_scene(seed))
    frame = geometry.copy.scene.frame
    geometry.copy.reset()
    for points in shared(geometry).values():
        assert 1 <= len(points) <= MOST_POINTS
        assert all(np.linalg.norm(one - other) >= 0.9 * SPACING_M for one, other in combinations(points, 2))
        for point in points:
            assert frame.contains(frame.point_to_cell(point)[0])
            x, y, z = point + HELD_M * UP
            assert any(reach(geometry.copy, Command("place", (x, y, z), (0.0, 0.0, 1.0), rotation)) for rotation in range(4))


def test_points_of_a_surface_are_free_and_away_from_its_edges() -> None:
    geometry = SceneGeometry.of(wide_scene(186301))
    geometry.copy.reset()
    model, data = geometry.copy.model, geometry.copy.data
    for name, geom in geometry.copy.parts.surfaces.items():
        for point in shared(geometry).get(name, []):
            local = data.geom_xmat[geom].reshape(3, 3).T @ (point - data.geom_xpos[geom])
            assert (np.abs(local[:2]) <= np.maximum(model.geom_size[geom][:2] - EDGE_M, 0.0) + 1e-3).all()
            assert geometry.copy.first_met(point + FREE_M * UP, (0.003 - FREE_M) * UP)[1] < 0


def test_where_middles_are_out_of_reach_things_are_set_down_nearer() -> None:
    geometry = SceneGeometry.of(wide_scene(FAR_MIDDLES_SEED))
    ways = [geometry.thing_ways.get((name, number), {}) for name, fits in geometry.fits.items() for number, fit in enumerate(fits) if fit]
    assert sum("place" in way for way in ways) >= len(ways) / 2

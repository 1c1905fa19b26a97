"""Where there is room to set something down: all around a place, but not in things, over edges or beyond the arm."""

import numpy as np

from hiermap.worlds.geometry.room import APART_M, ASKED_M, FARTHER_M, FOOT_M, ROOM_M, room_around
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules.places import Place
from tests.worlds.geometry.test_scene_geometry import example


def places_of(name: str) -> list[Place]:
    return [place for place in example().places["mug"] if place.name == name]


def room(place: Place, **standing: tuple[float, float, float]) -> tuple[SpatialView, np.ndarray]:
    """The view of an empty scene but for what stands on points, and the room for the mug around a place."""
    copy = example().copy
    copy.reset()
    if place.drawer is not None:
        copy.turn(place.drawer, 1.0)
    for name, point in standing.items():
        copy.stand(name, np.array(point))
    view, _ = copy.look()
    pose = copy.data.qpos.copy()
    found = room_around(copy, view, "mug", place)
    assert np.array_equal(copy.data.qpos, pose), "nothing has moved"
    copy.reset()
    return view, found


def away(view: SpatialView, found: np.ndarray, point: tuple[float, ...]) -> np.ndarray:
    return np.linalg.norm((view.points[found] - np.array(point))[:, :2], axis=1)


def test_there_is_room_all_around_a_free_place_within_reach() -> None:
    place = places_of("tray")[0]
    view, found = room(place)
    assert found.any() and away(view, found, place.point_world).max() <= ROOM_M
    near = view.valid & (np.linalg.norm(view.points - np.array(place.point_world), axis=-1) <= 0.03)
    assert found[near].all() and near.any()
    farther = np.linalg.norm(view.points[found][:, :2], axis=1) - np.linalg.norm(place.point_world[:2])
    assert farther.max() <= FARTHER_M


def test_what_stands_there_leaves_no_room_for_another_thing() -> None:
    place = places_of("tray")[0]
    point = place.point_world
    view, free = room(place)
    _, found = room(place, box=point)
    assert found.sum() < free.sum()
    # The mug is 2.6 cm thick in every direction, so that its middle keeps at least that far from the box's.
    assert not found.any() or away(view, found, point).min() >= 0.026 + APART_M


def test_in_a_drawer_there_is_room_between_its_walls_only() -> None:
    place = places_of("left_drawer")[0]
    view, found = room(place)
    assert found.any()
    copy = example().copy
    copy.turn("left_drawer", 1.0)
    assert all(copy.is_inside("left_drawer", point) for point in view.points[found].astype(float))
    copy.reset()


def test_no_room_beyond_an_edge() -> None:
    x, y, z = places_of("tray")[0].point_world
    view, _ = room(places_of("tray")[0])
    level = view.valid & (np.abs(view.points - np.array([x, y, z]))[..., 1:] <= 0.02).all(axis=-1)
    edge = float(view.points[level][:, 0].min())
    _, found = room(Place((edge + 0.01, y, z)))
    assert found.any()
    assert view.points[found][:, 0].min() >= edge + FOOT_M - ASKED_M

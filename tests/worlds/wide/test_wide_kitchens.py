"""The wide world: kitchens that are drawn, stand, differ, keep their test kinds to themselves, and have tasks."""

import mujoco
import numpy as np
import pytest

from hiermap.worlds.geometry.kinematic_copy import KinematicCopy
from hiermap.worlds.kitchen.layouts import TEST_SEED_START
from hiermap.worlds.mjcf.parts import geoms_of
from hiermap.worlds.scene import PosedTask
from hiermap.worlds.tasks.geometry_chains import wide_scene
from hiermap.worlds.tasks.kitchen_options import KitchenOptions
from hiermap.worlds.tasks.kitchens import KITCHENS
from hiermap.worlds.wide.kitchens import YAW_RAD, wide_kitchen
from hiermap.worlds.wide.units import LOWER, UNSEEN, UPPER

WIDE = KitchenOptions(name="wide")


def kinds(seeds: range) -> set[str]:
    """Of the parts of kitchens."""
    names = {joint.name for seed in seeds for joint in wide_kitchen(seed).joints}
    return {name.rstrip("_0123456789") for name in names}


def test_a_kitchen_is_a_function_of_its_seed() -> None:
    assert wide_kitchen(174300).to_xml() == wide_kitchen(174300).to_xml() != wide_kitchen(174301).to_xml()


def test_some_kinds_are_for_tests_alone() -> None:
    seen, tested = kinds(range(174300, 174360)), kinds(range(TEST_SEED_START + 99_000, TEST_SEED_START + 99_060))
    assert not seen & UNSEEN.keys() and tested >= UNSEEN.keys()
    assert seen >= ({*LOWER, *UPPER} - {"shelf"})


@pytest.mark.parametrize("seed", range(174300, 174306))
def test_kitchens_stand_and_their_columns_are_turned_and_differ_in_height(seed: int) -> None:
    scene = wide_scene(seed)  # raises if anything falls or does not come to rest
    assert scene.parts.fixtures and scene.parts.things and scene.view().valid.mean() > 0.3
    bodies = [body for body in range(scene.model.nbody) if scene.model.body(body).name.startswith("column_")]
    yaws = [2 * np.arcsin(scene.model.body_quat[body][3]) for body in bodies]
    assert np.abs(yaws).max() <= YAW_RAD + 1e-6
    for name, part in scene.parts.fixtures.items():
        assert part.holds_things == name.startswith("drawer"), name


@pytest.mark.parametrize("seed", range(174300, 174312))
def test_drawers_and_doors_open_towards_the_room(seed: int) -> None:
    scene = wide_scene(seed)
    copy = KinematicCopy(scene.model, scene.parts)
    for name, part in scene.parts.fixtures.items():
        if name.startswith(("drawer", "door")):
            copy.reset()
            away: list[list[float]] = [[], []]
            for fraction in (0, 1):
                copy.turn(name, fraction)
                mujoco.mj_kinematics(copy.model, copy.data)
                away[fraction] = [copy.data.geom_xpos[geom][0] for geom in geoms_of(copy.model, part.body)]
            assert min(away[1]) < min(away[0]) - 0.05, f"{name} does not come nearer to the arm"


def test_a_task_of_the_wide_world_is_posed_by_its_geometry() -> None:
    first, again = (KITCHENS["wide"]("chain-2", 174310, None, WIDE) for _ in range(2))
    assert isinstance(first, PosedTask) and first.shortest == 2 and first.predicates == again.predicates
    assert not all(first.scene.truth(first.predicates).values())
    assert np.array_equal(first.scene.snapshot(), again.scene.snapshot())

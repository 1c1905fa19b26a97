"""Oracle maps against the simulator's own segmentation and the rules."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.base import Action
from hiermap.worlds.kitchen.scene_sampling import initial_scene, random_scene
from hiermap.worlds.oracle.affordances import action_for, move_cells, move_for, oracle_maps
from hiermap.worlds.rules import transitions
from hiermap.worlds.rules.judge import effect
from hiermap.worlds.rules.moves import Move, fixture_primitive
from hiermap.worlds.simulator.kitchen import Kitchen

ORDER = list(PRIMITIVES)


@pytest.fixture(scope="module")
def kitchens():
    """Kitchens in random scenes with their scene, view and masks; the last one holds something."""
    made = []
    for seed in (0, 200_001, 3):
        kitchen = Kitchen(seed)
        scene = random_scene(kitchen.spec, np.random.default_rng(seed))
        kitchen.set_scene(replace(scene, held=kitchen.spec.objects[-1].name) if seed == 3 else scene)
        made.append((kitchen, kitchen.scene(), kitchen.view(), kitchen.masks()))
    return made


def test_maps_say_which_primitives_the_hand_is_free_for(kitchens):
    for kitchen, scene, view, masks in kitchens:
        maps = oracle_maps(kitchen.spec, scene, view, masks)
        assert maps.shape == (len(ORDER), ROTATION_BINS, *view.depth.shape) and maps.dtype == bool
        assert maps[ORDER.index("place")].any() == (scene.held is not None)
        assert maps[[i for i, name in enumerate(ORDER) if name != "place"]].any() == (scene.held is None)
        for index, spec in enumerate(PRIMITIVES.values()):
            assert not maps[index, len(spec.rotations) :].any()


def test_nothing_is_promised_where_nothing_is_seen(kitchens):
    for kitchen, scene, view, _ in kitchens:
        assert not oracle_maps(kitchen.spec, scene, view)[..., ~view.valid].any()


def test_almost_every_allowed_move_has_a_cell_that_lies_on_its_thing_and_means_it(kitchens):
    moves = seen = 0
    for kitchen, scene, view, masks in kitchens:
        for move in transitions.legal_moves(kitchen.spec, scene):
            moves += 1
            action = action_for(kitchen.spec, scene, view, move, masks)
            if action is None:
                continue
            seen += 1
            meant = move_for(kitchen.spec, scene, action, view)
            assert meant == move
            assert oracle_maps(kitchen.spec, scene, view, masks)[ORDER.index(move.primitive), action.rotation_index][action.cell]
            if move.primitive != "place":
                assert ndimage.binary_dilation(masks[move.target])[action.cell]
    assert moves >= 15 and seen >= 0.9 * moves


def test_a_move_that_the_rules_forbid_has_no_cell(kitchens):
    kitchen, scene, view, _ = kitchens[-1]
    free = replace(scene, held=None)
    forbidden = transitions.legal_moves(kitchen.spec, free)[0]
    assert action_for(kitchen.spec, scene, view, forbidden) is None


def test_a_cell_on_the_floor_means_nothing(kitchens):
    kitchen, scene, view, _ = kitchens[0]
    action = action_for(kitchen.spec, scene, view, transitions.legal_moves(kitchen.spec, scene)[0])
    assert move_for(kitchen.spec, scene, replace(action, cell=(93, 3)), view) is None


def test_a_place_between_the_named_ones_is_a_place_too(kitchens):
    kitchen, scene, view, masks = kitchens[-1]
    cells = np.argwhere(oracle_maps(kitchen.spec, scene, view, masks)[ORDER.index("place"), 0])
    placing = [Action("place", (int(row), int(column)), 0) for row, column in cells]
    meant = {move_for(kitchen.spec, scene, action, view).place.name for action in placing}
    assert len(cells) > 50 and None in meant and any(name.startswith("spot_") for name in meant - {None})


@pytest.mark.parametrize("opening", ["on", "off"])
def test_a_latch_that_the_rules_bar_beside_a_tap_cannot_be_gripped_and_can_once_the_tap_is_off(opening):
    kitchen = Kitchen(179_155)
    turn = Move("rotate", "left_latch", to="off")
    state = initial_scene(kitchen.spec)
    kitchen.set_scene(replace(state, fractions={**state.fractions, "left_latch": 1.0, "tap": float(opening == "on")}))
    scene, view, masks = kitchen.scene(), kitchen.view(), kitchen.masks()
    allowed = bool(transitions.rotations(kitchen.spec, scene, turn))
    (rotation,) = fixture_primitive(kitchen.spec.fixture("left_latch"), "off", 1.0)[1]
    region, distance = move_cells(kitchen.spec, scene, view, turn, rotation, masks)
    row, column = np.unravel_index(int(np.argmin(np.where(region, distance, np.inf))), region.shape)
    kitchen.act(Action("rotate", (int(row), int(column)), rotation), view)
    assert effect(kitchen.spec, scene, kitchen.scene(), turn) == allowed == (opening == "off")
    assert (action_for(kitchen.spec, scene, view, turn, masks) is not None) == allowed

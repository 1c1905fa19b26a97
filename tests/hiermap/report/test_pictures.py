"""Pictures: sizes, colours and marks at the right cell."""

import io

import numpy as np
from PIL import Image

from hiermap.primitives.specs import PRIMITIVES
from hiermap.report.pictures import COLOURS, action_picture, best_over_rotations, map_panels, map_strip, outlined, overlay, png, upscaled

RGB = np.full((96, 128, 3), 120, np.uint8)


def test_every_primitive_has_a_colour_of_its_own() -> None:
    assert set(COLOURS) == set(PRIMITIVES)
    assert len(set(COLOURS.values())) == len(COLOURS)


def test_a_sure_cell_takes_the_primitives_colour_and_an_empty_one_stays_grey() -> None:
    heat = np.zeros((96, 128))
    heat[10, 20] = 1.0
    image = overlay(RGB, heat, COLOURS["pull"])
    assert tuple(image[10, 20]) == COLOURS["pull"]
    assert len(set(image[50, 50].tolist())) == 1


def test_the_chosen_cell_is_marked_where_it_is_and_nowhere_far_away() -> None:
    image = action_picture(RGB, "rotate", (40, 60), 0, scale=4)
    changed = np.argwhere((image != upscaled(RGB, 4)).any(axis=-1))
    assert image.shape == (384, 512, 3)
    assert np.abs(changed.mean(axis=0) - [162, 242]).max() < 2
    assert np.abs(changed - [162, 242]).max() <= 16


def test_the_arrow_of_a_push_to_the_left_points_left() -> None:
    image = action_picture(RGB, "push", (40, 60), 1, scale=4)
    changed = np.argwhere((image != upscaled(RGB, 4)).any(axis=-1))
    assert changed[:, 1].min() < 242 - 40 and changed[:, 1].max() <= 242 + 16


def test_maps_keep_their_best_orientation() -> None:
    maps = np.zeros((5, 4, 96, 128))
    maps[2, 3, 7, 8] = 0.5
    assert best_over_rotations(maps)[2, 7, 8] == 0.5


def test_the_strip_shows_all_five() -> None:
    heats = np.zeros((5, 96, 128))
    assert list(map_panels(RGB, heats)) == list(PRIMITIVES)
    assert map_strip(RGB, heats, ("pull", (3, 4))).shape == (96 * 2 + 16, 5 * (128 * 2 + 4), 3)


def test_an_outline_surrounds_the_mask_without_filling_it() -> None:
    mask = np.zeros((96, 128), bool)
    mask[40:60, 30:70] = True
    image = outlined(upscaled(RGB), {"left_drawer_1": mask}, 4)
    assert tuple(image[50 * 4, 30 * 4]) != (120, 120, 120)
    assert tuple(image[50 * 4, 50 * 4]) == (120, 120, 120)


def test_png_round_trips() -> None:
    image = np.random.default_rng(0).integers(0, 255, (8, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(image)))), image)

"""Pictures: sizes, colours and marks at the right cell."""

import io
import subprocess
import sys

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from hiermap.primitives.specs import PRIMITIVES
from hiermap.report.pictures import COLOURS, Picture, png
from hiermap.worlds.base import Action

RGB = np.full((96, 128, 3), 120, np.uint8)


def drawn(*pictures: Picture, scale: int = 4) -> np.ndarray:
    return (imread(io.BytesIO(png(pictures, scale=scale)))[..., :3] * 255).round().astype(int)


def changed(picture: Picture) -> np.ndarray:
    """Pixels `[n, 2]` that differ from the bare view."""
    return np.argwhere((drawn(picture) != 120).any(axis=-1))


def test_every_primitive_has_a_colour_of_its_own() -> None:
    assert list(COLOURS) == list(PRIMITIVES)
    assert len(set(COLOURS.values())) == len(COLOURS)


def test_a_bare_view_is_shown_cell_by_cell_as_it_is() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, RGB.shape, dtype=np.uint8)
    np.testing.assert_array_equal(drawn(Picture(rgb)), np.kron(rgb, np.ones((4, 4, 1), int)))


def test_a_sure_cell_takes_the_primitives_colour_and_an_empty_one_stays_grey() -> None:
    heat = np.zeros((96, 128))
    heat[10, 20] = 1.0
    image = drawn(Picture(RGB, heat=heat, primitive="pull"))
    np.testing.assert_allclose(image[42, 82], np.array(to_rgb(COLOURS["pull"])) * 255, atol=1)
    assert len(set(image[200, 200].tolist())) == 1


def test_the_chosen_cell_is_marked_where_it_is_and_nowhere_far_away() -> None:
    pixels = changed(Picture(RGB, action=Action("rotate", (40, 60), 0)))
    assert np.abs(pixels.mean(axis=0) - [161.5, 241.5]).max() < 1
    assert np.abs(pixels - [161.5, 241.5]).max() <= 18


def test_arrows_point_where_the_motion_goes() -> None:
    for primitive, rotation, axis, sign in (
        ("push", "left", 1, -1), ("push", "right", 1, 1), ("push", "inward", 0, -1), ("pull", "roll_0", 0, 1),
    ):  # fmt: skip
        action = Action(primitive, (40, 60), PRIMITIVES[primitive].rotations.index(rotation))
        reach = (changed(Picture(RGB, action=action)) - [162, 242])[:, axis] * sign
        assert reach.max() > 40 and reach.min() >= -18, rotation


def test_an_outline_surrounds_the_mask_without_filling_it_and_its_name_is_no_formula() -> None:
    mask = np.zeros((96, 128), bool)
    mask[40:60, 30:70] = True
    image = drawn(Picture(RGB, outlines={"left_drawer_$\\frac": mask, "unseen": np.zeros_like(mask)}))
    assert tuple(image[200, 120]) != (120, 120, 120)
    assert tuple(image[200, 200]) == (120, 120, 120)
    assert (image[130:156, 160:240] == 255).all(axis=-1).sum() > 100


def test_rows_and_titles_make_room() -> None:
    titled = Picture(RGB, "pull")
    assert drawn(Picture(RGB), Picture(RGB)).shape == (384, 2 * 512 + 6, 3)
    assert imread(io.BytesIO(png([titled] * 3, [titled] * 3, scale=2))).shape[:2] == (2 * (192 + 22), 3 * 256 + 2 * 6)


def test_the_same_picture_gives_the_same_bytes() -> None:
    picture = Picture(RGB, "title", action=Action("push", (40, 60), 1))
    assert png([picture]) == png([picture])


def test_no_window_system_is_asked_for() -> None:
    program = "import sys; import hiermap.report.report; sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)

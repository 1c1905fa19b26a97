"""Tasks in the wide world: what they ask for and may speak of, what an action means there, and what counts."""

from dataclasses import replace

import numpy as np
import pytest

from hiermap.worlds.base import Action
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.mjcf.mjcf_scene import PartsScene
from hiermap.worlds.perception.cameras import CameraSpec
from hiermap.worlds.perception.fusion import see
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.rules.state_table import fit_one_state
from hiermap.worlds.tasks import geometry_chains
from hiermap.worlds.tasks.geometry_chains import wide_scene
from hiermap.worlds.tasks.wide_trials import WideTrial

SEED = 178460


@pytest.mark.parametrize("primitive", ["rotate", "grasp"])
def test_the_oracles_action_means_the_move_and_does_it(primitive: str) -> None:
    posed = WideTrial(f"primitive-{primitive}", SEED)
    view = see(posed.scene.observe(), posed.scene.frame)
    action = posed.oracle_action(view)
    assert action is not None and action.primitive == primitive
    meant = posed.meaning(action, view)
    assert meant is not None and meant == posed.move and not posed.had_effect(meant)
    posed.scene.act(action, view)
    assert posed.had_effect(meant)


def test_something_is_in_the_hand_where_placing_is_tried() -> None:
    posed = WideTrial("primitive-place", SEED)
    assert posed.move.target in posed.scene.between_fingers() and posed.kind(posed.move) in ("counter", "drawer")


def test_an_action_on_nothing_means_nothing() -> None:
    posed = WideTrial("primitive-rotate", SEED)
    view = see(posed.scene.observe(), posed.scene.frame)
    owned = np.any(list(posed.scene.masks().values()), axis=0)
    row, column = np.argwhere(~owned & view.valid)[0]
    assert posed.meaning(Action("rotate", (int(row), int(column)), 0), view) is None


def test_a_kitchen_in_which_something_falls_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def falling(seed: int, *more: object) -> PartsScene:
        if seed == SEED:
            raise ConfigError("box falls")
        return wide_scene(seed)

    monkeypatch.setattr(geometry_chains, "wide_scene", falling)
    assert [scene.about for scene in geometry_chains.wide_scenes(SEED, 2)] == [f"kitchen wide {SEED + 7919}"]


def test_kitchens_near_the_last_seed_for_validation_are_for_validation_too() -> None:
    abouts = [scene.about for scene in geometry_chains.wide_scenes(199_999, 2)]
    assert abouts == ["kitchen wide 199999", "kitchen wide 107918"]


def test_a_kitchen_with_more_than_the_rules_can_tell_apart_is_passed_over() -> None:
    assert fit_one_state(11, 6) and not fit_one_state(12, 6)
    with pytest.raises(ConfigError, match="wide 176339 has 15 fixtures and 6 things"):
        wide_scene(176_339)


def test_goals_speak_of_no_part_that_the_frame_cuts_or_no_camera_sees() -> None:
    scene = wide_scene(SEED)
    whole, half = geometry_chains.shown(scene), scene.frame.columns // 2
    assert whole <= {name for name, mask in scene.masks().items() if mask.any()}
    halves = {name: mask[:, :half].sum() / mask.sum() for name, mask in scene.masks().items() if name in whole - set(scene.parts.surfaces)}
    assert min(halves.values()) < 0.5 and max(halves.values()) == 1.0
    scene.frame = replace(scene.frame, columns=half)
    shown = geometry_chains.shown(scene)
    assert shown - set(scene.parts.surfaces) <= {name for name, share in halves.items() if share > geometry_chains.SHOWN_SHARE - 0.1}
    assert {name for name, share in halves.items() if share == 1.0} <= shown
    blind = wide_scene(SEED, SensingOptions(cameras=(CameraSpec((0.0, 2.0, 1.0), (0.7, 0.9, 0.3), 0.3),)))
    assert geometry_chains.shown(blind) < whole

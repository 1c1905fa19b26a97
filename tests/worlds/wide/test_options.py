"""Ranges of the wide world are options: what is asked for is drawn, and what cannot be is one sentence."""

import mujoco
import numpy as np
import pytest

from hiermap.data.collect import CollectSettings
from hiermap.evaluation.suites import EvaluateOptions
from hiermap.system.config import load_config, typed
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.wide.cameras import wide_cameras
from hiermap.worlds.wide.carpentry import CAPSULE, CYLINDER
from hiermap.worlds.wide.kitchens import kind_of, wide_kitchen
from hiermap.worlds.wide.options import DRAWN, WideOptions
from hiermap.worlds.wide.things import THING_KINDS

SEEDS = range(176100, 176112)


def evaluated(*words: str) -> EvaluateOptions:
    return typed(EvaluateOptions, load_config("evaluate", ["suite=chain-1", "out=x", *words]))


def test_ranges_are_met() -> None:
    asked = WideOptions(
        tables=0.0,
        columns=(1, 1),
        counter_m=(0.3, 0.32),
        bar_radius_m=(0.01, 0.012),
        stand_off_m=(0.09, 0.1),
        things=(0, 1),
        cameras=(5, 5),
    )
    radii = list[float]()
    for seed in SEEDS:
        spec = wide_kitchen(seed, asked)
        names = [body.name for body in spec.bodies]
        assert sum(name.startswith("column_") for name in names) == 1 and "table" not in names
        (counter,) = (geom for geom in spec.geoms if geom.name == "counter_1")
        assert 0.3 <= counter.pos[2] + counter.size[2] <= 0.32 + 1e-9
        assert sum(kind_of(joint.name) in THING_KINDS for joint in spec.joints) <= 1
        radii += [geom.size[0] for geom in spec.geoms if geom.type == CAPSULE and kind_of(geom.parent.name) in ("drawer", "door")]
        assert len(wide_cameras(seed, asked)) == 5
    assert 0.6 * 0.01 <= min(radii) < 0.01 < max(radii) <= 0.012  # posts are thinner than bars


def test_tables_alone_can_be_asked_for() -> None:
    asked = WideOptions(tables=1.0, table_m=(0.1, 0.1), button_radius_m=(0.02, 0.02))
    caps = list[float]()
    for seed in SEEDS:
        spec = wide_kitchen(seed, asked)
        (top,) = (geom for geom in spec.geoms if geom.name == "table")
        assert np.isclose(top.pos[2] + top.size[2], 0.1)
        caps += [geom.size[0] for geom in spec.geoms if geom.type == CYLINDER and kind_of(geom.parent.name) == "top_button"]
    assert set(np.round(caps, 6)) == {0.01, 0.02}  # stems are half as thick as their caps


def test_kinds_can_be_left_out() -> None:
    asked = WideOptions(without=("drawer", "shelf", "top_button", "button", "lever", "knobs", "sliding_door", "can", "jar", "kettle"))
    kinds = {kind_of(joint.name) for seed in SEEDS for joint in wide_kitchen(seed, asked).joints}
    assert kinds == {"door", "box", "cube", "pan"}


def test_what_hangs_is_above_what_stands_and_walls_are_behind_all() -> None:
    hung = 0
    for seed in SEEDS:
        model = wide_kitchen(seed, WideOptions(tables=0.0, overhead=1.0, walls=1.0)).compile()
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        counters = [g for g in range(model.ngeom) if model.geom(g).name.startswith("counter_")]
        heights = {model.geom_bodyid[g]: data.geom_xpos[g][2] for g in counters}
        fixtures = [model.jnt_bodyid[j] for j in range(model.njnt) if model.jnt_type[j] != mujoco.mjtJoint.mjJNT_FREE]
        over = [data.xpos[body][2] - heights[column] for body in fixtures if (column := model.body_parentid[body]) in heights]
        hung += sum(height > 0.25 for height in over)
        (wall,) = (g for g in range(model.ngeom) if model.geom_size[g][1] == 1.5)
        assert data.geom_xpos[wall][0] > data.geom_xpos[counters, 0].max() and model.geom_bodyid[wall] == 0
    assert hung >= len(SEEDS)


def test_defaults_change_nothing() -> None:
    assert wide_kitchen(SEEDS[0]).to_xml() == wide_kitchen(SEEDS[0], WideOptions()).to_xml()
    assert evaluated("kitchen=wide").kitchen.wide == DRAWN and not DRAWN.told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["kitchen=wide", "kitchen.wide.columns=[4,2]"], r"wide.columns is \[4, 2\], expected the smaller first"),
        (["kitchen=wide", "kitchen.wide.counter_m=[0.2,9]"], r"wide.counter_m\[1\].* from 0.1 to 0.6"),
        (["kitchen=wide", "kitchen.wide.columns=[5,5]", "kitchen.wide.width_m=[0.5,0.6]"], r"wide.columns is \[5, 5\].* 2.50 m in a row"),
        (["kitchen=wide", "kitchen.wide.bar_radius_m=[0.02,0.02]"], r"wide.stand_off_m .* leaves 8 mm behind bars .* fingers need 15"),
        (["kitchen=wide", "kitchen.wide.without=[oven]"], r"wide.without='oven' is unknown; .*known: .*kettle"),
        (["kitchen.wide.tables=1"], r"kitchen.wide \(tables 1.0\) and kitchen=hiermap do not go together; take kitchen=wide"),
    ],
)
def test_what_cannot_be_met_is_one_sentence_that_names_it(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        wide_kitchen(SEEDS[0], evaluated(*words).kitchen.wide)


def test_walks_are_collected_in_what_is_asked_for_and_say_so() -> None:
    def settings(*words: str) -> CollectSettings:
        return typed(CollectSettings, load_config("collect", ["out=x", *words]))

    assert "tables 1.0" in settings("source=wide", "wide.tables=1.0").walks
    with pytest.raises(ConfigError, match=r"wide \(tables 1.0\) and source=rules do not go together; take source=wide"):
        settings("source=rules", "wide.tables=1.0")

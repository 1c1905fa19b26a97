"""A tiny two-tier kitchen front of boxes and thin bars with exactly known geometry."""

import mujoco
import numpy as np

from hiermap.worlds.base import GripperState, Observation
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.sensors import draw_drift, robot_body, sense

LOWER_X, UPPER_X, COUNTER_Z = 0.6, 0.78, 0.28
BAR_RADIUS = 0.005
XML = f"""
<mujoco>
  <worldbody>
    <geom name="floor" type="plane" size="3 3 .1" pos="0 0 -.3" rgba=".6 .6 .6 1"/>
    <geom name="wall" type="box" size=".02 1 1" pos="1.2 0 .2" rgba=".9 .9 .85 1"/>
    <geom name="lower" type="box" size=".3 .5 .29" pos="{LOWER_X + 0.3} 0 {COUNTER_Z - 0.29}" rgba=".7 .5 .3 1"/>
    <geom name="upper" type="box" size=".2 .5 .13" pos="{UPPER_X + 0.2} 0 .44" rgba=".3 .5 .7 1"/>
    <geom name="horizontal" type="capsule" size="{BAR_RADIUS} .06" pos=".565 .2 .2" euler="90 0 0" rgba="1 0 0 1"/>
    <geom name="vertical" type="capsule" size="{BAR_RADIUS} .06" pos=".565 -.2 .2" rgba="1 0 0 1"/>
    <geom name="upper_vertical" type="capsule" size="{BAR_RADIUS} .06" pos=".745 -.3 .42" rgba="1 0 0 1"/>
    <geom name="arm" type="box" size=".03 .03 .1" pos=".3 0 .6" rgba="1 1 1 1"/>
  </worldbody>
</mujoco>
"""
BARS = ("horizontal", "vertical", "upper_vertical")


def build() -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = mujoco.MjModel.from_xml_string(XML)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def observe(options: SensingOptions | None = None, seed: int = 0, holding: bool = False) -> Observation:
    model, data = build()
    options, arm = options or SensingOptions(), [model.geom("arm").id]
    rng = np.random.default_rng(seed)
    views = sense(model, data, options, draw_drift(options, rng), rng)
    return Observation(views, GripperState(0.08, holding), body=robot_body(model, data, arm))

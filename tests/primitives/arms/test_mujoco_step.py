"""A control period without Python is what `mj_step` does."""

import mujoco
import numpy as np
import pytest

from hiermap.primitives.arms.mujoco_step import step
from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.robosuite_arm import RobosuiteArm


def test_a_period_is_bit_for_bit_that_of_mj_step(kitchen, arm):
    before = kitchen.snapshot()
    kitchen.restore(before)
    arm.plant.torque[:], arm.plant.fingers = arm.plant.bias + np.linspace(-4.0, 4.0, 7), 0.01
    for _ in range(20):
        assert step.ctypes(int(arm.plant.context)) == 0
    after, force = kitchen.snapshot(), kitchen.data.sensordata.copy()
    commands = kitchen.data.ctrl.copy()
    kitchen.restore(before)
    kitchen.data.ctrl[:] = commands
    mujoco.mj_step(kitchen.model, kitchen.data, round(20 * arm.period / kitchen.model.opt.timestep))
    np.testing.assert_array_equal(kitchen.snapshot(), after)
    np.testing.assert_array_equal(kitchen.data.sensordata, force)


def test_an_integrator_that_the_step_does_not_call_is_refused(kitchen, monkeypatch):
    monkeypatch.setattr(kitchen.model.opt, "integrator", mujoco.mjtIntegrator.mjINT_EULER)
    with pytest.raises(ValueError, match="implicitfast"):
        RobosuiteArm(PANDA, kitchen.model, kitchen.data)

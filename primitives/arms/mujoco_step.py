"""One control period of an arm in MuJoCo without Python: motors in, physics, state out, all by address in MuJoCo's own memory."""

import ctypes

import mujoco
import numpy as np
from numba import carray, cfunc

from hiermap.primitives.compiled import compiled
from hiermap.primitives.motion.arm import call, pointer

_LIBRARY = ctypes.CDLL(mujoco._functions.__file__)
SILENT_STEP = "mj_checkPos", "mj_checkVel", "mj_forwardSkip", "mj_checkAcc", "mj_implicit"
"""What `mj_step` does with an implicit integrator; a second argument of `mj_forwardSkip` leaves the sensors out."""
FUNCTIONS = "mj_step", "mj_getState", *SILENT_STEP
TIME, NO_STAGE = int(mujoco.mjtState.mjSTATE_TIME), int(mujoco.mjtStage.mjSTAGE_NONE)
MEMORY = "model", "data", "state", "derived", "commands", "sources", "targets", "fingers", "jaw", "sensor", "wrist", "hand_weight"
RECORD = np.dtype([(name, np.int64) for name in (*FUNCTIONS, *MEMORY, "substeps", "numbers", "motors")])
"""What `step` works on: addresses of functions and of memory, and how many substeps, `sources` and `targets` there are.

`sources` and `targets` are themselves tables of addresses: of what is gathered into `state`, and of where `commands` go, both fingers last.
`derived` are the force on the hand [3], the width and the time; `fingers` the addresses of the fingers' joints, `jaw` for each
where it is when the hand is closed, and the two factors that make an opening of how far it is from there, [2, 3] (see `HandSpec`).
"""


def functions() -> list[int]:
    """The addresses of FUNCTIONS in MuJoCo's library."""
    return [ctypes.cast(getattr(_LIBRARY, name), ctypes.c_void_p).value or 0 for name in FUNCTIONS]


def addresses(array: np.ndarray) -> np.ndarray:
    """Where each number of a contiguous float64 array lies in memory, int64 of its shape."""
    return array.ctypes.data + 8 * np.arange(array.size).reshape(array.shape)


@compiled
def _floats(address, count):
    return carray(pointer(address), count, np.float64)


@compiled
def gather(context):
    """Bring `state` and `derived` up to date; `context` is the address of a RECORD."""
    it = carray(pointer(context), 1, RECORD)[0]
    sources, state = carray(pointer(it.sources), it.numbers, np.int64), _floats(it.state, it.numbers)
    for i in range(it.numbers):
        state[i] = _floats(sources[i], 1)[0]
    # The sensor gives the force of the hand on the wrist, i.e. its weight plus what pushes it (up to slow accelerations).
    R, force, weight, derived = _floats(it.wrist, 9), _floats(it.sensor, 3), _floats(it.hand_weight, 3), _floats(it.derived, 5)
    for r in range(3):
        derived[r] = -(R[3 * r] * force[0] + R[3 * r + 1] * force[1] + R[3 * r + 2] * force[2]) - weight[r]
    fingers, jaw = carray(pointer(it.fingers), 2, np.int64), _floats(it.jaw, 6)
    derived[3] = 0.0
    for i in range(2):
        u = _floats(fingers[i], 1)[0] - jaw[3 * i]
        derived[3] += jaw[3 * i + 1] * u + jaw[3 * i + 2] * u * u
    call(it.mj_getState, (it.model, it.data, it.derived + 32, TIME))


@cfunc("int64(int64)", cache=True)
def step(context):
    """See `Plant.step`. MuJoCo silently resets a diverged simulation, time included."""
    it = carray(pointer(context), 1, RECORD)[0]
    commands, targets = _floats(it.commands, it.motors), carray(pointer(it.targets), it.motors + 1, np.int64)
    last, jaw = it.motors - 1, _floats(it.jaw, 6)
    for i in range(last):
        _floats(targets[i], 1)[0] = commands[i]
    for i in range(2):
        closed, a, b = jaw[3 * i], jaw[3 * i + 1], jaw[3 * i + 2]
        root = np.copysign(np.sqrt(a * a + 4 * b * commands[last]), a)
        _floats(targets[last + i], 1)[0] = closed + 2 * commands[last] / (a + root)
    clock = _floats(it.derived, 5)
    before = clock[4]
    # Only the last substep's sensors are read.
    for _ in range(it.substeps - 1):
        call(it.mj_checkPos, (it.model, it.data))
        call(it.mj_checkVel, (it.model, it.data))
        call(it.mj_forwardSkip, (it.model, it.data, NO_STAGE, 1))
        call(it.mj_checkAcc, (it.model, it.data))
        call(it.mj_implicit, (it.model, it.data))
    call(it.mj_step, (it.model, it.data))
    gather(context)
    return np.int64(clock[4] <= before)

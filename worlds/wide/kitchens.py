"""A wide world to learn from: kitchens drawn, not chosen; every unit of continuous size at a continuous place, height and yaw.

A kitchen is a pure function of its seed, written with MuJoCo's model editing and without rules of its own: what can be done in it is
asked of its geometry, as in anybody's scene.
"""

import mujoco
import numpy as np

from hiermap.worlds.kitchen.layouts import FLOOR_Z, TEST_SEED_START
from hiermap.worlds.records import one_of
from hiermap.worlds.wide.carpentry import RGBA, Point, Style, board, turned
from hiermap.worlds.wide.columns import row
from hiermap.worlds.wide.options import DRAWN, WideOptions
from hiermap.worlds.wide.tables import ON_TABLES, table
from hiermap.worlds.wide.things import THING_KINDS, UNSEEN_THINGS
from hiermap.worlds.wide.units import LOWER, SURFACES, UNSEEN, UPPER

FIXTURE_KINDS = frozenset({*LOWER, *UPPER, *ON_TABLES} - SURFACES)
"""Of the kitchens that may be trained on."""
UNSEEN_SHARE = 0.35
"""Of the kitchens of tests so many may have kinds of `UNSEEN` and `UNSEEN_THINGS`."""


def wide_kitchen(seed: int, drawn: WideOptions = DRAWN) -> mujoco.MjSpec:
    """The kitchen of a seed, as the arm's base sees it; from `TEST_SEED_START` on some have kinds that nothing is ever trained on."""
    rng = np.random.default_rng([seed, 0x31DE])
    unseen = seed >= TEST_SEED_START and rng.random() < UNSEEN_SHARE
    spec = mujoco.MjSpec()
    spec.compiler.degree, spec.option.timestep, spec.option.integrator = False, 0.004, mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    floor = (2.0, 2.0, 0.01)
    board(spec.worldbody, (1.0, 0.0, FLOOR_Z - 0.012), floor, (0.5, 0.48, 0.45, 1.0))
    for name in drawn.without:
        one_of("wide.without", name, sorted({*FIXTURE_KINDS, *SURFACES, *UNSEEN, *THING_KINDS, *UNSEEN_THINGS}))
    style = _style(rng, drawn)
    if np.random.default_rng([seed, 0x7AB1]).random() < drawn.tables:
        places = table(spec, style, rng)
    else:
        kinds = {**UPPER, **(UNSEEN if unseen else {})}
        places = row(spec, style, rng, np.random.default_rng([seed, 0x0BE2]), kinds)
    _stand(spec, places, rng, drawn, unseen)
    return spec


def _style(rng: np.random.Generator, drawn: WideOptions) -> Style:
    carcass, front, tray, counter = (rng.uniform(low, high, 3) for low, high in ((0.4, 0.75), (0.25, 0.8), (0.6, 0.9), (0.25, 0.6)))
    opaque: list[RGBA] = [(float(r), float(g), float(b), 1.0) for r, g, b in (carcass, front, tray, counter)]
    return Style(opaque[0], opaque[1], opaque[2], opaque[3], drawn)


def kind_of(name: str) -> str:
    """The kind of a part or thing of that name: "drawer_2" is a drawer."""
    return name.rstrip("_0123456789")


def _stand(spec: mujoco.MjSpec, places: list[tuple[Point, float]], rng: np.random.Generator, drawn: WideOptions, unseen: bool) -> None:
    """Things at some of the places, one of a kind."""
    chosen = rng.permutation(len(places))[: int(rng.integers(drawn.things[0], drawn.things[1] + 1))]
    kinds = drawn.kept({**THING_KINDS, **(UNSEEN_THINGS if unseen else {})})
    for kind, (at, yaw_rad) in zip(rng.permutation(sorted(kinds)), (places[number] for number in chosen), strict=False):
        body = spec.worldbody.add_body(name=str(kind), pos=at, quat=turned(yaw_rad))
        body.add_freejoint(name=str(kind))
        kinds[str(kind)](body, rng)

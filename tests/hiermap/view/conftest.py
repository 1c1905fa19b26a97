"""A desk in a kitchen of true dynamics and true maps, which loads no network."""

from dataclasses import replace

import pytest

from hiermap.evaluation.problem import planner_for
from hiermap.view.desk import Desk
from hiermap.view.options import ViewOptions
from hiermap.view.view import desk_of
from hiermap.worlds.simulator.film import Film

SEED = 150001
KNOWN = ("world=simulator", "maps=oracle", f"seed={SEED}")
"""Words of the command for such a desk."""


@pytest.fixture(scope="module")
def posed() -> tuple[Desk, Film]:
    """Posed once a module, since that takes seconds."""
    return desk_of(ViewOptions(world="simulator", maps="oracle", seed=SEED))


@pytest.fixture
def desk(posed: tuple[Desk, Film]) -> Desk:
    """A desk where nothing was done yet."""
    fresh, film = posed
    before = film.scene.snapshot()
    yield Desk(fresh.problem, planner_for(fresh.options, replace(fresh.problem, real=film.real), None), fresh.options)
    film.scene.restore(before)

"""One kitchen with its Panda for all tests of the motor programs."""

import pytest

from hiermap.worlds.kitchen.scene_sampling import initial_scene
from hiermap.worlds.simulator.kitchen import Kitchen

SEED = 100_072


@pytest.fixture(scope="session")
def shared_kitchen():
    return Kitchen(SEED)


@pytest.fixture
def kitchen(shared_kitchen):
    """Everything shut, the hand empty."""
    shared_kitchen.set_scene(initial_scene(shared_kitchen.spec))
    return shared_kitchen


@pytest.fixture
def arm(kitchen):
    return kitchen.arm

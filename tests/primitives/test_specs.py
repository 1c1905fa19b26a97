"""The registry: its order is the channel order of every map."""

import pytest

from hiermap.primitives.skills.run import PROGRAMS
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS


def test_the_order_of_the_primitives_is_pinned():
    assert tuple(PRIMITIVES) == ("grasp", "place", "push", "pull", "rotate")


def test_the_orientation_bins_are_pinned():
    assert {name: spec.rotations for name, spec in PRIMITIVES.items()} == {
        "grasp": ("yaw_0", "yaw_45", "yaw_90", "yaw_135"),
        "place": ("yaw_0", "yaw_90"),
        "push": ("inward", "left", "right", "down"),
        "pull": ("roll_0", "roll_90"),
        "rotate": ("ccw_roll_0", "cw_roll_0", "ccw_roll_90", "cw_roll_90"),
    }


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_has_a_program_bins_and_a_bound_above_its_usual_time(name):
    spec = PRIMITIVES[name]
    assert spec.name == name and name in PROGRAMS
    assert 1 <= len(spec.rotations) <= ROTATION_BINS
    assert 0 < spec.typical_seconds < spec.bound_seconds


def test_mirrors_are_mutual_and_effects_go_with_them():
    for spec in PRIMITIVES.values():
        for bin_ in spec.bins:
            partner = spec.bins[spec.rotations.index(bin_.mirror or bin_.name)]
            assert (partner.mirror or partner.name) == bin_.name
        assert sorted(k for bins in spec.effects().values() for k in bins) == list(range(len(spec.bins)))


def test_what_comes_from_above_takes_and_sets_down():
    assert [name for name, spec in PRIMITIVES.items() if spec.from_above] == ["grasp", "place"]


def test_only_place_needs_something_in_the_hand():
    assert [name for name, spec in PRIMITIVES.items() if spec.needs_object] == ["place"]

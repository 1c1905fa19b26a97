"""Things are called as people would call them, each by a name of its own."""

import pytest

from hiermap.worlds.kitchen.called import called
from hiermap.worlds.kitchen.layouts import TEST_FAMILIES, TRAIN_FAMILIES, sample_kitchen

SEEDS = range(176000, 176040)


@pytest.mark.parametrize("seed", [*SEEDS, 0, 200_000])
def test_every_thing_has_a_name_of_its_own_without_marks_and_numbers(seed: int) -> None:
    spec = sample_kitchen(seed)
    names = called(spec)
    assert set(names) == {thing.name for things in (spec.fixtures, spec.objects, spec.surfaces) for thing in things}
    assert len(set(names.values())) == len(names)
    assert all(name.replace(" ", "").isalpha() and name.islower() for name in names.values())


def test_names_say_where_and_what() -> None:
    heard = {words for seed in SEEDS for words in called(sample_kitchen(seed)).values()}
    assert {"right cabinet with the latch", "latch of the right cabinet", "upper left drawer", "lower left drawer", "left drawer"} <= heard
    assert {"microwave", "oven", "sliding door", "tap", "light switch", "left knob of the stove", "cutting board", "left burner"} <= heard


def test_left_and_right_are_those_of_the_robot_in_every_family() -> None:
    for seed in SEEDS:
        spec = sample_kitchen(seed)
        for fixture in spec.fixtures:
            words = called(spec)[fixture.name].split()
            if {"left", "right"} & set(words):
                assert ("left" in words) == (fixture.face_world[1] > 0)
    assert len({sample_kitchen(seed).family.removesuffix("_mirrored") for seed in SEEDS}) == len(TRAIN_FAMILIES) > len(TEST_FAMILIES)

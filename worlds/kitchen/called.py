"""What people would call the things of a kitchen: "right cabinet with the latch", not "right_latched"."""

from hiermap.worlds.kitchen.spec import FixtureSpec, KitchenSpec

_KINDS = {
    "left_door": "{side} cabinet",
    "right_door": "{side} cabinet",
    "latched_door": "{side} cabinet with the latch",
    "latch": "latch of the {side} cabinet",
    "knob": "{side} knob of the stove",
    "microwave": "microwave",
    "oven_door": "oven",
    "sliding_door": "sliding door",
    "tap": "tap",
    "switch": "light switch",
}
"""Kind of a fixture -> its name; of every kind but drawers there is one on a side."""
_SURFACES = {"board": "cutting board", "burner_left": "left burner", "burner_right": "right burner"}


def called(spec: KitchenSpec) -> dict[str, str]:
    """Name -> what people call it, without an article, for all fixtures, objects and surfaces."""
    fixtures = {fixture.name: _fixture(fixture, spec) for fixture in spec.fixtures}
    return fixtures | {thing.name: thing.name for thing in spec.objects} | {place.name: _SURFACES[place.name] for place in spec.surfaces}


def _fixture(fixture: FixtureSpec, spec: KitchenSpec) -> str:
    """In the world's axes y is left."""
    side = "left" if fixture.face_world[1] > 0 else "right"
    if fixture.kind != "drawer":
        return _KINDS[fixture.kind].format(side=side)
    is_upper = any(other.above == fixture.name for other in spec.drawers)
    level = "upper " if is_upper else "lower " if fixture.above else ""
    return f"{level}{side} drawer"

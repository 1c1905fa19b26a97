"""Single-primitive trials in their scenes: what they ask for, what an action means, and what counts."""

from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.perception.fusion import see
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import common_places
from hiermap.worlds.tasks.posed_trials import PosedTrial, kind_of

SEED = 150000


def test_the_oracles_action_means_the_move_and_nothing_has_happened_yet() -> None:
    posed = PosedTrial("primitive-rotate", SEED)
    view = see(posed.scene.observe(), posed.scene.frame)
    action = posed.oracle_action(view)
    assert action is not None and action.primitive == "rotate"
    assert posed.meaning(action, view) == posed.move
    assert not posed.had_effect(posed.move)


def test_kinds_are_the_fixtures_kind_the_object_or_what_something_is_put_on() -> None:
    spec = sample_kitchen(SEED)
    drawer = next(fixture for fixture in spec.fixtures if fixture.kind == "drawer")
    assert kind_of(spec, Move("pull", drawer.name, to="open")) == "drawer"
    assert kind_of(spec, Move("grasp", spec.objects[0].name)) == spec.objects[0].name
    kinds = {place.name: kind_of(spec, Move("place", "mug", place=place)) for place in common_places(spec)}
    assert kinds[drawer.name] == "drawer" and kinds[spec.surfaces[0].name] == "surface"
    assert {kind for name, kind in kinds.items() if name.startswith("spot_")} == {"counter"}

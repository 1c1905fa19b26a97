"""A hand-made kitchen of which every rule can be worked out on paper: two stacked drawers, a latched door, two knobs, two objects."""

from hiermap.worlds.kitchen.spec import FixtureSpec, KitchenSpec, ObjectSpec, SceneState, SurfaceSpec
from hiermap.worlds.rules.places import Place, common_places

FRONT, BACK, COUNTER_Z = 0.60, 0.78, 0.28
GREY = (0.5, 0.5, 0.5, 1.0)
SPOTS = tuple((FRONT + 0.07, y) for y in (-0.3, -0.1, 0.1, 0.3))


def drawer(name: str, y: float, z: float, above: str | None = None) -> FixtureSpec:
    return FixtureSpec(
        name=name,
        kind="drawer",
        face_world=(FRONT, y, z),
        size=(0.3, 0.10, 0.25),
        joint_type="slide",
        joint_axis_world=(-1.0, 0.0, 0.0),
        joint_anchor_world=(FRONT, y, z),
        joint_range=0.22,
        handle="bar_horizontal",
        handle_world=(FRONT - 0.05, y, z),
        handle_radius=0.007,
        handle_length=0.10,
        clearance=0.036,
        damping=5.0,
        frictionloss=1.0,
        rgba=GREY,
        above=above,
        handle_axis_world=(0.0, 1.0, 0.0),
    )


def door(name: str, hinge_y: float, side: int, latch: str | None = None) -> FixtureSpec:
    """A door 25 cm wide; `side` +1: hinge on its +y side, opening towards the robot."""
    width, z = 0.25, COUNTER_Z + 0.03 + 0.12
    y = hinge_y - side * width / 2
    return FixtureSpec(
        name=name,
        kind="latched_door" if latch else ("left_door" if side > 0 else "right_door"),
        face_world=(BACK, y, z),
        size=(width, 0.24, 0.016),
        joint_axis_world=(0.0, 0.0, -float(side)),
        joint_anchor_world=(BACK, hinge_y, z),
        joint_range=1.25,
        handle="bar_vertical",
        handle_world=(BACK - 0.05, hinge_y - side * (width - 0.035), z),
        handle_radius=0.007,
        handle_length=0.10,
        clearance=0.036,
        damping=0.5,
        frictionloss=0.2,
        rgba=GREY,
        latch=latch,
    )


def turning(name: str, kind: str, point: tuple[float, float, float], on_is_ccw: bool) -> FixtureSpec:
    return FixtureSpec(
        name=name,
        kind=kind,
        face_world=point,
        size=(0.04, 0.04, 0.03),
        joint_axis_world=(-1.0 if on_is_ccw else 1.0, 0.0, 0.0),
        joint_anchor_world=point,
        joint_range=1.5707963,
        handle="ridge",
        handle_world=(point[0] - 0.03, point[1], point[2]),
        handle_radius=0.02,
        handle_length=0.04,
        damping=0.01,
        frictionloss=0.05,
        rgba=GREY,
    )


def small_kitchen() -> KitchenSpec:
    return KitchenSpec(
        seed=0,
        family="hand-made",
        fixtures=(
            drawer("top", 0.3, 0.21),
            drawer("bottom", 0.3, 0.10, above="top"),
            turning("knob", "knob", (FRONT, -0.05, 0.2), on_is_ccw=True),
            turning("latch", "latch", (BACK, -0.10, 0.50), on_is_ccw=False),
            door("door", -0.42, -1, latch="latch"),
            door("cabinet", 0.42, 1),
        ),
        objects=(
            ObjectSpec("can", 0.025, 0.07, (0.0, 0.0, 0.05), 0.05, 0.2, GREY),
            ObjectSpec("box", 0.045, 0.07, (0.0, 0.0, 0.05), 0.045, 0.2, GREY, length=0.07),
        ),
        surfaces=(SurfaceSpec("board", (FRONT + 0.07, 0.1, COUNTER_Z), (0.06, 0.06), GREY),),
        counter_world=(FRONT, BACK, -0.46, 0.46, COUNTER_Z),
        spots_world=SPOTS,
        upper_front_x=BACK,
        floor_z=-0.04,
    )


def scene(spec: KitchenSpec, opened: tuple[str, ...] = (), held: str | None = None, **spots: int) -> SceneState:
    """Everything shut and off but `opened`; objects at spots by number, can on 0 and box on 1 unless told."""
    where = {"can": 0, "box": 1} | spots
    poses = {name: (*spec.spots_world[index], spec.counter_world[4], 0.0) for name, index in where.items()}
    return SceneState({f.name: float(f.name in opened) for f in spec.fixtures}, poses, held)


def place(spec: KitchenSpec, name: str) -> Place:
    return next(place for place in common_places(spec) if place.name == name)

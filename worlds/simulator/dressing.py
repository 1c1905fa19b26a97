"""What a kitchen looks like in photographs: materials, light, walls and cameras; neither physics nor sensors know of any of it."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import mujoco
import numpy as np

from hiermap.primitives.arms.robosuite_arm import ROBOT_PREFIXES
from hiermap.worlds.kitchen import mjcf
from hiermap.worlds.kitchen.spec import KitchenSpec
from hiermap.worlds.perception.cameras import CameraSpec

SHOWN_GROUP, HIDDEN_GROUP = 1, 3
"""Photographs show the geoms of the first group, where robosuite has its robots' meshes, and none of the second."""
SUN_WORLD = np.array([-0.55, 0.45, 0.75]) / np.linalg.norm([-0.55, 0.45, 0.75])
"""Unit vector to the light: over the robot's left shoulder."""
BACKDROP = "backdrop/"
"""How the names of walls begin."""
WALL_RGBA, FLOOR_RGBA = (0.93, 0.91, 0.87, 1.0), (0.82, 0.80, 0.77, 1.0)
WALL_GAP, ROOM_HALF_M = 0.004, 2.4
"""Between the kitchen's back and the wall behind it, and half of a wall's length and height [m]."""
LARGEST = (1920, 1440)
"""Width and height of the largest photograph that a graphics library is asked for [px]."""
_TEXTURES = {"wood": "gray-woodgrain", "steel": "steel-brushed", "tiles": "light-gray-floor-tile"}
"""Material -> picture of robosuite's that covers it; colours are multiplied by it, so that hues stay what the sensors see."""
MATERIALS: Mapping[str, tuple[float, float, float]] = {
    "wood": (0.25, 0.3, 0.0),
    "steel": (0.9, 0.6, 0.3),
    "tiles": (0.2, 0.4, 0.06),
    "paint": (0.2, 0.3, 0.0),
    "stone": (0.5, 0.7, 0.08),
    "glaze": (0.8, 0.8, 0.1),
    "glass": (1.0, 0.9, 0.4),
}
"""Name -> specular, shininess, reflectance, each in [0, 1]."""
_PARTS = {
    **dict.fromkeys(("handle", "post_", "stem", "hub", "tongue", "rail", "stop_"), "steel"),
    **dict.fromkeys(("front", "bottom", "board"), "wood"),
    **dict.fromkeys(("burner", "glass", "buttons", "microwave_buttons"), "glass"),
    "counter": "stone",
    "floor": "tiles",
}
"""Beginnings of a word in a geom's name -> its material, the first that fits; everything else is painted."""
_WARES = {"mug": "glaze", "bowl": "glaze", "pot": "steel", "can": "steel"}
CAMERAS: Mapping[str, CameraSpec] = {
    "agentview": CameraSpec((-0.45, 1.00, 1.05), (0.56, -0.04, 0.28), 0.70),
    "frontview": CameraSpec((-1.00, 0.0, 1.60), (0.50, 0.0, 0.25), 0.65),
    "sideview": CameraSpec((0.10, 1.75, 0.75), (0.45, 0.0, 0.30), 0.75),
    "birdview": CameraSpec((0.30, 0.0, 2.20), (0.42, 0.0, 0.20), 0.75),
    "robot0_robotview": CameraSpec((0.10, -0.80, 1.00), (0.62, 0.05, 0.28), 0.85),
}
"""robosuite's cameras, put where they see a kitchen with its robot: its own look at a table, most of them from behind a kitchen's front."""


def dress(root: Element) -> None:
    """Give a robosuite model, robot and floor, its materials, light and cameras; the robot's own meshes are expected to be there."""
    asset, worldbody, visual = (root.find(tag) for tag in ("asset", "worldbody", "visual"))
    assert asset is not None and worldbody is not None and visual is not None
    _add_materials(asset)
    for lost in [child for child in worldbody if child.tag == "light" or child.get("name", "").startswith("wall_")]:
        worldbody.remove(lost)
    light = {"diffuse": "0.55 0.54 0.52", "specular": "0.3 0.3 0.3", "directional": "true", "castshadow": "true"}
    SubElement(worldbody, "light", light | {"pos": mjcf.numbers(2.0 * SUN_WORLD), "dir": mjcf.numbers(-SUN_WORLD)})
    SubElement(visual, "headlight", ambient="0.42 0.42 0.43", diffuse="0.22 0.22 0.22", specular="0.05 0.05 0.05")
    SubElement(visual, "quality", shadowsize="4096", offsamples="8")
    SubElement(root, "statistic", center="0.35 0 0.3", extent="1.6")  # where shadows are sharp
    SubElement(visual, "global", offwidth=str(LARGEST[0]), offheight=str(LARGEST[1]))
    for camera in worldbody.iter("camera"):
        if (spec := CAMERAS.get(camera.get("name", ""))) is not None:
            _place(camera, spec)
    paint(worldbody)


def _add_materials(asset: Element) -> None:
    from robosuite.models import assets_root  # our environment, which is defined when robosuite is imported, imports this module

    folder = Path(assets_root) / "textures"
    for name, numbers in MATERIALS.items():
        shine = dict(zip(("specular", "shininess", "reflectance"), map(str, numbers), strict=True))
        if name in _TEXTURES:
            kind = "2d" if name == "tiles" else "cube"
            SubElement(asset, "texture", name=f"photo_{name}", type=kind, file=str(folder / f"{_TEXTURES[name]}.png"))
            shine |= {"texture": f"photo_{name}", "texuniform": "true" if kind == "2d" else "false", "texrepeat": "2 2"}
        SubElement(asset, "material", shine | {"name": f"photo_{name}"})


def _place(camera: Element, spec: CameraSpec) -> None:
    """A camera in world coordinates, whatever body it stands on at the world's origin."""
    T = spec.T_camera_to_world
    camera.attrib.pop("quat", None)
    camera.attrib.update(pos=mjcf.numbers(T[:3, 3]), xyaxes=mjcf.numbers([*T[:3, 0], *-T[:3, 1]]), fovy=str(np.rad2deg(spec.fovy_rad)))


def paint(worldbody: Element) -> None:
    """Give every geom that is not the robot's the material of what it is."""
    for geom in worldbody.iter("geom"):
        name = geom.get("name", "")
        if geom.get("group") == "0" and not name.startswith(ROBOT_PREFIXES):
            geom.set("material", f"photo_{_material(name)}")


def _material(name: str) -> str:
    thing, _, part = name.rpartition("/")
    if thing in _WARES and not part.startswith("coffee"):
        return _WARES[thing]
    return next((material for start, material in _PARTS.items() if part.startswith(start) or thing.startswith(start)), "paint")


def room(spec: KitchenSpec) -> list[Element]:
    """The walls behind and beside a kitchen; they are seen from within only."""
    x = WALL_GAP + max(panel.centre_world[0] + panel.half_size[0] for panel in spec.panels)
    plain = {"type": "plane", "material": "photo_paint", "group": str(SHOWN_GROUP), "contype": "0", "conaffinity": "0"}
    shape = {"size": f"{ROOM_HALF_M} {ROOM_HALF_M} 0.1", "rgba": mjcf.numbers(WALL_RGBA)}
    beside = x - ROOM_HALF_M
    sides = [("back", f"{x} 0", "-1 0 0"), ("left", f"{beside} {ROOM_HALF_M}", "0 -1 0"), ("right", f"{beside} {-ROOM_HALF_M}", "0 1 0")]
    walls = [{"name": f"{BACKDROP}{side}", "pos": f"{at} {spec.floor_z}", "zaxis": facing} for side, at, facing in sides]
    return [Element("geom", plain | shape | wall) for wall in walls]


def stage(model: mujoco.MjModel) -> None:
    """Show what photographs show of a dressed model: everything but the shapes that stand for the robot's meshes in physics."""
    names = [model.geom(index).name for index in range(model.ngeom)]
    robots = np.array([name.startswith(ROBOT_PREFIXES) for name in names])
    model.geom_rgba[[name == "floor" for name in names]] = FLOOR_RGBA
    plain = model.geom_group == 0
    model.geom_group[plain & ~robots] = SHOWN_GROUP
    model.geom_group[plain & robots] = HIDDEN_GROUP

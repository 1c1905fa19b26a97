"""Reading a scene that a stranger wrote: only MJCF, meshes and textures within its own folder, none of it large."""

import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import mujoco

from hiermap.worlds.errors import ConfigError

MAX_XML_BYTES, MAX_ASSET_BYTES, MAX_TOTAL_BYTES = 4 << 20, 64 << 20, 256 << 20
"""Of a file of MJCF, of a mesh or texture, and of a scene with all of them."""
MOST_INCLUDES = 32
"""How deep includes may nest."""
FOLDERS = {"mesh": "meshdir", "skin": "meshdir", "texture": "texturedir", "hfield": "texturedir"}
"""Tag of an element with a `file` -> attribute of <compiler> that says in which folder that is."""
REFUSED = {"plugin": "plugins run native code", "extension": "plugins run native code", "model": "models in models are not followed"}


def read_scene(path: Path) -> mujoco.MjSpec:
    """The scene in a file of MJCF, before it is compiled; raises ConfigError naming file, element and remedy for what cannot be used."""
    path = path.expanduser()
    if not path.is_file():
        raise ConfigError(f"kitchen.path={path}: no such file; expected a scene in MJCF, as MuJoCo reads it, without a robot")
    scene = Path(os.path.realpath(path))
    folder = scene.parent
    roots = dict(_roots(scene, folder))
    compilers = [compiler for root in roots.values() for compiler in root.iter("compiler")]
    total = sum(file.stat().st_size for file in roots)
    for file, root in roots.items():
        for element in root.iter():
            if element.tag in REFUSED:
                raise ConfigError(f"{file.name}: <{element.tag}> is refused: {REFUSED[element.tag]}; take it out")
            if "file" in element.attrib and element.tag != "include":
                total += _asset_bytes(file, element, folder, compilers)
    if total > MAX_TOTAL_BYTES:
        raise ConfigError(f"{path.name}: the scene has {total >> 20} MiB of files, allowed {MAX_TOTAL_BYTES >> 20}; take smaller meshes")
    try:
        return mujoco.MjSpec.from_file(str(path))
    except (ValueError, mujoco.FatalError) as error:
        raise ConfigError(f"{path.name}: MuJoCo cannot read it ({_one_line(error)}); open it in `python -m mujoco.viewer`") from error


def compiled(spec: mujoco.MjSpec, name: str) -> mujoco.MjModel:
    """The model of a scene; ConfigError with MuJoCo's words where there is none."""
    try:
        return spec.compile()
    except (ValueError, mujoco.FatalError) as error:
        raise ConfigError(f"{name}: MuJoCo cannot build it ({_one_line(error)}); mend the element that it names") from error


def _roots(path: Path, folder: Path, depth: int = 0) -> Iterator[tuple[Path, Element]]:
    """A file and those that it includes, parsed."""
    if depth > MOST_INCLUDES:
        raise ConfigError(f"{path.name}: includes nest more than {MOST_INCLUDES} deep; does one include itself?")
    if path.stat().st_size > MAX_XML_BYTES:
        raise ConfigError(f"{path.name}: {path.stat().st_size >> 20} MiB of MJCF, allowed {MAX_XML_BYTES >> 20}; is it a scene?")
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, ValueError) as error:
        raise ConfigError(f"{path.name}: not XML ({error}); expected a scene in MJCF") from error
    if root.tag not in ("mujoco", "mujocoinclude"):
        raise ConfigError(f"{path.name}: <{root.tag}> at the top; expected <mujoco> (a URDF has to be converted first)")
    yield path, root
    for include in root.iter("include"):
        file = _within(path, include, folder, [folder, path.parent])
        yield from _roots(file, folder, depth + 1)


def _asset_bytes(file: Path, element: Element, folder: Path, compilers: list[Element]) -> int:
    key = FOLDERS.get(element.tag, "meshdir")
    told = [compiler.get(key) or compiler.get("assetdir") for compiler in compilers]
    asset = _within(file, element, folder, [folder / next(filter(None, told), ""), folder])
    if asset.stat().st_size > MAX_ASSET_BYTES:
        raise ConfigError(f"{file.name}: {asset.name} has {asset.stat().st_size >> 20} MiB, allowed {MAX_ASSET_BYTES >> 20}; simplify it")
    return asset.stat().st_size


def _within(file: Path, element: Element, folder: Path, starts: list[Path]) -> Path:
    """The file that an element names, which must lie in the scene's folder."""
    name = element.get("file", "")
    what = f"{file.name}: <{element.tag} {' '.join(f'{key}={value!r}' for key, value in element.attrib.items())}>"
    found = [Path(os.path.realpath(start / name)) for start in starts]  # `resolve` has an error of its own for links in a circle
    if not all(path.is_relative_to(folder) for path in found):
        raise ConfigError(f"{what} lies outside the scene's folder; copy it next to the scene and name it relative to that")
    existing = [path for path in found if path.is_file()]
    if not existing:
        raise ConfigError(f"{what}: no such file in the scene's folder; add it or mend the path")
    return existing[0]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

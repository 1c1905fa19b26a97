"""Rooms: what may live where, which imports run where, and that what acts knows nothing privileged."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP = ("hiermap", "worlds", "primitives", "planners")
ROOMS = (
    "hiermap.primitives",
    "hiermap.worlds",
    "hiermap.planners",
    "hiermap.system",
    "hiermap.model",
    "hiermap.worlds.perception",
    "hiermap.worlds.words",
    "hiermap.primitives.motion",
    "hiermap.primitives.skills",
    "hiermap.primitives.arms",
    "hiermap.worlds.kitchen",
    "hiermap.worlds.simulator",
    "hiermap.worlds.rules",
    "hiermap.worlds.wide",
    "hiermap.worlds.mjcf",
    "hiermap.worlds.geometry",
    "hiermap.worlds.oracle",
    "hiermap.worlds.imagined",
    "hiermap.agent",
    "hiermap",
    "hiermap.worlds.tasks",
    "hiermap.worlds.gym",
    "hiermap.data",
    "hiermap.data.exchange",
    "hiermap.data.walks",
    "hiermap.report",
    "hiermap.evaluation",
    "hiermap.training.keeping",
    "hiermap.training.sampling",
    "hiermap.training",
    "hiermap.view",
)
"""Lowest first: a room imports only what stands before it, and itself."""
MOST_FILES = 12
HEAVY = {"torch", "lightning", "mujoco", "robosuite"}
ACTING = ("planners", "worlds/perception", "worlds/imagined/latent.py", "hiermap/agent", "hiermap/model")
"""What plans and acts."""
PRIVILEGED = {f"hiermap.worlds.{room}" for room in ("kitchen", "simulator", "rules", "wide", "mjcf", "geometry", "oracle", "tasks", "gym")}


def sources(*folders: str) -> list[Path]:
    found = [ROOT / folder for folder in folders]
    return sorted(path for entry in found for path in ([entry] if entry.is_file() else entry.rglob("*.py")))


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return name if name.split(".")[0] == "hiermap" else f"hiermap.{name}"


MODULES = {module_of(path): path for path in sources(*TOP)}


def room_of(module: str) -> str:
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def imported(path: Path) -> set[str]:
    """Modules named in import statements anywhere in a file; those for type checkers only do not count."""
    names: set[str] = set()
    tree = ast.parse(path.read_text())
    typing_only = {id(n) for b in ast.walk(tree) if isinstance(b, ast.If) and "TYPE_CHECKING" in ast.dump(b.test) for n in ast.walk(b)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = members & set(MODULES)
            names |= modules or {node.module}
    return names


def test_every_file_has_a_room():
    assert {room_of(module) for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_between_rooms_run_one_way(room):
    allowed = set(ROOMS[: ROOMS.index(room) + 1]) | {"hiermap.configs"}
    inside = [module for module in MODULES if room_of(module) == room]
    assert inside
    wrong = {(m, name) for m in inside for name in imported(MODULES[m]) & set(MODULES) if room_of(name) not in allowed}
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_is_crowded(room):
    assert sum(room_of(module) == room and MODULES[module].name != "__init__.py" for module in MODULES) <= MOST_FILES


def test_what_plans_and_acts_imports_nothing_privileged():
    for path in sources(*ACTING):
        wrong = {name for name in imported(path) if any(name == p or name.startswith(p + ".") for p in PRIVILEGED)}
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


LIGHT = "import sys; import {0}; heavy = {{m.split('.')[0] for m in sys.modules}} & {1!r}; sys.exit(str(heavy) if heavy else 0)"


@pytest.mark.parametrize("module", ["hiermap", "hiermap.planners", "hiermap.primitives.specs", "hiermap.worlds.check", "hiermap.training"])
def test_the_light_rooms_load_neither_torch_nor_mujoco(module):
    subprocess.run([sys.executable, "-c", LIGHT.format(module, HEAVY)], check=True)


@pytest.mark.parametrize("module", sorted(m for m in MODULES if m.startswith("hiermap.worlds.perception.")))
def test_perception_loads_neither_torch_nor_mujoco(module):
    subprocess.run([sys.executable, "-c", LIGHT.format(module, HEAVY)], check=True)


def test_the_packages_of_the_wheel_are_the_rooms():
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert set(packages) == {*ROOMS, "hiermap.configs"}


def test_tests_mirror_the_rooms():
    for path in sources("tests"):
        folder = path.relative_to(ROOT / "tests").parent
        assert (ROOT / folder).is_dir(), f"{path.relative_to(ROOT)} mirrors no room"


DISTRIBUTIONS = {"PIL": "pillow", "yaml": "pyyaml", "imageio_ffmpeg": "imageio-ffmpeg"}


def test_every_import_is_declared_and_every_dependency_imported():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    declared = {
        re.match(r"[\w-]+", line)[0].lower()
        for line in [*project["dependencies"], *(line for name in ("ray", "words", "lerobot", "video", "view") for line in extras[name])]
    }
    top = {name.split(".")[0] for path in sources(*TOP, "benchmarks") for name in imported(path)}
    ours = {"hiermap", *(path.stem for path in sources("benchmarks"))}
    used = {DISTRIBUTIONS.get(name, name) for name in top - set(sys.stdlib_module_names) - ours}
    assert used == declared

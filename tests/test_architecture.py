"""The imports of the four folders run one way, and the planners know neither networks nor physics."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "primitives": {"primitives"},
    "worlds": {"worlds", "primitives"},
    "planners": {"planners", "worlds", "primitives"},
    "hiermap": {"hiermap", "planners", "worlds", "primitives", "configs"},
}
OURS = set(ALLOWED) | {"configs", "tests", "benchmarks"}
PLANNERS_MAY_USE = {"worlds.base", "worlds.goals", "worlds.frame", "primitives.specs"}


def imported_modules(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return names


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_run_downwards_only(folder):
    wrong = {
        (str(path.relative_to(ROOT)), module)
        for path in sources(folder)
        for module in imported_modules(path)
        if module.split(".")[0] in OURS - ALLOWED[folder]
    }
    assert not wrong


def test_every_folder_has_sources():
    assert all(len(sources(folder)) > 1 for folder in ALLOWED)


def test_planners_import_neither_torch_nor_mujoco_nor_a_concrete_world():
    for path in sources("planners"):
        modules = imported_modules(path)
        assert not {m.split(".")[0] for m in modules} & {"torch", "mujoco", "robosuite", "lightning"}, path
        assert {m for m in modules if m.startswith(("worlds", "primitives"))} <= PLANNERS_MAY_USE, path


@pytest.mark.parametrize("module", sorted(PLANNERS_MAY_USE))
def test_what_planners_use_pulls_in_neither_torch_nor_mujoco(module):
    path = ROOT / (module.replace(".", "/") + ".py")
    assert not {m.split(".")[0] for m in imported_modules(path)} & {"torch", "mujoco", "robosuite"}

"""The wheel works when installed non-editable and used from any other directory; the metadata agree."""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import numpy
import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_citation_and_changelog_name_the_version():
    citation = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert citation and citation[1] == PROJECT["version"]
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_constraints_obey_the_pins_of_the_project():
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert pinned["mujoco"].startswith("3.") and int(pinned["mujoco"].split(".")[1]) < 10
    assert pinned["numpy"].startswith("1.")
    extras = PROJECT["optional-dependencies"]
    for requirement in [*PROJECT["dependencies"], *extras["ray"], *extras["words"], *extras["video"], *extras["docs"], *extras["view"]]:
        name = re.match(r"[\w-]+", requirement)[0]
        assert name == "robosuite" or name.lower() in {pin.lower() for pin in pinned}, f"{name} is not pinned in constraints.txt"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A fresh environment holding the built wheel; the third-party packages are lent by path, so nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    site = Path(subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], **_TEXT).stdout.strip())
    # A plain path line lends the packages without running the .pth files there, so the editable checkout stays out of sight.
    (site / "lent.pth").write_text(f"{Path(numpy.__file__).parents[1]}\n")
    return python


_TEXT: dict = {"check": True, "capture_output": True, "text": True}


def run_elsewhere(python: Path, tmp_path: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run([python, *arguments], cwd=tmp_path, env=environment, **_TEXT).stdout


def test_the_wheel_imports_from_the_environment_and_not_from_the_checkout(installed, tmp_path):
    for package in ("hiermap", "hiermap.worlds", "hiermap.planners", "hiermap.primitives", "hiermap.configs"):
        where = run_elsewhere(installed, tmp_path, "-c", f"import {package}; print({package}.__file__)")
        assert str(ROOT) not in where and "site-packages" in where


DIGESTS = """
import hashlib, sys
from importlib.resources import files
for package, name in (line.split(":") for line in sys.argv[1:]):
    print(hashlib.sha256(files(package).joinpath(name).read_bytes()).hexdigest())
"""


def test_the_wheel_carries_every_config_and_the_weights_unchanged(installed, tmp_path):
    shipped = ROOT / "hiermap" / "shipped"
    carried = {f"hiermap.configs:{path.name}": path for path in (ROOT / "configs").glob("*.yaml")}
    carried |= {f"hiermap:shipped/{path.relative_to(shipped)}": path for path in shipped.rglob("*") if path.is_file()}
    carried["hiermap.worlds.words:grammar.lark"] = ROOT / "worlds" / "words" / "grammar.lark"
    assert {path.suffix for path in carried.values()} >= {".yaml", ".safetensors", ".json"}
    digests = run_elsewhere(installed, tmp_path, "-c", DIGESTS, *carried).split()
    assert digests == [hashlib.sha256(path.read_bytes()).hexdigest() for path in carried.values()]


def test_the_wheel_takes_one_name_at_the_top(installed, tmp_path):
    print_names = "from importlib.metadata import distribution; print(distribution('hiermap').read_text('top_level.txt'))"
    assert run_elsewhere(installed, tmp_path, "-c", print_names).split() == ["hiermap"]


NEIGHBOUR = """
import configs, planners, primitives, tests, worlds
for module in (configs, planners, primitives, tests, worlds):
    assert module.MINE, module
import numpy as np
from hiermap import PLANNERS, Budget, SearchOptions
from hiermap.planners import Tree
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyWorld
instance = next(i for i in TOY_INSTANCES.values() if i.shortest)
world, budget = ToyWorld(instance.kitchen), Budget(seconds=float("inf"), expansions=3000)
tree = Tree(world, world.root(instance.view, instance.goal), instance.goal, budget, SearchOptions(width=64))
result = PLANNERS["best_first"](tree, np.random.default_rng(0))
print(result.status, len(result.plan) == (instance.cheapest or instance.shortest))
"""


def test_the_wheel_works_beside_a_project_with_packages_of_the_same_names(installed, tmp_path):
    for name in ("configs", "planners", "primitives", "tests", "worlds"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = True\n")
    assert run_elsewhere(installed, tmp_path, "-c", NEIGHBOUR).split() == ["solved", "True"]


def test_the_installed_command_runs_elsewhere(installed, tmp_path):
    assert "evaluate" in run_elsewhere(installed, tmp_path, "-m", "hiermap.cli", "--help")

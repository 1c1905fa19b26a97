"""The wheel works when installed non-editable and used from any other directory; the metadata agree."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

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
    for requirement in PROJECT["dependencies"]:
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
    (site / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python


_TEXT: dict = {"check": True, "capture_output": True, "text": True}


def run_elsewhere(python: Path, tmp_path: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run([python, *arguments], cwd=tmp_path, env=environment, **_TEXT).stdout


def test_the_wheel_imports_from_the_environment_and_not_from_the_checkout(installed, tmp_path):
    for package in ("hiermap", "hiermap.worlds", "hiermap.planners", "hiermap.primitives", "hiermap.configs"):
        where = run_elsewhere(installed, tmp_path, "-c", f"import {package}; print({package}.__file__)")
        assert str(ROOT) not in where and "site-packages" in where


def test_the_wheel_carries_every_config_and_the_weights(installed, tmp_path):
    listing = "from importlib.resources import files; print(*sorted(p.name for p in files('hiermap.configs').iterdir()))"
    names = set(run_elsewhere(installed, tmp_path, "-c", listing).split())
    assert {p.name for p in (ROOT / "configs").glob("*.yaml")} <= names


def test_the_installed_command_runs_elsewhere(installed, tmp_path):
    assert "evaluate" in run_elsewhere(installed, tmp_path, "-m", "hiermap.cli", "--help")

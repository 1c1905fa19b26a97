import subprocess
import sys

import pytest

from hiermap import doctor
from hiermap.cli import main
from hiermap.doctor import Finding, check_graphics, check_versions, check_weights, probe_gl
from hiermap.system.versions import pin_problem


def test_every_line_says_ok_or_names_the_fix():
    assert str(Finding("x", True, "1.0", "unused")) == "ok       x           1.0"
    assert str(Finding("x", False, "1.0", "do this")) == "FIX      x           1.0; do this"
    assert str(Finding("x", False, "none", "do this", needed=False)).startswith("optional")


@pytest.mark.parametrize(
    ("name", "version", "command"),
    [
        ("mujoco", "3.10.0", "pip install 'mujoco>=3.8,<3.10'"),
        ("mujoco", "4.0.0", "pip install 'mujoco>=3.8,<3.10'"),
        ("mujoco", "3.7.0", "pip install 'mujoco>=3.8,<3.10'"),
        ("numpy", "2.1.0", "pip install 'numpy>=1.26,<2.0'"),
        ("numpy", "absent", "pip install 'numpy>=1.26,<2.0'"),
    ],
)
def test_a_version_outside_the_pins_gets_the_exact_pip_command(name, version, command):
    assert command in pin_problem(name, version)


@pytest.mark.parametrize(("name", "version"), [("mujoco", "3.8.0"), ("mujoco", "3.9.0"), ("numpy", "1.26.4")])
def test_a_version_inside_the_pins_is_no_problem(name, version):
    assert pin_problem(name, version) is None


def test_this_environment_is_inside_the_pins():
    assert [str(f) for f in check_versions() if not f.ok and f.name != "hiermap"] == []


def test_a_verb_stops_with_the_pip_command_when_a_package_is_outside_its_pin(monkeypatch, capsys):
    monkeypatch.setattr("hiermap.system.versions.installed", lambda name: "9.9.9")
    assert main(["data", "info", "."]) == 1
    assert "run: pip install 'mujoco>=3.8,<3.10'" in capsys.readouterr().err


def test_a_backend_that_does_not_exist_gives_a_reason_and_no_crash():
    assert probe_gl("nonsense")


def test_what_the_environment_asks_for_is_told_and_the_commands_that_need_it_stop_in_one_sentence(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "nonsense")
    monkeypatch.setattr(doctor, "GL_FIX", {})
    (finding,) = check_graphics()
    assert not finding.ok and finding.needed and "nonsense" in str(finding) and "unset it" in str(finding)
    command = [sys.executable, "-m", "hiermap", "plan", "task=chain-1", "out=unused", "kitchen=toy", "world=simulator", "maps=oracle"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("hiermap: MUJOCO_GL=nonsense cannot be loaded") and done.stderr.count("\n") == 1


def test_doctor_fails_only_for_what_is_needed(monkeypatch, capsys):
    lines = [Finding("a", False, "none", needed=False), Finding("b", True, "1")]
    monkeypatch.setattr(doctor, "CHECKS", (lambda: iter(lines),))
    assert main(["doctor"]) == 0
    lines.append(Finding("c", False, "none", "get it"))
    assert main(["doctor"]) == 1
    assert "FIX      c" in capsys.readouterr().out


def test_shipped_weights_are_each_named():
    assert [finding.name for finding in check_weights()]

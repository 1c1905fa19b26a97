"""MuJoCo draws by EGL without being told where that is safe, and what is said about it is heeded."""

import os
import sys
from collections.abc import Callable

import pytest

from hiermap import cli
from hiermap.system import graphics
from hiermap.system.graphics import prefer_egl
from hiermap.worlds.errors import ConfigError


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A Linux without a display, where nothing was said and EGL draws."""
    for name in ("MUJOCO_GL", "DISPLAY"):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards, whatever becomes of it
        monkeypatch.delenv(name)
    monkeypatch.delitem(sys.modules, "mujoco", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(graphics, "probe_gl", lambda backend: None)
    return monkeypatch


def test_where_egl_draws_mujoco_will_be_loaded_with_it(bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    prefer_egl()
    assert os.environ["MUJOCO_GL"] == "egl" and not capsys.readouterr().err


def test_where_it_does_not_the_reason_is_told(bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    bare.setattr(graphics, "probe_gl", lambda backend: f"no lib{backend.upper()}.so")
    prefer_egl()
    assert "MUJOCO_GL" not in os.environ and "does not draw here (no libEGL.so)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "told",
    [
        lambda patch: patch.setenv("MUJOCO_GL", "osmesa"),
        lambda patch: patch.setenv("DISPLAY", ":0"),
        lambda patch: patch.setitem(sys.modules, "mujoco", None),
        lambda patch: patch.setattr(sys, "platform", "darwin"),
    ],
)
def test_nothing_is_changed_where_something_was_said_or_it_is_too_late(
    told: Callable[[pytest.MonkeyPatch], None], bare: pytest.MonkeyPatch
) -> None:
    told(bare)
    before = dict(os.environ)
    prefer_egl()
    assert dict(os.environ) == before


def test_only_films_ask_for_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    def asked() -> None:
        raise ConfigError("asked for egl")

    monkeypatch.setattr(cli, "prefer_egl", asked)
    for word, told in (("video=0", False), ("video=1", True)):
        assert cli.main(["evaluate", "suite=chain-1", "out=unused", "weights=nowhere", word]) != 0
        assert ("asked for egl" in capsys.readouterr().err) is told

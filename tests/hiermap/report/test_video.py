"""Films: frames in order, beside what was imagined, as an mp4 that can be read back; the missing extra is named."""

import sys
from pathlib import Path

import numpy as np
import pytest

from hiermap.cli import main
from hiermap.report.recording import RecordedView, StepRecord
from hiermap.report.video import FPS, LINGER, PANEL_WIDTH, PHOTO, frames, mp4, panel
from hiermap.worlds.base import Action
from hiermap.worlds.simulator.film import Shot

ACTION = Action("pull", (40, 60), 0)


def view(depth: float | None) -> RecordedView:
    rgb = np.full((96, 128, 3), 90, np.uint8)
    ramp = None if depth is None else depth + np.linspace(0, 0.3, 96)[:, None] * np.ones(128)
    return RecordedView(rgb, np.zeros((5, 96, 128)), {}, {}, ramp)


def step(imagined: float | None = 1.1) -> StepRecord:
    return StepRecord(0, ACTION, None, 0.5, {"before": view(1.0), "imagined": view(imagined), "after": view(1.2)}, "done")


def photographed(state: np.ndarray) -> np.ndarray:
    return np.full((PHOTO[1], PHOTO[0], 3), state[0], np.uint8)


def test_every_filmed_state_is_a_frame_beside_its_steps_panel() -> None:
    shots = [Shot(ACTION, "", [np.array([v]) for v in (10, 20)]), Shot(ACTION, "", [np.array([30])])]
    seen = list(frames(shots, ["pull the drawer", "pull the door"], [step()], photographed))
    assert [int(frame[0, 0, 0]) for frame in seen] == [10, 20] + [20] * LINGER + [30] + [30] * LINGER
    assert all(frame.shape == (PHOTO[1], PHOTO[0] + PANEL_WIDTH, 3) and frame.dtype == np.uint8 for frame in seen)
    assert (seen[0][:, PHOTO[0] :] != seen[-1][:, PHOTO[0] :]).any()


def test_the_panel_shows_what_was_imagined_beside_what_came() -> None:
    same, other, none = panel("1 of 1", step(1.2)), panel("1 of 1", step(1.05)), panel("1 of 1", step(None))
    assert (same != other).any() and (same != none).any()
    third = PHOTO[1] // 3
    assert (same[:third] == other[:third]).all() and (same[-third:] == other[-third:]).all()


def test_a_film_can_be_read_back(tmp_path: Path) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="films need the extra `video`; run: pip install 'hiermap[video]'")
    path = tmp_path / "film.mp4"
    path.write_bytes(mp4(np.full((64, 96, 3), value, np.uint8) for value in (0, 120, 240)))
    reader = ffmpeg.read_frames(str(path))
    about = next(reader)
    levels = [np.frombuffer(frame, np.uint8).mean() for frame in reader]
    assert about["size"] == (96, 64) and about["fps"] == FPS
    assert len(levels) == 3 and np.abs(np.array(levels) - (0, 120, 240)).max() < 8


@pytest.mark.parametrize("words", [["plan", "task=chain-1", "execute=true", "video=1"], ["evaluate", "suite=chain-1", "video=2"]])
def test_the_missing_extra_is_named_before_anything_is_done(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert main([*words, f"out={tmp_path / 'out'}"]) == 2 and not (tmp_path / "out").exists()
    assert capsys.readouterr().err.endswith("needs the package imageio-ffmpeg; run: pip install 'hiermap[video]'\n")

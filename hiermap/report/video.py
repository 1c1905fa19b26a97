"""Films as mp4: photographs while the robot moves, beside what was chosen, what was imagined and what came; needs the extra `video`."""

import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hiermap.report.pictures import Picture, depth_picture, draw
from hiermap.report.recording import StepRecord
from hiermap.worlds.errors import ConfigError

if TYPE_CHECKING:
    from hiermap.worlds.simulator.film import Shot

FPS = 10
"""Frames a second, of the film and of the simulated time."""
PHOTO, PANEL_WIDTH = (640, 480), 240
"""Width and height of the photographs and width of what stands beside them [px]; an encoder wants multiples of 16."""
LINGER = 8
"""Frames for which the last picture of a primitive stays."""
TITLE_CHARACTERS = 32
"""Of a line above the panel's pictures."""
_DPI = 100


def check_installed() -> None:
    """ConfigError with the line that installs it unless films can be written."""
    try:
        import imageio_ffmpeg  # noqa: F401
    except ImportError as error:
        raise ConfigError("video=... needs the package imageio-ffmpeg; run: pip install 'hiermap[video]'") from error


def mp4(frames: Iterable[np.ndarray], fps: int = FPS) -> bytes:
    """The file of a film of frames `[height, width, 3]` uint8, all of one size; at least one."""
    from imageio_ffmpeg import write_frames  # an extra

    frames = iter(frames)
    first = next(frames)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        quiet = {"ffmpeg_log_level": "error", "output_params": ["-movflags", "+faststart"]}
        writer = write_frames(str(path), (first.shape[1], first.shape[0]), fps=fps, codec="libx264", quality=6, **quiet)
        writer.send(None)
        writer.send(np.ascontiguousarray(first))
        for frame in frames:
            writer.send(np.ascontiguousarray(frame))
        writer.close()
        return path.read_bytes()


def frames(
    shots: "Sequence[Shot]", words: Sequence[str], steps: Sequence[StepRecord], photographed: Callable[[np.ndarray], np.ndarray]
) -> Iterator[np.ndarray]:
    """Every frame `[height, width, 3]` of an episode: a photograph of each filmed state beside its step's panel.

    Args:
        words: what was done in each shot.
        steps: of each shot; the last shot may have none, where the simulation diverged.
        photographed: the picture of a state, of size `PHOTO`.
    """
    for number, shot in enumerate(shots):
        beside = panel(f"{number + 1} of {len(shots)}: {words[number]}", steps[number] if number < len(steps) else None)
        for state in shot.states:
            frame = np.hstack([photographed(state), beside])
            yield frame
        for _ in range(LINGER):
            yield frame


def panel(title: str, step: StepRecord | None) -> np.ndarray:
    """`[height, PANEL_WIDTH, 3]` uint8: the view with the chosen cell, the depth imagined afterwards, and what came."""
    figure = Figure(figsize=(PANEL_WIDTH / _DPI, PHOTO[1] / _DPI), dpi=_DPI, facecolor="white")
    figure.text(0.5, 0.985, textwrap.fill(title, TITLE_CHARACTERS), ha="center", va="top", fontsize=9, parse_math=False)
    for index, picture in enumerate([] if step is None else _beside(step)):
        axes = figure.add_axes((0.11, 0.625 - 0.306 * index, 0.78, 0.25))
        draw(axes, picture)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _beside(step: StepRecord) -> list[Picture]:
    before, imagined, after = (step.views.get(moment) for moment in ("before", "imagined", "after"))
    pictures = [Picture(before.rgb, "seen, and the chosen cell", action=step.action)] if before else []
    if imagined and imagined.depth is not None and before and before.depth is not None:
        pictures.append(depth_picture(imagined.depth, before.depth, "imagined depth afterwards"))
        if after and after.depth is not None:
            pictures.append(depth_picture(after.depth, before.depth, "real depth afterwards"))
    elif after:
        pictures.append(Picture(after.rgb, "seen afterwards"))
    return pictures

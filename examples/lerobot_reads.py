"""Read an export with LeRobot itself and hold every frame against the episodes it came from; for an environment with lerobot 0.4.

hiermap data export data/mine format=lerobot out=data/mine-lerobot
python examples/lerobot_reads.py data/mine-lerobot data/mine
"""

import json
import sys
from pathlib import Path
from typing import Any

import lerobot
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset


def same(frame: dict[str, Any], after: int | None, episode: dict[str, np.ndarray]) -> bool:
    """Whether a frame, and the view of the next one, are what an episode's arrays say."""
    view, transition = int(frame["hiermap.view"]), int(frame["hiermap.transition"])
    rgb = (frame["observation.images.oblique"].numpy().transpose(1, 2, 0) * 255).round()
    seen = np.array_equal(rgb, episode["rgb"][view]) and np.array_equal(frame["observation.depth"], episode["depth_mm"][view])
    if transition < 0:
        return seen and frame["subtask"] == "end" and bool(frame["next.done"])
    primitives = list(dict.fromkeys(name for name, _ in json.loads(str(episode["meta"][0]))["legend"]["bins"]))
    parts = ("rotation", "cell", "point_world", "normal_world")
    told = [
        (frame["subtask"], primitives[episode["primitive"][transition]]),
        (bool(frame["next.success"]), bool(episode["effect"][transition])),
        (frame["hiermap.reason"], str(episode["reason"][transition])),
        (view, episode["before"][transition]),
        (after, episode["after"][transition]),
    ]
    action = np.concatenate([np.ravel(episode[part][transition]) for part in parts]).astype(np.float32)
    return seen and all(got == expected for got, expected in told) and np.array_equal(frame["action"][1:], action)


def main(exported: str, source: str) -> int:
    """Compare everything; the exit code is 0 if all is equal."""
    frames = LeRobotDataset("local/kitchens", root=exported)
    names = {frame["hiermap.episode"] for frame in (frames[i] for i in range(len(frames)))}
    episodes = {name: dict(np.load(Path(source, f"{name}.npz"))) for name in names}
    views = [int(frames[i]["hiermap.view"]) for i in range(len(frames))]
    equal = [same(frames[i], after, episodes[frames[i]["hiermap.episode"]]) for i, after in enumerate([*views[1:], None])]
    transitions = sum(len(episode["primitive"]) for episode in episodes.values())
    print(
        f"lerobot {lerobot.__version__}: {sum(equal)} of {len(equal)} frames equal, in {frames.num_episodes} runs of {len(names)} "
        f"episodes with {transitions} transitions; subtasks {', '.join(frames.meta.subtasks.index)}"
    )
    return 0 if all(equal) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Storyboards: what a robot did as a row of photographs with words, one JSON file an episode, told in a report without other files."""

import binascii
import io
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from matplotlib.image import imsave

from hiermap.report import page
from hiermap.report.page import Html, html
from hiermap.system.files import read_sealed, sealed
from hiermap.worlds.errors import DataError
from hiermap.worlds.records import check

if TYPE_CHECKING:
    from hiermap.worlds.simulator.film import Film, Shot

PHOTO = (384, 288)
"""Width and height of a storyboard's photographs [px]."""
QUALITY = 82
"""Of JPEG: some 15 kB a photograph."""
DEEDS: Mapping[str, tuple[str, str]] = {
    "grasp": ("grasp the {}", "grasp nothing"),
    "place": ("set it down at the {}", "set it down"),
    "push": ("push the {}", "push nothing"),
    "pull": ("pull the {}", "pull nothing"),
    "rotate": ("turn the {}", "turn nothing"),
}
"""Primitive -> what is done to a thing, and where nothing that has a name lies."""
REMEDY = "run the command that left it again"
MAX_BYTES = 9_000_000
"""Of all photographs in a page; what is beyond stays in its folder."""


class Photo(TypedDict):
    """One photograph: a JPEG in base64, and what was done before it was taken, in words."""

    words: str
    jpeg: str


class Story(TypedDict):
    """What a storyboard's file holds: of an episode its task, goal and outcome in words, the primitives run, and the photographs."""

    task: str
    seed: int
    goal: str
    outcome: str
    success: bool
    primitives: list[str]
    scenes: list[Photo]


def deed(shot: "Shot", called: Mapping[str, str]) -> str:
    """What a primitive did, in words: "pull the left drawer"."""
    with_thing, without = DEEDS[shot.action.primitive]
    return with_thing.format(called.get(shot.thing, shot.thing)) if shot.thing else without


def jpeg(rgb: np.ndarray) -> bytes:
    """The file of a picture `[height, width, 3]` uint8."""
    file = io.BytesIO()
    imsave(file, rgb, format="jpeg", pil_kwargs={"quality": QUALITY, "optimize": True})
    return file.getvalue()


def story(film: "Film", photographed: Callable[[np.ndarray], np.ndarray], about: Mapping) -> str:
    """A storyboard's file: a photograph at first and one after every primitive.

    Args:
        photographed: the picture of a state, see `hiermap.worlds.simulator.photograph.Portrait`.
        about: the fields of `Story` that are not of its pictures.
    """
    called = film.scene.called()
    states = [film.shots[0].states[0] if film.shots else film.state(), *(shot.states[-1] for shot in film.shots)]
    words = ["at first", *(deed(shot, called) for shot in film.shots)]
    scenes = [{"words": word, "jpeg": b64encode(jpeg(photographed(state))).decode()} for word, state in zip(words, states, strict=True)]
    return json.dumps(sealed({**about, "primitives": [shot.action.primitive for shot in film.shots], "scenes": scenes}))


def read_story(path: Path) -> Story:
    """The content of a storyboard's file; DataError where it is damaged."""
    record = read_sealed(path, REMEDY)
    check(record, Story, str(path))
    for scene in record["scenes"]:
        try:
            is_jpeg = b64decode(scene["jpeg"], validate=True).startswith(b"\xff\xd8")
        except (binascii.Error, ValueError):
            is_jpeg = False
        if not is_jpeg:
            raise DataError(f"{path} is damaged (a photograph is no JPEG in base64); {REMEDY}")
    return record


def strip(told: Story) -> Html:
    """The photographs of a story beside and below each other, numbered, each with its words."""
    figures = [
        html(
            '<figure class="scene"><img src="data:image/jpeg;base64,{}" alt="{}"><figcaption>{}</figcaption></figure>',
            s["jpeg"],
            alt,
            words,
        )
        for s, words, alt in zip(told["scenes"], _captions(told), _alternatives(told), strict=True)
    ]
    return html('<div class="story">{}</div>', page.joined(figures))


def _captions(told: Story) -> list[str]:
    return [f"{number}. {scene['words']}" if number else scene["words"] for number, scene in enumerate(told["scenes"])]


def _alternatives(told: Story) -> list[str]:
    """For those who do not see the photographs."""
    after = [f"after step {number}: {scene['words']}" if number else scene["words"] for number, scene in enumerate(told["scenes"])]
    return [f"The kitchen with the robot {words}" for words in after]


def fitting(stories: Sequence[Story], most_bytes: int = MAX_BYTES) -> list[Story]:
    """The first stories, as many as have room in a page."""
    kept, size = [], 0
    for told in stories:
        size += sum(len(scene["jpeg"]) for scene in told["scenes"])
        if size > most_bytes:
            break
        kept.append(told)
    return kept

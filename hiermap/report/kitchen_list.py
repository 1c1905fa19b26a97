"""`hiermap kitchen`: what is in a kitchen, what can be asked of it, what holds now, and a picture with the names."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hiermap.report.pictures import Picture, png
from hiermap.system.config import typed
from hiermap.system.files import write_atomically
from hiermap.system.provenance import settings
from hiermap.system.run_folder import fingerprint, owned
from hiermap.worlds.goals import Predicate
from hiermap.worlds.perception.fusion import see
from hiermap.worlds.tasks.chain_names import FREE
from hiermap.worlds.tasks.kitchen_options import LookOptions
from hiermap.worlds.tasks.kitchens import KITCHENS
from hiermap.worlds.tasks.start_scenes import MIN_VISIBLE_CELLS

PICTURE = "kitchen.png"


def kitchen(config: Mapping[str, Any]) -> int:
    """Print everything in the kitchen of a seed with what can be asked of it and what holds already, and draw it; returns 0.

    Raises:
        ConfigError: there is no such kitchen.
    """
    options = typed(LookOptions, config)
    scene = KITCHENS[options.kitchen.name](FREE, options.seed, options.sensing, options.kitchen).scene
    view, masks, vocabulary = see(scene.observe(), scene.frame), scene.masks(), scene.vocabulary()
    print(in_text(vocabulary, masks, scene.truth(vocabulary)))
    with owned(options.out, {"command": "kitchen", **fingerprint(settings(config), ("out", "overwrite"))}, options.overwrite) as out:
        write_atomically(out / PICTURE, png([Picture(view.rgb, outlines={name: masks[name] for name in sorted(masks)})], scale=8))
    print(f"written {out / PICTURE}")
    return 0


def in_text(vocabulary: Sequence[Predicate], masks: Mapping[str, np.ndarray], truth: Mapping[str, bool]) -> str:
    """A line for everything that a goal may speak of first: its name, what can be asked of it, and what of that holds now, by the `truth`
    of `str(predicate)`; places stand where things are put.
    """
    asked: dict[str, dict[str, list[str]]] = {}
    holds: dict[str, list[str]] = {}
    for predicate in vocabulary:
        subject, *places = predicate.arguments
        asked.setdefault(subject, {}).setdefault(predicate.kind, []).extend(places)
        if truth[str(predicate)]:
            holds.setdefault(subject, []).append(" ".join((predicate.kind, *places)))
    width = max(map(len, asked))
    lines = []
    for name, kinds in asked.items():
        seen = "" if masks[name].sum() >= MIN_VISIBLE_CELLS else "  (hardly seen: no target now)"
        told = (f"{kind}({name}, {'|'.join(places)})" if places else f"{kind}({name})" for kind, places in kinds.items())
        now = " and ".join(holds.get(name, ["nothing of this"]))
        lines.append(f"{name.ljust(width)}  {'  '.join(told)}  now {now}{seen}")
    return "\n".join(lines)

"""Views of wide kitchens whose fixtures stand anyhow: no moves, hence no rules of geometry to work out, and many more kitchens a minute."""

from typing import TYPE_CHECKING

import numpy as np

from hiermap.data.episodes import NOT_APPLICABLE, Episode
from hiermap.primitives.specs import ROTATION_BINS
from hiermap.system.versions import versions
from hiermap.worlds.errors import DataError, PhysicsError
from hiermap.worlds.goals import BINARY, UNARY
from hiermap.worlds.legend import Legend
from hiermap.worlds.mjcf.mjcf_scene import PartsScene
from hiermap.worlds.perception.fusion import SpatialView, depth_to_tenth_mm
from hiermap.worlds.tasks.geometry_chains import wide_scene
from hiermap.worlds.wide.kitchens import kind_of

if TYPE_CHECKING:
    from hiermap.data.collect import CollectSettings

BETWEEN_SHARE = 0.15
"""Of the fixtures that stand somewhere on their way, not at an end."""
LEGEND = Legend((), UNARY, BINARY)
"""No maps are told."""


def fixture_views(seed: int, settings: "CollectSettings") -> Episode:
    """The wide kitchen of a seed in `settings.interactions_per_episode` random states, with what is true of its fixtures and nothing else.

    Raises:
        ConfigError: something falls as the kitchen is written.
        DataError: it never came to rest.
    """
    rng = np.random.default_rng([seed, 0x9B])
    scene = wide_scene(seed, settings.sensing)
    joints, others = list(scene.parts.fixtures), [*scene.parts.things, *scene.parts.surfaces]
    names, views, fractions, unary, masks = [*joints, *others], list[SpatialView](), [], [], np.zeros((0, 0, 0), bool)
    told = [p for p in scene.vocabulary() if p.arguments[0] in scene.parts.fixtures]
    for _ in range(settings.interactions_per_episode):
        try:
            scene.pose(_anyhow(scene, rng), {})
        except PhysicsError:
            continue
        if not views:
            seen = scene.masks()
            masks = np.array([seen[name] for name in names])
        views.append(scene.view())
        fractions.append([scene.fractions()[name] for name in joints])
        unary.append(np.full((len(names), len(UNARY)), NOT_APPLICABLE))
        for predicate, holds in zip(told, scene.truth(told).values(), strict=True):
            unary[-1][names.index(predicate.arguments[0]), UNARY.index(predicate.kind)] = holds
    if not views:
        raise DataError(f"kitchen {seed} never came to rest")
    values = {
        "rgb": [view.rgb for view in views],
        "depth_mm": [depth_to_tenth_mm(view) for view in views],
        "holding": [view.holding for view in views],
        "maps_packed": np.zeros((len(views), 0, ROTATION_BINS, masks.shape[1], -(-masks.shape[2] // 8))),
        "fractions": np.clip(fractions, 0, 1),
        **dict.fromkeys(("before", "after", "primitive", "rotation", "effect", "succeeded", "reason", "duration", "displacement"), ()),
        **{key: np.zeros((0, width)) for key, width in (("cell", 2), ("point_world", 3), ("normal_world", 3))},
        "names": names,
        "kinds": [*(kind_of(name) for name in (*joints, *scene.parts.things)), *("surface" for _ in scene.parts.surfaces)],
        "masks_packed": np.packbits(masks, axis=-1),
        "unary": unary,
        "steps_unary": np.full_like(unary, NOT_APPLICABLE),
        **dict.fromkeys(("binary", "steps_binary"), np.full((len(views), len(names), len(names), len(BINARY)), NOT_APPLICABLE)),
    }
    meta = {"seed": seed, "family": "wide", "source": settings.source, "walks": settings.walks, "versions": versions()}
    about = {"calibration_error_px": 0.0, "flags": [], "joints": joints, "legend": LEGEND.to_dict()}
    return Episode.of(values, {**meta, **about})


def _anyhow(scene: PartsScene, rng: np.random.Generator) -> dict[str, float]:
    """A fraction for every fixture: mostly one of its ends."""
    ends = {name: float(rng.random() < 0.5) for name in scene.parts.fixtures}
    return {name: float(rng.random()) if rng.random() < BETWEEN_SHARE else end for name, end in ends.items()}

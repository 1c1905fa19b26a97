"""Views of wide kitchens whose fixtures stand anyhow: no moves, hence no rules of geometry to work out, and many more kitchens a minute."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

BETWEEN_SHARE = 0.5
"""Of the fixtures that stand somewhere on their way, not at an end: more often near one, where what is shut and what is ajar look alike."""
LEGEND = Legend((), UNARY, BINARY)
"""No maps are told."""


@dataclass(frozen=True, eq=False)
class Glance:
    """A view, the fractions `[J]` of the fixtures in it, and the truth `[N, U]` of what is known of every thing."""

    view: SpatialView
    fractions: list[float]
    unary: np.ndarray


def fixture_views(seed: int, settings: "CollectSettings") -> Episode:
    """The wide kitchen of a seed in `settings.interactions_per_episode` random states, with what is true of its fixtures and nothing else.

    Raises:
        ConfigError: something falls as the kitchen is written.
        DataError: it never came to rest.
    """
    rng = np.random.default_rng([seed, 0x9B])
    scene = wide_scene(seed, settings.sensing, drawn=settings.wide)
    joints, things, surfaces = list(scene.parts.fixtures), list(scene.parts.things), list(scene.parts.surfaces)
    names, glances, masks = [*joints, *things, *surfaces], list[Glance](), dict[str, np.ndarray]()
    for _ in range(settings.interactions_per_episode):
        try:
            scene.pose(_anyhow(scene, rng), {})
        except PhysicsError:
            continue
        masks = masks or scene.masks()
        glances.append(_glance(scene, names))
    if not glances:
        raise DataError(f"kitchen {seed} never came to rest")
    kinds = [*map(kind_of, (*joints, *things)), *("surface" for _ in surfaces)]
    values = {**_seen(glances), "names": names, "kinds": kinds, "masks_packed": np.packbits([masks[name] for name in names], axis=-1)}
    meta = {"seed": seed, "family": "wide", "source": settings.source, "walks": settings.walks, "versions": versions()}
    about = {"calibration_error_px": 0.0, "flags": [], "joints": joints, "legend": LEGEND.to_dict()}
    return Episode.of(values, {**meta, **about})


def _anyhow(scene: PartsScene, rng: np.random.Generator) -> dict[str, float]:
    """A fraction for every fixture: mostly one of its ends."""
    ends = {name: float(rng.random() < 0.5) for name in scene.parts.fixtures}
    return {name: float(rng.beta(0.7, 0.7)) if rng.random() < BETWEEN_SHARE else end for name, end in ends.items()}


def _glance(scene: PartsScene, names: list[str]) -> Glance:
    unary = np.full((len(names), len(UNARY)), NOT_APPLICABLE)
    told = [predicate for predicate in scene.vocabulary() if predicate.arguments[0] in scene.parts.fixtures]
    for predicate, holds in zip(told, scene.truth(told).values(), strict=True):
        unary[names.index(predicate.arguments[0]), UNARY.index(predicate.kind)] = holds
    return Glance(scene.view(), [float(np.clip(fraction, 0, 1)) for fraction in scene.fractions().values()], unary)


def _seen(glances: list[Glance]) -> dict[str, Any]:
    """What an episode of these views without moves holds of them."""
    unary = np.stack([glance.unary for glance in glances])
    (views, things, _), shape = unary.shape, glances[0].view.valid.shape
    binary = np.full((views, things, things, len(BINARY)), NOT_APPLICABLE)
    moves = ("before", "after", "primitive", "rotation", "effect", "succeeded", "reason", "duration", "displacement")
    return {
        "rgb": [glance.view.rgb for glance in glances],
        "depth_mm": [depth_to_tenth_mm(glance.view) for glance in glances],
        "holding": [glance.view.holding for glance in glances],
        "maps_packed": np.zeros((views, 0, ROTATION_BINS, shape[0], -(-shape[1] // 8))),
        "fractions": [glance.fractions for glance in glances],
        **dict.fromkeys(moves, ()),
        **{key: np.zeros((0, width)) for key, width in (("cell", 2), ("point_world", 3), ("normal_world", 3))},
        "unary": unary,
        "steps_unary": np.full_like(unary, NOT_APPLICABLE),
        **dict.fromkeys(("binary", "steps_binary"), binary),
    }

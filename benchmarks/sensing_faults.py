"""Kinds of wrong depth, calibration and proprioception, each as a function of an observation and a random generator."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from hiermap.worlds.base import CameraView, Observation
from hiermap.worlds.perception.registration import turned

NEAR_M, FAR_M = 0.05, 10.0
"""Of the z-buffer."""
Change = Callable[[CameraView, np.random.Generator], CameraView]
Fault = Callable[[Observation, np.random.Generator], Observation]


def of_depth(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    return lambda view, rng: replace(view, depth=change(view.depth))


def of_image(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    """Of everything that comes as an image."""
    return lambda view, rng: replace(view, depth=change(view.depth), rgb=change(view.rgb))


def of_intrinsics(factor: tuple[float, float, float]) -> Change:
    """K with its rows multiplied."""
    return lambda view, rng: replace(view, K=view.K * np.array(factor)[:, None])


def of_focal(across: float, down: float) -> Change:
    return lambda view, rng: replace(view, K=view.K * np.array([[across, 1, 1], [1, down, 1], [1, 1, 1]]))


def of_pose(change: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Change:
    return lambda view, rng: replace(view, T_camera_to_world=change(view.T_camera_to_world, rng))


def along_the_ray(view: CameraView) -> np.ndarray:
    """How much longer the ray of each pixel is than its depth, `[h, w]`."""
    v, u = np.indices(view.depth.shape)
    return np.linalg.norm(np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(view.K).T, axis=-1)


def direction(rng: np.random.Generator) -> np.ndarray:
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


def shifted(T: np.ndarray, metres: np.ndarray) -> np.ndarray:
    return turned(T, np.concatenate([np.zeros(3), metres]), T[:3, 3])


def rotated(T: np.ndarray, radians: np.ndarray, centre: np.ndarray) -> np.ndarray:
    return turned(T, np.concatenate([radians, np.zeros(3)]), centre)


def in_units(T: np.ndarray, per_metre: float) -> np.ndarray:
    changed = T.copy()
    changed[:3, 3] *= per_metre
    return changed


def other_quaternion(T: np.ndarray) -> np.ndarray:
    """The scalar of the rotation's quaternion read from the wrong end."""
    changed = T.copy()
    changed[:3, :3] = Rotation.from_quat(np.roll(Rotation.from_matrix(T[:3, :3]).as_quat(), 1)).as_matrix()
    return changed


def steps_of(metres: float) -> Change:
    return of_depth(lambda d: (np.rint(d / metres) * metres).astype(np.float32))


def nearly_blind(view: CameraView, rng: np.random.Generator) -> CameraView:
    return replace(view, depth=np.where(rng.random(view.depth.shape) < 0.01, view.depth, np.float32(np.nan)))


FIVE_CM, FIVE_DEGREES = 0.05, float(np.deg2rad(5))
OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
CHANGES: Mapping[str, Change] = {
    "depth: z-buffer in 0..1": of_depth(lambda d: ((1 - NEAR_M / d) * FAR_M / (FAR_M - NEAR_M)).astype(np.float32)),
    "depth: inverse": of_depth(lambda d: 1 / d),
    "depth: millimetres": of_depth(lambda d: 1000 * d),
    "depth: centimetres": of_depth(lambda d: 100 * d),
    "depth: feet": of_depth(lambda d: d / np.float32(0.3048)),
    "depth: length of the ray": lambda view, rng: replace(view, depth=(view.depth * along_the_ray(view)).astype(np.float32)),
    "depth: taken for the ray's length": lambda view, rng: replace(view, depth=(view.depth / along_the_ray(view)).astype(np.float32)),
    "depth: upside down": of_depth(lambda d: d[::-1]),
    "depth: mirrored": of_depth(lambda d: d[:, ::-1]),
    "depth: turned by 180 degrees": of_depth(lambda d: d[::-1, ::-1]),
    "depth: 8 pixels aside": of_depth(lambda d: np.roll(d, 8, axis=1)),
    "depth: 5 cm too far": of_depth(lambda d: d + np.float32(FIVE_CM)),
    "depth: 5 cm too near": of_depth(lambda d: d - np.float32(FIVE_CM)),
    "depth: 1.1 times": of_depth(lambda d: np.float32(1.1) * d),
    "depth: 0.9 times": of_depth(lambda d: np.float32(0.9) * d),
    "depth: overflown float16": of_depth(lambda d: (1e5 * d).astype(np.float16)),
    "depth: zero everywhere": of_depth(np.zeros_like),
    "depth: NaN everywhere": of_depth(lambda d: np.full_like(d, np.nan)),
    "depth: NaN in 99 %": nearly_blind,
    "depth: 1 m everywhere": of_depth(np.ones_like),
    "depth: 8 bits over 10 m": steps_of(10 / 255),
    "image: upside down": of_image(lambda a: a[::-1]),
    "image: mirrored": of_image(lambda a: a[:, ::-1]),
    "image: transposed": of_image(lambda a: np.swapaxes(a, 0, 1)),
    "image: turned by 90 degrees": of_image(np.rot90),
    "K: fx and fy 1.2 times": of_focal(1.2, 1.2),
    "K: fx and fy 0.8 times": of_focal(0.8, 0.8),
    "K: fx 1.2 times": of_focal(1.2, 1.0),
    "K: of half the resolution": of_intrinsics((0.5, 0.5, 1.0)),
    "K: centre 12 pixels aside": lambda view, rng: replace(view, K=view.K + np.array([[0, 0, 12.0], [0, 0, 0], [0, 0, 0]])),
    "T: inverted": of_pose(lambda T, rng: np.linalg.inv(T)),
    "T: OpenGL axes": of_pose(lambda T, rng: T @ OPENGL),
    "T: rotation transposed": of_pose(lambda T, rng: np.block([[T[:3, :3].T, T[:3, 3:]], [T[3:]]])),
    "T: quaternion from the wrong end": of_pose(lambda T, rng: other_quaternion(T)),
    "T: millimetres": of_pose(lambda T, rng: in_units(T, 1000)),
    "T: centimetres": of_pose(lambda T, rng: in_units(T, 100)),
    "T: 5 cm off": of_pose(lambda T, rng: shifted(T, FIVE_CM * direction(rng))),
    "T: 5 degrees off": of_pose(lambda T, rng: rotated(T, FIVE_DEGREES * direction(rng), T[:3, 3])),
}
"""What can be wrong with a camera."""


def of_one(change: Change) -> Fault:
    """One camera is wrong."""

    def fault(seen: Observation, rng: np.random.Generator) -> Observation:
        which = int(rng.integers(len(seen.views)))
        return replace(seen, views=tuple(change(view, rng) if i == which else view for i, view in enumerate(seen.views)))

    return fault


def of_all(change: Change) -> Fault:
    """All cameras are wrong in the same way."""
    return lambda seen, rng: replace(seen, views=tuple(change(view, rng) for view in seen.views))


def alike(change: Callable[[np.ndarray, np.random.Generator], Callable[[np.ndarray], np.ndarray]]) -> Fault:
    """All cameras are moved together, as by a wrong place of the robot's base: they agree with each other."""

    def fault(seen: Observation, rng: np.random.Generator) -> Observation:
        move = change(seen.views[0].T_camera_to_world, rng)
        return replace(seen, views=tuple(replace(view, T_camera_to_world=move(view.T_camera_to_world)) for view in seen.views))

    return fault


def exchanged(names: tuple[str, ...]) -> Fault:
    """Two cameras exchange what they call so."""

    def fault(seen: Observation, rng: np.random.Generator) -> Observation:
        views, (a, b) = list(seen.views), rng.choice(len(seen.views), 2, replace=False)
        given = [{name: getattr(seen.views[i], name) for name in names} for i in (a, b)]
        views[a], views[b] = replace(views[a], **given[1]), replace(views[b], **given[0])
        return replace(seen, views=tuple(views))

    return fault


def together_shifted(_: np.ndarray, rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    metres = FIVE_CM * direction(rng)
    return lambda T: shifted(T, metres)


def together_turned(_: np.ndarray, rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    radians = FIVE_DEGREES * direction(rng)
    return lambda T: rotated(T, radians, np.zeros(3))


OTHERS: Mapping[str, Fault] = {
    "cameras: depth of another": exchanged(("depth",)),
    "cameras: images exchanged": exchanged(("rgb", "depth")),
    "cameras: poses exchanged": exchanged(("T_camera_to_world",)),
    "cameras: all 5 cm off alike": alike(together_shifted),
    "cameras: all 5 degrees off alike": alike(together_turned),
}

Later = Callable[[Observation, Observation, Observation, np.random.Generator], Observation]
"""From the looks before and after a primitive, and one at another kitchen, to what is handed over after it."""


def with_views(seen: Observation, other: Observation, which: int | None, *names: str) -> Observation:
    """What is seen, with these fields of one view, or of all, from another observation."""
    pairs = enumerate(zip(seen.views, other.views, strict=True))
    views = [replace(a, **{name: getattr(b, name) for name in names}) if which in (None, i) else a for i, (a, b) in pairs]
    return replace(seen, views=tuple(views))


IMAGES = ("rgb", "depth")
LATER: Mapping[str, Later] = {
    "later: everything from before the primitive": lambda before, after, other, rng: before,
    "later: all images from before the primitive": lambda before, after, other, rng: with_views(after, before, None, *IMAGES),
    "later: one image from before the primitive": lambda before, after, other, rng: with_views(
        after, before, int(rng.integers(3)), *IMAGES
    ),
    "later: all colours from before the primitive": lambda before, after, other, rng: with_views(after, before, None, "rgb"),
    "later: all depth from before the primitive": lambda before, after, other, rng: with_views(after, before, None, "depth"),
    "later: all images from another kitchen": lambda before, after, other, rng: with_views(after, other, None, *IMAGES),
    "later: one image from another kitchen": lambda before, after, other, rng: with_views(after, other, int(rng.integers(3)), *IMAGES),
}
